"""The conditional variational autoencoder."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from vaekit import networks
from vaekit.models.autoencoder import Array
from vaekit.models.variational import VAE


@keras.saving.register_keras_serializable("vaekit")
class CVAE(VAE):
    """Conditional variational autoencoder (Sohn et al., 2015): encoder and decoder also see a label.

    Labels are ints (N,), or rows (N, num_classes) that sum to 1, so that half a class and half another is one too. They
    are given as targets, ``fit(x, labels)`` or a data set of pairs, or beside the images, ``predict((x, labels))``;
    without any, all classes are as likely.

    Parameters
    ----------
    encoder : keras.Model
        [images, rows of labels] to features.
    decoder : keras.Model
        [codes, rows of labels] to logits of the images.
    latent_dim, num_classes : int
    **options
        As for `VAE`.
    """

    def __init__(
        self, encoder: keras.Model, decoder: keras.Model, latent_dim: int, num_classes: int, *args: Any, **options: Any
    ) -> None:
        super().__init__(encoder, decoder, latent_dim, *args, **options)
        self.num_classes = num_classes

    @classmethod
    def for_images(  # type: ignore[override]
        cls,
        image_shape: tuple[int, int, int],
        latent_dim: int = 64,
        *,
        num_classes: int,
        network: str = "residual",
        **options: Any,
    ) -> CVAE:
        """A model with networks of ours, for ``num_classes`` classes; otherwise as `VAE.for_images`."""
        encoder, decoder, options = networks.build(network, image_shape, latent_dim, num_classes=num_classes, **options)
        return cls(encoder, decoder, latent_dim, num_classes, **options)

    def encode(self, x: Any, labels: Any = None) -> Array:
        return super().encode(self._with_labels(x, labels))

    def encode_distribution(self, x: Any, labels: Any = None) -> tuple[Array, Array]:
        return super().encode_distribution(self._with_labels(x, labels))

    def decode(self, z: Any, labels: Any = None) -> Array:
        """Images of codes: (N, height, width, channels) float32 in 0..1."""
        return self._run("decode", lambda inputs: ops.sigmoid(self.logits(list(inputs))), self._with_labels(z, labels))

    def reconstruct(self, x: Any, labels: Any = None) -> Array:
        return super().reconstruct(self._with_labels(x, labels))

    def sample(self, n: int, seed: int | None = None, *, labels: Any = None) -> Array:
        """Images of codes drawn from the prior: (n, height, width, channels) float32 in 0..1.

        Parameters
        ----------
        n : int
        seed : int, optional
        labels : int, (n,) ints or (n, num_classes) rows, optional
            Of one class or a mixture of them, for all or for each; by default the classes take turns.
        """
        if labels is None:
            labels = np.arange(n) % self.num_classes
        return self.decode(self._draw(n, seed), labels)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"num_classes": self.num_classes}

    def inputs_of(self, x: Any, y: Any = None) -> list[Any]:
        images, labels = x if isinstance(x, (tuple, list)) else (x, y)
        images = self.to_images(images)
        if labels is None:
            return [images, ops.full((ops.shape(images)[0], self.num_classes), 1 / self.num_classes)]
        if len(labels.shape) == 2 and labels.shape[1] == self.num_classes:
            return [images, ops.cast(labels, "float32")]
        if len(labels.shape) > 2 or (len(labels.shape) == 2 and labels.shape[1] != 1):
            raise ValueError(f"expected labels (N,) or (N, {self.num_classes}), received shape {tuple(labels.shape)}")
        return [images, ops.one_hot(ops.cast(ops.reshape(labels, (-1,)), "int32"), self.num_classes)]

    def _with_labels(self, x: Any, labels: Any) -> Any:
        """Images or codes, with a row of labels for each."""
        if labels is None and isinstance(x, (tuple, list)):
            x, labels = x
        if np.asarray(x).dtype.kind == "O":
            raise TypeError(f"expected an array and labels, or a pair of them; received {x!r}")
        labels = np.full(self.num_classes, 1 / self.num_classes) if labels is None else np.asarray(labels)
        if labels.dtype.kind in "iu":
            if labels.size and not (labels.min() >= 0 and labels.max() < self.num_classes):
                raise ValueError(
                    f"expected labels from 0 to {self.num_classes - 1}, received {labels.min()} to {labels.max()}"
                )
            if labels.ndim < 2:
                labels = np.eye(self.num_classes)[labels]
        if labels.shape[-1:] != (self.num_classes,) or not np.allclose(labels.sum(-1), 1):
            raise ValueError(
                f"expected whole numbers, or rows of {self.num_classes} that sum to 1; received {labels!r}"
            )
        return x, np.broadcast_to(labels, (len(x), self.num_classes)).astype(np.float32)
