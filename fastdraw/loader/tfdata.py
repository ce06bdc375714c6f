"""Batches as a ``tf.data.Dataset``."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from typing import Any, Unpack

import numpy as np
import tensorflow as tf

from fastdraw.loader.counter import IteratorCounter
from fastdraw.loader.options import BatchOptions
from fastdraw.loader.pipeline import Pipeline
from fastdraw.loader.sampler import Sampler
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.reader import Rasters

_NUMBERS = 2**62  # more than there are groups
_QUIET = 0.1  # seconds without a call after which no more calls come

# TensorFlow threads in a Python function, now and ever. A set needs no lock, which a fork could leave locked.
_at_work: set[int] = set()
_ever_at_work: set[int] = set()
_ending = threading.Event()


def to_tf_dataset(drawings: Drawings | Rasters, batch_size: int, **options: Unpack[BatchOptions]) -> tf.data.Dataset:
    """Draw batches while TensorFlow trains: no image is ever on disk, and only a few batches are in memory.

    ``model.fit(dataset, epochs=n)`` makes n iterators, so with ``shuffle`` it sees n orders, and the same n for the
    same seed. ``tf.train.Checkpoint`` saves an iterator in a few KB. An iterator over a dataset made by the same call,
    in another process too, is restored to exactly that position, and to that seed.

    For a ``tf.distribute`` strategy, give each worker its own ``shard`` in ``distribute_datasets_from_function``;
    automatic sharding is off.

    Parameters
    ----------
    drawings, batch_size, **options
        See `batches`, which yields the same batches as NumPy arrays.

    Returns
    -------
    tf.data.Dataset
        Of the images and labels that `batches` describes. All shapes are static, except for the batch size if the last
        batch of an epoch is smaller.

    Raises
    ------
    ValueError, TypeError
        See `batches`.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> fastdraw.to_tf_dataset(drawings, 200, shuffle=True, labels="onehot").element_spec
    (TensorSpec(shape=(200, 32, 32, 1), dtype=tf.float32, name=None),
     TensorSpec(shape=(200, 3), dtype=tf.float32, name=None))
    """
    pipeline = Pipeline(drawings, batch_size, **options)
    sampler = pipeline.sampler
    iterators = IteratorCounter()
    dataset = _group_numbers(sampler, pipeline.seed, iterators)
    dataset = dataset.map(_renderer(pipeline, iterators), num_parallel_calls=pipeline.threads, deterministic=True)
    dataset = dataset.flat_map(
        lambda *arrays: tf.data.Dataset.from_tensor_slices(arrays if pipeline.labels else arrays[0])
    )
    epochs = sampler.epochs
    count = tf.data.INFINITE_CARDINALITY if epochs is None else len(sampler)
    return dataset.apply(tf.data.experimental.assert_cardinality(count)).with_options(_options())


def _groups_per_iterator(sampler: Sampler) -> int:
    """Groups of an iterator, and an empty one before them.

    A restored iterator starts from its state before the group that it was in. Before the first group that state would
    be empty, and would hold neither the number of the iterator nor the seed.
    """
    return sampler.epochs_per_iterator * sampler.groups_per_epoch + 1


def _group_numbers(sampler: Sampler, seed: int, iterators: IteratorCounter) -> tf.data.Dataset:
    """Pairs (seed + number, number) for the groups of an iterator; each new iterator has other numbers.

    All state of an iterator is that of two ranges. A restored iterator takes a number too, but the state that is
    restored replaces it. The seed is part of the range, because a random seed has to be restored as well.
    """

    def begin(_: Any) -> Any:
        return np.int64(iterators.take() * _groups_per_iterator(sampler))

    def ranges(_: tf.Tensor) -> tf.data.Dataset:
        # "Stateless" for TensorFlow, which refuses to save stateful functions.
        first = tf.ensure_shape(tf.numpy_function(_awaited(begin), [_], tf.int64, stateful=False), [])
        return tf.data.Dataset.zip(
            (tf.data.Dataset.range(seed + first, _NUMBERS), tf.data.Dataset.range(first, _NUMBERS))
        )

    dataset = tf.data.Dataset.range(1).flat_map(ranges)
    return dataset if sampler.epochs is None else dataset.take(_groups_per_iterator(sampler))


def _renderer(pipeline: Pipeline, iterators: IteratorCounter) -> Any:
    """The function of a ``map`` that draws a group, given a pair of `_group_numbers`."""
    sampler = pipeline.sampler
    types = [tf.as_dtype(pipeline.dtype)]
    shapes = [(None, sampler.fixed_batch_size, *pipeline.image_shape)]
    if pipeline.labels == "int":
        types.append(tf.int64)
        shapes.append((None, sampler.fixed_batch_size))
    elif pipeline.labels == "onehot":
        types.append(tf.float32)
        shapes.append((None, sampler.fixed_batch_size, pipeline.categories))

    def group(seed_and_number: Any, number: Any) -> Any:
        iterator, position = divmod(int(number), _groups_per_iterator(sampler))
        iterators.mark(iterator)
        if position == 0:
            return [
                np.empty([side or 0 for side in shape], dtype.as_numpy_dtype)
                for shape, dtype in zip(shapes, types, strict=True)
            ]
        first = iterator * sampler.epochs_per_iterator * sampler.groups_per_epoch
        return list(pipeline.group(int(seed_and_number - number), first + position - 1))

    def render(seed_and_number: tf.Tensor, number: tf.Tensor) -> Any:
        arrays = tf.numpy_function(_awaited(group), [seed_and_number, number], types, stateful=False)
        return tuple(tf.ensure_shape(array, shape) for array, shape in zip(arrays, shapes, strict=True))

    return render


def _awaited(function: Callable[..., Any]) -> Callable[..., Any]:
    """Make the interpreter wait at exit for TensorFlow threads that are in this function.

    Such a thread would never return, and its iterator, when deleted, would wait for it forever.
    """

    def call(*arguments: Any) -> Any:
        _at_work.add(threading.get_ident())
        _ever_at_work.add(threading.get_ident())
        try:
            if _ending.is_set():
                raise RuntimeError("expected no more reading of batches: the interpreter is shutting down")
            return function(*arguments)
        finally:
            _at_work.discard(threading.get_ident())

    return call


def _wait_until_quiet() -> None:
    _ending.set()  # from now on reading raises, or a thread that keeps reading would keep the program alive
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
    options.autotune.enabled = False  # parallelism is set explicitly
    options.experimental_distribute.auto_shard_policy = tf.data.experimental.AutoShardPolicy.OFF
    options.experimental_symbolic_checkpoint = True  # buffered batches are drawn again, not saved
    return options
