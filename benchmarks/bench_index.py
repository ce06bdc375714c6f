"""Scanning a ``.bin`` file for its records, and opening it with and without the sidecar index.

Run with ``pytest benchmarks/bench_index.py``.
"""

from __future__ import annotations

import struct
from pathlib import Path

import numpy as np
from measuring import rate, report

import fastdraw
from fastdraw.kernels import records as kernels
from fastdraw.quickdraw import index

SLOW = 20_000  # drawings of the Python loop

_RATES: dict[str, float] = {}


def struct_walk(data: bytes, count: int) -> list[int]:
    """Offsets of the first `count` records, read with ``struct``."""
    offsets, position = [], 0
    for _ in range(count):
        offsets.append(position)
        (strokes,) = struct.unpack_from("<H", data, position + 15)
        position += 17
        for _ in range(strokes):
            position += 2 + 2 * struct.unpack_from("<H", data, position)[0]
    return offsets


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


def test_open_and_scan(benchmark, large: Path, drawings: fastdraw.Drawings) -> None:
    sidecar = large.with_name(large.name + index.SUFFIX)

    def open_and_scan() -> fastdraw.Drawings:
        sidecar.unlink(missing_ok=True)
        return fastdraw.open_drawings(large)

    assert len(open_and_scan()) == len(drawings)
    benchmark.pedantic(open_and_scan, rounds=5)
    _RATES["scan"] = rate(benchmark, len(drawings))


def test_open_with_sidecar(benchmark, large: Path, drawings: fastdraw.Drawings) -> None:
    assert len(fastdraw.open_drawings(large)) == len(drawings)
    benchmark.pedantic(fastdraw.open_drawings, (large,), rounds=9)
    report("open with a sidecar", rate(benchmark, len(drawings)), "open and scan", _RATES["scan"], 1)
