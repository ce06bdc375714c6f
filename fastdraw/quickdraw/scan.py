"""Finding and checking the records of a file."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Scan(NamedTuple):
    """Result of `scan_records`."""

    offsets: npt.NDArray[np.uint64]  # byte offset of each sound record and of the end of the last
    strokes: int
    points: int
    damage: int  # SOUND, or what is wrong with the record after the last sound one
    where: int  # byte offset of the error in it


def scan_records(data: npt.NDArray[np.uint8], block: int = 1 << 20) -> Scan:
    """Find and check the records of a file; the kernel does ``block`` records at a time."""
    from fastdraw.kernels.records import scan  # needs numba, which files with an index do not

    found = []
    totals = np.zeros(2, np.int64)
    position = 0
    while True:
        offsets = np.empty(block, np.uint64)
        count, position, damage, where = scan(data, position, offsets, totals)
        found.append(offsets[:count].copy())
        if count < block:
            break
    offsets = np.concatenate([*found, np.array([position], np.uint64)])
    return Scan(offsets, int(totals[0]), int(totals[1]), damage, where)
