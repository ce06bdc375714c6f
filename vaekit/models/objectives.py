"""What the models minimise. Subclass `Objective` for a new one and pass it to a model as ``objective=``."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from vaekit import losses
from vaekit.networks.parts import Layered


class Objective(keras.layers.Layer):
    """Base class of objectives: a subclass defines ``__call__`` and lists its measures.

    An objective is a Keras layer, so that its random generators and variables belong to the model, and it is saved
    with the model. Register a subclass with ``keras.saving.register_keras_serializable``. If its ``__init__`` takes
    arguments, it passes ``**kwargs`` on, and ``get_config`` returns the arguments, as in any layer.

    Attributes
    ----------
    measures : tuple of str
        Names of the measures that ``__call__`` returns. They are reported as metrics, in this order.

    Examples
    --------
    The squared error of pixels:

    >>> @keras.saving.register_keras_serializable("docs")
    ... class SquaredError(vaekit.models.Objective):
    ...     measures = ("squared_error",)
    ...
    ...     def __call__(self, model, images, labels, training=False):
    ...         codes = model.codes([model.corrupt(images, training), *labels], training)
    ...         error = (keras.ops.sigmoid(model.logits([codes, *labels], training)) - images) ** 2
    ...         loss = keras.ops.sum(error, axis=(1, 2, 3))
    ...         return loss, {"squared_error": loss}
    >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,), objective=SquaredError())
    >>> model.compile("adam")
    >>> sorted(model.fit(np.zeros((32, 8, 8)), verbose=0).history)
    ['loss', 'squared_error']
    """

    measures: tuple[str, ...] = ()

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**{"dtype": "float32"} | kwargs)
        self.built = True

    def __call__(
        self, model: Any, images: Any, labels: list[Any], training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        """Loss and measures of a batch, all tensors.

        Parameters
        ----------
        model : AE, VAE or CVAE
            Its methods ``corrupt``, ``codes``, ``posterior``, ``draw``, ``kl``, ``logits``, ``reconstruction_loss`` and
            ``reconstruction_losses`` are the parts of an objective.
        images : (B, height, width, channels) float32
            In 0..1, not corrupted.
        labels : list
            Of a `CVAE`: one tensor (B, num_classes) float32, which goes to encoder and decoder. Else empty.
        training : bool

        Returns
        -------
        loss : (B,) float32
            Of each image.
        measures : dict
            A float32 tensor for each of `measures`; its mean is reported.
        """
        raise NotImplementedError(f"{type(self).__name__}: expected a subclass of Objective to define __call__")


@keras.saving.register_keras_serializable("vaekit")
class Reconstruction(Objective):
    """The reconstruction loss alone: the objective of an `AE`.

    Examples
    --------
    >>> objective = vaekit.models.Reconstruction()
    >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,), objective=objective)
    >>> loss, measures = objective(model, np.zeros((5, 8, 8, 1), np.float32), [])
    >>> tuple(loss.shape), list(measures)
    ((5,), ['reconstruction'])
    """

    measures = ("reconstruction",)

    def __call__(
        self, model: Any, images: Any, labels: list[Any], training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        codes = model.codes([model.corrupt(images, training), *labels], training)
        loss, nats = model.reconstruction_losses(images, model.logits([codes, *labels], training))
        return loss, {"reconstruction": nats}


@keras.saving.register_keras_serializable("vaekit")
class ELBO(Objective):
    """Negative evidence lower bound, the objective of a `VAE`: reconstruction loss plus ``beta`` times the KL term.

    Kingma and Welling, "Auto-Encoding Variational Bayes" (2014). ``beta`` is the model's.

    Parameters
    ----------
    free_bits : float or sequence of float
        Nats that each latent may use at no cost, on average over a batch (Kingma et al., "Improved Variational
        Inference with Inverse Autoregressive Flow", 2016). With the network ``ladder``, a sequence has the nats that
        all latents at the top may use together, and those on each grid that has any, the coarsest first. Without
        any, most of what an image shows is decided on the finest grid, and samples have no whole.

    Examples
    --------
    >>> model = vaekit.VAE.for_images(
    ...     (8, 8, 1), 2, network="mlp", units=(16,), objective=vaekit.models.ELBO(free_bits=0.5)
    ... )
    >>> model.compile("adam")
    >>> sorted(model.fit(np.zeros((32, 8, 8)), verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    """

    measures = ("reconstruction", "kl")

    def __init__(self, free_bits: float | Sequence[float] = 0.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if np.min(free_bits) < 0:
            raise ValueError(f"expected free_bits of 0 or more, received {free_bits}")
        self.free_bits = free_bits if isinstance(free_bits, (int, float)) else list(free_bits)

    def __call__(
        self, model: Any, images: Any, labels: list[Any], training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        drawn = model.draw([model.corrupt(images, training), *labels], training)
        kl = model.kl(drawn)
        if isinstance(self.free_bits, list):
            sums = _sums(ops.mean(kl, axis=0), getattr(model.decoder, "parts", [model.latent_dim]), self.free_bits)
            used = ops.maximum(sums, np.array(self.free_bits, np.float32))
        else:
            used = ops.maximum(ops.mean(kl, axis=0), self.free_bits) if self.free_bits else kl
        loss, nats = model.reconstruction_losses(images, drawn.logits)
        return loss + model.kl_weight * ops.sum(used, axis=-1), {"reconstruction": nats, "kl": ops.sum(kl, axis=1)}

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"free_bits": self.free_bits}


@keras.saving.register_keras_serializable("vaekit")
class IWAE(Objective):
    """Negative importance-weighted bound of Burda et al., "Importance Weighted Autoencoders" (2016), equation 8.

    It is tighter than `ELBO`, and equal to it on average with one sample. ``beta``, which is the model's, weighs the
    log ratio of posterior and prior.

    Parameters
    ----------
    samples : int
        Codes drawn for each image.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,), objective=vaekit.models.IWAE(samples=5))
    >>> model.compile("adam")
    >>> sorted(model.fit(np.zeros((32, 8, 8)), verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    """

    measures = ("reconstruction", "kl")

    def __init__(self, samples: int = 1, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if samples < 1:
            raise ValueError(f"expected samples to be 1 or more, received {samples}")
        self.samples = samples

    def __call__(
        self, model: Any, images: Any, labels: list[Any], training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        drawn = model.draw([model.corrupt(images, training), *labels], training, samples=self.samples)
        log_weights, nats = self._log_weights(model, images, labels, drawn, training)
        bound = ops.logsumexp(log_weights, axis=1) - math.log(self.samples)
        return -bound, {"reconstruction": nats, "kl": ops.sum(model.kl(drawn), axis=1)}

    def _log_weights(self, model: Any, images: Any, labels: list[Any], drawn: Any, training: bool) -> tuple[Any, Any]:
        """Logarithms of the importance weights, (B, samples), and the nats of each reconstruction, (B * samples,)."""
        z, mean, log_var, logits = drawn
        log_ratio = losses.normal_log_density(z, mean, log_var) - losses.normal_log_density(z, 0.0, ops.zeros_like(z))
        loss, nats = model.reconstruction_losses(ops.repeat(images, self.samples, axis=0), logits)
        return ops.reshape(-loss - model.kl_weight * log_ratio, (-1, self.samples)), nats

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"samples": self.samples}


@keras.saving.register_keras_serializable("vaekit")
class DReG(IWAE):
    """The bound of `IWAE`, with another gradient for the encoder: doubly reparameterised, of lower variance.

    Tucker et al., "Doubly Reparameterized Gradient Estimators for Monte Carlo Objectives" (2019). The
    gradient has the same mean, and its signal does not vanish with many samples. In training every code is decoded
    twice, so that a step takes longer. The networks ``ladder`` and ``two_layers`` are not supported: the posterior of
    their codes depends on other codes.

    Parameters
    ----------
    samples : int
        Codes drawn for each image.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,), objective=vaekit.models.DReG(samples=5))
    >>> model.compile("adam")
    >>> sorted(model.fit(np.zeros((32, 8, 8)), verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    """

    def _log_weights(self, model: Any, images: Any, labels: list[Any], drawn: Any, training: bool) -> tuple[Any, Any]:
        if isinstance(model.decoder, Layered):
            raise ValueError(
                f"expected codes that are drawn at once for DReG, received the network {type(model.decoder).__name__}: "
                "use IWAE"
            )
        log_weights, nats = super()._log_weights(model, images, labels, drawn, training)
        if not training:
            return log_weights, nats
        # The posterior is constant but for its codes. Their gradient, which has the weight w in the bound, gets
        # w (1 - beta (1 - w)), with beta of 1 the square of w: a constant plus a scaled zero has the scaled gradient.
        weights = ops.stop_gradient(ops.exp(log_weights - ops.logsumexp(log_weights, axis=1, keepdims=True)))
        scale = ops.reshape(1 - model.kl_weight * (1 - weights), (-1, 1))
        codes, mean, log_var = (ops.stop_gradient(part) for part in drawn[:3])
        codes = codes + scale * (drawn.codes - codes)
        rows = [ops.repeat(row, self.samples, axis=0) for row in labels]
        again = type(drawn)(codes, mean, log_var, model.logits([codes, *rows], training))
        return super()._log_weights(model, images, labels, again, training)


def _sums(values: Any, parts: Sequence[int], free_bits: list[float]) -> Any:
    """Sums of the parts of a vector, which have these lengths."""
    if len(parts) != len(free_bits):
        raise ValueError(
            f"expected free_bits for {len(parts)} parts of the code, the top and each grid of the network ladder; "
            f"received {free_bits}"
        )
    ends = np.cumsum(parts)
    return ops.stack([ops.sum(values[end - length : end]) for length, end in zip(parts, ends, strict=True)])
