"""Saved models load and train on in a fresh process."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from fresh import fresh_process
from models import tiny_model

import vaekit
from vaekit import cookbook, losses

IMAGES = np.random.default_rng(0).integers(0, 256, (64, 16, 16)).astype(np.uint8)
LABELS = np.arange(64) % 3
SHAPE = (16, 16, 1)


@pytest.mark.slow
def test_saved_models_train_on_in_a_fresh_process(tmp_path: Path) -> None:
    iwae = {"beta": 2.0, "objective": "iwae", "importance_samples": 2}
    models = {
        "ae": tiny_model(vaekit.AE, 4, SHAPE, corruption=vaekit.layers.SaltAndPepper(0.1)),
        "vae": tiny_model(vaekit.VAE, 4, SHAPE, network="residual", units=8, **iwae),
        "cvae": tiny_model(vaekit.CVAE, 4, SHAPE, network="conv", units=8, filters=(4, 4)),
        "ladder": tiny_model(vaekit.CVAE, 4, SHAPE, network="ladder", filters=(4, 4), free_bits=(2.0, 1.0)),
        "book": cookbook.mlp_vae(),
    }
    models["ae"].compile("adadelta", loss=losses.Ink(weight=1.0))
    np.save(tmp_path / "images.npy", IMAGES)
    large = np.zeros((4, 28, 28), np.uint8)
    for name, model in models.items():
        given = (large,) if name == "book" else (IMAGES, LABELS)
        model.fit(*given, epochs=2, verbose=0)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", model.predict(large if name == "book" else IMAGES, verbose=0))
    models["vae"].decoder.save(tmp_path / "decoder.keras")
    program = f"""
import numpy as np, keras, vaekit
from pathlib import Path
folder = Path({str(tmp_path)!r})
images = np.load(folder / "images.npy")
for name in ("ae", "vae", "cvae", "ladder", "book"):
    model = keras.saving.load_model(folder / f"{{name}}.keras", safe_mode=True)
    given = np.zeros((4, 28, 28), np.uint8) if name == "book" else images
    np.testing.assert_allclose(model.predict(given, verbose=0), np.load(folder / f"{{name}}.npy"), atol=1e-6)
    before = int(model.optimizer.iterations)
    assert before > 0
    model.fit(given, None if name == "book" else np.arange(64) % 3, verbose=0)
    assert int(model.optimizer.iterations) > before
    if name == "ae":
        assert model.loss.weight == 1 and model.corruption.rate == 0.1, model.loss
    if name == "vae":
        assert (model.beta, model.objective, model.importance_samples) == (2, "iwae", 2)
    if name == "ladder":
        assert list(model.free_bits) == [2.0, 1.0] and model.decoder.parts == [4, 96]
decoder = keras.saving.load_model(folder / "decoder.keras")
assert tuple(decoder(np.zeros((1, 4))).shape) == (1, 16, 16, 1)
print("the same")
"""
    assert fresh_process(program).endswith("the same\n")
