"""The network with codes at several scales: what is drawn is what is decoded, and its density is the one it says."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from models import tiny_model

import vaekit
from vaekit import evaluate
from vaekit.models import ELBO

RNG = np.random.default_rng(0)
IMAGES = (RNG.random((60, 16, 16)) < 0.3).astype(np.float32)
LABELS = np.arange(60) % 3


def ladder(
    kind: type = vaekit.CVAE, shape: tuple[int, int, int] = (16, 16, 1), *, spread: float = 0.3, **options: Any
) -> Any:
    """A tiny model. All its weights are random numbers, so that nothing starts as the identity."""
    sizes = {"network": "ladder", "filters": (4, 6), "maps": (1, 2), "depth": (2, 1)}
    model = tiny_model(kind, 3, shape, **sizes | options)
    for variable in [*model.encoder.trainable_variables, *model.decoder.trainable_variables]:
        variable.assign(np.random.default_rng(0).normal(0, spread, variable.shape))
    return model


@pytest.mark.parametrize(
    ("kind", "shape"), [(vaekit.CVAE, (16, 16, 1)), (vaekit.CVAE, (28, 28, 1)), (vaekit.VAE, (17, 40, 3))]
)
def test_what_is_drawn_is_what_is_decoded(kind: type, shape: tuple[int, int, int]) -> None:
    model = ladder(kind, shape)
    inputs = model.inputs_of(ops.convert_to_tensor(RNG.random((4, *shape)), "float32"), ops.arange(4) % 3)
    noise = RNG.standard_normal((8, model.latent_dim), np.float32)
    drawn = model.draw(inputs, samples=2, noise=ops.convert_to_tensor(noise))
    codes, mean, log_var = (ops.convert_to_numpy(part) for part in drawn[:3])
    np.testing.assert_allclose(codes, mean + np.exp(log_var / 2) * noise, rtol=1e-5, atol=1e-5)
    labels = [ops.repeat(rows, 2, axis=0) for rows in inputs[1:]]
    again = model.logits([drawn.codes, *labels])
    assert tuple(again.shape) == (8, *shape)
    np.testing.assert_allclose(ops.convert_to_numpy(again), ops.convert_to_numpy(drawn.logits), atol=1e-4)
    assert sum(model.decoder.parts) == model.latent_dim == codes.shape[1]


def test_the_posterior_of_a_number_follows_those_above_it() -> None:
    model = ladder()
    inputs = model.inputs_of(ops.convert_to_tensor(IMAGES[:1]), ops.convert_to_tensor([1]))
    noise = np.zeros((2, model.latent_dim), np.float32)
    noise[1, :3] = 3  # another code at the top
    drawn = model.draw(inputs, samples=2, noise=ops.convert_to_tensor(noise))
    mean = ops.convert_to_numpy(drawn.mean)
    top = model.decoder.top
    np.testing.assert_allclose(mean[0, :top], mean[1, :top], atol=1e-6)
    assert (np.abs(mean[0, top:] - mean[1, top:]) > 1e-6).mean() > 0.5


def test_ratios_of_prior_and_posterior_have_a_mean_of_one() -> None:
    model = ladder(spread=0.2)
    draws = next(evaluate.bounds._draws(model, IMAGES[:2], LABELS[:2], 20_000, "none", 0))
    kl, _, log_ratios = (part.astype(np.float64) for part in draws)
    np.testing.assert_allclose(np.exp(log_ratios).mean(axis=1), 1, atol=0.02)  # whatever the posterior is
    np.testing.assert_allclose(kl.mean(axis=1), -log_ratios.mean(axis=1), rtol=0.1)
    assert kl.mean() > 0.05


@pytest.mark.slow
def test_every_weight_is_trained_and_the_loss_falls() -> None:
    model = ladder()
    before = [ops.convert_to_numpy(variable).copy() for variable in model.trainable_variables]
    losses = model.fit(IMAGES, LABELS, epochs=6, verbose=0).history["loss"]
    assert losses[-1] < losses[0]
    for variable, was in zip(model.trainable_variables, before, strict=True):
        assert not np.array_equal(ops.convert_to_numpy(variable), was), variable.path


@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16", "mixed_float16"])
def test_codes_and_logits_are_float32_in_each_precision(policy: str) -> None:
    model = ladder()
    exact = model.encode(IMAGES, LABELS)
    vaekit.training.set_precision(model, policy)
    drawn = model.draw(model.inputs_of(ops.convert_to_tensor(IMAGES), ops.convert_to_tensor(LABELS)))
    assert {keras.backend.standardize_dtype(part.dtype) for part in drawn} == {"float32"}
    np.testing.assert_allclose(model.encode(IMAGES, LABELS), exact, atol=0.05)


def test_free_bits_of_the_parts_of_a_code() -> None:
    free = ELBO(free_bits=(1000.0, 0.0, 2000.0))
    model = ladder(objective=free)
    tensors = model.inputs_of(ops.convert_to_tensor(IMAGES), ops.convert_to_tensor(LABELS))
    loss, measures = free(model, *tensors[:1], tensors[1:])
    rest = ops.convert_to_numpy(loss - measures["reconstruction"])
    coarse = rest - 3000
    total = float(ops.convert_to_numpy(ops.mean(measures["kl"])))
    assert 0 < coarse.mean() < total  # the part without free bits costs what it holds
    assert ELBO.from_config(free.get_config()).free_bits == [1000.0, 0.0, 2000.0]
    with pytest.raises(ValueError, match=r"expected free_bits for 3 parts .* received \[1.0, 2.0\]"):
        ladder(objective=ELBO(free_bits=(1.0, 2.0))).fit(IMAGES, LABELS, verbose=0)
    with pytest.raises(ValueError, match="expected free_bits of 0 or more"):
        ELBO(free_bits=(1.0, -2.0))


def test_a_fitted_prior_is_of_the_codes_at_the_top() -> None:
    model = ladder()
    before = model.sample(9, seed=0)
    model.fit_prior(IMAGES, LABELS, components=2)
    assert model.prior.means.shape == (3, 2, 3)
    assert not np.array_equal(model.sample(9, seed=0), before)
    assert np.array_equal(model.sample(9, seed=0), model.sample(9, seed=0))


def test_sizes_that_do_not_fit_are_rejected() -> None:
    with pytest.raises(ValueError, match="expected filters, maps and depth of each grid, as many"):
        vaekit.networks.Ladder((16, 16, 1), 2, filters=(4, 8), maps=(1,))
    with pytest.raises(ValueError, match="expected network to be one of"):
        vaekit.AE.for_images((16, 16, 1), 2, network="ladder")
