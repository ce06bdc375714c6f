"""Dense networks with two layers of codes, of which the upper one is the prior of the lower one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
from keras import layers, ops

import vaekit.layers as own_layers
from fastdraw.checks import integer
from vaekit.networks.parts import LAST, Layered, Pair, Shape, inputs_of, join


def two_layers(
    image_shape: Shape,
    latent_dim: int,
    *,
    num_classes: int = 0,
    lower: int = 100,
    units: Sequence[int] = (200, 100),
    activation: str = "tanh",
) -> Pair:
    """Dense layers with two layers of codes, as in Burda et al., "Importance Weighted Autoencoders" (2016).

    The lower code is drawn given the image, and the upper one given the lower one; the decoder goes back. So the KL
    divergence has no formula: it is estimated by the codes that are drawn.

    Parameters
    ----------
    image_shape, num_classes
        As for `mlp`.
    latent_dim : int
        Length of the upper code; ``decoder.latent_dim`` is that of both.
    lower : int
        Length of the lower code.
    units : (int, int)
        Of the two hidden layers between image and lower code, and of the two between the codes, in each direction.
    activation : str

    Returns
    -------
    encoder : keras.Model
    decoder : TwoLayers

    Examples
    --------
    >>> encoder, decoder = vaekit.networks.two_layers((8, 8, 1), 2, lower=4, units=(16, 8))
    >>> model = vaekit.VAE(encoder, decoder, decoder.latent_dim, objective="iwae")
    >>> model.latent_dim
    6
    """
    integer("lower", lower, 1)
    if len(units) != 2:
        raise ValueError(f"expected units to be a pair, received {units}")
    decoder = TwoLayers(image_shape, latent_dim, num_classes, lower, units, activation, name="decoder")
    images, _, label = inputs_of(image_shape, decoder.latent_dim, num_classes)
    x = join(layers.Flatten(**LAST)(images), label)
    for _ in range(2):
        x = layers.Dense(units[0], activation=activation)(x)
    return keras.Model([images, label] if num_classes else images, x, name="encoder"), decoder


@keras.saving.register_keras_serializable("vaekit")
class TwoLayers(Layered):
    """The decoder of `two_layers`: codes (B, latent_dim) to logits of images. With labels it takes [codes, rows].

    The upper code z2 comes first. The lower one is relative to its prior ``p(z1 | z2)``: z1 is ``mean + deviation *
    code``. So all codes have a standard normal prior.

    Parameters
    ----------
    image_shape : tuple of int
        (height, width, channels).
    top : int
        Length of the upper code.
    num_classes : int
    lower, units, activation
        As for `two_layers`.

    Examples
    --------
    >>> decoder = vaekit.networks.TwoLayers((8, 8, 1), 2, lower=4, units=(16, 8))
    >>> tuple(decoder(np.zeros((3, 6))).shape)
    (3, 8, 8, 1)
    """

    bottom_up = True

    def __init__(
        self,
        image_shape: Shape,
        top: int,
        num_classes: int = 0,
        lower: int = 100,
        units: Sequence[int] = (200, 100),
        activation: str = "tanh",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.image_shape, self.top, self.num_classes = tuple(image_shape), top, num_classes
        self.lower, self.units, self.activation = lower, list(units), activation
        self.parts, self.latent_dim = [top, lower], top + lower
        self.lower_posterior = self._normal(units[0], 0, lower)
        self.upper_posterior = self._normal(lower + num_classes, 2, top)
        self.lower_prior = self._normal(top + num_classes, 2, lower)
        self.paint = keras.Sequential(
            [
                keras.Input((lower + num_classes,)),
                *(layers.Dense(units[0], activation=activation) for _ in range(2)),
                layers.Dense(math.prod(self.image_shape), dtype="float32"),
                layers.Reshape(self.image_shape, dtype="float32", name="logits"),
            ]
        )
        self.built = True

    def call(self, inputs: Any) -> Any:
        codes, *labels = inputs if isinstance(inputs, (tuple, list)) else (inputs,)
        mean, log_var = self._of(self.lower_prior, codes[:, : self.top], *labels)
        return self._logits(mean + ops.exp(0.5 * log_var) * codes[:, self.top :], labels)

    def infer(self, features: Any, labels: list[Any], noise: Any = None) -> tuple[Any, Any, Any, Any]:
        """As `Ladder.infer`, but that the posterior of the upper code is given the lower one."""
        shares = (0.0, 0.0) if noise is None else (noise[:, : self.top], noise[:, self.top :])
        mean, log_var = self._of(self.lower_posterior, features)
        z = mean + ops.exp(0.5 * log_var) * shares[1]
        upper_mean, upper_log_var = self._of(self.upper_posterior, z, *labels)
        upper = upper_mean + ops.exp(0.5 * upper_log_var) * shares[0]
        prior_mean, prior_log_var = self._of(self.lower_prior, upper, *labels)
        units = ops.exp(-0.5 * prior_log_var)
        both = (
            (upper, (z - prior_mean) * units),
            (upper_mean, (mean - prior_mean) * units),
            (upper_log_var, log_var - prior_log_var),
        )
        codes, means, log_vars = (ops.concatenate(pair, axis=1) for pair in both)
        return codes, means, log_vars, self._logits(z, labels)

    def get_config(self) -> dict[str, Any]:
        names = ("image_shape", "top", "num_classes", "lower", "units", "activation")
        return {"name": self.name} | {name: getattr(self, name) for name in names}

    def _normal(self, inputs: int, hidden: int, size: int) -> keras.Model:
        """Mean and log-variance of a code of this size, by hidden layers."""
        given = x = keras.Input((inputs,))
        for _ in range(hidden):
            x = layers.Dense(self.units[1], activation=self.activation)(x)
        return keras.Model(given, [layers.Dense(size, dtype="float32", name=name)(x) for name in ("mean", "log_var")])

    def _of(self, normal: keras.Model, *given: Any) -> tuple[Any, Any]:
        mean, log_var = normal(ops.concatenate([ops.cast(part, "float32") for part in given], axis=1))
        return mean, ops.clip(log_var, *own_layers.LOG_VAR_LIMITS)

    def _logits(self, z: Any, labels: list[Any]) -> Any:
        return self.paint(ops.concatenate([z, *labels], axis=1))
