"""Models in other formats, and with weights of a few bits."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit
from vaekit.models.exported import ONNX
from vaekit.training.precision import has_accelerator

IMAGES = np.random.default_rng(0).random((6, 8, 8, 1)).astype(np.float32)
LABELS = np.eye(3, dtype=np.float32)[[0, 1, 2, 0, 1, 2]]
BACKEND = keras.backend.backend()


def trained(cls: type[vaekit.AE], **options: Any) -> vaekit.AE:
    model = tiny_model(cls, **options)
    model.compile("adam")
    model.fit(IMAGES, *([LABELS] if cls is vaekit.CVAE else []), verbose=0)
    return model


def saved_model(path: Path) -> Callable[..., Any]:
    import tensorflow as tf

    loaded = tf.saved_model.load(path)
    return lambda *given: loaded.serve(list(given) if len(given) > 1 else given[0]).numpy()


def litert(path: Path) -> Callable[..., Any]:
    import tensorflow as tf

    def run(*given: Any) -> Any:
        interpreter = tf.lite.Interpreter(str(path))
        details = interpreter.get_input_details()
        # Two inputs have names that do not tell which is which; their ranks do.
        for array, detail in zip(given, sorted(details, key=lambda detail: -len(detail["shape"])), strict=True):
            interpreter.resize_tensor_input(detail["index"], array.shape)
        interpreter.allocate_tensors()
        for array, detail in zip(given, sorted(details, key=lambda detail: -len(detail["shape"])), strict=True):
            interpreter.set_tensor(detail["index"], array)
        interpreter.invoke()
        return interpreter.get_tensor(interpreter.get_output_details()[0]["index"])

    return run


def torch_program(path: Path) -> Callable[..., Any]:
    import torch

    module = torch.export.load(path).module()

    def run(*given: Any) -> Any:
        tensors = [*map(keras.ops.convert_to_tensor, given)]  # on the device that it was exported on
        return module(tensors if len(tensors) > 1 else tensors[0]).detach().cpu()

    return run


def onnx(path: Path) -> Callable[..., Any]:
    session = pytest.importorskip("onnxruntime").InferenceSession(path)

    def run(*given: Any) -> Any:
        return session.run(None, {one.name: array for one, array in zip(session.get_inputs(), given, strict=True)})[0]

    return run


FORMATS = {
    "tensorflow": [("tf_saved_model", "", saved_model), ("litert", ".tflite", litert)],
    "torch": [("torch", ".pt2", torch_program)],
}
CASES = [(network, *case) for case in FORMATS.get(BACKEND, []) for network in ("mlp", "ladder")][:3]
CASES += [(network, "onnx", ".onnx", onnx) for network in ("residual", "conv", "ladder")]


@pytest.mark.slow
@pytest.mark.parametrize(("network", "format", "suffix", "load"), CASES)
def test_export_after_fit(network: str, format: str, suffix: str, load: Any, tmp_path: Path) -> None:
    if format == "onnx":
        pytest.importorskip(ONNX[BACKEND])
    options = {"mlp": {"units": (16,)}, "residual": {"units": 16}}.get(network, {"filters": (4, 8)})
    model: Any = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network=network, **options)
    model.compile("adam")
    model.fit(IMAGES, LABELS, verbose=0)
    codes = model.encode(IMAGES, LABELS)
    for part, given, expected in (
        ("model", IMAGES, model.reconstruct(IMAGES, LABELS)),
        ("encoder", IMAGES, codes),
        ("decoder", codes, model.decode(codes, LABELS)),
    ):
        path = tmp_path / f"{part}{suffix}"
        model.export(path, format, verbose=False, part=part)
        np.testing.assert_allclose(load(path)(given, LABELS), expected, atol=1e-5)


@pytest.mark.skipif(BACKEND not in FORMATS, reason="on JAX, Keras exports by TensorFlow or jax2onnx")
@pytest.mark.parametrize("cls", [vaekit.AE, vaekit.VAE])
def test_a_model_without_labels_is_exported(cls: type[vaekit.AE], tmp_path: Path) -> None:
    format, suffix, load = FORMATS[BACKEND][0]
    model = trained(cls)
    model.export(tmp_path / f"whole{suffix}", format, verbose=False)
    np.testing.assert_allclose(load(tmp_path / f"whole{suffix}")(IMAGES), model.reconstruct(IMAGES), atol=1e-5)


def test_export_says_what_it_expects(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny_model(vaekit.VAE)
    with pytest.raises(ValueError, match=r"expected part to be one of .*'decoder'.*, received 'head'"):
        model.export(tmp_path / "head", part="head")

    monkeypatch.setitem(ONNX, BACKEND, "no_such_package")
    with pytest.raises(
        ModuleNotFoundError, match="expected the package no_such_package to export to onnx: pip install"
    ):
        model.export(tmp_path / "model.onnx", "onnx")
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(BACKEND == "jax" and has_accelerator(), reason="XLA has no product of small int8 matrices on a GPU")
@pytest.mark.parametrize("cls", [vaekit.AE, vaekit.VAE, vaekit.CVAE])
def test_quantized_models_are_saved(cls: type[vaekit.AE], tmp_path: Path) -> None:
    model = trained(cls)
    given = (IMAGES, LABELS) if cls is vaekit.CVAE else (IMAGES,)
    before = model.reconstruct(*given)
    model.quantize("int8")
    after = model.reconstruct(*given)
    assert 0 < np.abs(after - before).max() < 0.05
    model.save(tmp_path / "small.keras")
    again = keras.models.load_model(tmp_path / "small.keras", compile=False)
    np.testing.assert_array_equal(again.reconstruct(*given), after)


def test_a_ladder_is_not_quantized() -> None:
    model = vaekit.VAE.for_images((8, 8, 1), 2, network="ladder", filters=(4, 8))
    with pytest.raises(ValueError, match="expected a network other than ladder"):
        model.quantize("int8")
