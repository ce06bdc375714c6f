"""The networks of ch. 13 of Osinga's *Deep Learning Cookbook* (O'Reilly, 2018), compiled and ready to train.

Recipe 13.1 imports drawings, 13.2 builds `autoencoder` and 13.3 looks at its output; 13.4 is `conv_vae`, 13.5 `mlp_vae`
and 13.6 `mlp_cvae`. The layers are those of the notebooks at https://github.com/DOsinga/deep_learning_cookbook.
"""

from __future__ import annotations

from typing import Any

import keras
from keras import layers

from vaekit import networks
from vaekit.models import AE, CVAE, VAE
from vaekit.networks import LAST


def autoencoder() -> AE:
    """The convolutional autoencoder of recipes 13.2 and 13.3: 32x32x1 images, codes of 2x2x32.

    As in the book, ``loss`` is the mean cross-entropy in nats/pixel and the optimizer is Adadelta at a learning rate of
    1.0, its default when the book was written. ``reconstruction`` is in nats/image.

    Examples
    --------
    >>> model = vaekit.cookbook.autoencoder()
    >>> model.count_params()
    35085
    """
    images = keras.Input((32, 32, 1), name="images")
    codes = keras.Input((2, 2, 32), name="codes")
    filters = (4, 8, 16, 32)
    encoder = keras.Model(images, layers.Dense(32, dtype="float32")(_down(images, filters)), name="encoder")
    decoder = keras.Model(codes, _logits(_up(codes, filters[::-1])), name="decoder")
    model = AE(encoder, decoder, name="autoencoder")
    model.compile(keras.optimizers.Adadelta(1.0), loss=keras.losses.BinaryCrossentropy(from_logits=True))
    return model


def conv_vae() -> VAE:
    """The convolutional VAE of recipe 13.4: 32x32x1 images, 64 latents.

    It maximises the ELBO. The book's notebook weights the KL term less; set ``model.beta = 0.2048`` for its objective:
    0.0001 instead of 0.5, with a reconstruction loss in nats/pixel instead of nats/image.

    Examples
    --------
    >>> model = vaekit.cookbook.conv_vae()
    >>> model.count_params()
    276013
    """
    images = keras.Input((32, 32, 1), name="images")
    codes = keras.Input((64,), name="codes")
    x = layers.Flatten(**LAST)(layers.Dense(128)(_down(images, (4, 8, 16, 32, 64))))
    encoder = keras.Model(images, x, name="encoder")
    x = _up(layers.Reshape((1, 1, 64))(codes), (128, 64, 32, 16, 8))
    model = VAE(encoder, keras.Model(codes, _logits(x), name="decoder"), 64, name="conv_vae")
    model.compile("adam")
    return model


def mlp_vae() -> VAE:
    """The VAE of recipe 13.5, for MNIST: 28x28x1 images, 2 latents. The book trains it on batches of 250.

    Examples
    --------
    >>> model = vaekit.cookbook.mlp_vae()
    >>> model.count_params()
    807700
    """
    model = VAE(*networks.mlp((28, 28, 1), 2), 2, name="mlp_vae")
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def mlp_cvae() -> CVAE:
    """The conditional VAE of recipe 13.6, for MNIST: `mlp_vae` with labels of ten classes.

    Examples
    --------
    >>> model = vaekit.cookbook.mlp_cvae()
    >>> model.count_params()
    817940
    """
    model = CVAE(*networks.mlp((28, 28, 1), 2, num_classes=10), 2, 10, name="mlp_cvae")
    model.compile(keras.optimizers.Adam(1e-3))
    return model


def _down(x: Any, filters: tuple[int, ...]) -> Any:
    """Per stage: a 3x3 and a 2x2 convolution of the same input, concatenated, then 2x2 max pooling."""
    for count in filters:
        sides = [layers.Conv2D(count, size, activation="relu", padding="same", **LAST)(x) for size in (3, 2)]
        x = layers.MaxPooling2D(2, padding="same", **LAST)(layers.Concatenate()(sides))
    return x


def _up(x: Any, filters: tuple[int, ...]) -> Any:
    """Per stage: a 3x3 convolution, then upsampling by 2."""
    for count in filters:
        x = layers.UpSampling2D(2, **LAST)(layers.Conv2D(count, 3, activation="relu", padding="same", **LAST)(x))
    return x


def _logits(x: Any) -> Any:
    return layers.Conv2D(1, 3, padding="same", **LAST, dtype="float32", name="logits")(x)
