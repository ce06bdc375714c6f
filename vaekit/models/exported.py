"""What models export."""

from __future__ import annotations

from typing import Any

import keras
from keras import ops

PARTS = ("model", "encoder", "decoder")


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
        if format == "torch":  # whose programs are of one batch size otherwise
            import torch

            batch = {0: torch.export.Dim("batch")}
            options = {"dynamic_shapes": [([batch] * self.takes if self.takes > 1 else batch,)]} | options
        super().export(filepath, format, verbose, **options)
