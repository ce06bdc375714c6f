"""The conditional variational autoencoder."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
from keras import ops

from fastdraw.checks import integer
from vaekit import inputs, layers, networks
from vaekit.models import parts
from vaekit.models.autoencoder import Array
from vaekit.models.variational import VAE
from vaekit.networks.parts import Layered


@keras.saving.register_keras_serializable("vaekit")
class CVAE(VAE):
    """Conditional variational autoencoder (Sohn et al., 2015): encoder and decoder also see a label.

    Labels are ints (N,), or rows (N, num_classes) of weights that sum to 1, which allow mixtures of classes. Pass them
    as targets, ``fit(x, labels)`` or a dataset of pairs, or with the images, ``predict((x, labels))``. Losses and
    bounds need labels; without them, each class has the same weight in `encode`, `reconstruct` and `decode`.

    Parameters
    ----------
    encoder : keras.Model
        [images, rows of labels] to features.
    decoder : keras.Model
        [codes, rows of labels] to logits of the images.
    latent_dim, num_classes : int
    learned_prior : bool
        Whether the prior of a class, ``p(z | y)``, has a mean and a log-variance that are learned, both linear in the
        row of labels. Codes are relative to it: the decoder sees ``mean + exp(log_var / 2) * code``. So KL divergences
        and bounds are those of the learned prior, while codes of every class have a standard normal one.
    **options
        As for `VAE`.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")[::10]
    >>> images, labels = drawings.rasterize(), drawings.labels
    >>> model = vaekit.CVAE.for_images((32, 32, 1), 2, num_classes=3, network="mlp", units=(16,))
    >>> model.compile("adam")
    >>> sorted(model.fit(images, labels, verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    >>> model.sample(4, labels=drawings.categories.index("star")).shape
    (4, 32, 32, 1)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        latent_dim: int,
        num_classes: int,
        *args: Any,
        learned_prior: bool = False,
        **options: Any,
    ) -> None:
        options["_shapes"] = parts.shapes(encoder, decoder, latent_dim, num_classes)
        super().__init__(encoder, decoder, latent_dim, *args, **options)
        self.num_classes = num_classes
        self.learned_prior = learned_prior
        if learned_prior:
            if isinstance(decoder, Layered):
                raise ValueError(
                    f"expected a decoder with one layer of codes for learned_prior, received {type(decoder).__name__}"
                )
            self.prior_mean, self.prior_log_var = (
                keras.layers.Dense(latent_dim, use_bias=False, kernel_initializer="zeros", dtype="float32", name=name)
                for name in ("prior_mean", "prior_log_var")
            )
            for head in (self.prior_mean, self.prior_log_var):
                head.build((None, num_classes))

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
        """A model with networks of vaekit, for ``num_classes`` classes; other parameters as for `AE.for_images`.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((28, 28, 1), 2, num_classes=10, network="mlp", units=(16,))
        >>> model.num_classes
        10
        """
        num_classes = integer("num_classes", num_classes, 1)
        encoder, decoder, options = networks.build(network, image_shape, latent_dim, num_classes=num_classes, **options)
        return cls(encoder, decoder, getattr(decoder, "latent_dim", latent_dim), num_classes, **options)

    def encode(self, x: Any, labels: Any = None) -> Array:
        """Codes of images: means of the posterior, (N, latent_dim) float32.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> model.encode(np.zeros((4, 8, 8)), [0, 1, 2, 0]).shape
        (4, 2)
        """
        return super().encode(_with(x, labels))

    def encode_distribution(self, x: Any, labels: Any = None) -> tuple[Array, Array]:
        """Mean and log-variance of the codes of images: two of (N, latent_dim) float32.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> mean, log_var = model.encode_distribution(np.zeros((4, 8, 8)), [0, 1, 2, 0])
        >>> mean.shape, log_var.shape
        ((4, 2), (4, 2))
        """
        return super().encode_distribution(_with(x, labels))

    def decode(self, z: Any, labels: Any = None) -> Array:
        """Images of codes: (N, height, width, channels) float32 in 0..1.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> model.decode(np.zeros((2, 2)), [0.5, 0.5, 0.0]).shape  # halfway between the first two classes
        (2, 8, 8, 1)
        """
        if labels is None:
            z, labels = z if _is_pair(z) else (z, np.full(self.num_classes, 1 / self.num_classes))
        given = self._with_labels(self._codes_checked(z), labels)
        return self._run("decode", lambda given: self.means(self.logits(list(given))), given)

    def reconstruct(self, x: Any, labels: Any = None) -> Array:
        """Images encoded and decoded: (N, height, width, channels) float32 in 0..1.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> model.reconstruct(np.zeros((4, 8, 8)), [0, 1, 2, 0]).shape
        (4, 8, 8, 1)
        """
        return super().reconstruct(_with(x, labels))

    def fit_prior(self, x: Any, labels: Any = None, *, components: int = 10, seed: int = 0) -> None:
        """Fit a mixture of normal distributions to the codes of each class; `sample` draws from it from now on.

        Parameters
        ----------
        x : array
            Images of training.
        labels : (N,) array of int
            Their classes.
        components, seed
            As for `VAE.fit_prior`.

        Raises
        ------
        ValueError
            If a class has fewer images than components, or there are no labels.

        Examples
        --------
        >>> drawings = fastdraw.open_drawings("quickdraw")[::10]
        >>> model = vaekit.CVAE.for_images((32, 32, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> model.fit_prior(drawings.rasterize(), drawings.labels, components=2)
        >>> model.sample(4, labels=1).shape
        (4, 32, 32, 1)
        """
        x, labels = self.checked(x, labels)
        if np.ndim(labels) != 1:
            raise ValueError(f"expected labels (N,) of ints to fit a prior, received shape {np.shape(labels)}")
        self._fit_prior(self.encode_distribution(x, labels), labels, self.num_classes, components, seed)

    def sample(self, n: int, seed: int | None = None, *, labels: Any = None) -> Array:
        """Images of codes drawn from the prior: (n, height, width, channels) float32 in 0..1.

        Parameters
        ----------
        n : int
        seed : int, optional
        labels : int, (n,) ints or (n, num_classes) rows, optional
            A class or a mixture of classes, for all images or for each; by default the classes in turn.

        Examples
        --------
        >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
        >>> model.sample(6, seed=0).shape, model.sample(6, seed=0, labels=2).shape
        ((6, 8, 8, 1), (6, 8, 8, 1))
        """
        n = integer("n", n, 0)
        if labels is None:
            labels = np.arange(n) % self.num_classes
        rows = self._with_labels(np.empty((n, 0)), labels)[1]
        return self.decode(self._draw(n, seed, rows), rows)

    def logits(self, inputs: list[Any], training: bool = False) -> Any:
        codes, labels = inputs
        if self.learned_prior:
            log_var = ops.clip(self.prior_log_var(labels), *layers.LOG_VAR_LIMITS)
            codes = self.prior_mean(labels) + ops.exp(0.5 * log_var) * codes
        return super().logits([codes, labels], training)

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"num_classes": self.num_classes, "learned_prior": self.learned_prior}

    def checked(self, x: Any, y: Any = None) -> tuple[Any, Any]:
        if y is None and _is_pair(x):
            x, y = x
        x = inputs.images(x, self.to_images)
        if not hasattr(x, "shape"):  # a dataset
            return x, y
        if y is None:
            raise inputs.missing_labels(self.num_classes)
        return x, inputs.labels(y, self.num_classes, x.shape[0])

    def inputs_checked(self, x: Any) -> Any:
        if _is_pair(x):
            return self._with_labels(inputs.images(x[0], self.to_images, may_be_none=True), x[1])
        return inputs.images(x, self.to_images, may_be_none=True)

    def inputs_of(self, x: Any, y: Any = None) -> list[Any]:
        images, labels = x if isinstance(x, (tuple, list)) else (x, y)
        images = self.images_of(images)
        if labels is None:
            return [images, ops.full((ops.shape(images)[0], self.num_classes), 1 / self.num_classes)]
        if len(labels.shape) == 2 and labels.shape[1] == self.num_classes:
            return [images, ops.cast(labels, "float32")]
        if len(labels.shape) > 2 or (len(labels.shape) == 2 and labels.shape[1] != 1):
            raise ValueError(f"expected labels (N,) or (N, {self.num_classes}), received shape {tuple(labels.shape)}")
        # Not one_hot, which on torch fails for a label outside the classes; a row of zeros is noticed.
        return [images, ops.cast(ops.equal(ops.reshape(labels, (-1, 1)), ops.arange(self.num_classes)), "float32")]

    def _target_of(self, x: Any, y: Any) -> Any:
        if y is None and not isinstance(x, (tuple, list)):
            raise inputs.missing_labels(self.num_classes)
        return None  # targets are labels

    def _with_labels(self, x: Any, labels: Any) -> Any:
        """A pair of images or codes and rows of labels, as many. One label, or one row, is for all."""
        given = inputs.array(labels)
        one = np.ndim(given) == 0
        if np.ndim(given) == 1 and len(given) == self.num_classes:
            numbers = np.asarray(given)
            one = numbers.dtype.kind == "f" and bool(len(numbers) != x.shape[0] or np.isclose(numbers.sum(), 1))
        rows = inputs.labels([given] if one else given, self.num_classes, None if one else x.shape[0])
        if rows.ndim < 2:
            rows = np.eye(self.num_classes, dtype=np.float32)[rows]
        return x, np.broadcast_to(rows, (x.shape[0], self.num_classes))


def _with(x: Any, labels: Any) -> Any:
    """Images with their labels, if there are any."""
    x = x if _is_pair(x) else inputs.array(x)
    if not (_is_pair(x) or hasattr(x, "shape")):
        raise TypeError(f"expected an array of images, and labels; received {type(x).__name__}")
    return x if labels is None else (x, labels)


def _is_pair(given: Any) -> bool:
    """Whether these are images or codes with their labels, and no list of images or of codes."""
    if not isinstance(given, (tuple, list)) or len(given) != 2:
        return False
    first, second = (tuple(part.shape) if hasattr(part, "shape") else np.shape(part) for part in given)
    return len(first) > 1 and (isinstance(given, tuple) or first != second)
