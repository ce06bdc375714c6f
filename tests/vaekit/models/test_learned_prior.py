"""A prior of each class that is learned: what is relative to it, and that it is drawn from, trained and saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from keras import ops
from models import tiny_model

import vaekit
from vaekit import evaluate
from vaekit.training.precision import POLICIES, compile_for

RNG = np.random.default_rng(0)
IMAGES = RNG.random((60, 8, 8)).astype(np.float32)
LABELS = np.arange(60) % 3
MEANS, LOG_VARS = RNG.normal(0, 2, (3, 2)), RNG.normal(0, 1, (3, 2))


def make(**options: Any) -> Any:
    model = tiny_model(vaekit.CVAE, contrast=1.0, learned_prior=True, **options)
    model.prior_mean.set_weights([MEANS])
    model.prior_log_var.set_weights([LOG_VARS])
    return model


def test_it_begins_as_the_standard_normal_distribution() -> None:
    fixed, learned = (tiny_model(vaekit.CVAE, learned_prior=value) for value in (False, True))
    np.testing.assert_array_equal(fixed.sample(6, seed=0), learned.sample(6, seed=0))
    assert fixed.evaluate(IMAGES, LABELS, verbose=0) == pytest.approx(learned.evaluate(IMAGES, LABELS, verbose=0))
    assert learned.count_params() == fixed.count_params() + 2 * 3 * 2


def test_the_kl_divergence_is_from_the_prior_of_the_class() -> None:
    model = make()
    mean, log_var = model.encode_distribution(IMAGES, LABELS)
    # what the decoder sees of a code
    prior_mean, prior_log_var = MEANS[LABELS], LOG_VARS[LABELS]
    seen_mean, seen_log_var = prior_mean + np.exp(prior_log_var / 2) * mean, prior_log_var + log_var
    expected = 0.5 * (
        np.exp(seen_log_var - prior_log_var)
        + (seen_mean - prior_mean) ** 2 / np.exp(prior_log_var)
        - 1
        + prior_log_var
        - seen_log_var
    ).sum(axis=1)
    assert model.evaluate(IMAGES, LABELS, verbose=0, return_dict=True)["kl"] == pytest.approx(expected.mean(), rel=1e-4)


@pytest.mark.parametrize("labels", [1, [0.2, 0.3, 0.5]])
def test_samples_are_drawn_from_it(labels: Any) -> None:
    row = np.eye(3)[labels] if isinstance(labels, int) else np.array(labels)
    noise = np.random.default_rng(4).standard_normal((5, 2), np.float32)
    z = (row @ MEANS + np.exp(row @ LOG_VARS / 2) * noise).astype(np.float32)
    model = make()
    logits = model.decoder([z, np.tile(row.astype(np.float32), (5, 1))])
    expected = ops.convert_to_numpy(ops.sigmoid(logits))
    np.testing.assert_allclose(model.sample(5, seed=4, labels=labels), expected, atol=1e-5)
    assert np.abs(model.sample(5, seed=4, labels=0) - model.sample(5, seed=4, labels=2)).mean() > 0.05


@pytest.mark.parametrize(("objective", "policy"), list(zip(["elbo", "iwae", "dreg"], POLICIES, strict=True)))
def test_contract(objective: str, policy: str, tmp_path: Path) -> None:
    model = make(objective=objective)
    compile_for(model, policy)
    model.fit(IMAGES, LABELS, verbose=0)
    for layer, before in ((model.prior_mean, MEANS), (model.prior_log_var, LOG_VARS)):
        now = ops.convert_to_numpy(layer.kernel)
        assert np.isfinite(now).all()
        assert (now != before.astype(np.float32)).all()
        assert keras.backend.standardize_dtype(layer.compute_dtype) == "float32"
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert again.learned_prior
    np.testing.assert_allclose(again.sample(6, seed=0), model.sample(6, seed=0), atol=1e-5)
    assert evaluate.nll(again, IMAGES, LABELS, samples=50) <= -evaluate.elbo(again, IMAGES, LABELS, samples=50)
