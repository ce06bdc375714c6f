"""Encoders and decoders for images of any size.

Each builder returns two Keras models: an encoder from images to features, and a decoder from codes to logits of images.
With ``num_classes`` both also take rows of labels. The logits are float32 under every precision policy.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

Shape = tuple[int, int, int]
Pair = tuple[keras.Model, keras.Model]

LAST: dict[str, Any] = {"data_format": "channels_last"}  # whatever Keras's global setting is


def mlp(
    image_shape: Shape,
    latent_dim: int,
    *,
    num_classes: int = 0,
    units: Sequence[int] = (512,),
    activation: str = "relu",
) -> Pair:
    """Dense layers.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    latent_dim : int
        Length of the decoder's codes.
    num_classes : int
        If not 0, both networks take rows of labels of this length, concatenated to the pixels and to the code.
    units : sequence of int
        Of the encoder's hidden layers; the decoder has them in reverse order.
    activation : str

    Returns
    -------
    encoder, decoder : keras.Model

    Examples
    --------
    >>> encoder, decoder = vaekit.networks.mlp((8, 8, 1), 2, units=(16,))
    >>> encoder.output_shape, decoder.output_shape
    ((None, 16), (None, 8, 8, 1))
    """

    def dense(x: Any, units: Sequence[int]) -> Any:
        for count in units:
            x = layers.Dense(count, activation=activation)(x)
        return x

    return _flat(image_shape, latent_dim, num_classes, lambda x: dense(x, units), lambda x: dense(x, units[::-1]))


def residual(
    image_shape: Shape,
    latent_dim: int,
    *,
    num_classes: int = 0,
    units: int = 512,
    blocks: int = 2,
    activation: str = "gelu",
) -> Pair:
    """Dense layers in residual blocks: the default, fast on any processor and good for small images.

    A block is a layer normalisation (Ba et al., "Layer Normalization", 2016) and two dense layers, added to its input
    (He et al., "Identity Mappings in Deep Residual Networks", 2016).

    Parameters
    ----------
    image_shape, latent_dim, num_classes
        As for `mlp`.
    units : int
        Of every dense layer.
    blocks : int
        In the encoder, and in the decoder.
    activation : str

    Returns
    -------
    encoder, decoder : keras.Model

    Examples
    --------
    >>> encoder, decoder = vaekit.networks.residual((8, 8, 1), 2, units=16, blocks=1)
    >>> model = vaekit.VAE(encoder, decoder, 2)
    """

    def body(x: Any) -> Any:
        x = layers.Dense(units)(x)
        for _ in range(blocks):
            y = layers.Dense(units, activation=activation)(
                layers.Activation(activation)(layers.LayerNormalization()(x))
            )
            # Zero-initialised branch: each block starts as the identity.
            x = layers.Add()([x, layers.Dense(units, kernel_initializer="zeros")(y)])
        return layers.Activation(activation)(layers.LayerNormalization()(x))

    return _flat(image_shape, latent_dim, num_classes, body, body)


def conv(
    image_shape: Shape,
    latent_dim: int,
    *,
    num_classes: int = 0,
    filters: Sequence[int] = (32, 64, 128),
    units: int = 256,
    blocks: int = 0,
    activation: str = "gelu",
) -> Pair:
    """Strided convolutions, for large images and GPUs. Each halves the sides of the image; the decoder doubles them.

    Parameters
    ----------
    image_shape, latent_dim, num_classes
        As for `mlp`; the labels are concatenated to the features and to the code.
    filters : sequence of int
        Of the encoder's convolutions; the decoder has them in reverse order.
    units : int
        Of a dense layer after the features, and of one after the code; 0 for none.
    blocks : int
        Residual blocks of two 3x3 convolutions at each size.
    activation : str

    Returns
    -------
    encoder, decoder : keras.Model

    Raises
    ------
    ValueError
        If the images are too small to halve ``len(filters)`` times.

    Examples
    --------
    >>> encoder, decoder = vaekit.networks.conv((8, 8, 1), 2, filters=(4, 8), units=16)
    >>> model = vaekit.VAE(encoder, decoder, 2)
    """
    height, width, channels = image_shape
    scale = 2 ** len(filters)
    if min(height, width) < scale:
        raise ValueError(
            f"expected images of {scale} pixels or more, to halve {len(filters)} times; received {image_shape}"
        )
    images, codes, label = _inputs(image_shape, latent_dim, num_classes)

    def add_blocks(x: Any) -> Any:
        for _ in range(blocks):
            y = layers.Conv2D(x.shape[-1], 3, padding="same", **LAST, activation=activation)(
                layers.Activation(activation)(x)
            )
            x = layers.Add()([x, layers.Conv2D(x.shape[-1], 3, padding="same", **LAST, kernel_initializer="zeros")(y)])
        return layers.Activation(activation)(x)

    def dense(x: Any) -> Any:
        return layers.Dense(units, activation=activation)(x) if units else x

    x = images
    for count in filters:
        x = add_blocks(layers.Conv2D(count, 3, strides=2, padding="same", **LAST)(x))
    features = dense(_join(layers.Flatten(**LAST)(x), label))

    rows, columns = -(-height // scale), -(-width // scale)
    x = dense(_join(codes, label))
    x = layers.Dense(rows * columns * filters[-1], activation=activation)(x)
    x = layers.Reshape((rows, columns, filters[-1]))(x)
    for count in filters[::-1]:
        x = add_blocks(layers.Conv2DTranspose(count, 3, strides=2, padding="same", **LAST)(x))
    top, left = (rows * scale - height) // 2, (columns * scale - width) // 2
    if (rows * scale, columns * scale) != (height, width):
        x = layers.Cropping2D(((top, rows * scale - height - top), (left, columns * scale - width - left)), **LAST)(x)
    logits = layers.Conv2D(channels, 3, padding="same", **LAST, dtype="float32", name="logits")(x)
    return _pair(images, codes, label, features, logits)


def build(
    network: str, image_shape: Shape, latent_dim: int, **options: Any
) -> tuple[keras.Model, keras.Model, dict[str, Any]]:
    """Encoder and decoder by the name of their builder, and the options that are not the builder's.

    Raises
    ------
    ValueError
        If there is no such builder, or ``image_shape`` is not one of images; (height, width) has one channel.

    Examples
    --------
    >>> encoder, decoder, rest = vaekit.networks.build("mlp", (8, 8, 1), 2, units=(16,), beta=0.5)
    >>> rest
    {'beta': 0.5}
    """
    builders: dict[str, Callable[..., Pair]] = {"mlp": mlp, "residual": residual, "conv": conv}
    if network not in builders:
        raise ValueError(f"expected network to be one of {list(builders)}, received {network!r}")
    builder = builders[network]
    own = {name: options.pop(name) for name in list(options) if name in inspect.signature(builder).parameters}
    shape = tuple(image_shape) if isinstance(image_shape, Sequence) else (image_shape,)
    if len(shape) not in (2, 3) or not all(isinstance(side, (int, np.integer)) and side > 0 for side in shape):
        raise ValueError(f"expected image_shape to be (height, width, channels), received {image_shape!r}")
    encoder, decoder = builder(shape if len(shape) == 3 else (*shape, 1), latent_dim, **own)
    return encoder, decoder, options


def _inputs(image_shape: Shape, latent_dim: int, num_classes: int) -> tuple[Any, Any, Any]:
    sizes = {"images": image_shape, "codes": (latent_dim,), "label": (num_classes,)}
    images, codes, label = (keras.Input(size, name=name) for name, size in sizes.items())
    return images, codes, label


def _flat(
    image_shape: Shape, latent_dim: int, num_classes: int, encode: Callable[[Any], Any], decode: Callable[[Any], Any]
) -> Pair:
    """Networks of flattened images."""
    images, codes, label = _inputs(image_shape, latent_dim, num_classes)
    features = encode(_join(layers.Flatten(**LAST)(images), label))
    x = layers.Dense(math.prod(image_shape), dtype="float32")(decode(_join(codes, label)))
    return _pair(images, codes, label, features, layers.Reshape(image_shape, dtype="float32", name="logits")(x))


def _join(x: Any, label: Any) -> Any:
    return layers.Concatenate()([x, label]) if label.shape[1] else x


def _pair(images: Any, codes: Any, label: Any, features: Any, logits: Any) -> Pair:
    labels = [label] if label.shape[1] else []
    encoder = keras.Model([images, *labels] if labels else images, features, name="encoder")
    return encoder, keras.Model([codes, *labels] if labels else codes, logits, name="decoder")
