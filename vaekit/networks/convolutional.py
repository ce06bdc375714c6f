"""Networks of strided convolutions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from keras import layers

from vaekit.networks.parts import LAST, Pair, Shape, inputs_of, join, pair_of


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
    images, codes, label = inputs_of(image_shape, latent_dim, num_classes)

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
    features = dense(join(layers.Flatten(**LAST)(x), label))

    rows, columns = -(-height // scale), -(-width // scale)
    x = dense(join(codes, label))
    x = layers.Dense(rows * columns * filters[-1], activation=activation)(x)
    x = layers.Reshape((rows, columns, filters[-1]))(x)
    for count in filters[::-1]:
        x = add_blocks(layers.Conv2DTranspose(count, 3, strides=2, padding="same", **LAST)(x))
    top, left = (rows * scale - height) // 2, (columns * scale - width) // 2
    if (rows * scale, columns * scale) != (height, width):
        x = layers.Cropping2D(((top, rows * scale - height - top), (left, columns * scale - width - left)), **LAST)(x)
    logits = layers.Conv2D(channels, 3, padding="same", **LAST, dtype="float32", name="logits")(x)
    return pair_of(images, codes, label, features, logits)
