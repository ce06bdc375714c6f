"""Reconstruction losses, and the terms of objectives, all in nats.

`bernoulli` is the default of every model. ``model.compile(loss=...)`` takes another: `Ink`, any function or loss class
of (images, logits), one of `vaekit.likelihoods`, or a loss of Keras, these by their names too. Those of Keras compare
images with reconstructions in 0..1, unless they say ``from_logits=True``. If values have more axes than the batch, they
are averaged over these.
"""

from __future__ import annotations

import math
from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("vaekit")
def bernoulli(images: Any, logits: Any) -> Any:
    """Cross-entropy of independent Bernoulli pixels, summed over an image.

    ``-sum(x log p + (1 - x) log(1 - p))`` with ``p = sigmoid(l)``, computed without overflow as the sum of
    ``max(l, 0) - l x + log(1 + exp(-|l|))``. A grey value ``x`` counts as the probability of a white pixel.

    Parameters
    ----------
    images : (B, ...) float
        In 0..1.
    logits : (B, ...) float

    Returns
    -------
    (B,) float32, in nats

    Examples
    --------
    >>> float(vaekit.losses.bernoulli(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1)))[0])  # 4 log(2)
    2.77...
    """
    images, logits = rows_of(images), rows_of(logits)
    if keras.backend.backend() == "torch":  # compiles nothing, but has this as one operation
        return ops.sum(ops.binary_crossentropy(images, logits, from_logits=True), axis=1)
    return ops.sum(ops.maximum(logits, 0) - logits * images + ops.log1p(ops.exp(-ops.abs(logits))), axis=1)


def normal_kl(mean: Any, log_var: Any) -> Any:
    """KL divergence of each latent's normal distribution from the standard normal distribution.

    ``(exp(log_var) + mean**2 - 1 - log_var) / 2``: Kingma and Welling (2014), appendix B.

    Parameters
    ----------
    mean, log_var : (B, latent_dim) float32

    Returns
    -------
    (B, latent_dim) float32, in nats

    Examples
    --------
    >>> keras.ops.convert_to_numpy(vaekit.losses.normal_kl(np.float32([[0, 1]]), np.float32([[0, 0]]))).tolist()
    [[0.0, 0.5]]
    """
    mean, log_var = ops.convert_to_tensor(mean), ops.convert_to_tensor(log_var)
    return 0.5 * (ops.exp(log_var) + ops.square(mean) - 1 - log_var)


def normal_log_density(z: Any, mean: Any, log_var: Any) -> Any:
    """Log density of a diagonal normal distribution at ``z``, summed over the last axis, in nats.

    Parameters
    ----------
    z, mean, log_var : (..., latent_dim) float32
        Or of shapes that broadcast to it.

    Returns
    -------
    (...) float32, in nats

    Examples
    --------
    >>> float(vaekit.losses.normal_log_density(np.float32([0, 0]), 0.0, np.float32([0, 0])))  # -log(2 pi)
    -1.83...
    """
    z, mean, log_var = (ops.convert_to_tensor(values, "float32") for values in (z, mean, log_var))
    return -0.5 * ops.sum(ops.square(z - mean) / ops.exp(log_var) + log_var + math.log(2 * math.pi), axis=-1)


@keras.saving.register_keras_serializable("vaekit")
class Ink(keras.losses.Loss):
    """Bernoulli cross-entropy with terms against blurred lines.

    If a network is uncertain where a thin line is, a wide grey band has the lowest cross-entropy. Each of three terms
    works against that, and is 0 by default. The *Deep Learning Cookbook*, ch. 13.3, proposes ``excess``.

    Parameters
    ----------
    weight : float
        Counts the cross-entropy of ink, ``-x log p``, ``1 + weight`` times.
    excess : float
        Nats per pixel of ink beyond the ink of the image: ``excess * max(0, sum(p) - sum(x))``.
    crispness : float
        Nats per grey pixel: ``crispness * sum(4 p (1 - p))``, which is 0 for black and white.

    Examples
    --------
    >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> model.compile("adam", loss=vaekit.losses.Ink(weight=1.0))
    >>> sorted(model.fit(np.ones((32, 8, 8)), verbose=0).history)
    ['loss', 'reconstruction']
    """

    def __init__(
        self, weight: float = 0.0, excess: float = 0.0, crispness: float = 0.0, name: str = "ink", **kwargs: Any
    ) -> None:
        super().__init__(name=name, **kwargs)
        if min(weight, excess, crispness) < 0:
            raise ValueError(f"expected weights of 0 or more, received {weight=}, {excess=}, {crispness=}")
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
        images, logits = rows_of(y_true), rows_of(y_pred)
        ink = ops.sigmoid(logits)
        # the cross-entropy of ink, -x log p
        missing = ops.sum(images * ops.softplus(-logits), axis=1)
        excess = ops.relu(ops.sum(ink, axis=1) - ops.sum(images, axis=1))
        grey = ops.sum(4 * ink * (1 - ink), axis=1)
        return bernoulli(images, logits) + self.weight * missing + self.excess * excess + self.crispness * grey

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"weight": self.weight, "excess": self.excess, "crispness": self.crispness}


def resolve(loss: Any) -> tuple[Any, bool]:
    """The loss given to ``compile`` as a function or an instance, and whether it takes logits, else values in 0..1.

    Raises
    ------
    TypeError, ValueError
        If it is neither the name of a loss, nor a function, nor a loss.

    Examples
    --------
    >>> vaekit.losses.resolve("mse")
    (<function mean_squared_error at ...>, False)
    """
    from vaekit import likelihoods  # which are made of these losses

    if loss is None:
        return bernoulli, True
    if isinstance(loss, str):
        loss = likelihoods.NAMED[loss]() if loss in likelihoods.NAMED else keras.losses.get(loss)
    if not callable(loss):
        raise TypeError(
            f"expected loss to be a function of (images, logits), a Keras loss or its name, received {loss!r}"
        )
    known = loss if not isinstance(loss, keras.losses.Loss) else type(loss)
    if not getattr(known, "__module__", "").startswith("keras."):
        return loss, True
    return loss, isinstance(loss, keras.losses.Loss) and bool(loss.get_config().get("from_logits", False))


def rows_of(images: Any) -> Any:
    """Images as rows of float32, (B, numbers), to be summed over.

    XLA sums over rows in vectors. Over the last axis of images of one channel it goes number by number, which took ten
    times as long on a processor with JAX, whatever the shape of the sum.

    Examples
    --------
    >>> tuple(vaekit.losses.rows_of(np.ones((2, 4, 4, 1), np.uint8)).shape)
    (2, 16)
    """
    images = ops.cast(images, "float32")
    return ops.reshape(images, (ops.shape(images)[0], -1))
