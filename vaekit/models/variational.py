"""The variational autoencoder."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
from keras import ops

from vaekit import losses, networks
from vaekit.layers import LOG_VAR_LIMITS, Sampling
from vaekit.models.autoencoder import AE, Array, call_network


class _Knob:
    """A number that training reads anew at each step, hidden from Keras so that it does not count as a weight."""

    def __init__(self, value: float) -> None:
        self.variable = keras.Variable(value, trainable=False, dtype="float32")


@keras.saving.register_keras_serializable("vaekit")
class VAE(AE):
    """Variational autoencoder (Kingma and Welling, 2014): the code is drawn from a normal distribution.

    Parameters
    ----------
    encoder : keras.Model
        Images to features; mean and log-variance are read from those by a dense layer each, in float32.
    decoder : keras.Model
        Codes (B, latent_dim) to logits of the images.
    latent_dim : int
    beta : float
        Weight of the divergence in the loss (Higgins et al., 2017).
    free_bits : float
        Nats that each latent may use at no cost, on average over a batch (Kingma et al., 2016).
    objective : {"elbo", "iwae"}
        ``iwae`` is the tighter bound of Burda et al., "Importance Weighted Autoencoders" (2016).
    importance_samples : int
        Codes drawn for each image with ``iwae``.
    corruption
        As for `AE`.

    Notes
    -----
    The metric ``kl`` is the divergence of the posterior from the prior, in nats per image.
    """

    _measures = ("reconstruction", "kl")

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        latent_dim: int,
        beta: float = 1.0,
        free_bits: float = 0.0,
        *,
        objective: str = "elbo",
        importance_samples: int = 1,
        **kwargs: Any,
    ) -> None:
        if objective not in ("elbo", "iwae"):
            raise ValueError(f"expected objective to be 'elbo' or 'iwae', received {objective!r}")
        if importance_samples < 1 or (objective == "elbo" and importance_samples > 1):
            raise ValueError(f"expected one sample for 'elbo', one or more for 'iwae', received {importance_samples}")
        if objective == "iwae" and free_bits:
            raise ValueError("expected no free bits with 'iwae', whose bound has no divergence apart")
        if beta < 0 or free_bits < 0:
            raise ValueError(f"expected beta and free_bits of 0 or more, received {beta} and {free_bits}")
        super().__init__(encoder, decoder, **kwargs)
        self.latent_dim = latent_dim
        self.free_bits = free_bits
        self.objective = objective
        self.importance_samples = importance_samples
        self.sampling = Sampling()
        self.mean_head, self.log_var_head = (
            keras.layers.Dense(latent_dim, dtype="float32", name=name) for name in ("mean", "log_var")
        )
        for head in (self.mean_head, self.log_var_head):
            head.build(encoder.output_shape)
        self._beta = _Knob(beta)

    @property
    def beta(self) -> float:
        """Weight of the divergence in the loss; it may be set between epochs."""
        return float(self._beta.variable.value)

    @beta.setter
    def beta(self, value: float) -> None:
        self._beta.variable.assign(value)

    @classmethod
    def for_images(
        cls, image_shape: tuple[int, int, int], latent_dim: int = 64, *, network: str = "residual", **options: Any
    ) -> VAE:
        """A model with networks of ours; the parameters are those of `AE.for_images`."""
        encoder, decoder, options = networks.build(network, image_shape, latent_dim, **options)
        return cls(encoder, decoder, latent_dim, **options)

    def encode_distribution(self, x: Any) -> tuple[Array, Array]:
        """Mean and log-variance of the codes of images: two of (N, latent_dim) float32."""
        mean, log_var = self._run("encode_distribution", lambda inputs: self.posterior(self.inputs_of(inputs)), x)
        return mean, log_var

    def sample(self, n: int, seed: int | None = None) -> Array:
        """Images of codes drawn from the prior: (n, height, width, channels) float32 in 0..1."""
        return self.decode(self._draw(n, seed))

    @property
    def non_trainable_variables(self) -> list[Any]:
        # Like the state of a random generator, beta is no weight, but backends without side effects must know it.
        return [*super().non_trainable_variables, self._beta.variable]

    def get_config(self) -> dict[str, Any]:
        names = ("latent_dim", "beta", "free_bits", "objective", "importance_samples")
        return super().get_config() | {name: getattr(self, name) for name in names}

    def _draw(self, n: int, seed: int | None) -> Array:
        return np.random.default_rng(seed).standard_normal((n, self.latent_dim), np.float32)

    def posterior(self, inputs: list[Any], training: bool = False) -> tuple[Any, Any]:
        """Mean and log-variance (B, latent_dim) float32 of the codes, of what `inputs_of` gives: tensors."""
        features = call_network(self.encoder, inputs, training)
        return self.mean_head(features), ops.clip(self.log_var_head(features), *LOG_VAR_LIMITS)

    def _code(self, inputs: list[Any], training: bool = False) -> Any:
        return self.posterior(inputs, training)[0]

    def _objective(self, images: Any, seen: list[Any], labels: list[Any], training: bool) -> tuple[Any, dict[str, Any]]:
        mean, log_var = self.posterior(seen, training)
        kl = losses.normal_kl(mean, log_var)
        measures = {"kl": ops.sum(kl, axis=1)}
        beta = ops.cast(self._beta.variable, "float32")
        if self.objective == "elbo":
            logits = self.logits([self.sampling((mean, log_var)), *labels], training)
            used = ops.maximum(ops.mean(kl, axis=0), self.free_bits) if self.free_bits else kl
            loss = self._reconstruction_loss(images, logits) + beta * ops.sum(used, axis=-1)
            return loss, measures | {"reconstruction": losses.bernoulli(images, logits)}
        samples = self.importance_samples
        # Each image's samples follow each other.
        mean, log_var, images, *labels = (
            ops.repeat(tensor, samples, axis=0) for tensor in (mean, log_var, images, *labels)
        )
        z = self.sampling((mean, log_var))
        logits = self.logits([z, *labels], training)
        divergence = losses.normal_log_density(z, mean, log_var) - losses.normal_log_density(z, 0.0, ops.zeros_like(z))
        log_weights = -self._reconstruction_loss(images, logits) - beta * divergence
        bound = ops.logsumexp(ops.reshape(log_weights, (-1, samples)), axis=1) - math.log(samples)
        return -bound, measures | {"reconstruction": losses.bernoulli(images, logits)}
