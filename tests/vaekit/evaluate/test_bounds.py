"""Bounds on the likelihood, against numerical integration over one latent."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from scipy import special

import vaekit
from vaekit import evaluate
from vaekit.evaluate import bounds

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((130, 2, 2, 1)) > 0.5).astype(np.float32)
KERNEL, BIAS = np.array([[1.0, -2.0, 0.5, 3.0]]), np.array([0.1, -0.3, 0.2, 0.0])


@pytest.fixture(scope="module")
def model() -> vaekit.VAE:
    """One latent, a linear decoder, and a posterior that ignores the image and is a little wider than the prior."""
    images, codes = keras.Input((2, 2, 1)), keras.Input((1,))
    encoder = keras.Model(images, keras.layers.Flatten()(images))
    decoder = keras.Model(codes, keras.layers.Reshape((2, 2, 1))(keras.layers.Dense(4, name="linear")(codes)))
    decoder.get_layer("linear").set_weights([KERNEL, BIAS])
    model = vaekit.VAE(encoder, decoder, 1)
    model.mean_head.set_weights([np.zeros((4, 1)), np.array([0.2])])
    model.log_var_head.set_weights([np.zeros((4, 1)), np.log([1.44])])
    return model


def integrate(images: np.ndarray) -> float:
    """Exact mean of -log p(x): the integral over the one latent on a fine grid."""
    z = np.linspace(-12, 12, 4001)[:, None]
    logits = z * KERNEL + BIAS
    log_p = images.reshape(-1, 1, 4) * logits - np.logaddexp(0, logits)
    joint = np.exp(log_p.sum(2) - z[:, 0] ** 2 / 2) / np.sqrt(2 * np.pi)
    return -np.log(np.trapezoid(joint, z[:, 0], axis=1)).mean()


def test_nll_approaches_the_integral(model: vaekit.VAE) -> None:
    exact = integrate(IMAGES)
    assert evaluate.nll(model, IMAGES, samples=4000) == pytest.approx(exact, abs=0.01)
    assert evaluate.nll(model, IMAGES, samples=1) > exact
    assert evaluate.nll(model, IMAGES, samples=10) == evaluate.nll(model, IMAGES, samples=10)


def test_samples_may_be_drawn_in_several_steps(model: vaekit.VAE) -> None:
    seven_samples = 4 * 100 * 7
    total = 0.0
    for _, log_likelihoods, log_ratios in bounds._draws(model, IMAGES, None, 4000, "none", 0, decoded=seven_samples):
        assert log_likelihoods.shape == log_ratios.shape == (len(log_ratios), 4000)
        total -= special.logsumexp(log_likelihoods + log_ratios, axis=1).sum()
    assert total / len(IMAGES) + np.log(4000) == pytest.approx(integrate(IMAGES), abs=0.01)


def test_elbo_is_the_bound(model: vaekit.VAE) -> None:
    z, weights = np.polynomial.hermite_e.hermegauss(60)
    logits = (0.2 + 1.2 * z)[:, None] * KERNEL + BIAS
    log_p = (IMAGES.reshape(-1, 1, 4) * logits - np.logaddexp(0, logits)).sum(2)
    kl = 0.5 * (1.44 + 0.04 - 1 - np.log(1.44))
    exact = (log_p @ weights / weights.sum()).mean() - kl
    assert evaluate.elbo(model, IMAGES, samples=4000) == pytest.approx(exact, abs=0.02)
    assert exact < -integrate(IMAGES)
    model.compile()
    assert model.evaluate(np.repeat(IMAGES, 100, 0), verbose=0)[0] == pytest.approx(-exact, abs=0.1)


def test_binarisation(model: vaekit.VAE) -> None:
    grey = np.full((400, 2, 2, 1), 0.7, np.float32)
    assert evaluate.nll(model, grey, samples=500, binarize="threshold") == pytest.approx(
        integrate(np.ones((1, 2, 2, 1))), abs=0.02
    )
    patterns = np.array(np.meshgrid(*[[0.0, 1.0]] * 4)).reshape(4, -1).T
    chances = (special.xlogy(patterns, 0.7) + special.xlogy(1 - patterns, 0.3)).sum(1)
    expected = sum(np.exp(chance) * integrate(row) for row, chance in zip(patterns, chances, strict=True))
    assert evaluate.nll(model, grey, samples=500, binarize="sampled") == pytest.approx(expected, abs=0.1)
    with pytest.raises(ValueError, match="expected binarize"):
        evaluate.nll(model, grey, binarize="otsu")


def test_bounds_binarise_as_the_loss_does(monkeypatch: pytest.MonkeyPatch, model: vaekit.VAE) -> None:
    grey = np.full((50, 2, 2, 1), 0.7, np.float32)
    figures = {how: evaluate.nll(model, grey, samples=10, binarize=how) for how in ("none", "sampled", None)}
    assert figures[None] == figures["none"] != figures["sampled"]
    monkeypatch.setattr(model, "binarization", vaekit.layers.Binarize())
    assert evaluate.nll(model, grey, samples=10) == figures["sampled"]
    assert evaluate.elbo(model, grey) == evaluate.elbo(model, grey, binarize="sampled")


def test_active_units_are_those_whose_mean_moves() -> None:
    model = vaekit.CVAE.for_images((4, 4, 1), 3, num_classes=2, network="mlp", units=(8,))
    kernel = np.zeros((8, 3), np.float32)
    kernel[:, 1] = 1
    model.mean_head.set_weights([kernel, np.array([5.0, 0.0, 0.0])])
    images = RNG.random((50, 4, 4, 1)).astype(np.float32)
    assert evaluate.active_units(model, images, np.arange(50) % 2) == 1
    assert evaluate.active_units(model, images, threshold=1e9) == 0
