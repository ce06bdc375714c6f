"""The networks of Osinga's *Deep Learning Cookbook* (O'Reilly, 2018), ch. 13, compiled as they are trained there."""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from vaekit import networks
from vaekit.models import AE, CVAE, VAE


def autoencoder() -> AE:
    """The convolutional autoencoder of ch. 13.2: 32x32x1 images, a code of 2x2x32; 35,085 parameters.

    Trained with Adadelta at a learning rate of 1.0 on the mean cross-entropy of a pixel, so that ``loss`` is in nats
    per pixel, as the book's; ``reconstruction`` is in nats per image.
    """
    images = keras.Input((32, 32, 1), name="images")
    codes = keras.Input((2, 2, 32), name="codes")
    filters = (4, 8, 16, 32)
    encoder = keras.Model(images, layers.Dense(32, dtype="float32")(_down(images, filters)), name="encoder")
    decoder = keras.Model(codes, _logits(_up(codes, filters[::-1])), name="decoder")
    model = AE(encoder, decoder, name="autoencoder")
    # The rate that Adadelta had by default when the book was written.
    model.compile(keras.optimizers.Adadelta(1.0), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def conv_vae() -> VAE:
    """The convolutional VAE of ch. 13.4: 32x32x1 images, 64 latents; 276,013 parameters."""
    images = keras.Input((32, 32, 1), name="images")
    codes = keras.Input((64,), name="codes")
    x = layers.Flatten()(layers.Dense(128)(_down(images, (4, 8, 16, 32, 64))))
    encoder = keras.Model(images, x, name="encoder")
    x = _up(layers.Reshape((1, 1, 64))(codes), (128, 64, 32, 16, 8))
    model = VAE(encoder, keras.Model(codes, _logits(x), name="decoder"), 64, name="conv_vae")
    model.compile("adam")
    return model


def mlp_vae() -> VAE:
    """The VAE of ch. 13.5 for MNIST: 28x28x1 images, 2 latents; 807,700 parameters. Its batches are of 250 images."""
    model = VAE(*networks.mlp((28, 28, 1), 2), 2, name="mlp_vae")
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def mlp_cvae() -> CVAE:
    """The conditional VAE of ch. 13.6 for MNIST: as `mlp_vae`, with ten classes; 817,940 parameters."""
    model = CVAE(*networks.mlp((28, 28, 1), 2, num_classes=10), 2, 10, name="mlp_cvae")
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def _down(x: Any, filters: tuple[int, ...]) -> Any:
    """Stages of two convolutions side by side, 3x3 and 2x2, then pooling by two."""
    for count in filters:
        sides = [layers.Conv2D(count, size, activation="relu", padding="same")(x) for size in (3, 2)]
        x = layers.MaxPooling2D(2, padding="same")(layers.Concatenate()(sides))
    return x


def _up(x: Any, filters: tuple[int, ...]) -> Any:
    """Stages of a 3x3 convolution, then a doubling of the sides."""
    for count in filters:
        x = layers.UpSampling2D(2)(layers.Conv2D(count, 3, activation="relu", padding="same")(x))
    return x


def _logits(x: Any) -> Any:
    return layers.Conv2D(1, 3, padding="same", dtype="float32", name="logits")(x)
