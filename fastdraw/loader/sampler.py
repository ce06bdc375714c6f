"""Which drawings each batch holds, and in which order."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.hashing import key
from fastdraw.kernels.order import permute
from fastdraw.loader.weighted import WeightedChoice
from fastdraw.quickdraw.views import Ids, as_array

_ENDLESS = 2**20  # epochs reserved for an iterator without end, before those of the next begin
_GROUP = 65_536  # drawings in a group, at most
_GROUP_BYTES = 1 << 26  # of images in a group, at most
_GROUPS = 6  # in an epoch, at least, so that no thread is idle when there are few drawings


class Sampler:
    """The indices of the drawings in each batch: a function of the seed, the epoch and the number of the batch.

    Consecutive batches are drawn together, as a group: each call from TensorFlow to Python takes longer than to draw a
    thousand drawings. Groups are numbered through all epochs. A partial batch is a group of its own.

    Parameters
    ----------
    count : int
        Drawings, in all shards.
    batch_size : int
    batch_bytes : int
        Bytes of the images in a full batch.
    shuffle, epochs, drop_remainder
        See `fastdraw.batches`.
    weighted : WeightedChoice or None
        Chooses the drawings instead of a shuffle.
    shard_index, shard_count : int

    Attributes
    ----------
    count, shard_index, shard_count : int
    shuffle : bool
    per_epoch : int
        Drawings of the shard in an epoch.
    batches_per_epoch, groups_per_epoch : int
    epochs : int or None
        Of an iterator; None without end.
    epochs_per_iterator : int
        Epochs from the first of an iterator to the first of the next.
    fixed_batch_size : int or None
        The size of every batch, or None if the last of an epoch is smaller.
    """

    def __init__(
        self,
        count: int,
        batch_size: int,
        batch_bytes: int,
        *,
        shuffle: bool,
        weighted: WeightedChoice | None,
        epochs: int | None,
        shard_index: int,
        shard_count: int,
        drop_remainder: bool,
    ) -> None:
        self.count = count
        self._batch_size = batch_size
        self.shuffle = shuffle
        self._weighted = weighted
        self.shard_index = shard_index
        self.shard_count = shard_count
        self.per_epoch = len(range(shard_index, count, shard_count))
        if drop_remainder:
            self.per_epoch = count // shard_count // batch_size * batch_size
        if self.per_epoch == 0:
            raise ValueError(
                f"expected drawings for at least one batch, received {count} for {shard_count} shards"
                + (f" and full batches of {batch_size}" if drop_remainder else "")
            )
        self._full, rest = divmod(self.per_epoch, batch_size)
        self._batches_per_group = max(1, min(_GROUP_BYTES // batch_bytes, _GROUP // batch_size, self._full // _GROUPS))
        self.batches_per_epoch = self._full + (rest > 0)
        self.groups_per_epoch = -(-self._full // self._batches_per_group) + (rest > 0)
        self.epochs = epochs
        self.epochs_per_iterator = _ENDLESS if epochs is None else epochs
        self.fixed_batch_size = None if rest else batch_size

    def __len__(self) -> int:
        """Batches of an iterator."""
        if self.epochs is None:
            raise TypeError("batches with epochs=None have no end and no length")
        return self.epochs * self.batches_per_epoch

    def group_of(self, epoch: int, batch: int) -> tuple[int, int]:
        """The number of the group that holds a batch of an epoch, and the position of the batch in the group."""
        if batch == self._full:  # the partial batch
            return (epoch + 1) * self.groups_per_epoch - 1, 0
        group, position = divmod(batch, self._batches_per_group)
        return epoch * self.groups_per_epoch + group, position

    def epoch_of(self, group: int) -> int:
        """The epoch of a group."""
        return group // self.groups_per_epoch

    def indices(self, seed: int, group: int) -> tuple[Ids, Ids]:
        """Indices of the drawings in all batches of a group, and the number that random changes of each depend on.

        Both are a range or (n,) int64. The numbers are the indices; or the places in the epoch if drawings repeat, so
        that each time a drawing is changed in another way.
        """
        epoch, group = divmod(group, self.groups_per_epoch)
        first = min(group * self._batches_per_group, self._full) * self._batch_size
        stop = min((group + 1) * self._batches_per_group, self._full) * self._batch_size
        if first == stop:  # the partial batch
            stop = self.per_epoch
        return self._drawings(seed, epoch, first, stop)

    def batch_indices(self, seed: int, epoch: int, batch: int) -> tuple[Ids, Ids]:
        """What `indices` gives, of one batch."""
        first = batch * self._batch_size
        return self._drawings(seed, epoch, first, min(first + self._batch_size, self.per_epoch))

    def _drawings(self, seed: int, epoch: int, first: int, stop: int) -> tuple[Ids, Ids]:
        """What `indices` gives, of some places of the order of an epoch."""
        # Every shard has each shard_count-th place in the order of all drawings.
        places = range(self.shard_index, self.count, self.shard_count)[first:stop]
        if self._weighted is not None:
            return self._weighted.indices(key(seed, epoch, 2), as_array(places)), places
        if not self.shuffle:
            return places, places
        indices = np.empty(len(places), np.int64)
        permute(key(seed, epoch, 0), self.count, as_array(places), indices)
        return indices, indices
