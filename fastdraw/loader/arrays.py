"""Batches as NumPy arrays, drawn ahead on threads."""

from __future__ import annotations

import functools
import itertools
import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

from fastdraw.loader.sampler import SEEDS, Images, Labels, Loops, Stream, choose_seed
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters
from fastdraw.render.augment import Augment
from fastdraw.threads import choose_threads

Batch = Images | tuple[Images, Labels]


def batches(
    drawings: Drawings | Rasters,
    batch_size: int,
    *,
    style: str = "pillow",
    size: int | None = None,
    line_width: int = 2,
    invert: bool = False,
    labels: Literal["int", "onehot"] | None = None,
    shuffle: bool = False,
    seed: int | None = None,
    epochs: int | None = 1,
    augment: Augment | None = None,
    shard: tuple[int, int] | None = None,
    packed: bool = False,
    dtype: Literal["float32", "uint8"] = "float32",
    drop_remainder: bool = False,
    threads: int | None = None,
) -> Batches:
    """Draw batch after batch as they are asked for, without TensorFlow.

    These are the batches of `to_tf_dataset`, bit for bit. What a batch holds follows from the arguments but
    ``threads``, the epoch and the number of the batch.

    Parameters
    ----------
    drawings : Drawings or Rasters
        What to draw, or images that are drawn already.
    batch_size : int
        Images in a batch. The last of an epoch may have fewer.
    style, size, line_width, invert
        As for `Drawings.rasterize`; not for rasters, which have theirs.
    labels : {"int", "onehot"}, optional
        Give pairs of images and category numbers, or images and rows of zeros with a one at the category's number; the
        numbers count through ``drawings.categories``.
    shuffle : bool
        A new order of all drawings in every epoch. It is computed, not stored, and takes no memory.
    seed : int, optional
        0 to 2**32 - 1, for the order and the augmentation. By default a new one is chosen in this call.
    epochs : int, optional
        How often a loop over the batches goes through all drawings; without an end for None. Each new loop over the
        same object takes the epochs behind those of the loop before.
    augment : Augment, optional
        Changes to the strokes before they are drawn; not for rasters.
    shard : (int, int), optional
        ``(index, count)``: only part ``index`` of ``count`` parts, which share no drawing and together have all. With
        ``shuffle`` the order is one of all drawings, so what is in a part changes from epoch to epoch.
    packed : bool
        Give a bit a pixel, as `Drawings.rasterize` does; ``dtype`` is of no importance then.
    dtype : {"float32", "uint8"}
        Pixels from 0 to 1, or from 0 to 255.
    drop_remainder : bool
        Leave out the last batch of an epoch if it is not full, and give all shards equally many batches.
    threads : int, optional
        Threads to draw with, ahead of the loop; as many as the process may use cores by default.

    Returns
    -------
    Batches
        An iterable of images (B, size, size, 1), packed (B, size * size / 8) uint8; or of pairs of images and labels,
        (B,) int64 or (B, number of categories) float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above, or there would be no batch.
    """
    stream = Stream(
        drawings,
        batch_size,
        style=style,
        size=size,
        line_width=line_width,
        invert=invert,
        labels=labels,
        shuffle=shuffle,
        epochs=epochs,
        augment=augment,
        shard=shard,
        packed=packed,
        dtype=dtype,
        drop_remainder=drop_remainder,
    )
    return Batches(stream, choose_seed(seed), choose_threads(threads))


class Batches:
    """An iterable of batches; `batches` makes one.

    A loop may be left at any time and leaves no thread behind. The next loop begins the next epochs, unless
    `load_state_dict` says where to go on.
    """

    def __init__(self, stream: Stream, seed: int, threads: int) -> None:
        self._stream = stream
        self._seed = seed
        self._threads = threads
        self._loops = Loops()
        self._next = 0, 0  # epoch, batch
        self._go_on = False

    def __len__(self) -> int:
        if self._stream.epochs is None:
            raise TypeError("batches with epochs=None have no end and no length")
        return self._stream.epochs * self._stream.batches_per_epoch

    def __iter__(self) -> Iterator[Batch]:
        stride = self._stream.stride
        if self._go_on:
            self._go_on = False
            self._loops.mark(self._next[0] // stride)
        else:
            self._next = self._loops.begin() * stride, 0
        end = None if self._stream.epochs is None else (self._next[0] // stride + 1) * stride
        return self._read(*self._next, end)

    def _read(self, epoch: int, batch: int, end: int | None) -> Iterator[Batch]:
        """Batches from one on to the end of the epoch before ``end``, while the next are drawn on threads."""
        process = os.getpid()
        group, skip = self._stream.find(epoch, batch)
        todo = itertools.count(group) if end is None else iter(range(group, end * self._stream.groups_per_epoch))
        pool = ThreadPoolExecutor(self._threads)
        draw = functools.partial(self._stream.group, self._seed)
        ahead = deque(pool.submit(draw, n) for n in itertools.islice(todo, self._threads + 1))
        try:
            while ahead:
                parts = ahead.popleft().result()
                ahead.extend(pool.submit(draw, n) for n in itertools.islice(todo, 1))
                for made in itertools.islice(zip(*parts, strict=True), skip, None):
                    batch += 1
                    if batch == self._stream.batches_per_epoch:
                        epoch, batch = epoch + 1, 0
                    self._next = epoch, batch
                    yield made if len(made) > 1 else made[0]
                    if os.getpid() != process:  # forked: the threads are in the parent only
                        if epoch != end:
                            yield from self._read(epoch, batch, end)
                        return
                skip = 0
        finally:
            pool.shutdown(cancel_futures=True)

    def state_dict(self) -> dict[str, int]:
        """Where the loop stands: the seed, and the epoch and the number in it of the next batch.

        Returns
        -------
        dict of str to int
            For `load_state_dict`; it can be kept as JSON. The other numbers in it are there to be checked.
        """
        epoch, batch = self._next
        return {"seed": self._seed, "epoch": epoch, "batch": batch, **self._stream.identity}

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Make the next loop go on where `state_dict` was called, with the seed of that time.

        Raises
        ------
        ValueError
            If the state is not of batches made from as many drawings by the same arguments.
        """
        own = self.state_dict()
        fits = isinstance(state, dict) and state.keys() == own.keys()
        fits = fits and all(isinstance(value, int) and value >= 0 for value in state.values())
        fits = fits and all(state[name] == value for name, value in self._stream.identity.items())
        if not (fits and state["batch"] < self._stream.batches_per_epoch and state["seed"] in SEEDS):
            raise ValueError(f"expected the state of batches like these, such as {own}; received {state!r}")
        self._seed = state["seed"]
        self._next = state["epoch"], state["batch"]
        self._go_on = True
