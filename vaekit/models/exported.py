"""What models export."""

from __future__ import annotations

import functools
import importlib
import tempfile
from pathlib import Path
from typing import Any

import keras
from keras import ops

PARTS = ("model", "encoder", "decoder")
ONNX = {"tensorflow": "tf2onnx", "torch": "onnxscript", "jax": "jax2onnx"}  # what translates, and needs onnx


class Exported(keras.Model):
    """A part of a model, called once, so that Keras knows what it takes: float32 tensors.

    Parameters
    ----------
    model : AE, VAE or CVAE
    part : {"model", "encoder", "decoder"}
        Images to reconstructions, images to codes, or codes to images. A `CVAE` takes rows of labels besides.

    Raises
    ------
    ValueError
        If there is no such part.
    """

    def __init__(self, model: Any, part: str) -> None:
        if part not in PARTS:
            raise ValueError(f"expected part to be one of {PARTS}, received {part!r}")
        super().__init__(name=part, autocast=False)
        self.model, self.part = model, part
        shapes = [model._code_shape if part == "decoder" else model.to_images.image_shape]
        if hasattr(model, "num_classes"):
            shapes.append((model.num_classes,))
        self.takes = len(shapes)
        zeros = [ops.zeros((1, *shape), "float32") for shape in shapes]
        self(zeros if len(zeros) > 1 else zeros[0])

    def call(self, inputs: Any) -> Any:
        given, *labels = inputs if isinstance(inputs, (list, tuple)) else [inputs]
        if self.part != "decoder":
            given = self.model.codes([given, *labels])
        return given if self.part == "encoder" else self.model.means(self.model.logits([given, *labels]))

    def export(self, filepath: Any, format: str, verbose: bool | None, **options: Any) -> None:
        if format == "onnx":
            from vaekit.training.checkpoint import replacing  # which imports the models

            with replacing(Path(filepath)) as path:
                self._export_onnx(path, verbose, options)
        elif format == "torch":
            self._export_torch(filepath, verbose, options)
        else:
            super().export(filepath, format, verbose, **options)

    def _export_torch(self, path: Any, verbose: bool | None, options: dict[str, Any]) -> None:
        """For any number of images: programs of torch are of one batch size otherwise."""
        import torch

        batch = {0: torch.export.Dim("batch")}
        options = {"dynamic_shapes": [([batch] * self.takes if self.takes > 1 else batch,)]} | options
        super().export(path, "torch", verbose, **options)

    def _export_onnx(self, path: Path, verbose: bool | None, options: dict[str, Any]) -> None:
        """As Keras does, but for its faults: on torch it has no layer normalisation, on TensorFlow no exact GELU."""
        backend = keras.backend.backend()
        importlib.import_module(ONNX[backend])
        import onnx

        if backend == "torch":
            import torch

            with tempfile.TemporaryDirectory() as folder:
                program = Path(folder, "program.pt2")
                self._export_torch(program, verbose, {})
                options = {"dynamo": True, "external_data": False, "verbose": bool(verbose)} | options
                torch.onnx.export(torch.export.load(program), f=path, **options)
        else:
            if backend == "tensorflow":
                _translate_erfc()
            super().export(path, "onnx", verbose, **options)
        try:
            onnx.checker.check_model(path)
        except onnx.checker.ValidationError as error:
            raise ValueError(f"expected operations that ONNX has: {error}") from error


@functools.cache
def _translate_erfc() -> None:
    """Tell tf2onnx what ``erfc`` is, of which TensorFlow makes GELU: else it writes a file that nothing can read."""
    import numpy as np
    from tf2onnx.handler import tf_op
    from tf2onnx.utils import make_name

    @tf_op("Erfc")
    class Erfc:
        @classmethod
        def version_9(cls, graph: Any, node: Any, **kwargs: Any) -> None:
            shapes, dtypes = node.output_shapes, node.output_dtypes
            graph.remove_node(node.name)
            erf = graph.make_node("Erf", node.input, shapes=shapes, dtypes=dtypes)
            one = graph.make_const(make_name("one"), np.float32(1))
            graph.make_node("Sub", [one.output[0], erf.output[0]], outputs=node.output, shapes=shapes, dtypes=dtypes)
