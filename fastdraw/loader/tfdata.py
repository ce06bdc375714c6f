"""Batches as a ``tf.data.Dataset``: the only module that imports TensorFlow."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import tensorflow as tf

from fastdraw.loader.sampler import Loops, Stream, choose_seed
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters
from fastdraw.render.augment import Augment
from fastdraw.threads import choose_threads

_NUMBERS = 2**62  # more than there are groups
_QUIET = 0.1  # seconds after which nothing that was on its way has still to begin

# Threads of TensorFlow in a function of ours, now or ever before. A set needs no lock, which a fork could leave locked.
_at_work: set[int] = set()
_ever_at_work: set[int] = set()
_ending = threading.Event()


def to_tf_dataset(
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
) -> tf.data.Dataset:
    """Draw batch after batch as TensorFlow asks for them: no image is ever on disk, and only a few are in memory.

    ``model.fit(dataset, epochs=n)`` loops over the dataset n times, so with ``shuffle`` it sees n orders, and the same
    n with the same seed. An iterator can be kept with ``tf.train.Checkpoint`` in a few KB. Restored into an iterator of
    a dataset that the same call made, in another process too, it goes on exactly where it was, and brings its seed
    along.

    To share the work among the workers of a ``tf.distribute`` strategy, give each its own ``shard`` in
    ``distribute_datasets_from_function``; automatic sharding is turned off.

    Parameters
    ----------
    drawings, batch_size, style, size, line_width, invert, labels, shuffle, seed, epochs, augment, shard, packed, dtype
        As for `batches`, which gives the same batches as NumPy arrays.
    drop_remainder, threads
        As for `batches`.

    Returns
    -------
    tf.data.Dataset
        Of images (B, size, size, 1), packed (B, size * size / 8) uint8; or of pairs of images and labels, (B,) int64 or
        (B, number of categories) float32. The shapes are known, but for B where the last batch of an epoch has fewer.

    Raises
    ------
    ValueError, TypeError
        As for `batches`.
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
    threads = choose_threads(threads)
    dataset = _group_numbers(stream, choose_seed(seed), loops := Loops())
    dataset = dataset.map(_renderer(stream, loops), num_parallel_calls=threads, deterministic=True)
    dataset = dataset.flat_map(lambda *parts: tf.data.Dataset.from_tensor_slices(parts if labels else parts[0]))
    count = tf.data.INFINITE_CARDINALITY if epochs is None else epochs * stream.batches_per_epoch
    return dataset.apply(tf.data.experimental.assert_cardinality(count)).with_options(_options())


def _groups_per_loop(stream: Stream) -> int:
    """Groups of a loop, and an empty one before them.

    What a restored iterator starts from is its state before the group that it was in, and before the first group that
    would be nothing: neither the loop nor the seed would be in it.
    """
    return stream.stride * stream.groups_per_epoch + 1


def _group_numbers(stream: Stream, seed: int, loops: Loops) -> tf.data.Dataset:
    """Pairs (seed + number, number) for the groups of a loop; each new iterator is another loop.

    All state of an iterator is that of two ranges. Where a loop begins is asked for when they are made, so a restored
    iterator asks too; but then the state that it restores takes the place of the answer. The seed is counted along
    because a seed that was chosen at random has to be restored as well.
    """

    def begin(_: Any) -> Any:
        return np.int64(loops.begin() * _groups_per_loop(stream))

    def ranges(_: tf.Tensor) -> tf.data.Dataset:
        # Stateless as far as TensorFlow is concerned: it refuses to save what is stateful.
        first = tf.ensure_shape(tf.numpy_function(_awaited(begin), [_], tf.int64, stateful=False), [])
        return tf.data.Dataset.zip(
            (tf.data.Dataset.range(seed + first, _NUMBERS), tf.data.Dataset.range(first, _NUMBERS))
        )

    dataset = tf.data.Dataset.range(1).flat_map(ranges)
    return dataset if stream.epochs is None else dataset.take(_groups_per_loop(stream))


def _renderer(stream: Stream, loops: Loops) -> Any:
    """The function of a ``map`` that makes a group of a pair of `_group_numbers`."""
    types = [tf.as_dtype(stream.dtype)]
    shapes = [(None, stream.batch_size, *stream.image_shape)]
    if stream.labels == "int":
        types.append(tf.int64)
        shapes.append((None, stream.batch_size))
    elif stream.labels == "onehot":
        types.append(tf.float32)
        shapes.append((None, stream.batch_size, stream.categories))

    def group(seed_and_number: Any, number: Any) -> Any:
        loop, at = divmod(int(number), _groups_per_loop(stream))
        loops.mark(loop)
        if at == 0:
            return [
                np.empty([side or 0 for side in shape], dtype.as_numpy_dtype)
                for shape, dtype in zip(shapes, types, strict=True)
            ]
        first = loop * stream.stride * stream.groups_per_epoch
        return list(stream.group(int(seed_and_number - number), first + at - 1))

    def render(seed_and_number: tf.Tensor, number: tf.Tensor) -> Any:
        parts = tf.numpy_function(_awaited(group), [seed_and_number, number], types, stateful=False)
        return tuple(tf.ensure_shape(part, shape) for part, shape in zip(parts, shapes, strict=True))

    return render


def _awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Let the interpreter not end while a thread of TensorFlow is in this function.

    The thread would never come back from it, and what is left of an iterator waits for its threads: for ever.
    """

    def call(*arguments: Any) -> Any:
        _at_work.add(threading.get_ident())
        _ever_at_work.add(threading.get_ident())
        try:
            if _ending.is_set():
                raise RuntimeError("expected no more batches to be read: the program is ending")
            return function(*arguments)
        finally:
            _at_work.discard(threading.get_ident())

    return call


def _wait_until_quiet() -> None:
    _ending.set()  # a thread that goes on reading is stopped by an error, or there would be no end
    quiet_since = time.monotonic()
    while _ever_at_work and time.monotonic() < quiet_since + _QUIET:
        time.sleep(_QUIET / 20)
        if _at_work:
            quiet_since = time.monotonic()


atexit.register(_wait_until_quiet)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_at_work.clear)


def _options() -> tf.data.Options:
    options = tf.data.Options()
    options.autotune.enabled = False  # nothing is left to tune
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    options.experimental_symbolic_checkpoint = True  # batches that wait in buffers are drawn again, not saved
    return options
