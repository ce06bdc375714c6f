"""Mixed precision: what computes in half precision, what does not, and that results stay close and finite."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit
from vaekit.training.precision import POLICIES, compile_for, leaves, set_precision

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 8, 8)).astype(np.uint8)
LABELS = np.arange(64) % 3


def test_precision_leaves_codes_and_logits_alone(tmp_path: Path) -> None:
    model = tiny_model(vaekit.CVAE)
    vaekit.train(model, (IMAGES, LABELS), epochs=1, out=tmp_path, precision="mixed_float16", verbose=0)
    assert isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer)
    policies = {layer.name: layer.compute_dtype for layer in leaves(model.decoder)}
    assert policies["logits"] == "float32"
    assert "float16" in policies.values()
    assert {head.compute_dtype for head in (model.mean_head, model.log_var_head, model.sampling)} == {"float32"}
    assert {layer.compute_dtype for layer in model.encoder.layers if layer.weights} == {"float16"}
    assert {weight.dtype for weight in model.trainable_weights} == {"float32"}
    again = keras.saving.load_model(tmp_path / "last.keras")
    assert [layer.compute_dtype for layer in leaves(again.encoder) if layer.weights] == ["float16"]
    autoencoder = tiny_model(vaekit.AE)
    set_precision(autoencoder, "mixed_bfloat16")
    assert list(leaves(autoencoder.encoder))[-1].compute_dtype == "float32"


@pytest.mark.slow
def test_half_precision_stays_close_to_single() -> None:
    results = {}
    for name in POLICIES:
        model = tiny_model(vaekit.CVAE, 4, network="residual", units=32, blocks=1)
        compile_for(model, name)
        results[name] = model.fit(IMAGES, LABELS, batch_size=16, epochs=8, shuffle=False, verbose=0).history["loss"][-1]
    assert list(results.values()) == pytest.approx([results["float32"]] * 3, rel=0.01)


@pytest.mark.parametrize("compiled", [False, True])
def test_no_step_of_half_precision_is_lost(compiled: bool, tmp_path: Path) -> None:
    model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="conv", filters=(8, 16), units=16)
    if compiled:
        model.compile("adam")
    vaekit.train(model, (IMAGES, LABELS), epochs=2, batch_size=8, out=tmp_path, precision="mixed_float16", verbose=0)
    assert model.optimizer.initial_scale == 256
    assert keras.ops.convert_to_numpy(model.optimizer.dynamic_scale) == 256  # an overflow would have halved it


@pytest.mark.parametrize("policy", POLICIES)
def test_extreme_images_and_posteriors_stay_finite(policy: str) -> None:
    model = tiny_model(vaekit.VAE, 8, (64, 64, 1))
    set_precision(model, policy)
    model.compile("sgd")
    ink = np.concatenate([np.zeros((500, 64, 64), np.uint8), np.full((500, 64, 64), 255, np.uint8)])
    for bias in (0.0, 1e4, -1e4):  # of the log-variance: beyond its limits
        model.log_var_head.bias.assign(np.full(8, bias))
        measures = model.evaluate(ink, batch_size=1000, verbose=0, return_dict=True)
        assert np.isfinite(list(measures.values())).all()
        assert np.isfinite(model.predict(ink[::100], verbose=0)).all()
    model.log_var_head.bias.assign(np.zeros(8))
    model.fit(ink, batch_size=1000, epochs=2, verbose=0)
    assert all(np.isfinite(np.asarray(weight)).all() for weight in model.get_weights())
