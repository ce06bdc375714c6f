"""The report: one HTML file with all pictures inside, which any browser opens without a network."""

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
from vaekit import evaluate, pictures
from vaekit.models import AE, CVAE, VAE
from vaekit.report.figures import Figure, Subject, make_figures
from vaekit.report.plane import Plane
from vaekit.training import History

_WIDTH = 996  # pixels, the width of a figure in report.html; pictures are enlarged to fill it
_ZOOM = 3  # and by no more than this
_MEASURED = 1000  # images that the ELBO is measured on, at most
_ACTIVE = 0.01  # variance of the code above which a latent is active (Burda et al., 2016)


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
    judge: evaluate.Judge | None = None,
) -> None:
    """Write an HTML page that shows what a model learned, whole or not at all.

    Parameters
    ----------
    model : AE, VAE or CVAE
        Figures that make no sense for it are left out: an `AE` has no samples.
    images : array
        Two or more, in any form that the model takes. Use images that training did not see.
    out : path
        The ``.html`` file.
    labels : array of int, optional
        (N,), classes of the images.
    names : sequence of str, optional
        Of the classes; default, their numbers.
    history : dict of list, optional
        What `vaekit.read_history` returns.
    title : str, optional
        Default, the name of the model.
    folder : path, optional
        Also save each picture as a file in this folder, which is made if it does not exist.
    judge : vaekit.evaluate.Judge, optional
        Of the same classes. With labels, the page says what share of a `CVAE`'s samples it names as asked, and the
        Fréchet distance of their features to those of the images, beside the same of half of the images.

    Raises
    ------
    ValueError
        If there are fewer than two images, or if labels do not fit the images, the names or the model.

    Examples
    --------
    >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> drawings = fastdraw.open_drawings("quickdraw")[:30]
    >>> images = drawings.rasterize(size=8)
    >>> vaekit.report.write_report(model, images, "report.html", labels=drawings.labels, names=drawings.categories)
    """
    images, labels, names = _check(model, images, labels, names)
    given = (images, labels) if isinstance(model, CVAE) and labels is not None else images
    codes = model.encode(given)
    # One image of each class, then a second of each, and so on: the first few are of different classes.
    order = _round_robin(np.zeros(len(images), np.int64) if labels is None else labels)
    subject = Subject(model, images[order], codes[order], None if labels is None else labels[order], names)
    with contextlib.nullcontext(folder) if folder else tempfile.TemporaryDirectory() as place:
        sections = _sections(make_figures(subject, history), make_folder(Path(place)))
    plane = Plane.of(model, codes, names).to_html() if subject.code_size >= 2 else ""
    anchors = [("plane", "Explore the latent space")] if plane else []
    anchors += [(_anchor(section), section) for section in sections]
    page = Template(files("vaekit.report").joinpath("report.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title or model.name),
        summary="\n".join(
            f"<div><dt>{html.escape(name)}</dt><dd>{html.escape(value)}</dd></div>"
            for name, value in _summary(model, images, labels, codes, judge).items()
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


def _check(model: AE, images: Any, labels: Any, names: Any) -> tuple[Any, Any, list[str] | None]:
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
            raise ValueError(f"expected an integer label for each of {len(images)} images, received {labels!r}")
        most = classes if classes is not None else len(names) if names is not None else int(labels.max()) + 1
        if labels.min() < 0 or labels.max() >= most:
            raise ValueError(f"expected labels from 0 to {most - 1}, received {labels.min()} to {labels.max()}")
    return images, labels, names


def _summary(model: Any, images: Any, labels: Any, codes: Any, judge: evaluate.Judge | None) -> dict[str, str]:
    """Facts about the model, by name."""
    height, width, channels = model.to_images.image_shape
    code = " x ".join(map(str, codes.shape[1:]))
    summary = {
        "Model": type(model).__name__,
        "Encoder": f"{model.encoder.count_params():,} parameters",
        "Decoder": f"{model.decoder.count_params():,} parameters",
        "Total": f"{model.count_params():,} parameters",
        "Code": f"{code} numbers",
        "Images": f"{height} x {width}" + (f" x {channels}" if channels > 1 else ""),
        "Precision": model.dtype_policy.name,
        "Drawings": f"{len(images):,}",
    }
    if isinstance(model, CVAE):
        summary["Classes"] = str(model.num_classes)
    if isinstance(model, VAE):
        few = slice(None, None, -(-len(images) // _MEASURED))
        given = None if labels is None or not isinstance(model, CVAE) else labels[few]
        bound = evaluate.elbo(model, images[few], given)
        active = int(np.sum(np.var(codes, axis=0, dtype=np.float64) > _ACTIVE))
        summary["ELBO"] = f"{bound:.2f} nats/image ({len(images[few]):,} drawings)"
        summary["Active latents"] = f"{active} of {codes.shape[1]}"
    if judge is not None and labels is not None and isinstance(model, CVAE):
        made = pictures.ink(model.sample(len(images[::2]), seed=0, labels=labels[::2]))
        named = [float((judge.names(some) == labels[::2]).mean()) for some in (made, images[::2])]
        other, *features = (judge.features(some) for some in (images[1::2], made, images[::2]))
        far = [evaluate.frechet_distance(other, some) for some in features]
        summary["Recognised"] = f"{named[0]:.2f} of samples, {named[1]:.2f} of drawings"
        summary["Fréchet distance"] = f"{far[0]:.1f} for samples, {far[1]:.1f} for drawings"
    return summary


def _round_robin(labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Order of rows in which the classes take turns."""
    by_class = np.argsort(labels, kind="stable")
    _, starts, counts = np.unique(labels[by_class], return_index=True, return_counts=True)
    turns = np.empty(len(labels), np.int64)
    turns[by_class] = np.arange(len(labels)) - np.repeat(starts, counts)
    return np.lexsort((labels, turns))


def _anchor(section: str) -> str:
    return section.lower().replace(" ", "-")


def _sections(figures: Iterable[Figure], folder: Path) -> dict[str, list[str]]:
    """Figures as HTML, by section. Their files are named after the section, with a number from the second on."""
    sections: dict[str, list[str]] = {}
    for figure in figures:
        section = sections.setdefault(figure.section, [])
        stem = _anchor(figure.section) + (f"-{len(section) + 1}" if section else "")
        section.append(_figure(figure, figure.save(folder / stem)))
    return sections


def _figure(figure: Figure, path: Path) -> str:
    with Image.open(path) as image:
        width = image.width
    zoom = 1 if figure.animated else max(1, min(_ZOOM, _WIDTH // width))
    classes = ["pixels"] * (zoom > 1 or figure.animated) + ["ink"] * (figure.ink or figure.picture.ndim == 2)
    source = f"data:image/{path.suffix[1:]};base64,{base64.b64encode(path.read_bytes()).decode()}"
    return (
        f'<figure>\n<div><img class="{" ".join(classes)}" width="{width * zoom}" '
        f'style="min-width: {min(width, _WIDTH)}px" alt="{html.escape(figure.alt)}" src="{source}"></div>\n'
        f"<figcaption>{html.escape(figure.caption)}</figcaption>\n</figure>"
    )
