"""Seeded doodles that look hand-drawn: sample data for demonstrations and tests, without a download."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastdraw.quickdraw.binary import METADATA, write_drawings
from fastdraw.quickdraw.pen import Pen, distort
from fastdraw.quickdraw.simplify import simplify
from fastdraw.quickdraw.sketches import SKETCHES
from fastdraw.storage import make_folder

CATEGORIES = tuple(SKETCHES)


def doodles(category: str, count: int, seed: int = 0) -> list[list[npt.NDArray[np.uint8]]]:
    """Make drawings that look hand-drawn, in the official simplified form.

    Each drawing depends only on the category, the seed and its index: a longer list starts with the same drawings.

    Parameters
    ----------
    category : str
        One of `fastdraw.quickdraw.doodles.CATEGORIES`.
    count : int
        Number of drawings.
    seed : int
        0 or more; other seeds give other drawings.

    Returns
    -------
    list of list of ndarray
        ``count`` drawings, each a list of strokes in the order drawn: (2, n) uint8 with n >= 2, x above y, y pointing
        down. A drawing starts at x = 0 and y = 0, and its larger side spans 0 to 255, up to the two pixels that
        simplifying may take off. A dot is a stroke of two equal points.

    Raises
    ------
    ValueError
        If the category is unknown or the seed negative.

    Examples
    --------
    >>> cats = fastdraw.doodles("cat", 100, seed=1)
    >>> len(cats), cats[0][0].dtype, len(cats[0][0])
    (100, dtype('uint8'), 2)
    >>> fastdraw.write_drawings("cat.bin", cats)
    100
    """
    if category not in SKETCHES:
        raise ValueError(f"expected one of the categories {', '.join(CATEGORIES)}; received {category!r}")
    if seed < 0:
        raise ValueError(f"expected seed to be 0 or more, received {seed}")
    drawings = []
    for index in range(count):
        pen = Pen(np.random.default_rng([index, *category.encode(), seed]))
        SKETCHES[category](pen)
        drawings.append(simplify((stroke.real, stroke.imag) for stroke in distort(pen)))
    return drawings


def write_sample(
    folder: str | os.PathLike[str], categories: int = 10, count: int = 1000, seed: int = 0
) -> Iterator[Path]:
    """Write ``.bin`` files of doodles, one per category.

    Parameters
    ----------
    folder : path
        Created if it does not exist.
    categories : int
        Number of files, at most ``len(CATEGORIES)``.
    count : int
        Drawings in each file.
    seed : int
        0 or more; the same seed gives the same files.

    Yields
    ------
    pathlib.Path
        Each file, once it is written.

    Raises
    ------
    ValueError
        If there are fewer categories, or the seed is negative.

    Examples
    --------
    >>> from fastdraw.quickdraw.doodles import write_sample
    >>> [path.name for path in write_sample("doodles", categories=2, count=10)]
    ['house.bin', 'star.bin']
    """
    if categories > len(CATEGORIES):
        raise ValueError(f"expected at most {len(CATEGORIES)} categories, received {categories}")
    folder = make_folder(Path(folder))
    for name in CATEGORIES[:categories]:
        rng = np.random.default_rng([*name.encode(), seed])
        rows = np.empty(count, METADATA)
        rows["key_id"] = rng.integers(2**52, 2**53, count)
        rows["country"] = rng.choice([b"US", b"GB", b"DE", b"BR", b"KR"], count)
        rows["recognized"] = rng.random(count) < 0.9
        rows["timestamp"] = rng.integers(1_485_000_000, 1_491_000_000, count)  # January to March 2017, as in real files
        write_drawings(folder / f"{name}.bin", doodles(name, count, seed), rows)
        yield folder / f"{name}.bin"
