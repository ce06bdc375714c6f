"""What the models minimise: pure functions of float32 tensors, in nats, one number an image.

`Bernoulli` is the default of every model; give another with ``model.compile(loss=...)``: an instance of `Ink`, of a
Keras loss, or any function of (images, logits). What a loss gives for each image is averaged over its other axes.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("vaekit")
def bernoulli(images: Any, logits: Any) -> Any:
    """Cross-entropy of independent Bernoulli pixels, summed over an image.

    ``-sum(x log p + (1 - x) log(1 - p))`` with ``p = sigmoid(logit)``, computed from the logits so that nothing
    overflows: ``max(l, 0) - l x + log(1 + exp(-|l|))``. Grey images give the cross-entropy to their grey values.

    Parameters
    ----------
    images : (B, ...) float
        In 0..1.
    logits : (B, ...) float

    Returns
    -------
    (B,) float32, in nats
    """
    images, logits = ops.cast(images, "float32"), ops.cast(logits, "float32")
    return _sum(ops.maximum(logits, 0) - logits * images + ops.log1p(ops.exp(-ops.abs(logits))))


def normal_kl(mean: Any, log_var: Any) -> Any:
    """Divergence of each latent's normal distribution from the standard normal.

    ``(exp(log_var) + mean**2 - 1 - log_var) / 2``: Kingma and Welling (2014), appendix B.

    Parameters
    ----------
    mean, log_var : (B, latent_dim) float32

    Returns
    -------
    (B, latent_dim) float32, in nats
    """
    return 0.5 * (ops.exp(log_var) + ops.square(mean) - 1 - log_var)


def normal_log_density(z: Any, mean: Any, log_var: Any) -> Any:
    """Log density of a diagonal normal distribution at z, summed over the last axis, in nats."""
    return -0.5 * ops.sum(ops.square(z - mean) / ops.exp(log_var) + log_var + math.log(2 * math.pi), axis=-1)


@keras.saving.register_keras_serializable("vaekit")
class Ink(keras.losses.Loss):
    """Bernoulli cross-entropy with terms against blurred lines.

    A network that is not sure where a thin line runs paints a wide grey band, which costs least in cross-entropy. Three
    remedies, each 0 by default; the *Deep Learning Cookbook*, ch. 13.3, proposes the second:

    Parameters
    ----------
    weight : float
        The part of the cross-entropy that is due to ink, ``-x log p``, counts ``1 + weight`` times.
    excess : float
        Nats for each pixel of ink drawn beyond the ink of the image: ``excess * max(0, sum(p) - sum(x))``.
    crispness : float
        Nats for each wholly grey pixel: ``crispness * sum(4 p (1 - p))``, which is 0 for black and white.
    """

    def __init__(
        self, weight: float = 0.0, excess: float = 0.0, crispness: float = 0.0, name: str = "ink", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if min(weight, excess, crispness) < 0:
            raise ValueError(f"expected terms of 0 or more, received {weight=}, {excess=}, {crispness=}")
        self.weight = weight
        self.excess = excess
        self.crispness = crispness

    def call(self, y_true: Any, y_pred: Any) -> Any:
        """Loss of each image: (B,) float32, in nats.

        Parameters
        ----------
        y_true : (B, ...) float
            Images in 0..1.
        y_pred : (B, ...) float
            Logits.
        """
        images, logits = ops.cast(y_true, "float32"), ops.cast(y_pred, "float32")
        ink = ops.sigmoid(logits)
        # x * -log p, the part of the cross-entropy that is due to ink that is missing
        missing = _sum(images * ops.softplus(-logits))
        excess = ops.relu(_sum(ink) - _sum(images))
        grey = _sum(4 * ink * (1 - ink))
        return bernoulli(images, logits) + self.weight * missing + self.excess * excess + self.crispness * grey

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"weight": self.weight, "excess": self.excess, "crispness": self.crispness}


def _sum(values: Any) -> Any:
    """Sum over all axes but the first."""
    return ops.sum(ops.reshape(values, (ops.shape(values)[0], -1)), axis=1)
