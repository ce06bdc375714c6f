"""Likelihoods of pixels: against SciPy and numerical integrals, in training, in bounds and in files."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model
from scipy import special, stats

import vaekit
from vaekit import likelihoods

RNG = np.random.default_rng(0)
IMAGES = RNG.random((20, 8, 8, 1)).astype(np.float32)
LOGITS = RNG.normal(0, 4, IMAGES.shape).astype(np.float32)
MEANS = special.expit(LOGITS.astype(np.float64))


def to_numpy(tensor: object) -> np.ndarray:
    return keras.ops.convert_to_numpy(tensor)


@pytest.mark.parametrize(
    ("loss", "densities"),
    [
        (likelihoods.Bernoulli(), lambda x: -special.xlogy(x, MEANS) - special.xlogy(1 - x, 1 - MEANS)),
        (likelihoods.Gaussian(0.3), lambda x: -stats.norm(MEANS, 0.3).logpdf(x)),
        (likelihoods.Laplace(0.2), lambda x: -stats.laplace(MEANS, 0.2).logpdf(x)),
    ],
)
def test_densities_are_those_of_scipy(loss: likelihoods.Likelihood, densities: object) -> None:
    expected = densities(IMAGES).sum((1, 2, 3))
    np.testing.assert_allclose(to_numpy(loss.call(IMAGES, LOGITS)), expected, rtol=1e-5)
    np.testing.assert_allclose(to_numpy(loss.mean(LOGITS)), MEANS, atol=1e-6)


@pytest.mark.parametrize("logit", [-30.0, -5.0, -0.3, -2e-3, -5e-4, 0.0, 1e-5, 9e-4, 5e-3, 2e-2, 1.0, 12.0, 60.0])
def test_the_continuous_bernoulli_is_a_density_with_its_mean(logit: float) -> None:
    loss = likelihoods.ContinuousBernoulli()
    nodes, weights = np.polynomial.legendre.leggauss(200)
    x = (nodes + 1) / 2
    logits = np.full((200, 1), logit, np.float32)
    density = np.exp(-to_numpy(loss.call(x[:, None].astype(np.float32), logits)).astype(np.float64))
    assert np.sum(weights / 2 * density) == pytest.approx(1, rel=1e-4)
    assert to_numpy(loss.mean(logits))[0, 0] == pytest.approx(np.sum(weights / 2 * density * x), abs=2e-5)


@pytest.mark.parametrize("name", likelihoods.NAMED)
def test_a_likelihood_in_a_model(name: str, tmp_path: Path) -> None:
    model = tiny_model(vaekit.VAE, contrast=0.3)
    model.compile("adam", loss=name)
    history = model.fit(IMAGES, epochs=2, verbose=0).history
    np.testing.assert_allclose(np.add(history["reconstruction"], history["kl"]), history["loss"], rtol=1e-4)
    bound = -vaekit.evaluate.elbo(model, IMAGES, samples=200)
    losses = [model.evaluate(IMAGES, verbose=0, return_dict=True)["loss"] for _ in range(30)]
    assert bound == pytest.approx(np.mean(losses), rel=0.02, abs=0.1)
    assert vaekit.evaluate.nll(model, IMAGES, samples=200) < bound
    images = model.sample(3, seed=0)
    assert images.min() >= 0
    assert images.max() <= 1
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_array_equal(again.sample(3, seed=0), images)
    assert -vaekit.evaluate.elbo(again, IMAGES, samples=200) == pytest.approx(bound, rel=1e-5)


def test_another_likelihood_has_other_means() -> None:
    model = tiny_model(vaekit.VAE, contrast=3)
    codes = np.ones((1, 2))
    before = model.decode(codes)
    model.compile("adam", loss="continuous_bernoulli")
    logits = np.clip(special.logit(before.astype(np.float64)), -15, 15)  # what float32 can tell from 0 and 1
    expected, found = to_numpy(likelihoods.ContinuousBernoulli().mean(logits)), model.decode(codes)
    sure = np.abs(logits) < 10
    np.testing.assert_allclose(found[sure], expected[sure], atol=1e-4)
    assert np.abs(found - before).max() > 0.1


def test_wrong_arguments() -> None:
    model = tiny_model(vaekit.VAE)
    model.compile("adam", loss="normal")
    with pytest.raises(ValueError, match="normal"):
        model.fit(IMAGES, verbose=0)
    with pytest.raises(ValueError, match="expected a scale above 0, received 0"):
        likelihoods.Gaussian(0)
