"""Networks of dense layers, which flatten images."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from keras import layers

from vaekit.networks.parts import LAST, Pair, Shape, inputs_of, join, pair_of


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


def _flat(
    image_shape: Shape, latent_dim: int, num_classes: int, encode: Callable[[Any], Any], decode: Callable[[Any], Any]
) -> Pair:
    """Networks of flattened images."""
    images, codes, label = inputs_of(image_shape, latent_dim, num_classes)
    features = encode(join(layers.Flatten(**LAST)(images), label))
    x = layers.Dense(math.prod(image_shape), dtype="float32")(decode(join(codes, label)))
    return pair_of(images, codes, label, features, layers.Reshape(image_shape, dtype="float32", name="logits")(x))
