"""The figures of a report: which pictures there are for a model, and their captions."""

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
from vaekit.pictures.decoding import to_array
from vaekit.pictures.sheets import Picture, save, save_animation
from vaekit.training import History

_FEW = 10  # neighbours in a row
_COLUMNS = 12
_SAMPLES = 6  # columns of reconstructions and samples, which are larger


@dataclass(frozen=True)
class Figure:
    """A picture, or the frames of an animation."""

    section: str
    picture: Picture
    alt: str
    caption: str
    ink: bool = False  # whether a dark page may invert it; it always inverts grey pictures
    animated: bool = False

    def save(self, stem: Path) -> Path:
        """Write a PNG or GIF file, whole or not at all, and return its path."""
        path = stem.with_name(stem.name + (".gif" if self.animated else ".png"))
        if self.animated:
            save_animation(self.picture, path)
        else:
            save(self.picture, path)
        return path


@dataclass(frozen=True)
class Subject:
    """A model and the data that the report shows it on; the first images are of different classes."""

    model: Any
    images: npt.NDArray[Any]
    codes: npt.NDArray[np.float32]
    labels: npt.NDArray[np.int64] | None
    names: list[str] | None

    @property
    def model_labels(self) -> npt.NDArray[np.int64] | None:
        """The labels if the model takes them, otherwise None."""
        return self.labels if isinstance(self.model, CVAE) else None

    @property
    def code_size(self) -> int:
        """Numbers in a code."""
        return int(np.prod(self.codes.shape[1:]))

    def class_name(self, label: int) -> str:
        return str(label) if self.names is None else self.names[label]

    def image_name(self, i: int) -> str:
        """The class of an image, where it is known."""
        return "a drawing" if self.labels is None else self.class_name(int(self.labels[i]))


def make_figures(subject: Subject, history: History | None) -> Iterator[Figure]:
    """All figures that make sense for a model, section by section."""
    if history and history.get("loss"):
        yield _training(history)
    yield _reconstructions(subject)
    if isinstance(subject.model, VAE):
        yield _samples(subject)
    if subject.code_size >= 2:
        yield _latent_grid(subject)
    yield from _paths(subject)
    if isinstance(subject.model, CVAE):
        yield from _classes(subject)
    if subject.code_size >= 2:
        yield _codes(subject)
    if len(subject.images) > 3:
        yield _neighbours(subject)


def _training(history: History) -> Figure:
    epochs = len(history["loss"])
    held_out = "training and validation images" if history.get("val_loss") else "training images"
    return Figure(
        "Training",
        plots.curves(history),
        "Curves of the loss and its terms by epoch",
        f"Loss and its terms in nats/image, on {held_out}; {epochs} epoch{'s' if epochs > 1 else ''}.",
        ink=True,
    )


def _reconstructions(subject: Subject) -> Figure:
    return Figure(
        "Reconstructions",
        pictures.reconstructions(subject.model, subject.images, subject.model_labels, columns=_SAMPLES, error=True),
        "Three rows: drawings, their reconstructions, and the differences",
        "Top: drawings. Middle: their reconstructions. Bottom: the absolute difference.",
    )


def _samples(subject: Subject) -> Figure:
    conditional = isinstance(subject.model, CVAE)
    rows = ", one row per class" if conditional else ""
    prior = subject.model.prior
    of_prior = (
        "the standard normal prior"
        if prior is None
        else f"the fitted prior, a mixture of {prior.means.shape[1]} normal distributions{' a class' * conditional}"
    )
    return Figure(
        "Samples",
        pictures.samples(subject.model, columns=_SAMPLES, names=subject.names if conditional else None, inked=True),
        f"Drawings decoded from random codes{rows}",
        f"New drawings, decoded from random codes of {of_prior}{rows}; the brightest pixels as ink.",
    )


def _latent_grid(subject: Subject) -> Figure:
    label = 0 if isinstance(subject.model, CVAE) else None
    if isinstance(subject.model, VAE) and subject.code_size == 2:
        picture = pictures.latent_grid(subject.model, spacing="quantiles", label=label)
        where = "Decoded codes along the two latents, at quantiles of the prior."
    else:
        picture = pictures.latent_grid(subject.model, axes="principal", codes=subject.codes, label=label)
        where = (
            "Decoded codes along the two principal axes of the codes of these drawings, up to 1.5 standard deviations "
            "from their mean."
        )
    one_class = f" Every drawing is decoded as {subject.class_name(0)}." if label is not None else ""
    return Figure(
        "Latent grid",
        picture,
        "A grid of 10 by 10 drawings decoded from a plane of codes",
        f"{where} The first axis grows to the right, the second upward.{one_class}",
    )


def _paths(subject: Subject) -> Iterator[Figure]:
    model, images, labels = subject.model, subject.images, subject.model_labels
    a, b = subject.image_name(0), subject.image_name(1)
    ends = None if labels is None else labels[:2]
    blend = " The label changes along with the code." if ends is not None else ""
    for kind, way in ("linear", "a straight line"), ("spherical", "an arc"):
        yield Figure(
            "Paths",
            pictures.interpolation(model, images[0], images[1], _COLUMNS, kind=kind, labels=ends),
            f"{_COLUMNS} drawings that turn one drawing into another along {way} between their codes",
            f"From {a} to {b} along {way} between their codes.{blend}",
        )
    stops = [*range(min(5, len(images))), 0]
    frames = pictures.walk(
        model, images[stops], _COLUMNS, kind="spherical", labels=None if labels is None else labels[stops]
    )
    yield Figure(
        "Paths",
        frames,
        "An animation that turns one drawing into the next",
        f"A walk along arcs between codes: {', '.join(subject.image_name(i) for i in stops)}.",
        ink=frames.ndim == 3,
        animated=True,
    )


def _classes(subject: Subject) -> Iterator[Figure]:
    section, model = "Classes and style", subject.model
    yield Figure(
        section,
        pictures.classes_by_style(model, _COLUMNS, names=subject.names),
        "One row of drawings per class, along which one latent grows",
        "One row per class. From left to right the first latent grows from -1.5 to 1.5; the others are 0. Drawings in "
        "a column have the same code.",
    )
    last = model.num_classes - 1
    if last >= 1:
        a, b = subject.class_name(0), subject.class_name(last)
        yield Figure(
            section,
            pictures.blend(model, 0, last, _COLUMNS),
            f"One code decoded as {a}, as {b}, and as mixtures in between",
            f"One code, decoded as {a} on the left, {b} on the right, and mixtures of both in between.",
        )
    if last >= 3:
        corners = [round(i * last / 3) for i in range(4)]
        yield Figure(
            section,
            pictures.four_corners(model, corners),
            "One code decoded as four classes in the corners of a square, and as mixtures inside",
            "One code, decoded as {} (top left), {} (top right), {} (bottom left), {} (bottom right), and mixtures of "
            "these four.".format(*map(subject.class_name, corners)),
        )


def _codes(subject: Subject) -> Figure:
    direct = subject.code_size == 2
    images = to_array(subject.model, subject.images)
    thumbnails = images if images.shape[-1] == 1 else None
    points = latent.project(subject.codes, "direct" if direct else "pca")
    coloured = ", coloured by class" if subject.labels is not None else ""
    return Figure(
        "Codes",
        plots.scatter(points, subject.labels, names=subject.names, images=thumbnails),
        f"A scatter of the codes of {len(points):,} drawings{coloured}",
        f"Each point is the code of a drawing{coloured}. The axes are the two "
        f"{'latents' if direct else 'principal axes of the codes'}."
        + (" Drawings are shown where there is room." if thumbnails is not None else ""),
        ink=True,
    )


def _neighbours(subject: Subject) -> Figure:
    count = min(_FEW, len(subject.images) - 1)
    queries = np.arange(min(8, len(subject.images)))
    conditional = subject.model_labels is not None
    style = " The model is told the class, so that codes need only hold the style." if conditional else ""
    return Figure(
        "Neighbours",
        pictures.neighbours(to_array(subject.model, subject.images), subject.codes, queries, count),
        "Drawings, each followed by the drawings with the nearest codes",
        f"Left of the line: a drawing. Right of it: the {count} drawings with the nearest codes, the nearest first."
        f"{style}",
    )
