"""Scanning a ``.bin`` file for its records, and opening it with and without the sidecar index.

Run with ``pytest benchmarks/bench_index.py``.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from loops import struct_walk
from measuring import rate, report

import fastdraw
from fastdraw.kernels import records as kernels
from fastdraw.quickdraw import index

SLOW = 20_000  # drawings of the Python loop

_RATES: dict[str, float] = {}


def test_struct_walk(benchmark, large: Path, drawings: fastdraw.Drawings) -> None:
    data = large.read_bytes()[:8_000_000]
    expected = index.IndexedFile(large).offsets[:SLOW]
    assert struct_walk(data, SLOW) == expected.tolist()
    benchmark.pedantic(struct_walk, (data, SLOW), rounds=5)
    _RATES["struct"] = rate(benchmark, SLOW)


def test_scan(benchmark, large: Path, drawings: fastdraw.Drawings) -> None:
    data = np.fromfile(large, np.uint8)
    offsets, totals = np.empty(len(drawings) + 1, np.uint64), np.zeros(2, np.int64)

    def run() -> tuple[int, int, int, int]:
        return kernels.scan(data, 0, offsets, totals)

    count, end, damage, _ = run()
    assert (count, end, damage) == (len(drawings), len(data), kernels.SOUND)
    assert offsets[:SLOW].tolist() == struct_walk(data[:8_000_000].tobytes(), SLOW)
    benchmark.pedantic(run, rounds=9)
    report("scan, one core", rate(benchmark, count), "a struct loop", _RATES["struct"], 1)
    report("scan, one core", rate(benchmark, count), "5 million drawings/s", 5e6, 1)


@pytest.fixture
def closed(large: Path, tmp_path: Path) -> Path:
    """A copy that nothing has open: an open file would not be opened again."""
    return Path(shutil.copy(large, tmp_path))


def test_open_and_scan(benchmark, closed: Path, drawings: fastdraw.Drawings) -> None:
    sidecar = closed.with_name(closed.name + index.SUFFIX)

    def open_and_scan() -> int:
        sidecar.unlink(missing_ok=True)
        return len(fastdraw.open_drawings(closed))

    assert open_and_scan() == len(drawings)
    benchmark.pedantic(open_and_scan, rounds=5)
    _RATES["scan"] = rate(benchmark, len(drawings))


def test_open_with_sidecar(benchmark, closed: Path, drawings: fastdraw.Drawings) -> None:
    def open_again() -> int:
        return len(fastdraw.open_drawings(closed))

    assert open_again() == len(drawings)
    benchmark.pedantic(open_again, rounds=9)
    report("open with a sidecar", rate(benchmark, len(drawings)), "open and scan", _RATES["scan"], 1)
