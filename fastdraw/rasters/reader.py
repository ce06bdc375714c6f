"""Reading a folder of rasters: a file for each category, and the ``dataset.json`` that describes them."""

from __future__ import annotations

import os
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FastdrawError
from fastdraw.rasters.formats import FORMATS
from fastdraw.rasters.manifest import Manifest, read_finished
from fastdraw.settings import Settings
from fastdraw.storage import LocalStore, Store, open_store

Images = npt.NDArray[np.uint8]


def open_rasters(folder: str | os.PathLike[str]) -> Rasters:
    """Open a folder that ``fastdraw rasterize`` or `rasterize_files` wrote.

    Parameters
    ----------
    folder : path
        On this machine.

    Returns
    -------
    Rasters

    Raises
    ------
    FastdrawError
        If there is no ``dataset.json``, the run that writes the folder is not finished, or a file is missing or does
        not match the ``dataset.json``.
    ValueError
        If the folder is not on this machine.

    Examples
    --------
    >>> fastdraw.bulk.run("quickdraw", "rasters")
    600
    >>> fastdraw.open_rasters("rasters")
    <600 rasters of 32x32 pixels in 3 files>
    """
    store = open_store(folder)
    if not isinstance(store, LocalStore):
        raise ValueError(f"expected a folder on this machine, whose files can be memory-mapped; received {folder}")
    manifest = read_finished(store)
    images = [_map_images(store, manifest, category) for category in manifest.categories]
    return Rasters(tuple(manifest.categories), images, manifest.settings)


def _map_images(store: Store, manifest: Manifest, category: str) -> Images:
    if problem := find_problem(store, manifest, category):
        raise FastdrawError(problem)
    format, shape = FORMATS[manifest.format], manifest.shape(category)
    if shape[0] == 0:
        return np.empty(shape, np.uint8)  # NumPy cannot map no bytes
    size, start = manifest.categories[category].size, len(format.header(shape))
    path = store / manifest.categories[category].file
    rows = np.memmap(path, np.uint8, "r", start, (shape[0], (size - start) // shape[0]))
    return format.decode(rows, shape)


def find_problem(store: Store, manifest: Manifest, category: str) -> str | None:
    """What is wrong with the length or the header of a file, in words, or None."""
    entry, shape, format = manifest.categories[category], manifest.shape(category), FORMATS[manifest.format]
    path, header = store / entry.file, format.header(shape)
    size = len(header) + entry.count * format.row_bytes(shape, category)
    if entry.size != size:
        return f"{path}: expected {size:,} bytes for {entry.count:,} drawings, the manifest has {entry.size:,}"
    try:
        found = path.stat().st_size
        with path.open("rb") as file:
            beginning = file.read(len(header))
    except OSError as error:
        return f"{path}: {error.strerror or error}; make it again"
    if found != size:
        return f"{path}: expected {size:,} bytes, found {found:,}; make it again"
    if beginning != header:
        return f"{path}: expected the header of an array of shape {shape}, found another; make it again"
    return None


class Rasters:
    """Memory-mapped images of many categories, as `open_rasters` returns them.

    ``rasters["cat"]`` is the memory-mapped uint8 array of a category: (N, size, size), flat (N, size * size), or packed
    (N, size * size / 8). An int, a slice, or an array of ints or bools selects images by their number through all
    categories: ``rasters[i]`` is one image, ``rasters[ids]`` a new array.

    Attributes
    ----------
    categories : tuple of str
        In alphabetical order.
    settings : Settings
        What the images are drawn with.
    shape : tuple of int
        (N, size, size), or flat or packed, of all images.

    Examples
    --------
    >>> rasters = fastdraw.rasterize_files("quickdraw", "rasters")
    >>> rasters["star"].shape, rasters[5].shape, rasters[::100].shape
    ((200, 32, 32), (32, 32), (6, 32, 32))
    >>> rasters.labels[::100]
    array([0, 0, 1, 1, 2, 2])
    """

    def __init__(self, categories: tuple[str, ...], images: list[Images], settings: Settings) -> None:
        self.categories = categories
        self.settings = settings
        self._images = images
        self._first = np.concatenate([[0], np.cumsum([len(array) for array in images])]).astype(np.int64)
        self.shape = (int(self._first[-1]), *settings.shape)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Position of each image's category in ``categories``: (N,) int64."""
        return np.repeat(np.arange(len(self.categories)), np.diff(self._first))

    def labels_of(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Labels of some images, by their numbers from 0 on: an array of ints of the same shape.

        Examples
        --------
        >>> fastdraw.rasterize_files("quickdraw", "rasters").labels_of(np.array([0, 599]))
        array([0, 2])
        """
        return np.searchsorted(self._first, indices, side="right") - 1

    def __len__(self) -> int:
        return self.shape[0]

    def __repr__(self) -> str:
        size = self.settings.size
        return f"<{len(self):,} rasters of {size}x{size} pixels in {len(self.categories)} files>"

    @overload
    def __getitem__(self, index: str | int | slice) -> Images: ...
    @overload
    def __getitem__(self, index: npt.ArrayLike) -> Images: ...
    def __getitem__(self, index: Any) -> Images:
        if isinstance(index, str):
            if index not in self.categories:
                raise KeyError(f"expected one of {list(self.categories)}, received {index!r}")
            return self._images[self.categories.index(index)]
        ids = self._ids(index)
        out = np.empty((ids.size, *self.shape[1:]), np.uint8)
        labels = self.labels_of(ids.ravel())
        for label in np.unique(labels):
            rows = np.nonzero(labels == label)[0]
            out[rows] = self._images[label][ids.ravel()[rows] - self._first[label]]
        return out.reshape(*ids.shape, *self.shape[1:])

    def _ids(self, index: Any) -> npt.NDArray[np.int64]:
        if isinstance(index, slice):
            return np.arange(*index.indices(len(self)))
        ids = np.asarray(index)
        if ids.dtype == np.bool_ and ids.shape == (len(self),):
            return np.nonzero(ids)[0]
        if ids.size and ids.dtype.kind not in "iu":
            raise TypeError(
                f"expected a name, an int, a slice, or an array of ints or {len(self)} bools; received {index!r}"
            )
        ids = ids.astype(np.int64)
        if ids.size and not (-len(self) <= ids.min() and ids.max() < len(self)):
            wrong = ids.max() if ids.max() >= len(self) else ids.min()
            raise IndexError(f"expected numbers from {-len(self)} to {len(self) - 1}, received {wrong}")
        return np.where(ids < 0, ids + len(self), ids)
