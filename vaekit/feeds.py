"""What `fit`, `evaluate` and `vaekit.train` read: arrays, and loops over batches; and what is checked of arrays."""

from __future__ import annotations

import math
import types
from collections.abc import Iterable, Iterator, Sequence
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

    def __init__(self, batches: Iterable[Any]) -> None:
        super().__init__()
        self.batches: Any = batches
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
        return batch if isinstance(batch, tuple) else (batch,)

    def set_epoch(self, epoch: int) -> None:
        """Make the next pass that of an epoch, if the object has a state with one."""
        state = self.batches.state_dict() if hasattr(self.batches, "load_state_dict") else {}
        if "epoch" in state and "batch" in state:
            self._begun = state | {"epoch": epoch, "batch": 0}


def as_feed(data: Any) -> Any:
    """What Keras can read: batches with a length become a `Loop`, others a generator, all else stays as it is."""
    known = (str, dict, tuple, list, keras.utils.PyDataset, np.ndarray, types.GeneratorType)
    loop = hasattr(data, "__iter__") and not hasattr(data, "shape") and not isinstance(data, known)
    modules = {kind.__module__.partition(".")[0] for kind in type(data).__mro__}
    if not loop or modules & {"tensorflow", "torch", "keras", "grain", "jax"}:
        return data
    # Keras reads ahead, and keeps that batch of a generator; a `Loop` begins again.
    return Loop(data) if hasattr(data, "__len__") else (batch for batch in data)


def as_batches(data: Any, batch_size: int, seed: int | None) -> Any:
    """Batches of an array or a pair of arrays; a dataset as it is."""
    if isinstance(data, (tuple, list)):
        return Arrays(data, batch_size, seed)
    if hasattr(data, "shape") and hasattr(data, "__getitem__"):
        return Arrays([data], batch_size, seed)
    feed = as_feed(data)
    if isinstance(feed, types.GeneratorType):
        raise ValueError(f"expected batches with a length, which can be read again; received {type(data).__name__}")
    return feed


def check_images(data: Any) -> None:
    """Reject arrays of images with values outside 0..1, or ints outside uint8; some hundred images are looked at.

    Raises
    ------
    ValueError
    """
    images = data[0] if isinstance(data, tuple) and data else data
    if not isinstance(images, np.ndarray) or images.dtype in (np.uint8, np.bool_) or images.dtype.kind not in "iuf":
        return
    some = images[:: max(1, math.ceil(len(images) / 256))] if images.ndim else images
    if some.size and not (some.min() >= -1e-4 and some.max() <= 1 + 1e-4):
        raise ValueError(
            f"expected images as uint8, or with values from 0 to 1; received {images.dtype} from {some.min():g} to "
            f"{some.max():g}: divide by 255, or convert to uint8"
        )


def check_labels(model: keras.Model, data: Any) -> None:
    """Reject labels outside the model's classes, which one-hot encoding would turn into rows of zeros.

    Raises
    ------
    ValueError
    """
    if not hasattr(model, "num_classes") or not isinstance(data, (tuple, list)):
        return
    labels = np.asarray(data[1])
    if labels.ndim == 1 and len(labels) and not 0 <= labels.min() <= labels.max() < model.num_classes:
        raise ValueError(
            f"expected labels from 0 to {model.num_classes - 1}, received {labels.min()} to {labels.max()}"
        )
