"""Arrays as batches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np


class Arrays(keras.utils.PyDataset):
    """Batches of arrays. With a seed they are shuffled, in an order that depends only on the seed and the epoch."""

    def __init__(self, arrays: Sequence[Any], batch_size: int, seed: int | None) -> None:
        super().__init__()
        self.arrays = [np.asarray(array) for array in arrays]
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
        return tuple(array[rows] for array in self.arrays)

    def set_epoch(self, epoch: int) -> None:
        if self.seed is not None:
            self.order = np.random.default_rng([self.seed, epoch]).permutation(len(self.order))


def as_batches(data: Any, batch_size: int, seed: int | None) -> Any:
    """Batches of an array or a pair of arrays; a dataset as it is."""
    if isinstance(data, (tuple, list)):
        return Arrays(data, batch_size, seed)
    return Arrays([data], batch_size, seed) if isinstance(data, np.ndarray) else data


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
