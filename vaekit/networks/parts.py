"""What the builders of networks share."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

Shape = tuple[int, int, int]
Pair = tuple[keras.Model, keras.Model]

LAST: dict[str, Any] = {"data_format": "channels_last"}  # whatever Keras's global setting is


class Layered(keras.Model):
    """Base of decoders with several layers of codes, which also draw codes from the posterior: see `Ladder.infer`.

    Attributes
    ----------
    latent_dim : int
        Length of codes; those at the top come first.
    top : int
        Length of the code at the top.
    parts : list of int
        Lengths of the parts of a code.
    bottom_up : bool
        Whether codes are drawn from the lowest layer to the top, else from the top. There is then no formula for the KL
        divergence; the codes that are drawn estimate it.
    """

    latent_dim: int
    top: int
    parts: list[int]
    bottom_up = False

    def infer(self, features: Any, labels: list[Any], noise: Any = None) -> tuple[Any, Any, Any, Any]:
        raise NotImplementedError


def inputs_of(image_shape: Shape, latent_dim: int, num_classes: int) -> tuple[Any, Any, Any]:
    sizes = {"images": image_shape, "codes": (latent_dim,), "label": (num_classes,)}
    images, codes, label = (keras.Input(size, name=name) for name, size in sizes.items())
    return images, codes, label


def join(x: Any, label: Any) -> Any:
    return layers.Concatenate()([x, label]) if label.shape[1] else x


def pair_of(images: Any, codes: Any, label: Any, features: Any, logits: Any) -> Pair:
    labels = [label] if label.shape[1] else []
    encoder = keras.Model([images, *labels] if labels else images, features, name="encoder")
    return encoder, keras.Model([codes, *labels] if labels else codes, logits, name="decoder")
