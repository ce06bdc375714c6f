"""Settings of training that were found to work together.

A `Recipe` is a value: `Recipe.model` makes a model of it, and ``vaekit.train(..., recipe=recipe)`` trains the model as
the recipe says. `dataclasses.replace` changes a part of it. `find` looks one up by its name.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import keras

from fastdraw import Augment
from vaekit import layers, models
from vaekit.callbacks import KLWarmUp

KINDS: dict[str, type[models.AE]] = {"ae": models.AE, "vae": models.VAE, "cvae": models.CVAE}
SCHEDULES = ("constant", "linear", "cosine", "stages")
OPTIMIZERS = ("adam", "muon")
_STAGES = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Recipe:
    """How to build a model and how to train it.

    Parameters
    ----------
    network : str
        A builder in `vaekit.networks`.
    latent_dim : int
    options : mapping
        Of the network's builder and of the model, such as ``units`` or ``objective``.
    noise : float
        Standard deviation of normal noise on the images that the encoder sees in training.
    augment : fastdraw.Augment, optional
        Changes to the strokes of drawings; pass it to `fastdraw.batches`.
    optimizer : {"adam", "muon"}
        Muon (Jordan et al., 2024) needs fewer epochs, but on a processor its steps are dear if layers are wide.
    learning_rate : float
        Of Adam; with Muon, of Muon.
    adam_share : float
        With Muon, the learning rate of Adam, which trains biases, gains and the heads of codes, in shares of Muon's.
    epsilon : float
        Of Adam.
    schedule : {"constant", "linear", "cosine", "stages"}
        How the learning rate falls: to 0 in the last step; or in eight stages to a tenth, each of which is three times
        as long as the one before it, and has the rate of the first divided by ``10 ** (i / 7)`` (Burda et al., 2016).
    epochs, batch_size : int
    warm_up : int
        Epochs in which the weight of the KL term rises from 0, see `vaekit.callbacks.KLWarmUp`.
    prior : int
        Normal distributions in the mixture that `vaekit.VAE.fit_prior` fits; 0 for none.

    Examples
    --------
    >>> recipe = vaekit.recipes.Recipe(network="mlp", options={"units": (16,)}, latent_dim=2, epochs=2)
    >>> images = fastdraw.open_drawings("quickdraw")[:64].rasterize()
    >>> model = recipe.model("vae", (32, 32, 1))
    >>> history = vaekit.train(model, images, recipe=recipe, out="run", verbose=0)
    >>> len(history["loss"])
    2
    """

    network: str = "residual"
    latent_dim: int = 64
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)
    noise: float = 0.0
    augment: Augment | None = None
    optimizer: str = "adam"
    learning_rate: float = 1e-3
    adam_share: float = 0.1
    epsilon: float = 1e-7
    schedule: str = "constant"
    epochs: int = 20
    batch_size: int = 128
    warm_up: int = 0
    prior: int = 10

    def __post_init__(self) -> None:
        for name, values in (("optimizer", OPTIMIZERS), ("schedule", SCHEDULES)):
            if getattr(self, name) not in values:
                raise ValueError(f"expected {name} to be one of {values}, received {getattr(self, name)!r}")

    def model(self, kind: str, image_shape: tuple[int, int, int], num_classes: int | None = None) -> models.AE:
        """An untrained model.

        Parameters
        ----------
        kind : {"ae", "vae", "cvae"}
        image_shape : tuple of int
            (height, width, channels).
        num_classes : int, optional
            Of a `CVAE`.

        Examples
        --------
        >>> recipe = vaekit.recipes.find("quick", "cvae")
        >>> recipe.model("cvae", (28, 28, 1), num_classes=3).num_classes
        3
        """
        if kind not in KINDS:
            raise ValueError(f"expected kind to be one of {list(KINDS)}, received {kind!r}")
        options = dict(self.options)
        if self.noise:
            options["corruption"] = keras.layers.GaussianNoise(self.noise)
        if kind == "cvae":
            options["num_classes"] = num_classes
        return KINDS[kind].for_images(image_shape, self.latent_dim, network=self.network, **options)

    def changed(self, **values: Any) -> Recipe:
        """A recipe with other values, where they are not None. Of another network, it has none of this one's options.

        Examples
        --------
        >>> vaekit.recipes.find("drawings", "vae").changed(epochs=5, network="mlp", latent_dim=None).latent_dim
        32
        """
        values = {name: value for name, value in values.items() if value is not None}
        if values.get("network", self.network) != self.network:
            values = {"options": {}} | values
        return dataclasses.replace(self, **values)

    def make_optimizer(self, steps: int) -> keras.optimizers.Optimizer:
        """The optimizer of a run of so many steps.

        Examples
        --------
        >>> optimizer = vaekit.recipes.Recipe(schedule="cosine").make_optimizer(steps=1000)
        >>> round(float(optimizer.learning_rate), 6)
        0.001
        """
        schedules: dict[str, Callable[[], Any]] = {
            "constant": lambda: self.learning_rate,
            "linear": lambda: keras.optimizers.schedules.PolynomialDecay(self.learning_rate, steps, 0.0),
            "cosine": lambda: keras.optimizers.schedules.CosineDecay(self.learning_rate, steps),
            "stages": lambda: keras.optimizers.schedules.PiecewiseConstantDecay(
                [round(steps * (3**i - 1) / (3**_STAGES - 1)) - 1 for i in range(1, _STAGES)],
                [self.learning_rate / 10 ** (i / (_STAGES - 1)) for i in range(_STAGES)],
            ),
        }
        rate = schedules[self.schedule]()
        if self.optimizer == "adam":
            return keras.optimizers.Adam(rate, epsilon=self.epsilon)
        return keras.optimizers.Muon(
            rate,
            adam_lr_ratio=self.adam_share,
            exclude_layers=["mean", "log_var"],
            weight_decay=0.0,
            adam_weight_decay=0.0,
        )

    def callbacks(self) -> list[keras.callbacks.Callback]:
        """What `vaekit.train` adds to the callbacks of a run.

        Examples
        --------
        >>> [type(callback).__name__ for callback in vaekit.recipes.Recipe(warm_up=5).callbacks()]
        ['KLWarmUp']
        """
        return [KLWarmUp(self.warm_up)] if self.warm_up else []


def drawings(kind: str) -> Recipe:
    """For drawings of 32x32 pixels. VAEs and CVAEs are ladders with free bits, trained on changed strokes.

    On seven categories of real drawings a `CVAE` had a bound of 217 nats/image after 20 epochs, in 11 minutes on two
    cores. A judge that names 93 % of real drawings named 88 to 89 % of the inked samples of three (test drawings).

    Examples
    --------
    >>> vaekit.recipes.drawings("cvae").network
    'ladder'
    """
    augment = Augment(rotate=5, shear=5, jitter=2)
    if kind == "ae":
        return Recipe(augment=augment, schedule="cosine")
    return Recipe(
        network="ladder",
        latent_dim=32,
        options={"filters": (56, 112), "free_bits": (30.0, 25.0)},
        augment=augment,
        learning_rate=2e-3,
        schedule="cosine",
    )


def mnist(kind: str) -> Recipe:
    """For MNIST, with two latents; `benchmarks/train_mnist.py` trains them.

    In 50 epochs a `CVAE` had a test loss of 119.86 to 120.34 nats/image. On 10,000 training images that were left
    out, a `VAE` had 127.8 and a `CVAE` 119.4 to 119.9.

    Examples
    --------
    >>> vaekit.recipes.mnist("vae").optimizer
    'muon'
    """
    return Recipe(
        latent_dim=2,
        options={"units": 256, "blocks": 6 if kind == "cvae" else 4, "objective": models.DistortedCopies()},
        noise=0.2,
        optimizer="muon",
        learning_rate=1e-2,
        adam_share=0.3,
        schedule="linear",
        epochs=50,
        batch_size=250,
        prior=0,
    )


def binarized_mnist(kind: str) -> Recipe:
    """For MNIST, binarised dynamically, with the networks of Burda et al. (2016); `benchmarks/papers.py` trains them.

    Two layers of 200 units on each side and 50 latents. Set ``objective`` and ``importance_samples`` in the options.

    Examples
    --------
    >>> vaekit.recipes.binarized_mnist("vae").latent_dim
    50
    """
    return Recipe(
        network="mlp",
        latent_dim=50,
        options={"units": (200, 200), "activation": "tanh", "binarization": layers.Binarize()},
        optimizer="muon",
        learning_rate=6e-3,
        adam_share=1.0,
        schedule="cosine",
        epochs=1000,
        batch_size=500,
        warm_up=0 if kind == "ae" else 50,
        prior=0,
    )


def burda(kind: str) -> Recipe:
    """The models of `binarized_mnist`, trained as in Burda et al. (2016): 3280 passes in batches of 20 images.

    Examples
    --------
    >>> vaekit.recipes.burda("vae").epochs
    3280
    """
    return binarized_mnist(kind).changed(
        optimizer="adam",
        learning_rate=1e-3,
        epsilon=1e-4,
        schedule="stages",
        epochs=3280,
        batch_size=20,
        warm_up=0,
    )


def quick(kind: str) -> Recipe:
    """A small network for a first look: a third of the time of `drawings` an epoch, and blurred samples.

    Examples
    --------
    >>> vaekit.recipes.quick("vae").epochs
    20
    """
    return Recipe()


NAMED: dict[str, Callable[[str], Recipe]] = {
    "drawings": drawings,
    "mnist": mnist,
    "binarized_mnist": binarized_mnist,
    "burda": burda,
    "quick": quick,
}


def find(name: str, kind: str) -> Recipe:
    """The recipe of a name.

    Parameters
    ----------
    name : {"drawings", "mnist", "binarized_mnist", "burda", "quick"}
    kind : {"ae", "vae", "cvae"}

    Raises
    ------
    ValueError
        If there is no such recipe.

    Examples
    --------
    >>> vaekit.recipes.find("mnist", "vae").latent_dim
    2
    """
    if name not in NAMED:
        raise ValueError(f"expected recipe to be one of {list(NAMED)}, received {name!r}")
    return NAMED[name](kind)
