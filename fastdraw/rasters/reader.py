"""Reading a folder of rasters: ``<category>.npy`` files and the ``dataset.json`` that describes them."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FastdrawError
from fastdraw.rasters.manifest import read_manifest
from fastdraw.settings import Settings

Images = npt.NDArray[np.uint8]


def load_images(folder: Path, entry: dict[str, Any], settings: Settings) -> Images:
    """The memory-mapped images of a category, checked to have the shape that its entry in the manifest says.

    Raises
    ------
    FastdrawError
        If the file is missing or is not what the entry says.
    """
    path = folder / entry["file"]
    shape = (entry["count"], *settings.shape)
    try:
        # NumPy cannot map an array of no bytes.
        images: Images = np.load(path, mmap_mode="r" if entry["count"] else None)
    except (OSError, EOFError, ValueError) as error:
        raise FastdrawError(f"{path}: expected rasters of shape {shape}: {error}") from None
    if images.shape != shape or images.dtype != np.uint8:
        raise FastdrawError(f"{path}: expected uint8 of shape {shape}, found {images.dtype} of {images.shape}")
    return images


def open_rasters(folder: str | os.PathLike[str]) -> Rasters:
    """Open what ``fastdraw rasterize`` wrote.

    Parameters
    ----------
    folder : path

    Returns
    -------
    Rasters

    Raises
    ------
    FastdrawError
        If there is no ``dataset.json``, the run that wrote it was not finished, or a file is missing or is not what
        the ``dataset.json`` says.
    """
    folder = Path(folder)
    manifest = read_manifest(folder)
    if manifest["form"] != "npy":
        raise FastdrawError(f"{folder}: expected NumPy files, found {manifest['form']} files")
    if pending := manifest["pending"]:
        raise FastdrawError(
            f"{folder}: the run that writes it is not finished, {len(pending)} categories are missing "
            f"({', '.join(sorted(pending)[:3])}, ...); run the same command again"
        )
    settings = Settings(**manifest["settings"])
    images = [load_images(folder, entry, settings) for entry in manifest["categories"].values()]
    return Rasters(tuple(manifest["categories"]), images, settings)


class Rasters:
    """Memory-mapped images of many categories; `open_rasters` makes one.

    ``rasters["cat"]`` is the memory-mapped uint8 array of a category: (N, size, size), flat (N, size * size), or packed
    (N, size * size / 8). ``rasters[i]`` with an int is one
    image; with a slice or an array of ints or bools it is a new array of those images, counted through all categories.

    Attributes
    ----------
    categories : tuple of str
    settings : Settings
        What they were drawn with.
    shape : tuple of int
        (N, size, size), or flat or packed.
    """

    def __init__(self, categories: tuple[str, ...], images: list[Images], settings: Settings) -> None:
        self.categories = categories
        self.settings = settings
        self._images = images
        self._first = np.concatenate([[0], np.cumsum([len(array) for array in images])]).astype(np.int64)
        self.shape = (int(self._first[-1]), *settings.shape)

    @property
    def labels(self) -> npt.NDArray[np.int64]:
        """Number of each image's category, an index into ``categories``: (N,) int64."""
        return np.repeat(np.arange(len(self.categories)), np.diff(self._first))

    def labels_of(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of the categories of some images, counted from 0 through all categories, without those of all."""
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
                f"expected a name, an int, a slice, or an array of ints or {len(self)} bools; got {index!r}"
            )
        ids = ids.astype(np.int64)
        if ids.size and not (-len(self) <= ids.min() and ids.max() < len(self)):
            raise IndexError(f"image {ids.max() if ids.max() >= len(self) else ids.min()} of {len(self)}")
        return np.where(ids < 0, ids + len(self), ids)
