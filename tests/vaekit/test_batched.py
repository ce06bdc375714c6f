"""Methods of models over arrays."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import vaekit
from vaekit.batched import compiled

IMAGES = np.random.default_rng(0).random((6, 8, 8, 1), np.float32)


@pytest.mark.skipif(keras.backend.backend() == "torch", reason="Keras compiles nothing on torch")
@pytest.mark.parametrize("run", ["predict", "predict_on_batch"])
def test_a_function_is_not_run_again_once_it_is_compiled(run: str) -> None:
    """Keras runs what is not built, a layer without weights included, once more in every call."""
    model: Any = vaekit.VAE.for_images(
        (8, 8, 1), 2, network="mlp", units=(16,), corruption=keras.layers.GaussianNoise(0.1)
    )
    runs = []

    def function(images: Any) -> Any:
        runs.append(images.shape)
        return model.logits([model.codes([images])])

    method = compiled(model, "counted", function, IMAGES)
    first = getattr(method, run)(IMAGES)
    count = len(runs)
    np.testing.assert_array_equal(getattr(method, run)(IMAGES), first)
    assert len(runs) == count


def test_every_layer_of_a_model_is_built(tmp_path: Any) -> None:
    model: Any = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, binarization=vaekit.layers.Binarize())
    model.save(tmp_path / "model.keras")
    for one in (model, keras.models.load_model(tmp_path / "model.keras")):
        assert [layer.name for layer in one._flatten_layers() if not layer.built] == []
