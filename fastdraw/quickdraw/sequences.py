"""Drawings as padded sequences of offsets, for networks that read strokes instead of pixels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from fastdraw.checks import integer, one_of
from fastdraw.kernels import sequences as kernels

SequenceFormat = Literal["stroke-3", "stroke-5"]

_COLUMNS = {"stroke-3": 3, "stroke-5": 5}
_BLOCK = 1 << 14  # drawings whose records are in memory at a time

Records = Callable[[int, int], tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]


def check_format(format: SequenceFormat) -> int:
    """The number of columns of a format; a ValueError if there is no such format."""
    return _COLUMNS[one_of("format", format, _COLUMNS)]


def point_counts(records: Records, count: int) -> npt.NDArray[np.int64]:
    """The number of points of each drawing: (count,) int64. ``records(start, stop)`` gives some of them."""
    lengths = np.empty(count, np.int64)
    for start in range(0, count, _BLOCK):
        block = lengths[start : start + _BLOCK]
        kernels.count_points(*_frozen(records(start, start + len(block))), block)
    return lengths


def write_sequences(records: Records, rows: npt.NDArray[Any]) -> None:
    """Fill (count, longest, columns) rows of any dtype."""
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        kernels.offsets(*_frozen(records(start, start + len(block))), block)


def make_sequences(
    records: Records, count: int, format: SequenceFormat, max_length: int | None
) -> tuple[npt.NDArray[np.int16], npt.NDArray[np.int64]]:
    """What `Drawings.strokes` returns."""
    columns = check_format(format)
    lengths = point_counts(records, count)
    longest = int(lengths.max(initial=0)) if max_length is None else integer("max_length", max_length, 1)
    rows = np.empty((count, longest, columns), np.int16)
    write_sequences(records, rows)
    return rows, lengths


def _frozen(
    pair: tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """The records read-only, so that kernels are compiled for one type of array."""
    data = pair[0].view()
    data.flags.writeable = False
    return data, pair[1]
