"""Likelihoods of pixels, for ``compile``: by name, as in ``model.compile("adam", loss="gaussian")``, or as an object.

The loss is then ``-log p(x | z)`` in nats/image, and so are the metric ``reconstruction`` and the bounds of
`vaekit.evaluate`. What `decode`, `reconstruct` and `sample` give is the mean of the distribution. Grey images are data
for `Gaussian`, `Laplace` and `ContinuousBernoulli`, whose densities may be above 1: their nats may be negative, and
compare only with those of the same likelihood.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops

from vaekit import losses

_SMALL = 1e-3  # logits below which a series is exact in float32


class Likelihood(keras.losses.Loss):
    """Base class. A subclass defines ``call(images, logits)``, of which see `Gaussian.call`.

    Examples
    --------
    >>> issubclass(vaekit.likelihoods.Laplace, vaekit.likelihoods.Likelihood)
    True
    """

    def mean(self, logits: Any) -> Any:
        """The mean of each pixel, in 0..1: a tensor of the shape of the logits."""
        return ops.sigmoid(logits)


@keras.saving.register_keras_serializable("vaekit")
class Bernoulli(Likelihood):
    """`vaekit.losses.bernoulli`, the default of every model.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> model.compile("adam", loss="bernoulli")
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return losses.bernoulli(y_true, y_pred)


@keras.saving.register_keras_serializable("vaekit")
class ContinuousBernoulli(Likelihood):
    """The Bernoulli density normalised over 0..1 (Loaiza-Ganem and Cunningham, 2019), for grey images.

    Of logits ``l`` its density is ``exp(l x) l / (exp(l) - 1)``: Bernoulli's times ``l / tanh(l / 2)``. Its mean is
    ``1 / (1 - exp(-l)) - 1 / l``.

    Examples
    --------
    >>> loss = vaekit.likelihoods.ContinuousBernoulli()
    >>> float(loss.call(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)))[0])  # uniform
    0.0
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        logits = losses.rows_of(y_pred)
        small = ops.abs(logits) < _SMALL
        safe = ops.where(small, 1.0, logits)
        constant = ops.log(ops.where(small, 2.0 + ops.square(logits) / 6, safe / ops.tanh(safe / 2)))
        return losses.bernoulli(y_true, logits) - ops.sum(constant, axis=1)

    def mean(self, logits: Any) -> Any:
        small = ops.abs(logits) < 10 * _SMALL
        safe = ops.where(small, 1.0, logits)
        return ops.where(small, 0.5 + logits / 12, 0.5 + 0.5 / ops.tanh(safe / 2) - 1 / safe)


class _Located(Likelihood):
    """A distribution about the sigmoid of the logits, of one scale for all pixels."""

    def __init__(self, scale: float = 0.1, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name or type(self).__name__.lower(), **kwargs)
        if scale <= 0:
            raise ValueError(f"expected a scale above 0, received {scale}")
        self.scale = scale

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"scale": self.scale}

    def _errors(self, y_true: Any, y_pred: Any) -> Any:
        """Distances of the pixels from the means, in scales: (B, pixels)."""
        return (losses.rows_of(y_true) - ops.sigmoid(losses.rows_of(y_pred))) / self.scale


@keras.saving.register_keras_serializable("vaekit")
class Gaussian(_Located):
    """Pixels with normal noise: ``(x - m)**2 / (2 s**2) + log(s sqrt(2 pi))`` with ``m = sigmoid(l)``.

    Parameters
    ----------
    scale : float
        The standard deviation ``s``.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> model.compile("adam", loss=vaekit.likelihoods.Gaussian(scale=0.3))
    >>> sorted(model.fit(np.zeros((32, 8, 8)), verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """The negative log density of each image: (B,) float32, in nats.

        Parameters
        ----------
        y_true : (B, height, width, channels) float
            Images in 0..1.
        y_pred : (B, height, width, channels) float
            Logits.
        """
        constant = math.log(self.scale * math.sqrt(2 * math.pi))
        return ops.sum(ops.square(self._errors(y_true, y_pred)) / 2 + constant, axis=1)


@keras.saving.register_keras_serializable("vaekit")
class Laplace(_Located):
    """Pixels with Laplace noise: ``|x - m| / b + log(2 b)`` with ``m = sigmoid(l)``.

    Parameters
    ----------
    scale : float
        The mean distance ``b``.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> model.compile("adam", loss="laplace")
    """

    def call(self, y_true: Any, y_pred: Any) -> Any:
        return ops.sum(ops.abs(self._errors(y_true, y_pred)) + math.log(2 * self.scale), axis=1)


NAMED: dict[str, type[Likelihood]] = {
    "bernoulli": Bernoulli,
    "continuous_bernoulli": ContinuousBernoulli,
    "gaussian": Gaussian,
    "laplace": Laplace,
}


def find(loss: Any) -> Likelihood:
    """The likelihood that was given to ``compile``, or that of the default: `Bernoulli`.

    Examples
    --------
    >>> vaekit.likelihoods.find("gaussian").scale
    0.1
    >>> isinstance(vaekit.likelihoods.find("mse"), vaekit.likelihoods.Bernoulli)
    True
    """
    resolved = losses.resolve(loss)[0]
    return resolved if isinstance(resolved, Likelihood) else Bernoulli()
