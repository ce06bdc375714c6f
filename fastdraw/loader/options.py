"""Options of batches."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from typing import Literal

from fastdraw.checks import integer
from fastdraw.quickdraw.sequences import SequenceFormat
from fastdraw.render.augment import Augment
from fastdraw.settings import ImageOptions

LARGEST_SEED = 2**32 - 1


class BatchOptions(ImageOptions, total=False):
    """Options of batches, documented in `fastdraw.batches`."""

    labels: Literal["int", "onehot"] | None
    shuffle: bool
    weights: Mapping[str, float] | None
    strokes: SequenceFormat | None
    max_length: int | None
    seed: int | None
    epochs: int | None
    augment: Augment | None
    shard: tuple[int, int] | None
    dtype: Literal["float32", "uint8"]
    data_format: Literal["channels_last", "channels_first"] | None
    drop_remainder: bool
    threads: int | None


def choose_seed(seed: int | None) -> int:
    """The seed, checked; a new random one if None."""
    return secrets.randbelow(LARGEST_SEED + 1) if seed is None else integer("seed", seed, 0, LARGEST_SEED)


def choose_shard(shard: tuple[int, int] | None) -> tuple[int, int]:
    """The index of a shard and the number of shards, checked; all drawings are one shard if None."""
    if shard is None:
        return 0, 1
    if not (isinstance(shard, (tuple, list)) and len(shard) == 2):
        raise TypeError(f"expected shard to be a pair (index, count), received {shard!r}")
    count = integer("the count of shard", shard[1], 1)
    return integer("the index of shard", shard[0], 0, count - 1), count
