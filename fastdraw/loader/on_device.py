"""Rows and labels in the memory of the device that Keras's backend computes on, and batches of them made there."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import os
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
from keras import ops

from fastdraw.kernels.hashing import key, mix
from fastdraw.kernels.order import MIN_BITS, ROUNDS

BACKEND = keras.backend.backend()


@dataclasses.dataclass(frozen=True)
class Plan:
    """What a batch of an epoch is made of, besides the epoch and the number of the batch.

    Attributes
    ----------
    count : int
        Drawings, in all shards.
    batch_size : int
    first, stride : int
        Batch ``b`` begins at place ``first + stride * batch_size * b`` of the order, and has each ``stride``-th place.
    shuffle : bool
    classes : int or None
        The length of one-hot rows; None for labels as numbers.
    """

    count: int
    batch_size: int
    first: int
    stride: int
    shuffle: bool
    classes: int | None


def round_keys(seed: int, epoch: int) -> npt.NDArray[np.int64]:
    """The keys of `permute`'s rounds, for the order of an epoch: (ROUNDS,) int64."""
    keys: npt.NDArray[np.uint64] = mix(key(seed, epoch, 0) + np.arange(ROUNDS, dtype=np.uint64))
    return keys.view(np.int64)


def permute(places: Any, keys: Any, count: int) -> Any:
    """Look up places in the order of `fastdraw.kernels.order.permute`, on the device.

    Parameters
    ----------
    places : (n,) int64 tensor
        0 to ``count - 1``.
    keys : (ROUNDS,) int64 tensor
        See `round_keys`.
    count : int

    Returns
    -------
    (n,) int64 tensor
    """
    bits = max(MIN_BITS, (count - 1).bit_length())
    low = bits // 2
    high = bits - low

    def through(value: Any) -> Any:
        left, right = _shift(value, low), value & ((1 << low) - 1)
        for r in range(0, ROUNDS, 2):
            left = left ^ _shift(_mix(right ^ keys[r]), 64 - high)
            right = right ^ _shift(_mix(left ^ keys[r + 1]), 64 - low)
        return left * (1 << low) | right

    def walk(value: Any, pending: Any) -> tuple[Any, Any]:
        value = ops.where(pending, through(value), value)
        return value, value >= count

    return ops.while_loop(lambda value, pending: ops.any(pending), walk, (places, ops.ones_like(places, "bool")))[0]


def _mix(x: Any) -> Any:
    """`fastdraw.kernels.hashing.mix` for int64 tensors: every backend has these, and their sums wrap around alike."""
    x = x + (0x9E3779B97F4A7C15 - 2**64)
    x = (x ^ _shift(x, 30)) * (0xBF58476D1CE4E5B9 - 2**64)
    x = (x ^ _shift(x, 27)) * (0x94D049BB133111EB - 2**64)
    return x ^ _shift(x, 31)


def _shift(x: Any, bits: int) -> Any:
    """Shift right as unsigned numbers are shifted."""
    shifted = ops.right_shift(x, bits) if BACKEND == "tensorflow" else x >> bits
    return shifted & ((1 << (64 - bits)) - 1)


def take(rows: Any, labels: Any, keys: Any, batch: Any, plan: Plan, batches: int, size: int) -> tuple[Any, Any]:
    """The rows and labels of consecutive batches.

    Parameters
    ----------
    rows : (plan.count, width) uint8 tensor
    labels : (plan.count,) int32 tensor or None
    keys : (ROUNDS,) int64 tensor
        See `round_keys`.
    batch : int64 scalar
        The number of the first batch. After its end the order begins anew.
    plan : Plan
    batches : int
    size : int
        Drawings of a batch.

    Returns
    -------
    rows : (batches, size, width) uint8
    labels : (batches, size) int64, on JAX int32; or one-hot rows (batches, size, classes) float32; or None
    """
    numbers = ops.arange(batches * size, dtype="int64")
    places = (plan.first + plan.stride * (plan.batch_size * batch + numbers)) % plan.count
    if plan.shuffle:
        places = permute(places, keys, plan.count)
    rows = ops.reshape(_gather(rows, places), (batches, size, rows.shape[1]))
    if labels is None:
        return rows, None
    labels = ops.reshape(_gather(labels, places), (batches, size))
    if plan.classes is not None:
        return rows, ops.one_hot(labels, plan.classes, dtype="float32")
    return rows, labels if BACKEND == "jax" else ops.cast(labels, "int64")


def _gather(tensor: Any, places: Any) -> Any:
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.gather(tensor, places)
    return tensor[places]


class Table:
    """Rows of bytes on the device, with or without labels, written in pieces.

    On TensorFlow they are in the memory of the host, where tf.data computes.

    Parameters
    ----------
    count, width : int
        Rows, and bytes in a row.
    labelled : bool

    Raises
    ------
    MemoryError
        If the device has no room for them.
    """

    def __init__(self, count: int, width: int, labelled: bool) -> None:
        needed, room = count * (width + 4 * labelled), _room()
        if room is not None and needed > room:
            raise MemoryError(
                f"expected room for {count:,} drawings of {width:,} bytes on the device, {needed / 1e9:,.3f} GB; "
                f"received {room / 1e9:,.3f} GB: take fewer drawings or a smaller size, or fastdraw.batches"
            )
        self.rows = _zeros((count, width), "uint8")
        self.labels = _zeros((count,), "int32") if labelled else None

    def write(self, start: int, rows: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64] | None) -> None:
        """Write rows, and labels if the table has them, from a row on."""
        self.rows = _write(self.rows, rows, start)
        if labels is not None:
            self.labels = _write(self.labels, labels.astype(np.int32), start)

    def batches(self, plan: Plan, keys: npt.NDArray[np.int64], batch: int, batches: int, size: int) -> list[Any]:
        """Batches as `fit` takes them: tensors of rows, or pairs of rows and labels. Other parameters as for `take`."""
        make = _compiled(plan, batches, size)
        if BACKEND == "torch":
            return list(make(self.rows, self.labels, ops.convert_to_tensor(keys), batch))
        with _int64() if BACKEND == "jax" else contextlib.nullcontext():
            return list(make(self.rows, self.labels, keys, np.asarray(batch, np.int64)))


@functools.cache
def _compiled(plan: Plan, batches: int, size: int) -> Any:
    """The batches of `take`, one by one: to take them apart outside would be a call for each."""

    def made(rows: Any, labels: Any, keys: Any, batch: Any) -> list[Any]:
        rows, labels = take(rows, labels, keys, batch, plan, batches, size)
        if labels is None:
            return [rows[i] for i in range(batches)]
        return [(rows[i], labels[i]) for i in range(batches)]

    if BACKEND == "jax":
        import jax

        return jax.jit(made)
    if BACKEND == "tensorflow":
        import tensorflow as tf

        return tf.function(made, autograph=False)
    return made


def _int64() -> contextlib.AbstractContextManager[Any]:
    """Where JAX computes with 64-bit integers, which it otherwise makes 32-bit ones."""
    import jax

    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)  # type: ignore[no-any-return]
    from jax.experimental import enable_x64  # before JAX 0.8

    return enable_x64()  # type: ignore[no-any-return]


def _room() -> int | None:
    """Bytes that are free on a GPU, or that the host has where it is the device; None where it is not known."""
    if BACKEND == "jax":
        import jax

        memory = jax.devices()[0].memory_stats() or {}
        if "bytes_limit" in memory:
            return int(memory["bytes_limit"] - memory.get("bytes_in_use", 0))
        on_host = jax.default_backend() == "cpu"
    elif BACKEND == "torch":
        import torch

        if torch.cuda.is_available():
            return int(torch.cuda.mem_get_info()[0])
        on_host = not torch.backends.mps.is_available()
    else:
        on_host = True
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") if on_host and hasattr(os, "sysconf") else None


def _zeros(shape: tuple[int, ...], dtype: str) -> Any:
    if BACKEND == "tensorflow":
        import tensorflow as tf

        with tf.device("CPU"):
            return tf.Variable(tf.zeros(shape, dtype), trainable=False)
    return ops.zeros(shape, dtype)


def _write(tensor: Any, piece: npt.NDArray[Any], start: int) -> Any:
    """Write in place: the memory of the device need not hold the tensor twice."""
    if BACKEND == "jax":
        tensor.block_until_ready()  # so that one piece at most waits in the memory of the host
        return _jax_write()(tensor, piece, (start, *([0] * (piece.ndim - 1))))
    if BACKEND == "tensorflow":
        import tensorflow as tf

        # A slice of the variable would read the variable, and a variable that is read is copied when it is written.
        tf.raw_ops.ResourceStridedSliceAssign(
            ref=tensor.handle, begin=[start], end=[start + len(piece)], strides=[1], value=piece
        )
    else:
        tensor[start : start + len(piece)] = ops.convert_to_tensor(piece)
    return tensor


@functools.cache
def _jax_write() -> Any:
    import jax

    return jax.jit(jax.lax.dynamic_update_slice, donate_argnums=0)
