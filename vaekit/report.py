"""A page that shows what a model learned: one HTML file with all its pictures, for any browser, without a network."""

from __future__ import annotations

import base64
import html
import io
import os
import tempfile
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vaekit import evaluate, latent, pictures, plots
from vaekit.conditional import CVAE
from vaekit.models import AE, VAE
from vaekit.plane import Plane
from vaekit.sheets import Picture, save_animation
from vaekit.training import History

_WIDTH = 900  # pixels of the page that a picture fills at most
_ZOOM = 3
_MEASURED = 1000  # images for the bound on the likelihood


@dataclass(frozen=True)
class Figure:
    """A picture of the report."""

    section: str
    picture: Picture | bytes  # bytes are an animated GIF, shown as it is
    alt: str
    caption: str
    ink: bool = False  # whether it may be shown as light on dark; grey pictures always may


def write_report(
    model: AE,
    images: Any,
    out: str | os.PathLike[str],
    *,
    labels: Any = None,
    names: Any = None,
    history: History | None = None,
    title: str | None = None,
) -> None:
    """Write a page about a model; whole or not at all.

    Parameters
    ----------
    model : AE, VAE or CVAE
        What makes no sense for it is left out, such as samples from the prior of an `AE`.
    images : array
        Two or more, in any form that the model takes; best such that training did not see. All are encoded.
    out : path
        The ``.html`` file.
    labels : array of int, optional
        (N,), classes of the images.
    names : sequence of str, optional
        Of the classes, by default their numbers.
    history : dict of list, optional
        What `vaekit.read_history` gives.
    title : str, optional
        By default the name of the model.

    Raises
    ------
    ValueError
        If there are fewer than two images, or labels that do not fit the images, the names or the model.
    """
    images, labels, names = _checked(model, images, labels, names)
    given = (images, labels) if isinstance(model, CVAE) and labels is not None else images
    codes = model.encode(given)
    # One of each class, then a second of each, and so on, so that the first few show all there is.
    order = _taking_turns(np.zeros(len(images), np.int64) if labels is None else labels)
    shown = _Shown(model, images[order], codes[order], None if labels is None else labels[order], names)
    figures = list(_figures(shown, history))
    flat = int(np.prod(codes.shape[1:]))
    plane = Plane.of(model, codes, names).to_html() if flat >= 2 else ""
    sections = list(dict.fromkeys(figure.section for figure in figures))
    anchors = [("plane", "The plane of codes")] if plane else []
    anchors += [(_anchor(section), section) for section in sections]
    page = Template(files("vaekit").joinpath("report.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title or model.name),
        summary="\n".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
            for name, value in _summary(model, images, labels, codes).items()
        ),
        contents="\n".join(f'<a href="#{anchor}">{html.escape(name)}</a>' for anchor, name in anchors),
        plane=plane,
        sections="\n".join(_section(name, [f for f in figures if f.section == name]) for name in sections),
    )
    _write(page, Path(out))


@dataclass(frozen=True)
class _Shown:
    """What the figures are made of; the first images are of different classes."""

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


def _figures(shown: _Shown, history: History | None) -> Iterator[Figure]:
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


def _grid(shown: _Shown) -> Figure:
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


def _scatter(shown: _Shown) -> Figure:
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


def _paths(shown: _Shown) -> Iterator[Figure]:
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
        _animated(frames),
        "An animated drawing that turns into one drawing after another",
        f"A walk through {', '.join(shown.of(i) for i in stops)}, decoded on the way.",
        ink=frames.ndim == 3,
    )


def _classes(shown: _Shown) -> Iterator[Figure]:
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


def _checked(model: AE, images: Any, labels: Any, names: Any) -> tuple[Any, Any, list[str] | None]:
    images = np.asarray(images)
    if len(images) < 2:
        raise ValueError(f"expected two images or more, received {len(images)}")
    names = None if names is None else [str(name) for name in names]
    classes = model.num_classes if isinstance(model, CVAE) else None
    if names is not None and classes is not None and len(names) != classes:
        raise ValueError(f"expected a name for each of the model's {classes} classes, received {len(names)}")
    if labels is not None:
        labels = np.asarray(labels).reshape(-1)
        if labels.dtype.kind not in "iu" or len(labels) != len(images):
            raise ValueError(f"expected a whole number for each of {len(images)} images, received {labels!r}")
        most = classes if classes is not None else len(names) if names is not None else int(labels.max()) + 1
        if labels.min() < 0 or labels.max() >= most:
            raise ValueError(f"expected labels from 0 to {most - 1}, received {labels.min()} to {labels.max()}")
    return images, labels, names


def _summary(model: Any, images: Any, labels: Any, codes: Any) -> dict[str, str]:
    """What there is to say about a model in a few words."""
    height, width, channels = model.to_images.image_shape
    code = " x ".join(map(str, codes.shape[1:]))
    summary = {
        "Kind": type(model).__name__,
        "Encoder": f"{model.encoder.name}, {model.encoder.count_params():,} parameters",
        "Decoder": f"{model.decoder.name}, {model.decoder.count_params():,} parameters",
        "Parameters": f"{model.count_params():,}",
        "Length of a code": code,
        "Images": f"{height} x {width}" + (f" x {channels}" if channels > 1 else ""),
        "Precision": model.dtype_policy.name,
        "Drawings in this report": f"{len(images):,}",
    }
    if isinstance(model, CVAE):
        summary["Classes"] = str(model.num_classes)
    if isinstance(model, VAE):
        few = slice(None, None, -(-len(images) // _MEASURED))
        given = None if labels is None or not isinstance(model, CVAE) else labels[few]
        bound = evaluate.elbo(model, images[few], given)
        active = int(np.sum(np.var(codes, axis=0, dtype=np.float64) > 0.01))
        summary["ELBO"] = f"{bound:.2f} nats an image, over {len(images[few]):,}"
        summary["Active latents"] = f"{active} of {codes.shape[1]}"
    return summary


def _taking_turns(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Rows in an order in which the classes take turns."""
    by_class = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[by_class], return_index=True, return_counts=True)
    turns = np.empty(len(labels), np.int64)
    turns[by_class] = np.arange(len(labels)) - np.repeat(starts, counts)
    return np.lexsort((labels, turns))


def _plain(model: Any, images: Any) -> npt.NDArray[Any]:
    """Images (N, height, width, channels), whatever form they came in."""
    from keras import ops

    return np.asarray(ops.convert_to_numpy(model.to_images(ops.convert_to_tensor(images))))


def _anchor(section: str) -> str:
    return section.lower().replace(" ", "-")


def _section(name: str, figures: list[Figure]) -> str:
    parts = "\n".join(map(_figure, figures))
    return f'<section id="{_anchor(name)}">\n<h2>{html.escape(name)}</h2>\n{parts}\n</section>'


def _figure(figure: Figure) -> str:
    if isinstance(figure.picture, bytes):
        kind, data = "gif", figure.picture
        width = Image.open(io.BytesIO(data)).width
        least = width
    else:
        file = io.BytesIO()
        Image.fromarray(figure.picture).save(file, "PNG", optimize=True)
        kind, data = "png", file.getvalue()
        least = figure.picture.shape[1]
        width = least * max(1, min(_ZOOM, _WIDTH // least))
    look = "ink pixels" if figure.ink or np.ndim(figure.picture) == 2 else "pixels"
    source = f"data:image/{kind};base64,{base64.b64encode(data).decode()}"
    return (
        f'<figure>\n<div><img class="{look}" width="{width}" style="min-width: {min(least, _WIDTH)}px" '
        f'alt="{html.escape(figure.alt)}" src="{source}"></div>\n'
        f"<figcaption>{html.escape(figure.caption)}</figcaption>\n</figure>"
    )


def _animated(frames: Picture) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "walk.gif"
        save_animation(frames, path)
        return path.read_bytes()


def _write(page: str, path: Path) -> None:
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with open(temporary, "x", encoding="utf-8") as file:
            file.write(page)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            error.filename = str(path)  # the name that the user knows
        raise
