"""The figures of a report: which pictures of a model there are, and what is said about them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from vaekit import latent, pictures
from vaekit.models import CVAE, VAE
from vaekit.pictures import plots
from vaekit.pictures.sheets import Picture, save, save_animation
from vaekit.training import History


@dataclass(frozen=True)
class Figure:
    """A picture, or the frames of one that moves."""

    section: str
    picture: Picture
    alt: str
    caption: str
    ink: bool = False  # whether it may be shown as light on dark; grey pictures always may
    moves: bool = False

    def save(self, stem: Path) -> Path:
        """Write it to a PNG or GIF file of this name, and return its path; whole or not at all."""
        path = stem.with_name(stem.name + (".gif" if self.moves else ".png"))
        if self.moves:
            save_animation(self.picture, path)
        else:
            save(self.picture, path)
        return path


@dataclass(frozen=True)
class Shown:
    """What figures are made of; the first images are of different classes."""

    model: Any
    images: npt.NDArray[Any]
    codes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64] | None
    names: list[str] | None

    @property
    def given(self) -> npt.NDArray[np.int64] | None:
        """Labels for functions that take them for a `CVAE` only."""
        return self.labels if isinstance(self.model, CVAE) else None

    def name(self, k: int) -> str:
        return str(k) if self.names is None else self.names[k]

    def of(self, i: int) -> str:
        """Which image, in words."""
        return "a drawing" if self.labels is None else self.name(int(self.labels[i]))


def figures_of(shown: Shown, history: History | None) -> Iterator[Figure]:
    """All that make sense for a model, section by section."""
    model, images, codes, labels = shown.model, shown.images, shown.codes, shown.given
    if history and history.get("loss"):
        yield Figure(
            "Training",
            plots.curves(history),
            "Curves of the loss and its parts by epoch",
            f"The loss and its parts in nats an image by epoch, {len(history['loss'])} so far, on training images and "
            "on those held out, where there were any.",
            ink=True,
        )
    yield Figure(
        "Reconstructions",
        pictures.reconstructions(model, images, labels, columns=12, error=True),
        "Drawings, their reconstructions and the differences, in three rows",
        "Above: drawings as the model got them. Middle: what it made of their codes. Below: the difference, as ink.",
    )
    if isinstance(model, VAE):
        each = ", a row for each class" if isinstance(model, CVAE) else ""
        yield Figure(
            "Samples",
            pictures.samples(model, columns=12, names=shown.names if isinstance(model, CVAE) else None),
            f"Drawings decoded from random codes{each}",
            f"Decoded from codes drawn at random from the prior{each}: no drawing went in.",
        )
    if int(np.prod(codes.shape[1:])) >= 2:
        yield _grid(shown)
    yield from _paths(shown)
    if isinstance(model, CVAE):
        yield from _classes(shown)
    if int(np.prod(codes.shape[1:])) >= 2:
        yield _scatter(shown)
    if len(images) > 3:
        count = min(10, len(images) - 1)
        style = " The class was told apart from the code, which holds the style." if labels is not None else ""
        yield Figure(
            "Neighbours",
            pictures.neighbours(_plain(model, images), codes, np.arange(min(8, len(images))), count),
            "Drawings, each followed by the drawings whose codes are nearest to its own",
            f"Left: a drawing. Right: the {count} others whose codes are nearest to its own, the nearest first.{style}",
        )


def _grid(shown: Shown) -> Figure:
    label = 0 if isinstance(shown.model, CVAE) else None
    if isinstance(shown.model, VAE) and shown.codes.shape[1:] == (2,):
        picture = pictures.latent_grid(shown.model, spacing="quantiles", label=label)
        where = "the two latents, at places that are equally probable under the prior"
    else:
        picture = pictures.latent_grid(shown.model, axes="principal", codes=shown.codes, label=label)
        where = (
            "the two principal axes of the codes of the data, from -1.5 to 1.5 of their standard deviations around the "
            "mean"
        )
    whole = f" All are of the class {shown.name(0)}." if label is not None else ""
    return Figure(
        "Latent grid",
        picture,
        "A grid of 10 by 10 drawings decoded from a plane of codes",
        f"Decoded codes along {where}; the first axis grows to the right, the second upward.{whole}",
    )


def _scatter(shown: Shown) -> Figure:
    direct = int(np.prod(shown.codes.shape[1:])) == 2
    points = latent.project(shown.codes, "direct" if direct else "pca")
    plain = _plain(shown.model, shown.images)
    coloured = ", coloured by class" if shown.labels is not None else ""
    thumbnails = "; where there is room, the drawing itself" if plain.shape[-1] == 1 else ""
    return Figure(
        "Codes",
        plots.scatter(points, shown.labels, names=shown.names, images=plain if thumbnails else None),
        f"A scatter of the codes of {len(points):,} drawings{coloured}",
        f"Each point is the code of a drawing{coloured}, along the {'two latents' if direct else 'principal axes'}"
        f"{thumbnails}.",
        ink=True,
    )


def _paths(shown: Shown) -> Iterator[Figure]:
    model, images, labels = shown.model, shown.images, shown.given
    a, b = shown.of(0), shown.of(1)
    ends = None if labels is None else labels[:2]
    blend = "; the classes blend on the way" if ends is not None else ""
    for kind, way in ("linear", "the straight line"), ("spherical", "the arc"):
        yield Figure(
            "Paths",
            pictures.interpolation(model, images[0], images[1], 12, kind=kind, labels=ends),
            f"Twelve drawings that turn from one drawing into another along {way} between their codes",
            f"From {a} to {b} along {way} between their codes ({kind}){blend}.",
        )
    stops = [*range(min(5, len(images))), 0]
    frames = pictures.walk(model, images[stops], 12, kind="spherical", labels=None if labels is None else labels[stops])
    yield Figure(
        "Paths",
        frames,
        "An animated drawing that turns into one drawing after another",
        f"A walk through {', '.join(shown.of(i) for i in stops)}, decoded on the way.",
        ink=frames.ndim == 3,
        moves=True,
    )


def _classes(shown: Shown) -> Iterator[Figure]:
    model = shown.model
    yield Figure(
        "Classes and style",
        pictures.classes_by_style(model, 12, names=shown.names),
        "A row of drawings for each class, along which one latent grows",
        "Each row is a class; along it the first latent grows from -1.5 to 1.5 and the others stay 0: one style, "
        "in every class.",
    )
    last = model.num_classes - 1
    if last >= 1:
        yield Figure(
            "Classes and style",
            pictures.blend(model, 0, last, 12),
            f"One code decoded as {shown.name(0)}, as {shown.name(last)} and as mixtures between",
            f"One code, as {shown.name(0)} on the left, {shown.name(last)} on the right and mixtures of both between.",
        )
    if last >= 3:
        corners = [round(i * last / 3) for i in range(4)]
        yield Figure(
            "Classes and style",
            pictures.four_corners(model, corners),
            "One code decoded as four classes in the corners of a square and as mixtures of them inside",
            "One code as {} (top left), {} (top right), {} (bottom left) and {} (bottom right), and as mixtures of "
            "them.".format(*map(shown.name, corners)),
        )


def _plain(model: Any, images: Any) -> npt.NDArray[Any]:
    """Images (N, height, width, channels), whatever form they came in."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(model.to_images(ops.convert_to_tensor(images))))
