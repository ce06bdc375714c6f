"""Pictures of what a model learned.

Each function takes a model or arrays and gives a picture, as `vaekit.pictures.sheets` describes it; `save` writes it.
`vaekit.plots` has the scatter of codes and the curves of training.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from keras import ops

from vaekit import latent
from vaekit.models import AE, CVAE, VAE
from vaekit.pictures.sheets import GAP, Picture, pixels, save, save_animation, sheet

__all__ = [
    "blend",
    "classes_by_style",
    "four_corners",
    "interpolation",
    "latent_grid",
    "neighbours",
    "progress",
    "reconstructions",
    "samples",
    "save",
    "save_animation",
    "sheet",
    "walk",
]

Array = npt.NDArray[np.float32]


def reconstructions(
    model: AE, images: Any, labels: Any = None, *, columns: int = 25, error: bool = False, invert: bool = True
) -> Picture:
    """The first of some images, above what the model makes of them.

    Parameters
    ----------
    model : AE, VAE or CVAE
    images : array
        In any form that the model takes.
    labels : array, optional
        Of a `CVAE`.
    columns : int
        Images shown, at most.
    error : bool
        Whether to add a row of the differences, whatever their sign, as ink.
    invert
        As for `sheet`.
    """
    rows = _reconstructed(model, images, labels, columns)
    if error:
        rows["error"] = np.abs(rows["output"] - rows["input"])
    return sheet(np.stack(list(rows.values())), names=list(rows), invert=invert)


def samples(
    model: VAE, rows: int | None = None, columns: int = 10, *, seed: int = 0, names: Any = None, invert: bool = True
) -> Picture:
    """Images of codes drawn from the prior.

    Parameters
    ----------
    model : VAE or CVAE
    rows : int, optional
        10 by default; of a `CVAE` a row has the images of a class, in their order, and there are as many as classes.
    columns, seed : int
    names : sequence of str, optional
        Of the rows; by default those of a `CVAE` have the numbers of their classes.
    invert
        As for `sheet`.
    """
    if not isinstance(model, VAE):
        raise TypeError(f"expected a model with a prior, a VAE or a CVAE; received {type(model).__name__}")
    if not isinstance(model, CVAE):
        rows = 10 if rows is None else rows
        images = model.sample(rows * columns, seed)
    else:
        rows = model.num_classes if rows is None else rows
        images = model.sample(rows * columns, seed, labels=np.repeat(np.arange(rows), columns))
        names = range(rows) if names is None else names
    return sheet(images.reshape(rows, columns, *images.shape[1:]), names=names, invert=invert)


def latent_grid(
    model: AE,
    rows: int = 10,
    columns: int = 10,
    *,
    axes: tuple[int, int] | str = (0, 1),
    spacing: str = "linear",
    limit: float = 1.5,
    codes: Any = None,
    label: Any = None,
    invert: bool = True,
) -> Picture:
    """Decoded codes of a plane: the image at row r and column c is that of ``vaekit.latent.grid(...)[r, c]``.

    The first axis grows to the right and the second upward, as in a scatter of codes.

    Parameters
    ----------
    model : AE, VAE or CVAE
    rows, columns, axes, spacing, limit, codes
        As for `vaekit.latent.grid`. An `AE` has no prior, so that it needs codes.
    label : int or row, optional
        Of all images, with a `CVAE`.
    invert
        As for `sheet`.
    """
    if codes is None and not isinstance(model, VAE):
        raise ValueError("expected codes of data, since an AE has no prior to say where codes lie")
    z = latent.grid(
        rows,
        columns,
        latent_dim=getattr(model, "latent_dim", 0),
        axes=axes,
        spacing=spacing,
        limit=limit,
        codes=codes,
    )
    return sheet(_decoded(model, z, label), invert=invert)


def interpolation(
    model: AE, a: Any, b: Any, steps: int = 10, *, kind: str = "linear", labels: Any = None, invert: bool = True
) -> Picture:
    """The way from an image to another through the space of codes, as a row.

    Parameters
    ----------
    model : AE, VAE or CVAE
    a, b : array
        An image each.
    steps, kind
        As for `vaekit.latent.path`.
    labels : pair of int, optional
        Theirs, with a `CVAE`; the classes blend on the way.
    invert
        As for `sheet`.
    """
    return sheet(_walked(model, np.stack([a, b]), steps, kind, labels)[None], invert=invert)


def walk(
    model: AE, images: Any, steps: int = 10, *, kind: str = "linear", labels: Any = None, invert: bool = True
) -> Picture:
    """The way through several images in the space of codes, as frames for `save_animation`.

    Parameters
    ----------
    model : AE, VAE or CVAE
    images : array
        Two or more, in their order.
    steps, kind
        As for `vaekit.latent.walk`.
    labels : array of int, optional
        Theirs, with a `CVAE`; the classes blend on the way.
    invert
        As for `sheet`.

    Returns
    -------
    (frames, height, width) uint8, or (frames, height, width, 3)
    """
    return pixels(_walked(model, images, steps, kind, labels)[None], invert)[0]


def classes_by_style(
    model: CVAE,
    columns: int = 10,
    *,
    axis: int = 0,
    spacing: str = "linear",
    limit: float = 1.5,
    names: Any = None,
    invert: bool = True,
) -> Picture:
    """A row for each class, along which one latent grows and the others are 0.

    Parameters
    ----------
    model : CVAE
    columns : int
    axis : int
        The latent.
    spacing, limit
        As for `vaekit.latent.coordinates`.
    names : sequence of str, optional
        Of the classes; by default their numbers.
    invert
        As for `sheet`.
    """
    if not 0 <= axis < model.latent_dim:
        raise ValueError(f"expected a latent from 0 to {model.latent_dim - 1}, received {axis}")
    z = np.zeros((model.num_classes, columns, model.latent_dim), np.float32)
    z[:, :, axis] = latent.coordinates(columns, spacing, limit)
    images = _decoded(model, z, np.repeat(np.arange(model.num_classes), columns))
    return sheet(images, names=range(model.num_classes) if names is None else names, invert=invert)


def blend(model: CVAE, class_a: int, class_b: int, steps: int = 10, *, z: Any = None, invert: bool = True) -> Picture:
    """One code as a class, as another, and as mixtures of both between: a row.

    Parameters
    ----------
    model : CVAE
    class_a, class_b, steps : int
    z : array, optional
        (latent_dim,), by default 0; or (n, latent_dim) for a row each.
    invert
        As for `sheet`.
    """
    codes = np.atleast_2d(np.zeros(model.latent_dim) if z is None else z)
    first, last = _one_hot(model, [class_a, class_b])
    labels = latent.path(first, last, steps)
    plane = np.repeat(codes[:, None], steps, axis=1)
    return sheet(_decoded(model, plane, np.tile(labels, (len(codes), 1))), invert=invert)


def four_corners(model: CVAE, classes: Any, size: int = 10, *, z: Any = None, invert: bool = True) -> Picture:
    """One code as four classes in the corners, and as mixtures of them between.

    Parameters
    ----------
    model : CVAE
    classes : four ints
        At the top left, top right, bottom left and bottom right.
    size : int
        Rows, and columns.
    z : array, optional
        (latent_dim,), by default 0.
    invert
        As for `sheet`.
    """
    if len(classes) != 4:
        raise ValueError(f"expected four classes, received {len(classes)}")
    top_left, top_right, bottom_left, bottom_right = _one_hot(model, classes)
    left, right = latent.path(top_left, bottom_left, size), latent.path(top_right, bottom_right, size)
    labels = np.concatenate([latent.path(a, b, size) for a, b in zip(left, right, strict=True)])
    code = np.zeros(model.latent_dim) if z is None else np.asarray(z)
    return sheet(_decoded(model, np.broadcast_to(code, (size, size, *code.shape)), labels), invert=invert)


def neighbours(images: Any, codes: Any, queries: Any, k: int = 10, *, invert: bool = True) -> Picture:
    """Images, each with those whose codes are nearest to its own to the right of a line, the nearest first.

    Parameters
    ----------
    images : array
        (N, height, width) or (N, height, width, channels); floats in 0..1 or uint8.
    codes : array
        Theirs, (N, ...).
    queries : array of int
        The images to start from; none is a neighbour of itself.
    k : int
    invert
        As for `sheet`.
    """
    if len(images) != len(codes):
        raise ValueError(f"expected as many codes as images, received {len(codes)} and {len(images)}")
    images, queries = np.asarray(images), np.asarray(queries)
    nearest = latent.neighbours(codes, np.asarray(codes)[queries], k, without=queries)
    left, right = sheet(images[queries][:, None], invert=invert), sheet(images[nearest], invert=invert)
    line = np.full((left.shape[0], GAP, *left.shape[2:]), 128, np.uint8)
    return np.concatenate([left, line, right], axis=1)


def progress(model: AE, images: Any, labels: Any = None, *, invert: bool = True) -> Picture:
    """How far training is: a few images above their reconstructions, and samples below, always of the same codes.

    Parameters
    ----------
    model : AE, VAE or CVAE
        Two rows of samples are shown of those with a prior; those of a `CVAE` are of its classes in turn.
    images : array
        A few, all of which are shown.
    labels : array, optional
        Of a `CVAE`.
    invert
        As for `sheet`.
    """
    rows = _reconstructed(model, images, labels, len(images))
    if isinstance(model, VAE):
        drawn = model.sample(2 * len(images), seed=0)
        rows["samples"], rows[""] = drawn[: len(images)], drawn[len(images) :]
    return sheet(np.stack(list(rows.values())), names=list(rows), invert=invert)


def _checked(model: AE, labels: Any) -> Any:
    if labels is not None and not isinstance(model, CVAE):
        raise ValueError(f"expected labels for a CVAE only, received them for a {type(model).__name__}")
    return labels


def _decoded(model: AE, z: Any, labels: Any = None) -> Array:
    """Images (rows, columns, height, width, channels) of codes (rows, columns, ...), all at once."""
    flat = np.reshape(z, (-1, *np.shape(z)[2:])).astype(np.float32)
    images = model.decode(flat) if _checked(model, labels) is None else model.decode(flat, labels)  # type: ignore[call-arg]
    return images.reshape(*np.shape(z)[:2], *images.shape[1:])


def _reconstructed(model: AE, images: Any, labels: Any, columns: int) -> dict[str, Array]:
    """The first images and what the model makes of them: rows (columns, height, width, channels) by their names."""
    images = images[:columns]
    if not len(images):
        raise ValueError("expected one image or more, received none")
    given = images if _checked(model, labels) is None else (images, np.asarray(labels)[:columns])
    shown = ops.convert_to_numpy(model.to_images(ops.convert_to_tensor(images)))
    return {"input": shown, "output": model.reconstruct(given)}


def _walked(model: AE, images: Any, steps: int, kind: str, labels: Any) -> Array:
    """Images (frames, height, width, channels) on the way through the codes of some."""
    if _checked(model, labels) is None:
        return _decoded(model, latent.walk(model.encode(images), steps, kind)[None])[0]
    rows = _one_hot(model, labels)
    return _decoded(model, latent.walk(model.encode((images, rows)), steps, kind)[None], latent.walk(rows, steps))[0]


def _one_hot(model: Any, classes: Any) -> Array:
    """Rows of labels of classes."""
    if not all(0 <= number < model.num_classes for number in classes):
        raise ValueError(f"expected classes from 0 to {model.num_classes - 1}, received {list(classes)}")
    return np.eye(model.num_classes, dtype=np.float32)[list(classes)]
