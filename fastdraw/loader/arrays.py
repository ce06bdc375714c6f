"""Batches as NumPy arrays, drawn ahead on threads."""

from __future__ import annotations

import contextlib
import functools
import itertools
import os
from collections.abc import Iterator
from typing import Unpack

from fastdraw.loader.ahead import drawn_ahead
from fastdraw.loader.counter import IteratorCounter
from fastdraw.loader.options import BatchOptions
from fastdraw.loader.pipeline import Images, Labels, Pipeline
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters

Batch = Images | tuple[Images, Labels]


def batches(drawings: Drawings | Rasters, batch_size: int, **options: Unpack[BatchOptions]) -> DataLoader:
    """Draw batches while a training loop runs, without TensorFlow.

    The batches are bit-identical to those of `to_tf_dataset`. What a batch holds depends only on the arguments (except
    ``threads``), the epoch and the number of the batch.

    Parameters
    ----------
    drawings : Drawings or Rasters
        Strokes to draw, or images that are drawn already.
    batch_size : int
        Images in a batch. The last batch of an epoch may be smaller.
    style, size, line_width, invert, packed, channels
        See `Drawings.rasterize`. With rasters they may be left out, and must else be those of the rasters; only
        ``packed`` may differ.
    labels : {"int", "onehot"}, optional
        Yield pairs of images and category numbers, or of images and one-hot rows. Numbers are indices into
        ``drawings.categories``.
    shuffle : bool
        Every epoch is a full shuffle, with no shuffle buffer. The order is computed, not stored.
    weights : mapping of str to float, optional
        Choose drawings at random, with repetition, so that the categories have shares in this relation: with
        ``{"cat": 2}`` twice as many cats are expected as of each other category, which have weight 1. An epoch has as
        many drawings as without weights.
    strokes : {"stroke-3", "stroke-5"}, optional
        Yield sequences in place of images: the rows of `Drawings.strokes`, as float32; not with rasters.
    max_length : int, optional
        Rows of a sequence; by default as many as the longest drawing has points.
    seed : int, optional
        0 to 2**32 - 1, for order and augmentation; by default a random one.
    epochs : int, optional
        Epochs per iterator, by default 1; None for no end. Each new iterator continues with the epochs after those of
        the one before.
    augment : Augment, optional
        Random changes to the strokes; not with rasters.
    shard : (int, int), optional
        ``(index, count)``: only shard ``index`` of ``count``. Shards share no drawing, and together have all. With
        ``shuffle`` all drawings are shuffled before they are sharded, so a shard changes from epoch to epoch. The n-th
        batches of all shards are together one global batch: the same drawings for every number of shards, as long as
        ``batch_size`` times ``count`` is the same.
    dtype : {"float32", "uint8"}
        Pixels from 0 to 1, or from 0 to 255. Packed images are always uint8.
    data_format : {"channels_last", "channels_first"}, optional
        Order of the axes: (B, size, size, channels), the default, or (B, channels, size, size), as torch has it. The
        latter is a view of the same bytes, so with three channels it has torch's memory format ``channels_last``.
    drop_remainder : bool
        Drop a partial batch at the end of an epoch. All shards then have the same number of batches.
    threads : int, optional
        Number of threads; by default one for each CPU core that the process may use.

    Returns
    -------
    DataLoader
        An iterable of images (B, size, size, channels), or packed (B, size * size / 8) uint8, or sequences
        (B, max_length, 3 or 5) float32; with ``labels`` of pairs of images and labels, (B,) int64 or (B, number of
        categories) float32.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above, or there are too few drawings for a batch.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> for images, labels in fastdraw.batches(drawings, 256, shuffle=True, seed=0, labels="int"):
    ...     print(images.shape, images.dtype, labels.shape)
    (256, 32, 32, 1) float32 (256,)
    (256, 32, 32, 1) float32 (256,)
    (88, 32, 32, 1) float32 (88,)
    """
    return DataLoader(Pipeline(drawings, batch_size, **options))


class DataLoader:
    """An iterable of batches; `batches` makes one.

    An iterator may be dropped at any time, and leaves no thread behind. The next one continues with the next epochs,
    unless `load_state_dict` says where to continue.
    """

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._sampler = pipeline.sampler
        self._seed = pipeline.seed
        self._iterators = IteratorCounter()
        self._next = 0, 0  # epoch, batch
        self._restored: int | None = None  # the epoch of the state that the next iterator continues

    def __len__(self) -> int:
        return len(self._sampler)

    @property
    def batches_per_epoch(self) -> int:
        """Fewer than an iteration has, if that is of several epochs."""
        return self._sampler.batches_per_epoch

    def __iter__(self) -> Iterator[Batch]:
        epochs = self._sampler.epochs_per_iterator
        if self._restored is None:
            iterator = self._iterators.take()
            self._next = iterator * epochs, 0
        else:
            iterator, self._restored = self._restored // epochs, None
            self._iterators.mark(iterator)
        end = None if self._sampler.epochs is None else (iterator + 1) * epochs
        return self._read(*self._next, end)

    def _read(self, epoch: int, batch: int, end: int | None) -> Iterator[Batch]:
        """Batches from one on to the end of the epoch before ``end``, while the next are drawn on threads."""
        process = os.getpid()
        group, position = self._sampler.group_of(epoch, batch)
        todo = itertools.count(group) if end is None else iter(range(group, end * self._sampler.groups_per_epoch))
        draw = functools.partial(self._pipeline.group, self._seed)
        with contextlib.closing(drawn_ahead(draw, todo, self._pipeline.threads)) as groups:
            for arrays in groups:
                for made in itertools.islice(zip(*arrays, strict=True), position, None):
                    batch += 1
                    if batch == self._sampler.batches_per_epoch:
                        epoch, batch = epoch + 1, 0
                    self._next = epoch, batch
                    yield made if len(made) > 1 else made[0]
                    if os.getpid() != process:  # forked: only the parent has the threads
                        if epoch != end:
                            yield from self._read(epoch, batch, end)
                        return
                position = 0

    def state_dict(self) -> dict[str, int]:
        """The position of the last iterator: the seed, and the epoch and number of the next batch.

        Returns
        -------
        dict of str to int
            For `load_state_dict`; it can be saved as JSON. Its other items are compared when it is loaded.

        Examples
        --------
        >>> batches = fastdraw.batches(fastdraw.open_drawings("quickdraw"), 100, seed=0)
        >>> first = next(iter(batches))
        >>> batches.state_dict()
        {'seed': 0, 'epoch': 0, 'batch': 1, 'drawings': 600, 'batch_size': 100, 'shards': 1}
        """
        return self._pipeline.state(self._seed, *self._next)

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Make the next iterator continue where `state_dict` was called, with its seed.

        To change the number of shards, load the state of shard 0 in all of them: the others may have ended the epoch,
        as they may have no part of its last global batch. A shard without one yields no more batches of the epoch.

        Raises
        ------
        ValueError
            If the state is not of batches made from as many drawings by the same arguments. Only ``shard`` and
            ``batch_size`` may differ, if ``batch_size`` times the number of shards is the same.

        Examples
        --------
        >>> batches = fastdraw.batches(fastdraw.open_drawings("quickdraw"), 100)
        >>> state = {"seed": 0, "epoch": 0, "batch": 4, "drawings": 600, "batch_size": 100, "shards": 1}
        >>> batches.load_state_dict(state)
        >>> len(list(batches))
        2
        """
        self._seed, self._next = self._pipeline.check_state(state)
        self._restored = state["epoch"]
