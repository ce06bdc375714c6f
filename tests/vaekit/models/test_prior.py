"""The fitted prior: its samples are distributed as the codes, and it is saved with the model."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit
from vaekit.models import MixturePrior

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8)).astype(np.uint8)
LABELS = np.arange(90) % 3


def draw(prior: MixturePrior, rows: np.ndarray, seed: int = 0) -> np.ndarray:
    random = np.random.default_rng(seed)
    noise = random.standard_normal((len(rows), prior.means.shape[2]), np.float32)
    return prior.draw(noise, rows, random.random(len(rows)), random.random(len(rows)))


def test_draws_have_the_distribution_of_the_codes() -> None:
    random = np.random.default_rng(1)
    factors = random.normal(size=(2, 3, 3))
    codes = np.concatenate(
        [random.normal(size=(4000, 3)) @ factor.T + 9 * number for number, factor in enumerate(factors)]
    )
    codes[6000:] += [40, 0, 0]  # the second class has two parts
    labels = np.repeat([0, 1], 4000)
    prior = MixturePrior.fit(codes, labels, 2, components=2)
    for label in range(2):
        drawn, own = draw(prior, np.tile(np.eye(2)[label], (20_000, 1))), codes[labels == label]
        np.testing.assert_allclose(drawn.mean(axis=0), own.mean(axis=0), atol=0.6)
        np.testing.assert_allclose(np.cov(drawn.T), np.cov(own.T), rtol=0.1, atol=0.5)
    in_parts = draw(prior, np.tile([0.0, 1.0], (20_000, 1)))[:, 0] > 29
    assert in_parts.mean() == pytest.approx(0.5, abs=0.02)
    mixed = draw(prior, np.tile([0.75, 0.25], (20_000, 1)))
    assert (np.abs(mixed - codes[:4000].mean(axis=0)).max(axis=1) < 25).mean() > 0.7


def test_samples_of_a_class_are_those_of_its_codes() -> None:
    model = tiny_model(vaekit.CVAE, contrast=3.0)
    before = model.sample(30, seed=0, labels=1)
    model.fit_prior(IMAGES, LABELS, components=2)
    assert model.prior.means.shape == (3, 2, 2)
    after = model.sample(30, seed=0, labels=1)
    assert not np.array_equal(before, after)
    assert np.array_equal(after, model.sample(30, seed=0, labels=np.ones(30, int)))
    keras.utils.set_random_seed(3)
    one = model.sample(5)
    keras.utils.set_random_seed(3)
    assert np.array_equal(one, model.sample(5))
    assert model.sample(4, labels=[0.5, 0.5, 0.0]).shape == (4, 8, 8, 1)


@pytest.mark.parametrize("kind", [vaekit.VAE, vaekit.CVAE])
def test_it_is_saved_with_the_model_and_models_without_one_load(kind: type, tmp_path: Path) -> None:
    model = tiny_model(kind)
    labels = [LABELS] if kind is vaekit.CVAE else []
    model.fit(IMAGES, *labels, verbose=0)
    model.save(tmp_path / "without.keras")
    weights = len(model.variables)
    for components in (3, 2):
        model.fit_prior(IMAGES, *labels, components=components)
    assert len(model.variables) == weights
    model.fit(IMAGES, *labels, verbose=0)
    expected = model.sample(7, seed=5)
    model.save(tmp_path / "with.keras")
    loaded = keras.models.load_model(tmp_path / "with.keras")
    np.testing.assert_allclose(loaded.sample(7, seed=5), expected, atol=1e-6)
    assert loaded.prior.means.shape[1] == 2
    loaded.fit(IMAGES, *labels, verbose=0)
    assert keras.models.load_model(tmp_path / "without.keras").prior is None
    loaded.load_weights(tmp_path / "without.keras")
    assert loaded.prior is None


def test_wrong_arguments() -> None:
    with pytest.raises(ValueError, match="at least 10 images of class 2, for a mixture of 10; received 3"):
        tiny_model(vaekit.CVAE).fit_prior(IMAGES[:63], np.repeat([0, 1, 2], [30, 30, 3]))
    with pytest.raises(ValueError, match="at least 10 images, for a mixture of 10; received 4"):
        tiny_model(vaekit.VAE).fit_prior(IMAGES[:4])
    with pytest.raises(ValueError, match="expected labels from 0 to 2"):
        tiny_model(vaekit.CVAE).fit_prior(IMAGES)
    with pytest.raises(ValueError, match=r"expected labels \(N,\) of ints"):
        tiny_model(vaekit.CVAE).fit_prior(IMAGES, np.eye(3)[LABELS])
