"""What `fit`, `evaluate` and `vaekit.train` read: arrays, and loops over batches."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np


class Arrays(keras.utils.PyDataset):
    """Batches of arrays. With a seed they are shuffled, in an order that depends only on the seed and the epoch."""

    def __init__(self, arrays: Sequence[Any], batch_size: int, seed: int | None) -> None:
        super().__init__()
        self.arrays = [_indexable(array) for array in arrays]
        count = len(self.arrays[0])
        if not count or any(len(array) != count for array in self.arrays):
            raise ValueError(
                f"expected images, and as many labels as images; received {[len(array) for array in self.arrays]}"
            )
        self.order = np.arange(count)
        self.batch_size = batch_size
        self.seed = seed

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return tuple(_rows(array, rows) for array in self.arrays)

    def set_epoch(self, epoch: int) -> None:
        if self.seed is not None:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.order))


def _indexable(array: Any) -> Any:
    """A tensor or list as a NumPy array; arrays on disk, as of h5py and zarr, as they are."""
    if isinstance(array, np.ndarray) or type(array).__module__.partition(".")[0] in ("h5py", "zarr"):
        return array
    return keras.ops.convert_to_numpy(array) if keras.ops.is_tensor(array) else np.asarray(array)


def _rows(array: Any, rows: Any) -> Any:
    if isinstance(array, np.ndarray):
        return array[rows]
    order = np.argsort(rows)  # h5py reads rows in ascending order only
    read = np.asarray(array[rows[order]])
    return read[np.argsort(order)]


class Loop(keras.utils.PyDataset):
    """The batches of `fastdraw.batches`, or of another object that Keras does not know, in its order.

    Keras reads a batch or two before an epoch begins, for their shapes. Where the object has a state, the pass that
    was begun so is begun again.
    """

    def __init__(self, batches: Iterable[Any], check: Callable[..., Any]) -> None:
        super().__init__()
        self.batches: Any = batches
        self._check = check
        self._begun: Any = None  # state at the begin of a pass that has not ended
        self._iterator: Iterator[Any] = iter(())

    @property
    def num_batches(self) -> int:
        return len(self.batches)

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        if index == 0:
            if hasattr(self.batches, "load_state_dict"):
                if self._begun is not None:
                    self.batches.load_state_dict(self._begun)
                self._iterator = iter(self.batches)
                self._begun = self.batches.state_dict()
            else:
                self._iterator = iter(self.batches)
        batch = next(self._iterator, None)
        if batch is None:
            raise ValueError(f"expected {self.num_batches} batches, received {index}")
        if index + 1 == self.num_batches:
            self._begun = None
        batch = batch if isinstance(batch, tuple) else (batch,)
        self._check(*batch[:2])
        return batch

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass that of an epoch, if the object has a state with one."""
        state = self.batches.state_dict() if hasattr(self.batches, "load_state_dict") else {}
        if "epoch" in state and "batch" in state:
            self._begun = state | {"epoch": epoch, "batch": 0}


class InOrder(keras.callbacks.Callback):
    """Lets each epoch of `fit` read the next epoch of a feed, whatever Keras has read ahead of it."""

    def __init__(self, feed: Any, first: int) -> None:
        super().__init__()
        self.feed = feed
        self.next = first

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.feed.set_epoch(self.next)
        self.next += 1

    @staticmethod
    def of(feed: Any) -> list[InOrder]:
        """The callback for a feed of one epoch a pass, at the begin of an epoch; else none."""
        if isinstance(feed, Loop):
            state = feed.batches.state_dict() if hasattr(feed.batches, "state_dict") else {}
            return [InOrder(feed, state["epoch"])] if state.get("batch") == 0 and "epoch" in state else []
        return [InOrder(feed, feed.epoch)] if hasattr(feed, "set_epoch") and hasattr(feed, "epoch") else []


def as_feed(data: Any, check: Callable[..., Any]) -> Any:
    """What Keras can read: batches with a length become a `Loop`, others a generator, all else stays as it is.

    A `Loop` calls ``check`` with images and labels of each batch.
    """
    known = (str, dict, tuple, list, keras.utils.PyDataset, np.ndarray, types.GeneratorType)
    loop = hasattr(data, "__iter__") and not hasattr(data, "shape") and not isinstance(data, known)
    modules = {kind.__module__.partition(".")[0] for kind in type(data).__mro__}
    if not loop or modules & {"tensorflow", "torch", "keras", "grain", "jax"}:
        return data
    # Keras reads ahead, and keeps that batch of a generator; a `Loop` begins again.
    return Loop(data, check) if hasattr(data, "__len__") else (batch for batch in data)


def as_batches(data: Any, batch_size: int, seed: int | None, check: Callable[..., Any]) -> Any:
    """Batches of an array or a pair of arrays, which are checked; a dataset as it is."""
    if isinstance(data, (tuple, list)):
        checked = check(*data[:2])
        return Arrays([*(array for array in checked if array is not None), *data[2:]], batch_size, seed)
    if hasattr(data, "shape") and hasattr(data, "__getitem__"):
        return Arrays([array for array in check(data) if array is not None], batch_size, seed)
    feed = as_feed(data, check)
    if isinstance(feed, types.GeneratorType):
        raise ValueError(f"expected batches with a length, which can be read again; received {type(data).__name__}")
    return feed
