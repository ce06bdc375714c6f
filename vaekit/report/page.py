"""A page that shows what a model learned: one HTML file with all its pictures, for any browser, without a network."""

from __future__ import annotations

import base64
import contextlib
import html
import os
import tempfile
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from fastdraw.storage import make_folder, replacing
from vaekit import evaluate
from vaekit.models import AE, CVAE, VAE
from vaekit.report.figures import Figure, Shown, figures_of
from vaekit.report.plane import Plane
from vaekit.training import History

_WIDTH = 900  # pixels of the page that a picture fills at most
_ZOOM = 3
_MEASURED = 1000  # images for the bound on the likelihood


def write_report(
    model: AE,
    images: Any,
    out: str | os.PathLike[str],
    *,
    labels: Any = None,
    names: Any = None,
    history: History | None = None,
    title: str | None = None,
    folder: str | os.PathLike[str] | None = None,
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
    folder : path, optional
        To save the pictures in too, each as a file; made where it does not exist.

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
    shown = Shown(model, images[order], codes[order], None if labels is None else labels[order], names)
    with contextlib.nullcontext(folder) if folder else tempfile.TemporaryDirectory() as place:
        sections = _sections(figures_of(shown, history), make_folder(Path(place)))
    flat = int(np.prod(codes.shape[1:]))
    plane = Plane.of(model, codes, names).to_html() if flat >= 2 else ""
    anchors = [("plane", "The plane of codes")] if plane else []
    anchors += [(_anchor(section), section) for section in sections]
    page = Template(files("vaekit.report").joinpath("report.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title or model.name),
        summary="\n".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
            for name, value in _summary(model, images, labels, codes).items()
        ),
        contents="\n".join(f'<a href="#{anchor}">{html.escape(name)}</a>' for anchor, name in anchors),
        plane=plane,
        sections="\n".join(
            f'<section id="{_anchor(name)}">\n<h2>{html.escape(name)}</h2>\n' + "\n".join(figures) + "\n</section>"
            for name, figures in sections.items()
        ),
    )
    with replacing(Path(out)) as file:
        file.write(page.encode())


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


def _anchor(section: str) -> str:
    return section.lower().replace(" ", "-")


def _sections(figures: Iterable[Figure], folder: Path) -> dict[str, list[str]]:
    """Figures by section, as HTML; each is also a file, named by its section, with a number from the second on."""
    sections: dict[str, list[str]] = {}
    for figure in figures:
        section = sections.setdefault(figure.section, [])
        stem = _anchor(figure.section) + (f"-{len(section) + 1}" if section else "")
        section.append(_figure(figure, figure.save(folder / stem)))
    return sections


def _figure(figure: Figure, path: Path) -> str:
    with Image.open(path) as image:
        least = image.width
    width = least if figure.moves else least * max(1, min(_ZOOM, _WIDTH // least))
    look = "ink pixels" if figure.ink or figure.picture.ndim == 2 else "pixels"
    source = f"data:image/{path.suffix[1:]};base64,{base64.b64encode(path.read_bytes()).decode()}"
    return (
        f'<figure>\n<div><img class="{look}" width="{width}" style="min-width: {min(least, _WIDTH)}px" '
        f'alt="{html.escape(figure.alt)}" src="{source}"></div>\n'
        f"<figcaption>{html.escape(figure.caption)}</figcaption>\n</figure>"
    )
