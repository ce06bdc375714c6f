"""The variational autoencoder."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import keras
import numpy as np
from keras import ops

from fastdraw.checks import integer, number
from vaekit import layers, losses, networks
from vaekit.models import parts, watch
from vaekit.models.autoencoder import AE, Array, call_network
from vaekit.models.objectives import ELBO, IWAE, DReG, Objective
from vaekit.models.prior import MixturePrior
from vaekit.networks.parts import Layered

_PRIOR = "prior_"  # how names of its arrays begin in a file


class Drawn(NamedTuple):
    """Codes drawn from the posterior, the mean and log-variance that they were drawn with, and what they decode to.

    All are float32 tensors: codes, mean and log_var (B, latent_dim), logits (B, height, width, channels).
    """

    codes: Any
    mean: Any
    log_var: Any
    logits: Any


class _Knob:
    """A number that each step of training reads anew; as an object of its own, hidden from Keras's list of weights."""

    def __init__(self, value: float) -> None:
        self.variable = keras.Variable(value, trainable=False, dtype="float32")


@keras.saving.register_keras_serializable("vaekit")
class VAE(AE):
    """Variational autoencoder (Kingma and Welling, 2014): codes are drawn from a normal distribution.

    Parameters
    ----------
    encoder : keras.Model
        Images to features; two dense layers in float32 make mean and log-variance of them.
    decoder : keras.Model
        Codes (B, latent_dim) to logits of the images.
    latent_dim : int
    beta : float
        Weight of the KL term in the loss (Higgins et al., 2017).
    free_bits : float or sequence of float
        As for `vaekit.models.ELBO`, with ``objective="elbo"``.
    objective : {"elbo", "iwae", "dreg"} or vaekit.models.Objective
        What to minimise: `vaekit.models.ELBO`, `vaekit.models.IWAE`, `vaekit.models.DReG`, or an objective of your own.
    importance_samples : int
        Codes drawn for each image, with ``objective="iwae"`` or ``"dreg"``.
    **kwargs
        ``corruption`` and ``binarization``, as for `AE`; and what Keras models take.

    Attributes
    ----------
    prior : vaekit.models.MixturePrior or None
        What `sample` draws codes from, see `fit_prior`; None for the standard normal distribution of the loss.

    Notes
    -----
    The metric ``kl`` is the KL divergence of the posterior from the prior, in nats/image.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw")[:64].rasterize()
    >>> model = vaekit.VAE.for_images((32, 32, 1), 4, network="mlp", units=(16,), beta=0.5)
    >>> model.compile("adam")
    >>> sorted(model.fit(images, epochs=2, verbose=0).history)
    ['kl', 'loss', 'reconstruction']
    >>> model.sample(5, seed=0).shape
    (5, 32, 32, 1)
    """

    def __init__(
        self,
        encoder: keras.Model,
        decoder: keras.Model,
        latent_dim: int,
        beta: float = 1.0,
        free_bits: float | Sequence[float] = 0.0,
        *,
        objective: str | Objective = "elbo",
        importance_samples: int = 1,
        **kwargs: Any,
    ) -> None:
        number("beta", beta, 0)
        resolved = _resolve(objective, free_bits, importance_samples)
        shapes = kwargs.pop("_shapes", None) or parts.shapes(encoder, decoder, latent_dim)
        super().__init__(encoder, decoder, objective=resolved, _shapes=((latent_dim,), shapes[1]), **kwargs)
        self.latent_dim = latent_dim
        self.free_bits = free_bits
        self._objective_name = None if isinstance(objective, Objective) else objective
        self.importance_samples = importance_samples
        self.sampling = layers.Sampling()
        if not isinstance(decoder, Layered):  # which has heads of its own
            self.mean_head, self.log_var_head = (
                keras.layers.Dense(latent_dim, dtype="float32", name=name) for name in ("mean", "log_var")
            )
            for head in (self.mean_head, self.log_var_head):
                head.build((None, *shapes[0]))
        self._beta = _Knob(beta)
        self.prior: MixturePrior | None = None

    @property
    def objective(self) -> str | Objective:
        """What the model minimises: the name or the object that was given."""
        return self._objective_name or self._objective

    @property
    def beta(self) -> float:
        """Weight of the KL term in the loss; it may be set between epochs."""
        return float(ops.convert_to_numpy(self.kl_weight))

    @beta.setter
    def beta(self, value: float) -> None:
        self._beta.variable.assign(value)

    @property
    def kl_weight(self) -> Any:
        """``beta`` as a float32 tensor, for objectives: a compiled step reads its present value."""
        return ops.cast(self._beta.variable, "float32")

    @classmethod
    def for_images(
        cls, image_shape: tuple[int, int, int], latent_dim: int = 64, *, network: str = "residual", **options: Any
    ) -> VAE:
        """A model with networks of vaekit; parameters as for `AE.for_images`.

        Examples
        --------
        >>> model = vaekit.VAE.for_images((28, 28, 1), 2, network="mlp", units=(16,), free_bits=0.1)
        >>> model.encode(np.zeros((3, 28, 28))).shape
        (3, 2)
        """
        encoder, decoder, options = networks.build(network, image_shape, latent_dim, **options)
        return cls(encoder, decoder, getattr(decoder, "latent_dim", latent_dim), **options)

    def encode_distribution(self, x: Any) -> tuple[Array, Array]:
        """Mean and log-variance of the codes of images: two of (N, latent_dim) float32.

        Examples
        --------
        >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> mean, log_var = model.encode_distribution(np.zeros((5, 8, 8)))
        >>> mean.shape, log_var.shape
        ((5, 2), (5, 2))
        """
        mean, log_var = watch.run_on_images(
            self, "encode_distribution", lambda given: self.posterior(self.inputs_of(given)), x
        )
        return mean, log_var

    def fit_prior(self, x: Any, *, components: int = 10, seed: int = 0) -> None:
        """Fit a mixture of normal distributions to the codes of images; `sample` draws from it from now on.

        It is saved with the model. Losses and bounds keep the standard normal distribution. With the networks
        ``ladder`` and ``two_layers``, the mixture is of the codes at the top; the others keep theirs, too.

        Parameters
        ----------
        x : array
            Images of training.
        components : int
            Normal distributions in the mixture.
        seed : int

        Raises
        ------
        ValueError
            If there are fewer images than components.

        Examples
        --------
        >>> images = fastdraw.open_drawings("quickdraw")[:64].rasterize()
        >>> model = vaekit.VAE.for_images((32, 32, 1), 2, network="mlp", units=(16,))
        >>> model.fit_prior(images, components=3)
        >>> model.prior.means.shape, model.sample(5, seed=0).shape
        ((1, 3, 2), (5, 32, 32, 1))
        """
        posterior = self.encode_distribution(x)
        self._fit_prior(posterior, np.zeros(len(posterior[0]), np.int64), 1, components, seed)

    def sample(self, n: int, seed: int | None = None) -> Array:
        """Images of codes drawn from the prior: (n, height, width, channels) float32 in 0..1.

        Without a seed, codes follow ``keras.utils.set_random_seed``.

        Examples
        --------
        >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
        >>> np.array_equal(model.sample(5, seed=0), model.sample(5, seed=0))
        True
        """
        n = integer("n", n, 0)
        return self.decode(self._draw(n, seed, np.ones((n, 1), np.float32)))

    @property
    def non_trainable_variables(self) -> list[Any]:
        # Like the state of a random generator, beta is no weight, but JAX must be given it.
        return [*super().non_trainable_variables, self._beta.variable]

    def get_config(self) -> dict[str, Any]:
        names = ("latent_dim", "beta", "free_bits", "importance_samples")
        return super().get_config() | {name: getattr(self, name) for name in names}

    def save_own_variables(self, store: Any) -> None:
        super().save_own_variables(store)
        if self.prior is not None:
            for name, values in vars(self.prior).items():
                store[f"{_PRIOR}{name}"] = values

    def load_own_variables(self, store: Any) -> None:
        own = {name: store[name] for name in store.keys()}  # noqa: SIM118
        found = {
            name.removeprefix(_PRIOR): np.array(own.pop(name), np.float32)
            for name in list(own)
            if name.startswith(_PRIOR)
        }
        self.prior = MixturePrior(**found) if found else None
        super().load_own_variables(own)

    def posterior(self, inputs: list[Any], training: bool = False) -> tuple[Any, Any]:
        """Mean and log-variance of the codes, two of (B, latent_dim) float32, of what `inputs_of` gives: tensors.

        With the network ``ladder``, each number's given the means of those above it; with ``two_layers``, that of the
        upper code given the mean of the lower one.
        """
        features = call_network(self.encoder, inputs, training)
        if isinstance(self.decoder, Layered):
            return self.decoder.infer(features, inputs[1:])[1:3]
        return self._heads(features)

    def draw(self, inputs: list[Any], training: bool = False, *, samples: int = 1, noise: Any = None) -> Drawn:
        """Draw codes from the posterior and decode them.

        Parameters
        ----------
        inputs : list
            Of tensors, as `inputs_of` makes them.
        training : bool
        samples : int
            Codes for each image; they are adjacent rows of the result.
        noise : (B * samples, latent_dim) float32, optional
            Standard normal numbers to draw with, instead of the model's own.
        """

        def repeated(tensor: Any) -> Any:
            return tensor if isinstance(samples, int) and samples == 1 else ops.repeat(tensor, samples, axis=0)

        features = call_network(self.encoder, inputs, training)
        labels = [repeated(rows) for rows in inputs[1:]]
        if isinstance(self.decoder, Layered):
            features = repeated(features)
            if noise is None:
                zeros = ops.zeros((ops.shape(features)[0], self.latent_dim), "float32")
                noise = self.sampling((zeros, zeros))
            return Drawn(*self.decoder.infer(features, labels, noise))
        mean, log_var = map(repeated, self._heads(features))
        codes = self.sampling((mean, log_var)) if noise is None else mean + ops.exp(0.5 * log_var) * noise
        return Drawn(codes, mean, log_var, self.logits([codes, *labels], training))

    def kl(self, drawn: Drawn) -> Any:
        """KL divergence of the posterior from the prior, for each number of codes: (B, latent_dim) float32, in nats.

        With the network ``two_layers`` there is no formula for it. These are log ratios at the codes that were drawn,
        and their mean estimates it.
        """
        codes, mean, log_var, _ = drawn
        if getattr(self.decoder, "bottom_up", False):
            return 0.5 * (ops.square(codes) - ops.square(codes - mean) / ops.exp(log_var) - log_var)
        return losses.normal_kl(mean, log_var)

    def _heads(self, features: Any) -> tuple[Any, Any]:
        return self.mean_head(features), ops.clip(self.log_var_head(features), *layers.LOG_VAR_LIMITS)

    def codes(self, inputs: list[Any], training: bool = False) -> Any:
        return self.posterior(inputs, training)[0]

    def _fit_prior(self, posterior: tuple[Array, Array], labels: Any, classes: int, components: int, seed: int) -> None:
        components = integer("components", components, 1)
        top = getattr(self.decoder, "top", self.latent_dim)
        mean, log_var = (part[:, :top] for part in posterior)
        noise = np.random.default_rng(seed).standard_normal(mean.shape)
        self.prior = MixturePrior.fit(mean + np.exp(log_var / 2) * noise, labels, classes, components, seed)

    def _draw(self, n: int, seed: int | None, rows: Array) -> Array:
        """Codes from the prior; rows of labels choose among the classes of a fitted one."""
        shape = (n, self.latent_dim)
        if seed is None:
            noise = np.array(ops.convert_to_numpy(keras.random.normal(shape, dtype="float32")))
        else:
            noise = np.random.default_rng(integer("seed", seed, 0)).standard_normal(shape, np.float32)
        if self.prior is None:
            return noise
        if seed is None:
            chosen = ops.convert_to_numpy(keras.random.uniform((2, n), dtype="float32"))
        else:
            chosen = np.random.default_rng((seed, 1)).random((2, n))
        top = self.prior.means.shape[-1]
        noise[:, :top] = self.prior.draw(noise[:, :top], rows, *chosen)
        return noise


def _resolve(objective: str | Objective, free_bits: float | Sequence[float], importance_samples: int) -> Objective:
    """The objective of its name and options."""
    weighted: dict[Any, type[IWAE]] = {"iwae": IWAE, "dreg": DReG}
    if not isinstance(objective, Objective) and objective not in ("elbo", *weighted):
        raise ValueError(f"expected objective to be 'elbo', 'iwae', 'dreg' or an Objective, received {objective!r}")
    if free_bits and objective != "elbo":
        raise ValueError(f"expected free_bits with objective='elbo' alone, received {free_bits} with {objective!r}")
    if importance_samples != 1 and objective not in weighted:
        raise ValueError(
            f"expected importance_samples with objective='iwae' or 'dreg', received {importance_samples} with "
            f"{objective!r}"
        )
    if isinstance(objective, Objective):
        return objective
    return ELBO(free_bits) if objective == "elbo" else weighted[objective](importance_samples)
