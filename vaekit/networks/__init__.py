"""Encoders and decoders for images of any size.

Each builder returns two Keras models: an encoder from images to features, and a decoder from codes to logits of images.
With ``num_classes`` both also take rows of labels. The logits are float32 under every precision policy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from fastdraw.checks import integer
from vaekit.networks.convolutional import conv
from vaekit.networks.dense import mlp, residual
from vaekit.networks.ladder import Ladder, ladder
from vaekit.networks.parts import LAST, Pair, Shape
from vaekit.networks.two_layers import TwoLayers, two_layers

__all__ = [
    "LAST",
    "Ladder",
    "Pair",
    "Shape",
    "TwoLayers",
    "build",
    "conv",
    "ladder",
    "mlp",
    "residual",
    "two_layers",
]


def build(
    network: str, image_shape: Shape, latent_dim: int, **options: Any
) -> tuple[keras.Model, keras.Model, dict[str, Any]]:
    """Encoder and decoder by the name of their builder, and the options that are not the builder's.

    Raises
    ------
    ValueError
        If there is no such builder, ``image_shape`` is not one of images, or ``latent_dim`` is below 1. (height, width)
        has one channel.

    Examples
    --------
    >>> encoder, decoder, rest = vaekit.networks.build("mlp", (8, 8, 1), 2, units=(16,), beta=0.5)
    >>> rest
    {'beta': 0.5}
    """
    builders: dict[str, Callable[..., Pair]] = {
        "residual": residual,
        "mlp": mlp,
        "conv": conv,
        "ladder": ladder,
        "two_layers": two_layers,
    }
    if network not in builders:
        raise ValueError(f"expected network to be one of {list(builders)}, received {network!r}")
    builder = builders[network]
    own = {name: options.pop(name) for name in list(options) if name in inspect.signature(builder).parameters}
    shape = tuple(image_shape) if isinstance(image_shape, Sequence) else (image_shape,)
    if len(shape) not in (2, 3) or not all(isinstance(side, (int, np.integer)) and side > 0 for side in shape):
        raise ValueError(f"expected image_shape to be (height, width, channels), received {image_shape!r}")
    latent_dim = integer("latent_dim", latent_dim, 1)
    encoder, decoder = builder(shape if len(shape) == 3 else (*shape, 1), latent_dim, **own)
    return encoder, decoder, options
