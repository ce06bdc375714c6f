"""Several devices: everything that users call, on two devices, with batches that do not divide among them."""

from __future__ import annotations

from pathlib import Path

import keras
import pytest
from fresh import fresh_process

TENSORFLOW = """
import tensorflow as tf
tf.config.set_logical_device_configuration(
    tf.config.list_physical_devices("CPU")[0], [tf.config.LogicalDeviceConfiguration()] * 2
)
scope = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope
"""
JAX = """
import os
os.environ |= {"XLA_FLAGS": "--xla_force_host_platform_device_count=2", "JAX_PLATFORMS": "cpu"}
import contextlib, keras
devices = keras.distribution.list_devices()
assert len(devices) == 2
keras.distribution.set_distribution(keras.distribution.DataParallel(devices=devices))
scope = contextlib.nullcontext
"""
PROGRAM = """
import numpy as np, keras, vaekit
from pathlib import Path
folder, kind = Path({folder!r}), {kind!r}
images = np.random.default_rng(0).random((49, 8, 8)).astype(np.float32)
data = (images,) if kind == "VAE" else (images, np.arange(49) % 3)
options = {{}} if kind == "VAE" else {{"num_classes": 3}}
with scope():
    model = getattr(vaekit, kind).for_images((8, 8, 1), 2, network="mlp", units=(16,), **options)
    model.compile("adam")
warm_up = vaekit.callbacks.KLWarmUp(4)
history = model.fit(*data, epochs=2, batch_size=16, validation_data=data, callbacks=[warm_up], verbose=0).history
assert np.isfinite(history["val_loss"]).all() and model.beta == 0.25, history
given = data if kind == "CVAE" else images
history = vaekit.train(model, given, validation=given, epochs=2, batch_size=16, out=folder / "run", verbose=0)
assert len(history["loss"]) == 2
model.fit_prior(*data, components=2)
labels = data[1] if kind == "CVAE" else None
assert vaekit.evaluate.elbo(model, images, labels) < 0
assert model.sample(3, seed=0).shape == (3, 8, 8, 1) and model.encode(given).shape == (49, 2)
vaekit.report.write_report(model, images, folder / "report.html", labels=labels)
model.save(folder / "model.keras")
again = keras.models.load_model(folder / "model.keras")
assert again.beta == 0.25
np.testing.assert_allclose(again.sample(3, seed=0), model.sample(3, seed=0), atol=1e-5)
print("done")
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["VAE", "CVAE"])
def test_a_model_on_two_devices(kind: str, tmp_path: Path) -> None:
    begin = {"tensorflow": TENSORFLOW, "jax": JAX}.get(keras.backend.backend())
    if begin is None:
        pytest.skip("Keras has no data parallelism on torch")
    assert fresh_process(begin + PROGRAM.format(folder=str(tmp_path), kind=kind)).endswith("done\n")
