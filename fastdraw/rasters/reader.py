"""Reading a folder of rasters: a file for each category, and the ``dataset.json`` that describes them."""

from __future__ import annotations

import functools
import hashlib
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, overload

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FastdrawError
from fastdraw.maps import FileMap, Watch, limits
from fastdraw.quickdraw.binary import METADATA
from fastdraw.quickdraw.views import Ids, View, as_array
from fastdraw.rasters.bitmaps import find_bitmaps, map_bitmaps
from fastdraw.rasters.formats import FORMATS
from fastdraw.rasters.manifest import MANIFEST, Manifest, read_finished
from fastdraw.rasters.metadata import MetadataFile
from fastdraw.settings import Settings
from fastdraw.storage import LocalStore, Store, open_store

Images = npt.NDArray[np.uint8]


def open_rasters(folder: str | os.PathLike[str]) -> Rasters:
    """Open a folder that ``fastdraw rasterize`` or `rasterize_files` wrote, or bitmaps of others.

    Parameters
    ----------
    folder : path
        On this machine. Without a ``dataset.json``, the ``.npy`` files of the folder, or one such file: Google's
        ``numpy_bitmap``, (N, 784), (N, 28, 28) or (N, 1, 784) uint8; or files of 784 bytes for each image, in a folder
        those named ``.bin``.

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
    images = MappedImages(file, manifest.format, shape, len(FORMATS[manifest.format].header(shape)))
    if sidecar := manifest.categories[category].metadata:
        images.metadata = MetadataFile(store / sidecar.file, Path(sidecar.file).suffix[1:], shape[0])
    return images


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
    """The images of a category in a file. A pickle holds the path of the file, see `FileMap`.

    Attributes
    ----------
    metadata : MetadataFile or None
    """

    metadata: MetadataFile | None = None

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

    metadata = None

    def __init__(self, array: Images) -> None:
        self.array = array

    def check(self) -> None:
        pass


class Rasters(View):
    """Memory-mapped images of many categories, as `open_rasters` returns them.

    Before each indexing, the files that it needs are checked. One that was changed in place raises a `FastdrawError`.
    A pickle holds the paths of the files; unpickling opens them again if they are still the same.

    ``rasters["cat"]`` is the memory-mapped uint8 array of a category: (N, size, size), with three channels
    (N, size, size, 3), flat (N, size * size), or packed (N, size * size / 8). An int, a slice, or an array of ints or
    bools selects images by their number through all categories: ``rasters[i]`` is one image, ``rasters[ids]`` a new
    array.

    `select`, `filter`, `split`, `balanced` and `sample` give other `Rasters`, views that copy no images: for
    `fastdraw.batches` and the like.

    Attributes
    ----------
    categories : tuple of str
        In alphabetical order. A view keeps all names.
    settings : Settings
        What the images are drawn with.

    Examples
    --------
    >>> rasters = fastdraw.rasterize_files("quickdraw", "rasters")
    >>> rasters["star"].shape, rasters[5].shape, rasters[::100].shape
    ((200, 32, 32), (32, 32), (6, 32, 32))
    >>> rasters.labels[::100]
    array([0, 0, 1, 1, 2, 2])
    >>> training, validation, test = rasters.filter(categories=["star", "face"]).split()
    >>> images, labels = next(iter(fastdraw.batches(training, 32, labels="int", shuffle=True)))
    """

    def __init__(
        self, categories: tuple[str, ...], images: Sequence[Images | MappedImages], settings: Settings
    ) -> None:
        self.settings = settings
        self._images = [one if isinstance(one, MappedImages) else _InMemory(one) for one in images]
        self._first = np.concatenate([[0], np.cumsum([len(array) for array in images])]).astype(np.int64)
        self._watch = Watch(self._images)
        super().__init__(categories, np.arange(len(images)), range(int(self._first[-1])))

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "_watch"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state, _watch=Watch(state["_images"]))

    @property
    def shape(self) -> tuple[int, ...]:
        """(N, size, size), with channels, flat or packed, of all images."""
        return len(self), *self.settings.shape

    def labels_of(self, indices: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Labels of some images, by their numbers from 0 on: an array of ints of the same shape.

        Examples
        --------
        >>> fastdraw.rasterize_files("quickdraw", "rasters").labels_of(np.array([0, 599]))
        array([0, 2])
        """
        return self._file_labels[self._file_numbers(self._rows(indices))]

    def __repr__(self) -> str:
        return f"<{len(self):,} rasters of {self.settings.dimensions} pixels in {len(self.categories)} files>"

    @overload
    def __getitem__(self, index: str | int | slice) -> Images: ...
    @overload
    def __getitem__(self, index: npt.ArrayLike) -> Images: ...
    def __getitem__(self, index: Any) -> Images:
        if isinstance(index, str):
            if index not in self.categories:
                raise KeyError(f"expected one of {list(self.categories)}, received {index!r}")
            return self._of_category(self.categories.index(index))
        numbers = self._numbers(index)
        out = np.empty((numbers.size, *self.shape[1:]), np.uint8)
        rows = self._rows(numbers.ravel())
        by_file = list(self._places_by_file(rows))
        used = np.array([file for file, _ in by_file], np.int64)
        for (file, places), images in zip(by_file, self._checked(used), strict=True):
            out[places] = images[rows[places] - self._first[file]]
        return out.reshape(*numbers.shape, *self.shape[1:])

    def _of_category(self, label: int) -> Images:
        """The images of a category: in place where these are all images of its file."""
        file = np.nonzero(self._file_labels == label)[0]  # as each file has a name of its own
        if isinstance(self._ids, range) and self._ids == range(int(self._first[-1])):
            return self._checked(file)[0]
        numbers = np.nonzero(self.labels == label)[0]
        if np.array_equal(self._rows(numbers), np.arange(self._first[file[0]], self._first[file[0] + 1])):
            return self._checked(file)[0]
        return self[numbers]

    def _rows(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Numbers of images, through all files."""
        if isinstance(self._ids, range):
            return self._ids.start + self._ids.step * numbers
        return self._ids[numbers]

    def _file_numbers(self, ids: Ids) -> npt.NDArray[np.int64]:
        return np.searchsorted(self._first, as_array(ids), side="right") - 1

    def _metadata(self, ids: Ids) -> npt.NDArray[np.void]:
        rows, metadata = as_array(ids), np.empty(len(ids), METADATA)
        for file, places in self._places_by_file(rows):
            known = self._images[file].metadata
            if known is None:
                raise FastdrawError(
                    f"expected metadata beside the rasters, found none for {self._name_of(file)!r}; "
                    "rasterize again with metadata='csv'"
                )
            metadata[places] = known.rows[rows[places] - self._first[file]]
        return metadata

    def _split_keys(self, ids: Ids) -> npt.NDArray[np.uint64]:
        """The key_id; where there is no metadata, a hash of the category and of the number in its file."""
        rows, keys = as_array(ids), np.empty(len(ids), np.uint64)
        for file, places in self._places_by_file(rows):
            numbers = rows[places] - self._first[file]
            if known := self._images[file].metadata:
                keys[places] = known.rows["key_id"][numbers]
                continue
            name = self._name_of(file).encode(errors="surrogateescape")
            first = int.from_bytes(hashlib.blake2b(name, digest_size=8).digest(), "little")
            keys[places] = np.uint64(first) + numbers.astype(np.uint64)
        return keys

    def _name_of(self, file: int) -> str:
        return self.categories[int(self._file_labels[file])]

    def _places_by_file(self, rows: npt.NDArray[np.int64]) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
        """The number of each file that has some of the rows, and which."""
        files = self._file_numbers(rows)
        for file in np.unique(files):
            yield int(file), np.nonzero(files == file)[0]

    def _checked(self, files: npt.NDArray[np.int64]) -> list[Images]:
        """The images of files, after a check of the files."""
        self._watch.check(files)
        return [self._images[file].array for file in files]

    def _numbers(self, index: Any) -> npt.NDArray[np.int64]:
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
