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


def test_an_error_in_the_first_step_leaves_the_model_as_it_was() -> None:
    """On JAX, Keras takes the values of the variables away before a step, and gives them back after it."""
    model: Any = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    model.compile("adam")
    model.fit(IMAGES, verbose=0)
    codes = model.encode(IMAGES)

    def fails(images: Any, training: bool = False) -> Any:
        raise ValueError("no such images")

    calls = (
        lambda: compiled(model, "failing", fails, IMAGES).predict(IMAGES, verbose=0),
        lambda: model.fit(IMAGES, verbose=0),
        lambda: model.evaluate(IMAGES, verbose=0),
        lambda: model.predict(IMAGES, verbose=0),
    )
    logits, model.logits = model.logits, fails
    model.make_train_function(force=True)
    model.make_test_function(force=True)
    for call in calls:
        with pytest.raises(ValueError, match="no such images"):
            call()
    model.logits = logits
    np.testing.assert_array_equal(model.encode(IMAGES), codes)
    model.make_train_function(force=True)
    model.fit(IMAGES, verbose=0)
