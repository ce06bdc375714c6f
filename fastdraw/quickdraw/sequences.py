"""Drawings as padded sequences of offsets, for networks that read strokes instead of pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastdraw.checks import one_of

SequenceFormat = Literal["stroke-3", "stroke-5"]

_COLUMNS = {"stroke-3": 3, "stroke-5": 5}
_BLOCK = 1 << 14  # drawings whose records are in memory at a time

Records = Callable[[int, int], tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]


def point_counts(records: Records, count: int) -> npt.NDArray[np.int64]:
    """The number of points of each drawing: (count,) int64. ``records(start, stop)`` gives some of them, read-only."""
    from fastdraw.kernels.sequences import count_points  # needs numba

    lengths = np.empty(count, np.int64)
    for start in range(0, count, _BLOCK):
        block = lengths[start : start + _BLOCK]
        count_points(*records(start, start + len(block)), block)
    return lengths


def columns(format: SequenceFormat) -> int:
    """How many columns rows of a format have; a ValueError if there is no such format."""
    return _COLUMNS[one_of("format", format, _COLUMNS)]


def write_sequences(records: Records, rows: npt.NDArray[Any]) -> None:
    """Fill (count, longest, columns) rows of any dtype."""
    from fastdraw.kernels.sequences import offsets

    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        offsets(*records(start, start + len(block)), block)
