"""What each batch of a stream holds: the order of the drawings, and how they become pixels and labels."""

from __future__ import annotations

import math
import secrets
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.hashing import key
from fastdraw.kernels.order import permute
from fastdraw.kernels.pixels import to_unit_interval
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.mapped import Ids, as_array
from fastdraw.rasters.reader import Rasters
from fastdraw.render.augment import Augment
from fastdraw.render.buffers import Buffers
from fastdraw.render.render import render
from fastdraw.settings import Settings
from fastdraw.threads import default_threads

SEEDS = range(2**32)

_ENDLESS = 2**20  # epochs that a loop without an end is given before those of the next loop begin
_GROUP = 65_536  # drawings that are drawn at once, in batches that are smaller
_GROUP_BYTES = 1 << 26  # of images, at most
_GROUPS = 6  # in an epoch, at least, so that no thread is idle where there are few drawings

Images = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64] | npt.NDArray[np.float32]
Group = tuple[Images] | tuple[Images, Labels]


class Loops:
    """Counts loops over the same batches, so that no two of them are given the same epochs.

    Loops may begin in several threads. Taking a number is one atomic operation on a dict, as a lock could be held
    during a fork.
    """

    def __init__(self) -> None:
        self._begun: dict[int, object] = {}

    def begin(self) -> int:
        """A number larger than those of all loops so far."""
        mine = object()
        while True:
            number = max(list(self._begun), default=-1) + 1
            if self._begun.setdefault(number, mine) is mine:
                return number

    def mark(self, number: int) -> None:
        """Say that a loop has begun, in another process perhaps."""
        self._begun.setdefault(number, None)


class Stream:
    """What each batch holds: a function of the seed, the epoch and the number of the batch.

    A few batches that follow each other, a group, are drawn at once, as every call of Python from TensorFlow takes
    longer than to draw a thousand drawings. Groups are numbered through all epochs; a batch that is not full is a group
    of its own.

    The arguments are those of `fastdraw.batches`.

    Attributes
    ----------
    batches_per_epoch, groups_per_epoch : int
    batches_per_group : int
        At most.
    epochs : int or None
        Of a loop; None without an end.
    stride : int
        Epochs between the beginnings of loops.
    batch_size : int or None
        Of every batch; None if the last of an epoch has fewer.
    image_shape : tuple of int
    dtype : numpy.dtype
        Of the images.
    labels : {"int", "onehot"} or None
    categories : int
    identity : dict of str to int
        What a state is compared with before it is used.
    """

    def __init__(
        self,
        drawings: Drawings | Rasters,
        batch_size: int,
        *,
        style: str,
        size: int | None,
        line_width: int,
        invert: bool,
        labels: str | None,
        shuffle: bool,
        epochs: int | None,
        augment: Augment | None,
        shard: tuple[int, int] | None,
        packed: bool,
        dtype: npt.DTypeLike,
        drop_remainder: bool,
    ) -> None:
        if not isinstance(drawings, (Drawings, Rasters)):
            raise TypeError(f"expected drawings or rasters, as from open_drawings; received {drawings!r}")
        _check_whole("batch_size", batch_size, 1)
        if labels not in (None, "int", "onehot"):
            raise ValueError(f"expected labels to be 'int', 'onehot' or None, received {labels!r}")
        if epochs is not None:
            _check_whole("epochs", epochs, 1)
        if augment is not None and not isinstance(augment, Augment):
            raise TypeError(f"expected augment to be an Augment, received {augment!r}")
        if dtype not in ("float32", "uint8"):
            raise ValueError(f"expected dtype to be 'float32' or 'uint8', received {dtype!r}")
        self._part, self._parts = _check_shard(shard)
        self._drawings, self._augment, self._shuffle = drawings, augment, shuffle
        if isinstance(drawings, Rasters):
            drawn = drawings.settings
            if augment is not None:
                raise ValueError("expected no augment with rasters: it changes strokes, and these are drawn already")
            asked = (style, drawn.size if size is None else size, line_width, invert)
            theirs = (drawn.style, drawn.size, drawn.line_width, drawn.invert)
            if asked not in (("pillow", drawn.size, 2, False), theirs):
                raise ValueError(
                    f"expected the style, size, line_width and invert of the rasters {theirs}, got {asked}"
                )
            self._settings = Settings(drawn.style, drawn.size, drawn.line_width, drawn.invert, packed)
        else:
            self._settings = Settings.of(style=style, size=size, line_width=line_width, invert=invert, packed=packed)

        self._share = len(range(self._part, len(drawings), self._parts))
        if drop_remainder:
            self._share = len(drawings) // self._parts // batch_size * batch_size
        if self._share == 0:
            raise ValueError(
                f"expected drawings for one batch at least, received {len(drawings)} for {self._parts} shards"
                + (f" and full batches of {batch_size}" if drop_remainder else "")
            )
        self._batch_size = int(batch_size)
        self.image_shape = self._settings.shape if packed else (*self._settings.shape, 1)
        self.dtype = np.dtype(np.uint8 if packed else dtype)
        bytes_per_batch = self._batch_size * math.prod(self.image_shape) * self.dtype.itemsize
        self._buffers = Buffers(default_threads() + 2)
        full, rest = divmod(self._share, self._batch_size)
        self.batches_per_group = max(
            1, min(_GROUP_BYTES // bytes_per_batch, _GROUP // self._batch_size, full // _GROUPS)
        )
        self.batches_per_epoch = full + (rest > 0)
        self.groups_per_epoch = -(-full // self.batches_per_group) + (rest > 0)
        self.epochs = epochs
        self.stride = _ENDLESS if epochs is None else epochs
        self.batch_size = None if rest else self._batch_size
        self.labels = labels
        self.categories = len(drawings.categories)
        self.identity = {"drawings": len(drawings), "batch_size": self._batch_size, "shards": self._parts}

    def find(self, epoch: int, batch: int) -> tuple[int, int]:
        """The number of the group that a batch of an epoch is in, and its number in there."""
        if batch == self._share // self._batch_size:  # the one that is not full
            return (epoch + 1) * self.groups_per_epoch - 1, 0
        group, skip = divmod(batch, self.batches_per_group)
        return epoch * self.groups_per_epoch + group, skip

    def group(self, seed: int, number: int) -> Group:
        """Images, and labels if there are any, of all batches of a group: (batches, B, ...) each."""
        epoch, at = divmod(number, self.groups_per_epoch)
        indices = self._indices(seed, epoch, at)
        if isinstance(self._drawings, Rasters):
            images = self._fetch(self._drawings[as_array(indices)])
            labels = self._drawings.labels_of(as_array(indices)) if self.labels else None
        else:
            if isinstance(indices, range):
                view = self._drawings[indices.start : indices.stop : indices.step]
            else:
                view = self._drawings[indices]
            images = self._draw(view, indices, key(seed, epoch, 1))
            labels = view.labels if self.labels else None
        batches = max(1, len(indices) // self._batch_size)
        images = images.reshape(batches, -1, *self.image_shape)
        if labels is None:
            return (images,)
        if self.labels == "onehot":
            rows = np.zeros((len(labels), self.categories), np.float32)
            rows[np.arange(len(labels)), labels] = 1
            return images, rows.reshape(batches, -1, self.categories)
        return images, labels.reshape(batches, -1)

    def _indices(self, seed: int, epoch: int, group: int) -> Ids:
        """Numbers of the drawings in a group of an epoch."""
        full = self._share // self._batch_size
        first = min(group * self.batches_per_group, full)
        stop = min(first + self.batches_per_group, full) * self._batch_size if first < full else self._share
        places = range(
            self._part + self._parts * first * self._batch_size, self._part + self._parts * stop, self._parts
        )
        if not self._shuffle:
            return places
        indices = np.empty(len(places), np.int64)
        permute(key(seed, epoch, 0), len(self._drawings), as_array(places), indices)
        return indices

    def _draw(self, view: Drawings, indices: Ids, change: np.uint64) -> Images:
        records, starts = view.records(copy=self._augment is not None)
        if self._augment is not None:
            self._augment.apply(records, starts, as_array(indices), change)
        out = self._buffers.empty((len(indices), *self._settings.shape), self.dtype)
        return render(
            lambda start, stop: (records, starts[start : stop + 1]), len(out), self._settings, threads=1, out=out
        )

    def _fetch(self, stored: npt.NDArray[np.uint8]) -> Images:
        """Rasters in the layout that is asked for."""
        flat = stored.reshape(len(stored), -1)
        stored_packed = flat.shape[1] < self._settings.size**2
        if self._settings.packed:
            return flat if stored_packed else np.packbits(flat, axis=1)
        images = np.unpackbits(flat, axis=1) * np.uint8(255) if stored_packed else flat
        if self.dtype == np.uint8:
            return images
        out = self._buffers.empty(images.shape, np.float32)
        to_unit_interval(images.reshape(-1), out.reshape(-1))
        return out


def choose_seed(seed: int | None) -> int:
    """The seed, checked; a new one for None."""
    if seed is None:
        return secrets.randbelow(len(SEEDS))
    _check_whole("seed", seed, 0)
    if seed not in SEEDS:
        raise ValueError(f"expected seed to be less than 2**32, received {seed}")
    return int(seed)


def _check_whole(name: str, value: Any, least: int) -> None:
    if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
        raise TypeError(f"expected {name} to be a whole number, received {value!r}")
    if value < least:
        raise ValueError(f"expected {name} to be {least} or more, received {value}")


def _check_shard(shard: tuple[int, int] | None) -> tuple[int, int]:
    if shard is None:
        return 0, 1
    if not (isinstance(shard, (tuple, list)) and len(shard) == 2):
        raise TypeError(f"expected shard to be a pair (index, count), received {shard!r}")
    index, count = shard
    _check_whole("the index of shard", index, 0)
    _check_whole("the count of shard", count, 1)
    if index >= count:
        raise ValueError(f"expected the index of shard to be less than its count, received {shard}")
    return int(index), int(count)
