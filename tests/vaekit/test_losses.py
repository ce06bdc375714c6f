"""Losses against NumPy in float64."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy
from scipy import stats

from vaekit import losses

RNG = np.random.default_rng(0)
IMAGES = RNG.random((5, 4, 6, 1)).astype(np.float32)
LOGITS = RNG.normal(0, 5, IMAGES.shape).astype(np.float32)
P = 1 / (1 + np.exp(-LOGITS.astype(np.float64)))


def total(values: np.ndarray) -> np.ndarray:
    return values.sum(axis=(1, 2, 3))


CROSS_ENTROPY = total(-IMAGES * np.log(P) - (1 - IMAGES) * np.log(1 - P))


def test_bernoulli_is_the_cross_entropy_of_an_image() -> None:
    np.testing.assert_allclose(to_numpy(losses.bernoulli(IMAGES, LOGITS)), CROSS_ENTROPY, rtol=1e-5)


def test_bernoulli_is_finite_for_extreme_logits_in_half_precision() -> None:
    logits = keras.ops.cast([[1e4, -1e4, 60000.0]], "float16")
    np.testing.assert_allclose(to_numpy(losses.bernoulli(np.array([[1.0, 0.0, 0.0]]), logits)), [60000], rtol=1e-2)


def test_normal_kl_is_that_of_the_definition() -> None:
    mean, log_var = RNG.normal(0, 2, (3, 2)).astype(np.float32), RNG.normal(0, 1, (3, 2)).astype(np.float32)
    z = np.linspace(-30, 30, 200_001)[:, None, None]
    q = stats.norm(mean, np.exp(log_var / 2))
    expected = np.trapezoid(q.pdf(z) * (q.logpdf(z) - stats.norm.logpdf(z)), z[:, 0, 0], axis=0)
    np.testing.assert_allclose(to_numpy(losses.normal_kl(mean, log_var)), expected, rtol=1e-4)
    assert (to_numpy(losses.normal_kl(np.zeros((1, 2)), np.zeros((1, 2)))) == 0).all()


def test_normal_log_density_is_scipys() -> None:
    z, mean, log_var = (RNG.normal(0, 1, (3, 4)).astype(np.float32) for _ in range(3))
    expected = stats.norm(mean, np.exp(log_var / 2)).logpdf(z).sum(-1)
    np.testing.assert_allclose(to_numpy(losses.normal_log_density(z, mean, log_var)), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "extra"),
    [
        ({}, 0),
        ({"weight": 2.0}, 2 * total(-IMAGES * np.log(P))),
        ({"excess": 3.0}, 3 * np.maximum(0, total(P) - total(IMAGES))),
        ({"crispness": 0.5}, 0.5 * total(4 * P * (1 - P))),
    ],
)
def test_terms_of_ink(options: dict, extra: np.ndarray) -> None:
    loss = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(losses.Ink(**options)))
    np.testing.assert_allclose(to_numpy(loss.call(IMAGES, LOGITS)), CROSS_ENTROPY + extra, rtol=1e-5)
    assert float(loss(IMAGES, LOGITS)) == pytest.approx((CROSS_ENTROPY + extra).mean(), rel=1e-5)


def test_a_negative_term_is_rejected() -> None:
    with pytest.raises(ValueError, match="expected weights of 0 or more"):
        losses.Ink(weight=-1)
