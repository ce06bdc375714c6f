"""From a number to batches: the sampler chooses drawings, the source draws them."""

from __future__ import annotations

import math
from typing import Any, Unpack

import numpy as np
import numpy.typing as npt

from fastdraw.checks import boolean, check_labels, integer, known_options, one_of
from fastdraw.kernels.hashing import key
from fastdraw.loader.options import LARGEST_SEED, BatchOptions, choose_seed, choose_shard
from fastdraw.loader.sampler import Sampler
from fastdraw.loader.sources import open_source
from fastdraw.loader.weighted import WeightedChoice
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.views import Ids
from fastdraw.rasters.reader import Rasters
from fastdraw.threads import choose_threads

Images = npt.NDArray[np.uint8] | npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64] | npt.NDArray[np.float32]


class Pipeline:
    """Makes the batches of `fastdraw.batches` and `fastdraw.to_tf_dataset`, whose arguments it takes and checks.

    Attributes
    ----------
    sampler : Sampler
    seed, threads : int
    image_shape : tuple of int
        Of an image in a batch.
    dtype : numpy.dtype
        Of the images.
    labels : {"int", "onehot"} or None
    categories : int
    identity : dict of str to int
        What a saved state must agree with.
    """

    def __init__(self, data: Drawings | Rasters, batch_size: int, **options: Unpack[BatchOptions]) -> None:
        known_options(options, BatchOptions.__annotations__)
        self._batch_size = integer("batch_size", batch_size, 1)
        self._source = source = open_source(data, options)
        self.seed = choose_seed(options.get("seed"))
        self.threads = choose_threads(options.get("threads"))
        self.image_shape = source.shape
        data_format = one_of("data_format", options.get("data_format"), (None, "channels_last", "channels_first"))
        if data_format and len(source.shape) != 3:
            raise ValueError(f"expected no data_format with packed images or strokes, received {data_format!r}")
        self._channels_first = data_format == "channels_first"
        if self._channels_first:
            height, width, channels = source.shape
            self.image_shape = channels, height, width
        self.dtype = source.dtype
        self.labels = check_labels(options.get("labels"))
        self.categories = len(data.categories)
        epochs, weights = options.get("epochs", 1), options.get("weights")
        shard_index, shard_count = choose_shard(options.get("shard"))
        self.sampler = Sampler(
            len(data),
            self._batch_size,
            self._batch_size * math.prod(self.image_shape) * self.dtype.itemsize,
            shuffle=boolean("shuffle", options.get("shuffle", False)),
            weighted=None if weights is None else WeightedChoice(weights, data.categories, data.labels),
            epochs=None if epochs is None else integer("epochs", epochs, 1),
            shard_index=shard_index,
            shard_count=shard_count,
            drop_remainder=boolean("drop_remainder", options.get("drop_remainder", False)),
        )
        self.identity = {"drawings": len(data), "batch_size": self._batch_size, "shards": shard_count}

    def group(self, seed: int, number: int) -> tuple[Images] | tuple[Images, Labels]:
        """Images, and labels if they are asked for, of all batches of a group: (batches, batch size, ...) each."""
        return self._make(*self.sampler.indices(seed, number), key(seed, self.sampler.epoch_of(number), 1))

    def batch(self, seed: int, number: int) -> tuple[Images] | tuple[Images, Labels]:
        """Images, and labels if they are asked for, of one batch; batches are numbered through all epochs."""
        epoch, batch = divmod(number, self.sampler.batches_per_epoch)
        made: Any = self._make(*self.sampler.batch_indices(seed, epoch, batch), key(seed, epoch, 1))
        return tuple(array[0] for array in made)

    def _make(self, indices: Ids, numbers: Ids, key: np.uint64) -> tuple[Images] | tuple[Images, Labels]:
        """Images and labels of drawings, as (batches, batch size, ...)."""
        batches = max(1, len(indices) // self._batch_size)
        images = self._source.images(indices, numbers, key)
        images = images.reshape(batches, -1, *self._source.shape)
        if self._channels_first:
            images = np.moveaxis(images, -1, -3)
        if self.labels is None:
            return (images,)
        labels = self._source.labels(indices)
        if self.labels == "onehot":
            rows = np.zeros((len(labels), self.categories), np.float32)
            rows[np.arange(len(labels)), labels] = 1
            return images, rows.reshape(batches, -1, self.categories)
        return images, labels.reshape(batches, -1)

    def state(self, seed: int, epoch: int, batch: int) -> dict[str, int]:
        """The position of an iterator, for `check_state`."""
        return {"seed": seed, "epoch": epoch, "batch": batch, **self.identity}

    def check_state(self, state: Any) -> tuple[int, tuple[int, int]]:
        """The seed, and the epoch and the batch, of the state of such batches; an error for another one.

        The n-th batches of all shards are the n-th part of the order of all drawings, however many shards there are.
        So only the sum of their sizes must be the same.
        """
        own = self.state(self.seed, 0, 0)
        fits = isinstance(state, dict) and state.keys() == own.keys()
        fits = fits and all(isinstance(value, int) and value >= 0 for value in state.values())
        fits = fits and state["drawings"] == own["drawings"] and _global_batch_size(state) == _global_batch_size(own)
        longest = -(-own["drawings"] // _global_batch_size(own))  # batches of an epoch of shard 0
        if not (fits and state["batch"] < longest and state["seed"] <= LARGEST_SEED):
            raise ValueError(f"expected the state of batches like these, such as {own}; received {state!r}")
        if state["batch"] < self.sampler.batches_per_epoch:
            return state["seed"], (state["epoch"], state["batch"])
        return state["seed"], (state["epoch"] + 1, 0)


def _global_batch_size(state: dict[str, int]) -> int:
    return state["batch_size"] * state["shards"]
