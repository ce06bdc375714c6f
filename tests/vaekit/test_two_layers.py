"""The network with two layers of codes: its densities are those of the paper's model, from the image up and back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from models import tiny_model
from scipy import stats

import vaekit
from vaekit import evaluate
from vaekit.training.precision import POLICIES, compile_for

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((60, 8, 8)) < 0.3).astype(np.float32)
LABELS = np.arange(60) % 3
SIZES: dict[str, Any] = {"network": "two_layers", "lower": 4, "units": (8, 6)}


def make(kind: type = vaekit.CVAE, *, spread: float = 0.5, **options: Any) -> Any:
    model = tiny_model(kind, 3, **SIZES | options)
    for variable in model.trainable_variables:
        variable.assign(np.random.default_rng(0).normal(0, spread, variable.shape))
    return model


def drawn(model: Any, noise: np.ndarray, samples: int = 1) -> Any:
    count = len(noise) // samples
    inputs = model.inputs_of(*map(ops.convert_to_tensor, (IMAGES[:count], LABELS[:count])))
    return model.draw(inputs, samples=samples, noise=ops.convert_to_tensor(noise))


def to_numpy(*tensors: Any) -> list[np.ndarray]:
    return [ops.convert_to_numpy(tensor) for tensor in tensors]


def log_normal(z: Any, mean: Any, log_var: Any) -> np.ndarray:
    z, mean, log_var = to_numpy(z, mean, log_var)
    return stats.norm.logpdf(z, mean, np.exp(log_var / 2)).sum(axis=1)


@pytest.mark.parametrize("kind", [vaekit.VAE, vaekit.CVAE])
def test_what_is_drawn_is_what_is_decoded(kind: type) -> None:
    model = make(kind)
    noise = RNG.standard_normal((10, 7), np.float32)
    found = drawn(model, noise, samples=2)
    codes, mean, log_var, logits = to_numpy(*found)
    np.testing.assert_allclose(codes, mean + np.exp(log_var / 2) * noise, atol=1e-4)
    rows = [ops.repeat(ops.one_hot(LABELS[:5], 3), 2, axis=0)] if kind is vaekit.CVAE else []
    np.testing.assert_allclose(*to_numpy(model.logits([found.codes, *rows]), logits), atol=1e-4)
    assert (model.latent_dim, model.decoder.top, model.decoder.parts) == (7, 3, [3, 4])


def test_ratios_of_densities_are_those_of_the_two_layers() -> None:
    model = make(vaekit.VAE)
    decoder, noise = model.decoder, RNG.standard_normal((20, 7), np.float32)
    found = drawn(model, noise)
    mean, log_var = to_numpy(*decoder.lower_posterior(model.encoder(IMAGES[:20, ..., None])))
    lower = mean + np.exp(log_var / 2) * noise[:, 3:]
    upper_mean, upper_log_var = to_numpy(*decoder.upper_posterior(lower))
    upper = upper_mean + np.exp(upper_log_var / 2) * noise[:, :3]
    log_q = log_normal(lower, mean, log_var) + log_normal(upper, upper_mean, upper_log_var)
    log_p = log_normal(lower, *decoder.lower_prior(upper)) + log_normal(upper, np.zeros(3), np.zeros(3))
    of_codes = log_normal(*found[:3]) - log_normal(found.codes, np.zeros(7), np.zeros(7))
    np.testing.assert_allclose(of_codes, log_q - log_p, rtol=1e-3, atol=1e-3)
    np.testing.assert_allclose(to_numpy(model.kl(found))[0].sum(axis=1), log_q - log_p, rtol=1e-3, atol=1e-3)


def test_bounds_use_them() -> None:
    model = make(spread=0.3)
    kl, _, log_ratios = next(evaluate.bounds._draws(model, IMAGES[:2], LABELS[:2], 20_000, "none", 0))
    np.testing.assert_allclose(np.exp(log_ratios.astype(np.float64)).mean(axis=1), 1, atol=0.03)
    np.testing.assert_allclose(kl, -log_ratios, atol=1e-3)
    assert kl.mean() > 0.1
    nll = evaluate.nll(model, IMAGES, LABELS, samples=200)
    assert nll < -evaluate.elbo(model, IMAGES, LABELS, samples=50)


@pytest.mark.parametrize(("objective", "policy"), list(zip(["elbo", "iwae", "elbo"], POLICIES, strict=True)))
def test_contract(objective: str, policy: str, tmp_path: Path) -> None:
    model = make(objective=objective)
    compile_for(model, policy)
    assert {keras.backend.standardize_dtype(part.dtype) for part in drawn(model, np.zeros((5, 7), np.float32))} == {
        "float32"
    }
    before = [np.array(ops.convert_to_numpy(variable)) for variable in model.trainable_variables]
    losses = model.fit(IMAGES, LABELS, epochs=4, batch_size=20, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for variable, was in zip(model.trainable_variables, before, strict=True):
        assert not np.array_equal(ops.convert_to_numpy(variable), was), variable.path
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    exact = 1e-5 if policy == "float32" else 1e-2  # the decoder computes in float32 when it is loaded
    np.testing.assert_allclose(again.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=exact)
    assert again.sample(6, seed=0).shape == (6, 8, 8, 1)


def test_a_fitted_prior_is_of_the_upper_code() -> None:
    model = make()
    model.fit_prior(IMAGES, LABELS, components=2)
    assert model.prior.means.shape == (3, 2, 3)
    assert model.sample(4, seed=0).shape == (4, 8, 8, 1)


def test_who_cannot_use_it_says_so() -> None:
    with pytest.raises(ValueError, match="two_layers is for a VAE or a CVAE"):
        vaekit.AE.for_images((8, 8, 1), 2, network="two_layers")
    with pytest.raises(ValueError, match="expected a network other than ladder and two_layers to quantize"):
        make().quantize("int8")
    with pytest.raises(ValueError, match="one layer of codes for learned_prior, received TwoLayers"):
        make(learned_prior=True)
    with pytest.raises(ValueError, match="for DReG, received the network TwoLayers"):
        make(objective="dreg").train_on_batch(IMAGES, LABELS)
