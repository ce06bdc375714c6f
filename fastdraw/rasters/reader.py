"""Reading a folder of rasters: a file for each category, and the ``dataset.json`` that describes them."""

from __future__ import annotations

import functools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FastdrawError
from fastdraw.maps import FileMap, Watch, limits
from fastdraw.rasters.bitmaps import find_bitmaps, map_bitmaps
from fastdraw.rasters.formats import FORMATS
from fastdraw.rasters.manifest import MANIFEST, Manifest, read_finished
from fastdraw.settings import Settings
from fastdraw.storage import LocalStore, Store, open_store

Images = npt.NDArray[np.uint8]


def open_rasters(folder: str | os.PathLike[str]) -> Rasters:
    """Open a folder that ``fastdraw rasterize`` or `rasterize_files` wrote, or bitmaps of others.

    Parameters
    ----------
    folder : path
        On this machine. Without a ``dataset.json``, the ``.npy`` files of the folder, or one such file: Google's
        ``numpy_bitmap``, (N, 784), (N, 28, 28) or (N, 1, 784) uint8; or a file of 784 bytes for each image.

    Returns
    -------
    Rasters

    Raises
    ------
    FastdrawError
        If there are no images, the run that writes the folder is not finished, or a file is missing or does
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
    if not store.folder.is_dir() or (store.size(MANIFEST) is None and find_bitmaps(store.folder)):
        return _open_bitmaps(store.folder)
    manifest = read_finished(store)
    images = [_map_images(store, manifest, category) for category in manifest.categories]
    return Rasters(tuple(manifest.categories), images, manifest.settings)


def _open_bitmaps(path: Path) -> Rasters:
    """Images without a ``dataset.json``; the settings are those of Google's bitmaps."""
    if not path.exists():
        raise FastdrawError(f"{path}: no such file or folder")
    images, shapes = [], {}
    for file in find_bitmaps(path):
        mapped, offset, shape = map_bitmaps(file)
        images.append(MappedImages(mapped, "npy", shape, offset))
        shapes[file.name] = shape[1:]
    if len(set(shapes.values())) > 1:
        raise FastdrawError(f"{path}: expected images of one shape, received {shapes}")
    shape = next(iter(shapes.values()))
    side = math.isqrt(math.prod(shape))
    settings = Settings.of(style="google", size=side, flat=len(shape) == 1)
    return Rasters(tuple(Path(name).stem for name in shapes), images, settings)


def _map_images(store: Store, manifest: Manifest, category: str) -> MappedImages:
    if problem := find_problem(store, manifest, category):
        raise FastdrawError(problem)
    file = FileMap(store / manifest.categories[category].file)
    if len(file.bytes) != manifest.categories[category].size:
        raise FastdrawError(f"{file.path}: was changed while it was being opened; open it again")
    shape = manifest.shape(category)
    return MappedImages(file, manifest.format, shape, len(FORMATS[manifest.format].header(shape)))


def find_problem(store: Store, manifest: Manifest, category: str) -> str | None:
    """What is wrong with the length or the header of a file, in words, or None."""
    entry, shape, format = manifest.categories[category], manifest.shape(category), FORMATS[manifest.format]
    path, header = store / entry.file, format.header(shape)
    size = len(header) + entry.count * format.row_bytes(shape, category)
    if entry.size != size:
        return f"{path}: expected {size:,} bytes for {entry.count:,} drawings, the manifest has {entry.size:,}"
    try:
        found = path.stat().st_size
        if found != size:
            return f"{path}: expected {size:,} bytes, found {found:,}; make it again"
        with limits(path), path.open("rb") as file:
            beginning = file.read(len(header))
    except OSError as error:
        return f"{path}: {error.strerror or error}; make it again"
    if beginning != header:
        return f"{path}: expected the header of an array of shape {shape}, found another; make it again"
    return None


class MappedImages:
    """The images of a category in a file. A pickle holds the path of the file, see `FileMap`."""

    def __init__(self, file: FileMap, format: str, shape: tuple[int, ...], offset: int) -> None:
        self._file = file
        self._format = format
        self._shape = shape
        self._offset = offset  # of the first image

    def __len__(self) -> int:
        return self._shape[0]

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "array"}

    def check(self) -> None:
        """Raise `FastdrawError` if the file was changed in place."""
        self._file.check()

    @functools.cached_property
    def array(self) -> Images:
        """The images, a view of the map: (N, ...)."""
        if len(self) == 0:
            return np.empty(self._shape, np.uint8)
        rows = self._file.bytes[self._offset :].reshape(len(self), -1)
        return FORMATS[self._format].decode(rows, self._shape)


class _InMemory:
    """The images of a category that a caller made, and that no file can change."""

    def __init__(self, array: Images) -> None:
        self.array = array

    def check(self) -> None:
        pass


class Rasters:
    """Memory-mapped images of many categories, as `open_rasters` returns them.

    Before each indexing, the files that it needs are checked. One that was changed in place raises a `FastdrawError`.
    A pickle holds the paths of the files; unpickling opens them again if they are still the same.

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

    def __init__(
        self, categories: tuple[str, ...], images: Sequence[Images | MappedImages], settings: Settings
    ) -> None:
        self.categories = categories
        self.settings = settings
        self._images = [one if isinstance(one, MappedImages) else _InMemory(one) for one in images]
        self._first = np.concatenate([[0], np.cumsum([len(array) for array in images])]).astype(np.int64)
        self.shape = (int(self._first[-1]), *settings.shape)
        self._watch = Watch(self._images)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_watch"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _watch=Watch(state["_images"]))

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
            return self._checked(np.array([self.categories.index(index)]))[0]
        ids = self._ids(index)
        out = np.empty((ids.size, *self.shape[1:]), np.uint8)
        labels = self.labels_of(ids.ravel())
        used = np.unique(labels)
        for label, images in zip(used, self._checked(used), strict=True):
            rows = np.nonzero(labels == label)[0]
            out[rows] = images[ids.ravel()[rows] - self._first[label]]
        return out.reshape(*ids.shape, *self.shape[1:])

    def _checked(self, labels: npt.NDArray[np.int64]) -> list[Images]:
        """The images of categories, after a check of their files."""
        self._watch.check(labels)
        return [self._images[label].array for label in labels]

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
