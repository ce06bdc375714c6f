"""What a model makes of data: reconstructions, samples, nearest neighbours, and progress in training."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaekit import latent
from vaekit.models import AE, CVAE, VAE
from vaekit.pictures.decoding import Array, check_labels, to_array
from vaekit.pictures.ink import ink
from vaekit.pictures.sheets import GAP, Picture, sheet


def reconstructions(
    model: AE, images: Any, labels: Any = None, *, columns: int = 25, error: bool = False, invert: bool = True
) -> Picture:
    """Images, with their reconstructions below.

    Parameters
    ----------
    model : AE, VAE or CVAE
    images : array
        In any form that the model takes; the first ``columns`` are shown.
    labels : int or array, optional
        Of a `CVAE`; an int is for all images.
    columns : int
    error : bool
        Add a row with the absolute differences, shown as ink.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> images = fastdraw.open_drawings("quickdraw").rasterize(size=8)
    >>> picture = vaekit.pictures.reconstructions(model, images, columns=12)
    >>> vaekit.pictures.save(picture, "reconstructions.png", zoom=3)
    """
    rows = _reconstruct(model, images, labels, columns)
    if error:
        rows["error"] = np.abs(rows["output"] - rows["input"])
    return sheet(np.stack(list(rows.values())), names=list(rows), invert=invert)


def samples(
    model: VAE,
    rows: int | None = None,
    columns: int = 10,
    *,
    seed: int = 0,
    names: Any = None,
    inked: bool = False,
    invert: bool = True,
) -> Picture:
    """Images decoded from random codes of the prior. A `CVAE` has one row per class.

    Parameters
    ----------
    model : VAE or CVAE
    rows : int, optional
        Default 10; with a `CVAE`, the number of classes.
    columns, seed : int
    names : sequence of str, optional
        Of the rows; default none, and with a `CVAE` the numbers of the classes.
    inked : bool
        Turn grey into ink, see `ink`.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> vaekit.pictures.samples(model, 2, 6).shape
    (22, 62)
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
    images = ink(images) if inked else images
    return sheet(images.reshape(rows, columns, *images.shape[1:]), names=names, invert=invert)


def neighbours(images: Any, codes: Any, queries: Any, k: int = 10, *, invert: bool = True) -> Picture:
    """Images, each followed by those with the nearest codes, the nearest first. A grey line separates them.

    Parameters
    ----------
    images : array
        (N, height, width) or (N, height, width, channels); floats in 0..1 or uint8.
    codes : array
        (N, ...), such as ``model.encode(images)``.
    queries : array of int
        Rows of ``images`` to start from. An image is not its own neighbour.
    k : int
    invert
        As for `sheet`.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw").rasterize(size=8)
    >>> codes = images.reshape(len(images), -1)  # raw pixels
    >>> vaekit.pictures.neighbours(images, codes, [0, 200, 400], 5).shape
    (32, 66)
    """
    if len(images) != len(codes):
        raise ValueError(f"expected as many codes as images, received {len(codes)} and {len(images)}")
    images, queries = np.asarray(images), np.asarray(queries)
    nearest = latent.neighbours(codes, np.asarray(codes)[queries], k, without=queries)
    left, right = sheet(images[queries][:, None], invert=invert), sheet(images[nearest], invert=invert)
    line = np.full((left.shape[0], GAP, *left.shape[2:]), 128, np.uint8)
    return np.concatenate([left, line, right], axis=1)


def progress(model: AE, images: Any, labels: Any = None, *, invert: bool = True) -> Picture:
    """How far training is: images, their reconstructions, and two rows of samples, always from the same codes.

    Parameters
    ----------
    model : AE, VAE or CVAE
        An `AE` has no samples; in those of a `CVAE` the classes take turns.
    images : array
        A few; all are shown.
    labels : array, optional
        Of a `CVAE`.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> images = fastdraw.open_drawings("quickdraw")[:6].rasterize(size=8)
    >>> vaekit.pictures.progress(model, images).shape[0]  # four rows
    42
    """
    rows = _reconstruct(model, images, labels, len(images))
    if isinstance(model, VAE):
        drawn = model.sample(2 * len(images), seed=0)
        rows["samples"], rows[""] = drawn[: len(images)], drawn[len(images) :]
    return sheet(np.stack(list(rows.values())), names=list(rows), invert=invert)


def _reconstruct(model: AE, images: Any, labels: Any, columns: int) -> dict[str, Array]:
    """Rows (columns, height, width, channels) by name: the first images, and their reconstructions."""
    images = images[:columns]
    if not len(images):
        raise ValueError("expected one image or more, received none")
    given = images
    if isinstance(model, CVAE):
        if labels is not None:
            labels = labels[:columns] if np.ndim(labels) else np.full(len(images), labels)
        given = model.checked(images, labels)
    else:
        check_labels(model, labels)
    return {"input": to_array(model, images), "output": model.reconstruct(given)}
