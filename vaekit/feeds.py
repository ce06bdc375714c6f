"""What `fit`, `evaluate` and `vaekit.train` read: arrays, and loops over batches."""

from __future__ import annotations

import itertools
import threading
import types
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import keras
import numpy as np

from vaekit.devices import filled, replicas
from vaekit.inputs import readable

_RECENT = 16  # batches that a `Loop` keeps; Keras reads fewer ahead


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
        self._epoch, self._first = 0, 0  # and the batch that number 0 is

    def __len__(self) -> int:
        return -(-len(self.order) // self.batch_size)

    @property
    def num_batches(self) -> int:
        return len(self) - self._first

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        start = (self._first + index) * self.batch_size
        rows = self.order[start : start + self.batch_size]
        return tuple(filled(_rows(array, rows), replicas()) for array in self.arrays)

    def state_dict(self) -> dict[str, int]:
        size = {"images": len(self.order), "batch_size": self.batch_size}
        return {"epoch": self._epoch, "batch": self._first, **size}

    def load_state_dict(self, state: dict[str, int]) -> None:
        own = self.state_dict()
        if state != own | {name: state.get(name) for name in ("epoch", "batch")}:
            raise ValueError(f"expected the state of arrays like these, such as {own}; received {state!r}")
        self._epoch, self._first = state["epoch"], state["batch"]
        if self.seed is not None:
            self.order = np.random.default_rng([self.seed, self._epoch]).permutation(len(self.order))


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
        self._source: Any = getattr(batches, "dataset", batches)  # what has the state; a DataLoader of torch has none
        self._check = check
        self._begun: Any = None  # state at the begin of a pass that has not ended
        self._first = 0  # the batch of the pass that number 0 is
        self._iterator: Iterator[Any] = iter(())
        self._recent: dict[int, tuple[Any, ...]] = {}  # by number, the batches of this pass that were read last
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.batches)

    @property
    def num_batches(self) -> int:
        return len(self) - self._first

    @property
    def batches_per_epoch(self) -> int:
        """Fewer than a pass has, if that is of several epochs."""
        return getattr(self._source, "batches_per_epoch", len(self))

    def __getitem__(self, index: int) -> tuple[Any, ...]:
        # A thread of TensorFlow may still read the pass before: it takes no batch of this one away.
        with self._lock:
            if index == 0:
                self._begin()
            while index not in self._recent:
                self._read(max(self._recent, default=-1) + 1)
            return self._recent[index]

    def _begin(self) -> None:
        stateful = hasattr(self._source, "load_state_dict")
        if stateful and self._begun is not None:
            self._source.load_state_dict(self._begun)
        self._iterator = iter(self.batches)
        if stateful and self._begun is None:
            self._begun = self._source.state_dict()
        self._recent = {}

    def _read(self, number: int) -> None:
        batch = next(self._iterator, None)
        if batch is None:
            raise ValueError(f"expected {self.num_batches} batches, received {number}")
        if number + 1 == self.num_batches:
            self._begun = None
        batch = tuple(batch) if isinstance(batch, (tuple, list)) else (batch,)
        self._check(*batch[:2])
        if (count := replicas()) > 1:
            batch = tuple(filled(part, count) for part in batch)
        self._recent.pop(number - _RECENT, None)
        self._recent[number] = batch

    def state_dict(self) -> dict[str, Any]:
        """The state of the object; empty if it has none."""
        return self._source.state_dict() if hasattr(self._source, "load_state_dict") else {}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Make the next pass begin there."""
        self._source.load_state_dict(state)
        self._begun = state
        self._first = (state["epoch"] * self.batches_per_epoch + state["batch"]) % len(self)


def position(feed: Any, epoch: int, step: int = 0) -> dict[str, Any] | None:
    """The state of a feed before a step of an epoch of `fit`, for its ``load_state_dict``; None if it has none.

    It is computed, as Keras reads batches ahead.
    """
    state = feed.state_dict() if hasattr(feed, "load_state_dict") else {}
    if not {"epoch", "batch"} <= state.keys() or feed.num_batches is None:
        return None
    read = epoch * len(feed) + step
    passed, batch = divmod(read, getattr(feed, "batches_per_epoch", len(feed)))
    return state | {"epoch": passed, "batch": batch}


class InOrder(keras.callbacks.Callback):
    """Lets each epoch of `fit` read the next epoch of a feed, whatever Keras has read ahead of it."""

    def __init__(self, feed: Any, first: int) -> None:
        super().__init__()
        self.feed = feed
        self.next = first

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.feed.load_state_dict(position(self.feed, self.next))
        self.next += 1

    @staticmethod
    def of(feed: Any) -> list[InOrder]:
        """The callback for a feed that is at the begin of a pass; else none."""
        state = position(feed, 0)
        if state is None:
            return []
        now = feed.state_dict()
        passed, batch = divmod(now["epoch"] * getattr(feed, "batches_per_epoch", len(feed)) + now["batch"], len(feed))
        return [InOrder(feed, passed)] if batch == 0 else []


def as_feed(data: Any, check: Callable[..., Any]) -> Any:
    """What Keras can read: batches with a length become a `Loop`, others a generator, all else stays as it is.

    A `Loop` calls ``check`` with images and labels of each batch.
    """
    known = (str, dict, tuple, list, keras.utils.PyDataset, np.ndarray, types.GeneratorType)
    loop = hasattr(data, "__iter__") and not hasattr(data, "shape") and not isinstance(data, known)
    modules = {kind.__module__.partition(".")[0] for kind in type(data).__mro__}
    if not loop or (modules & {"tensorflow", "torch", "keras", "grain", "jax"} and not _is_stateful_torch(data)):
        return data
    # Keras reads ahead, and keeps that batch of a generator; a `Loop` begins again.
    return Loop(data, check) if hasattr(data, "__len__") else (batch for batch in data)


def peeked(feed: Any) -> tuple[Any, Any]:
    """The first batch of a feed that has no shape before it is read, and the feed with all its batches; else None.

    On TensorFlow alone, which compiles for it: see `vaekit.inputs.form`.
    """
    if keras.backend.backend() != "tensorflow":
        return None, feed
    if isinstance(feed, keras.utils.PyDataset):
        return (feed[0] if feed.num_batches != 0 else None), feed
    if isinstance(feed, types.GeneratorType):
        first = list(itertools.islice(feed, 1))
        return (first[0] if first else None), (batch for batch in itertools.chain(first, feed))
    return None, feed


def as_batches(data: Any, batch_size: int, seed: int | None, check: Callable[..., Any]) -> Any:
    """Batches of an array or a pair of arrays, which are checked; a dataset as it is."""
    if isinstance(data, (tuple, list)):
        given = data if 0 < len(data) < 4 else [data]  # images, labels and weights; or a list of images
        checked = check(*given[:2])
        return Arrays([*(array for array in checked if array is not None), *given[2:]], batch_size, seed)
    if hasattr(data, "shape") and hasattr(data, "__getitem__"):
        return Arrays([array for array in check(data) if array is not None], batch_size, seed)
    feed = as_feed(readable(data), check)
    if isinstance(feed, types.GeneratorType):
        raise ValueError(f"expected batches with a length, which can be read again; received {type(data).__name__}")
    return feed


def _is_stateful_torch(data: Any) -> bool:
    """Whether this is `fastdraw.to_torch_dataset`, or a ``DataLoader`` that reads it in this process."""
    source = getattr(data, "dataset", data)
    whole = getattr(data, "batch_size", None) is None and not getattr(data, "num_workers", 0)
    return whole and hasattr(source, "batches_per_epoch") and hasattr(source, "load_state_dict")


def number_of_batches(batches: Any) -> int | None:
    """Batches in an epoch; None if they do not say."""
    if hasattr(batches, "num_batches"):
        count = batches.num_batches
        return None if count is None else int(count)
    if hasattr(batches, "cardinality"):  # of tf.data, negative if unknown or endless
        count = int(batches.cardinality())
        return count if count >= 0 else None
    return len(batches) if hasattr(batches, "__len__") else None
