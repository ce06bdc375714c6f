"""All drawings as bits in the memory of the device, and batches that are made there."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, TypedDict, Unpack

import numpy as np
from keras.src.trainers.data_adapters.data_adapter import DataAdapter  # a feed of one's own for `fit`; not public

from fastdraw.checks import known_options
from fastdraw.loader.arrays import batches
from fastdraw.loader.on_device import BACKEND, Plan, Table, round_keys, take
from fastdraw.loader.pipeline import Pipeline
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters
from fastdraw.settings import ImageOptions

_CHUNK = 65_536  # drawings that are drawn and copied to the device at a time
_GROUP = 65_536  # drawings in the batches that one call makes, at most
_BATCHES = 64  # that one call makes, at most


class ResidentOptions(TypedDict, total=False):
    """Options of batches, documented in `fastdraw.resident`."""

    style: str | None
    size: int | None
    line_width: int | None
    invert: bool | None
    labels: Literal["int", "onehot"] | None
    shuffle: bool
    seed: int | None
    shard: tuple[int, int] | None
    drop_remainder: bool
    threads: int | None


def resident(
    drawings: Drawings | Rasters,
    batch_size: int,
    *,
    progress: Callable[[str, int, int], None] | None = None,
    **options: Unpack[ResidentOptions],
) -> Resident:
    """Draw once, keep the images as bits in the memory of the device, and make batches there.

    For ``model.fit(feed)`` on any backend of Keras. A 32x32 image is 128 bytes: all 50 million drawings are 6.45 GB.
    No step waits for the host: the device computes the order, looks up rows and labels, and a model of vaekit unpacks
    the bits. The batches are bit-identical to those of `batches` with ``packed=True`` and the same arguments, and a
    state of one continues the other.

    On TensorFlow the bits are in the memory of the host, where tf.data computes; packed batches go to the device.

    Parameters
    ----------
    drawings : Drawings or Rasters
        At most 2**31 - 1.
    batch_size : int
    progress : callable, optional
        Called with ``"resident"``, the number of drawings that are on the device, and of all, as by
        ``fastdraw.progress.show_progress``.
    style, size, line_width, invert
        See `Drawings.rasterize`; the style is one without greys, and the size a multiple of 4.
    labels, shuffle, seed, shard, drop_remainder, threads
        See `batches`. All shards are in memory.

    Returns
    -------
    Resident

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above, or there are too few drawings for a batch.
    MemoryError
        If the device has no room for the images: it is asked before anything is drawn.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> feed = fastdraw.resident(drawings, 100, labels="int", shuffle=True, seed=0)
    >>> feed
    <600 drawings on the device, 76,800 bytes: 6 batches of 100>
    >>> model = vaekit.CVAE.for_images((32, 32, 1), 2, num_classes=3, network="mlp", units=(16,))
    >>> model.compile("adam")
    >>> history = model.fit(feed, epochs=2, verbose=0)
    """
    known_options(options, ResidentOptions.__annotations__)
    pipeline = Pipeline(drawings, batch_size, packed=True, **options)
    count = len(drawings)
    if count >= 2**31:
        raise ValueError(f"expected fewer than 2**31 drawings on a device, received {count:,}")
    table = Table(count, pipeline.image_shape[0], labelled=pipeline.labels is not None)
    drawn: Any = {name: options.get(name) for name in (*ImageOptions.__annotations__, "threads")}
    drawn |= {"packed": True, "labels": "int" if pipeline.labels else None}
    chunks: Any = batches(drawings, _CHUNK, **drawn)
    done = 0
    for chunk in chunks:
        rows, numbers = chunk if pipeline.labels else (chunk, None)
        table.write(done, rows, numbers)
        done += len(rows)
        if progress is not None:
            progress("resident", done, count)
    return Resident(table, pipeline)


class Resident(DataAdapter):  # type: ignore[misc]
    """Batches made on the device; `resident` makes one.

    An iterator yields the batches of one epoch, as tensors of packed images (B, size * size / 8) uint8, or with labels
    as pairs. After its last batch, the next iterator yields the next epoch. An iterator that is dropped before yields
    the same batches again.

    ``model.fit`` takes it, and ``vaekit.train``, which resumes it too.
    """

    def __init__(self, table: Table, pipeline: Pipeline) -> None:
        self._table = table
        self._sampler = sampler = pipeline.sampler
        self._batch_size = pipeline.identity["batch_size"]
        self._pipeline = pipeline
        self._seed = pipeline.seed
        self._plan = Plan(
            sampler.count,
            self._batch_size,
            sampler.shard_index,
            sampler.shard_count,
            sampler.shuffle,
            pipeline.categories if pipeline.labels == "onehot" else None,
        )
        self._group = max(1, min(_GROUP // self._batch_size, _BATCHES, len(self) - 1))
        self._rest = sampler.per_epoch - (len(self) - 1) * self._batch_size  # drawings of the last batch
        self._start = self._next = 0, 0  # epoch and batch of the next iterator, and of the present one

    def __len__(self) -> int:
        """Batches of an epoch."""
        return self._sampler.batches_per_epoch

    def __repr__(self) -> str:
        count, width = self._table.rows.shape
        size = f"{count:,} drawings on the device, {count * width:,} bytes"
        return f"<{size}: {len(self):,} batches of {self._batch_size:,}>"

    def __iter__(self) -> Iterator[Any]:
        epoch, batch = self._start
        keys, last = round_keys(self._seed, epoch), len(self) - 1
        while batch < last:
            for made in self._table.batches(self._plan, keys, batch, self._group, self._batch_size)[: last - batch]:
                batch += 1
                self._next = epoch, batch
                yield made
        self._start = self._next = epoch + 1, 0
        yield self._table.batches(self._plan, keys, last, 1, self._rest)[0]

    def set_epoch(self, epoch: int) -> None:
        """Make the next iterator yield this epoch; from where the state says if it was loaded in this epoch.

        Examples
        --------
        >>> feed = fastdraw.resident(fastdraw.open_drawings("quickdraw"), 100, shuffle=True, seed=0)
        >>> feed.set_epoch(5)
        >>> feed.state_dict()["epoch"]
        5
        """
        if epoch != self._start[0]:
            self._start = self._next = epoch, 0

    def state_dict(self) -> dict[str, int]:
        """The position of the last iterator, see `DataLoader.state_dict`.

        ``fit`` may read a batch before the one before it is trained on: there, count the steps.

        Examples
        --------
        >>> feed = fastdraw.resident(fastdraw.open_drawings("quickdraw"), 100, seed=0)
        >>> first = next(iter(feed))
        >>> feed.state_dict()
        {'seed': 0, 'epoch': 0, 'batch': 1, 'drawings': 600, 'batch_size': 100, 'shards': 1}
        """
        return self._pipeline.state(self._seed, *self._next)

    def load_state_dict(self, state: dict[str, int]) -> None:
        """Make the next iterator continue where `state_dict` was called, here or on the same `batches`.

        Raises
        ------
        ValueError
            If the state is not of batches made from as many drawings by the same arguments.

        Examples
        --------
        >>> feed = fastdraw.resident(fastdraw.open_drawings("quickdraw"), 100)
        >>> feed.load_state_dict({"seed": 0, "epoch": 0, "batch": 4, "drawings": 600, "batch_size": 100, "shards": 1})
        >>> len(list(feed))
        2
        """
        self._seed, self._start = self._pipeline.check_state(state)
        self._next = self._start

    # What `fit` asks for, as Keras names it.

    @property
    def num_batches(self) -> int:
        return len(self)

    @property
    def batch_size(self) -> int:
        return self._batch_size

    @property
    def has_partial_batch(self) -> bool:
        return self._rest < self._batch_size

    @property
    def partial_batch_size(self) -> int | None:
        return self._rest if self.has_partial_batch else None

    def get_jax_iterator(self) -> Iterator[Any]:
        return iter(self)

    def get_torch_dataloader(self) -> Any:
        return self

    def get_numpy_iterator(self) -> Iterator[Any]:
        return iter(self.get_tf_dataset().as_numpy_iterator()) if BACKEND == "tensorflow" else iter(self)

    def get_tf_dataset(self) -> Any:
        """A ``tf.data.Dataset`` whose iterators yield the epochs, computed by TensorFlow."""
        import tensorflow as tf

        last = len(self) - 1

        def begin() -> Any:
            epoch, batch = self._start
            return np.array([epoch, batch, *round_keys(self._seed, epoch)], np.int64)

        def end(epoch: Any) -> Any:
            self._start = self._next = int(epoch) + 1, 0
            return np.int64(0)

        def made(keys: Any, batch: Any, batches: int, size: int) -> Any:
            table = self._table
            rows, labels = take(table.rows, table.labels, keys, batch, self._plan, batches, size)
            return rows if labels is None else (rows, labels)

        def one_by_one(*arrays: Any) -> Any:
            return tf.data.Dataset.from_tensor_slices(arrays if len(arrays) > 1 else arrays[0])

        def epoch(_: Any) -> Any:
            start = tf.ensure_shape(tf.numpy_function(begin, [], tf.int64, stateful=True), [2 + len(round_keys(0, 0))])
            batch, keys = start[1], start[2:]
            groups = tf.data.Dataset.range(batch, last, self._group).map(
                lambda first: made(keys, first, self._group, self._batch_size)
            )
            full = groups.flat_map(one_by_one).take(last - batch)

            def final(number: Any) -> Any:
                done = tf.ensure_shape(tf.numpy_function(end, [start[0]], tf.int64, stateful=True), [])
                return made(keys, number + done, 1, self._rest)

            return full.concatenate(tf.data.Dataset.from_tensors(np.int64(last)).map(final).flat_map(one_by_one))

        dataset = tf.data.Dataset.range(1).flat_map(epoch)
        return dataset.apply(tf.data.experimental.assert_cardinality(len(self)))
