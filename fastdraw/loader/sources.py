"""Where a loader gets images and labels from: drawings, which it draws or turns into sequences, or rasters."""

from __future__ import annotations

import dataclasses
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastdraw.checks import check_dtype, integer
from fastdraw.kernels.pixels import to_unit_interval
from fastdraw.loader.options import BatchOptions
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.sequences import Records, SequenceFormat, columns, write_sequences
from fastdraw.quickdraw.views import Ids, as_array
from fastdraw.rasters.reader import Rasters
from fastdraw.render.augment import Augment
from fastdraw.render.buffers import Buffers
from fastdraw.render.render import Images, render
from fastdraw.settings import ImageOptions, Settings
from fastdraw.threads import default_threads


class Source(Protocol):
    """Images, or sequences in their place, and labels by number.

    Attributes
    ----------
    shape : tuple of int
        Of an image, with its channel; or of a sequence.
    dtype : numpy.dtype
        Of the images.
    """

    shape: tuple[int, ...]
    dtype: np.dtype[Any]

    def images(self, indices: Ids, numbers: Ids, key: np.uint64) -> Images:
        """Images: (n, ...), of as many values as ``shape`` says. Numbers and key determine random changes."""

    def labels(self, indices: Ids) -> npt.NDArray[np.int64]:
        """Numbers of categories: (n,) int64."""


def open_source(data: Drawings | Rasters, options: BatchOptions) -> Source:
    """The source for drawings or rasters, with the options of its images checked.

    Raises
    ------
    ValueError, TypeError
        If ``data`` is something else, or an option is wrong or not that of the rasters.
    """
    dtype = check_dtype(options.get("dtype", "float32"))
    augment = options.get("augment")
    if augment is not None and not isinstance(augment, Augment):
        raise TypeError(f"expected augment to be an Augment, received {augment!r}")
    image_options: Any = {name: options.get(name) for name in ImageOptions.__annotations__}
    if (format := options.get("strokes")) is not None:
        if given := [name for name, value in image_options.items() if value is not None]:
            raise ValueError(f"expected no {given[0]} with strokes: sequences are not drawn")
        if not isinstance(data, Drawings) or dtype != "float32":
            raise ValueError("expected drawings, and float32, with strokes")
        return SequenceSource(data, format, options.get("max_length"), augment)
    if options.get("max_length") is not None:
        raise ValueError("expected no max_length without strokes: it is the length of sequences")
    if isinstance(data, Drawings):
        return DrawingSource(data, Settings.of(**image_options), dtype, augment)
    if not isinstance(data, Rasters):
        raise TypeError(f"expected drawings or rasters, as from open_drawings; received {data!r}")
    if augment is not None:
        raise ValueError("expected no augment with rasters: it changes strokes, and rasters are drawn already")
    packed = bool(image_options.pop("packed"))
    for name, value in image_options.items():
        stored = getattr(data.settings, name)
        if value is not None and value != stored:
            raise ValueError(f"expected {name} to be {stored!r}, as in the rasters, received {value!r}")
    return RasterSource(data, dataclasses.replace(data.settings, packed=packed, flat=False), dtype)


class _Strokes:
    """Records by number, changed at random, and labels."""

    def __init__(self, drawings: Drawings, augment: Augment | None) -> None:
        self._drawings = drawings
        self._augment = augment
        self._buffers = _buffers()

    def labels(self, indices: Ids) -> npt.NDArray[np.int64]:
        return self._view(indices).labels

    def records(self, indices: Ids, numbers: Ids, key: np.uint64) -> Records:
        """A function that gives the records of some of the indices, see `render`."""
        records, starts = self._view(indices).records(copy=self._augment is not None)
        if self._augment is not None:
            self._augment.apply(records, starts, as_array(numbers), key)
            records.flags.writeable = False  # as those in place are: kernels are compiled for one type of array
        return lambda start, stop: (records, starts[start : stop + 1])

    def _view(self, indices: Ids) -> Drawings:
        if isinstance(indices, range):
            return self._drawings[indices.start : indices.stop : indices.step]
        return self._drawings[indices]


class DrawingSource(_Strokes):
    """Draws images from strokes."""

    def __init__(self, drawings: Drawings, settings: Settings, dtype: str, augment: Augment | None) -> None:
        super().__init__(drawings, augment)
        self.shape = _image_shape(settings)
        self.dtype = np.dtype(np.uint8 if settings.packed else dtype)
        self._settings = settings

    def images(self, indices: Ids, numbers: Ids, key: np.uint64) -> Images:
        out = self._buffers.empty((len(indices), *self._settings.shape), self.dtype)
        return render(self.records(indices, numbers, key), len(out), self._settings, threads=1, out=out)


class SequenceSource(_Strokes):
    """Turns strokes into padded sequences of offsets."""

    def __init__(
        self, drawings: Drawings, format: SequenceFormat, max_length: int | None, augment: Augment | None
    ) -> None:
        super().__init__(drawings, augment)
        if max_length is None:
            max_length = int(drawings.strokes(max_length=1)[1].max(initial=1))
        self.shape: tuple[int, ...] = integer("max_length", max_length, 1), columns(format)
        self.dtype = np.dtype(np.float32)

    def images(self, indices: Ids, numbers: Ids, key: np.uint64) -> Images:
        out = self._buffers.empty((len(indices), *self.shape), self.dtype)
        write_sequences(self.records(indices, numbers, key), out)
        return out


class RasterSource:
    """Reads images that are drawn already, and converts them."""

    def __init__(self, rasters: Rasters, settings: Settings, dtype: str) -> None:
        self.shape = _image_shape(settings)
        self.dtype = np.dtype(np.uint8 if settings.packed else dtype)
        self._packed = settings.packed
        self._rasters = rasters
        self._buffers = _buffers()

    def images(self, indices: Ids, numbers: Ids, key: np.uint64) -> Images:
        rows = self._rasters[as_array(indices)].reshape(len(indices), -1)
        if self._rasters.settings.packed != self._packed:
            rows = np.packbits(rows, axis=1) if self._packed else np.unpackbits(rows, axis=1) * np.uint8(255)
        if self.dtype == np.float32:
            levels, rows = rows, self._buffers.empty(rows.shape, np.float32)
            to_unit_interval(levels.reshape(-1), rows.reshape(-1))
        return rows

    def labels(self, indices: Ids) -> npt.NDArray[np.int64]:
        return self._rasters.labels_of(as_array(indices))


def _image_shape(settings: Settings) -> tuple[int, ...]:
    return settings.shape if settings.packed else (settings.size, settings.size, settings.channels)


def _buffers() -> Buffers:
    return Buffers(default_threads() + 2)  # of images that are drawn, waiting or in use
