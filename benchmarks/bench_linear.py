"""How the cost of drawing grows with the number of drawings and with their points.

Run with ``pytest benchmarks/bench_linear.py``; it takes two minutes. Times are processor time of one thread, in the
fastest round. "time/line" is the time divided by that of the straight line fitted through all rows: a cost that grows
faster or slower than linearly would miss it at the ends. Images go into one reused buffer; "peak" is how much the peak
memory of the process grows.
"""

from __future__ import annotations

import itertools
import resource
import time
from pathlib import Path

import numpy as np
import pytest
from measuring import note, same

import fastdraw
from fastdraw.settings import STYLES, Settings

COUNTS = (10**4, 10**5, 10**6, 10**7)
CHUNK = 10_000  # drawings in the buffer: 10 MB of images
JOINED = (1, 2, 4, 8, 16, 32)  # real drawings whose strokes are joined into one drawing
SOURCES = 6_400
WORK = 10**6  # drawings in all rounds of a row, so that short rows get more rounds


def draw_many(drawings: fastdraw.Drawings, count: int, buffer: np.ndarray, packed: bool) -> None:
    """Draw ``count`` drawings into one buffer, starting over at the end of `drawings`."""
    whole = len(drawings) // CHUNK * CHUNK
    for start in range(0, count, CHUNK):
        start %= whole
        drawings[start : start + CHUNK].rasterize(packed=packed, threads=1, out=buffer)


def processor_time(call, *arguments: object) -> float:
    began = time.thread_time()
    call(*arguments)
    return time.thread_time() - began


def peak_memory() -> int:
    """Peak resident memory of this process, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def over_line(x: np.ndarray, seconds: np.ndarray) -> np.ndarray:
    """Each time over that of the line ``a + b * x``, fitted to relative errors so that every row counts the same."""
    terms = np.stack([np.ones(len(x)), x], axis=1) / seconds[:, None]
    return seconds / (np.stack([np.ones(len(x)), x], axis=1) @ np.linalg.lstsq(terms, np.ones(len(x)))[0])


def mean_points(drawings: fastdraw.Drawings) -> float:
    """Mean points per drawing."""
    return sum(stroke.shape[1] for drawing in drawings for stroke in drawing) / len(drawings)


@pytest.mark.parametrize("packed", [False, True])
def test_drawings(drawings: fastdraw.Drawings, packed: bool) -> None:
    buffer = np.empty((CHUNK, 128) if packed else (CHUNK, 32, 32), np.uint8)
    draw_many(drawings, 2 * CHUNK, buffer, packed)
    assert same(buffer, drawings[CHUNK : 2 * CHUNK].rasterize(packed=packed))
    points = mean_points(drawings[:SOURCES])
    draw_many(drawings, len(drawings), buffer, packed)  # touches every page of the file
    seconds, memory = [], []
    for count in COUNTS:
        rounds = max(1, min(9, WORK // count))
        before = peak_memory()
        seconds.append(min(processor_time(draw_many, drawings, count, buffer, packed) for _ in range(rounds)))
        memory.append(peak_memory() - before)
    note(f"{'packed' if packed else 'pillow'} 32x32, {points:.1f} points/drawing")
    note(f"{'drawings':>12} {'ns/drawing':>12} {'ns/point':>10} {'time/line':>12} {'peak, MB':>12}")
    x = np.array(COUNTS, float)
    for count, total, ratio, grown in zip(COUNTS, seconds, over_line(x, np.array(seconds)), memory, strict=True):
        each = 1e9 * total / count
        note(f"{count:>12,} {each:>12.1f} {each / points:>10.2f} {ratio:>12.3f} {grown / 1e6:>+12.1f}")
    assert max(memory) < 50e6, "memory grew with the number of drawings"


@pytest.mark.parametrize("style", STYLES)
def test_points(drawings: fastdraw.Drawings, tmp_path: Path, style: str) -> None:
    sources = list(drawings[:SOURCES])
    views = []
    for joined in JOINED:
        path = tmp_path / f"{joined}.bin"
        fastdraw.write_drawings(path, [[*itertools.chain(*sources[i : i + joined])] for i in range(0, SOURCES, joined)])
        views.append(fastdraw.open_drawings(path))
    assert all(view.rasterize(style=style).any(axis=(1, 2)).all() for view in views[1:])
    seconds = np.full(len(views), np.inf)
    for _ in range(9):  # in turn, so that a disturbance hits one round of all
        for i, view in enumerate(views):
            buffer = np.empty((len(view), *Settings.of(style=style).shape), np.uint8)
            buffer[:] = 0  # touches the pages before the clock starts
            took = processor_time(lambda view=view, out=buffer: view.rasterize(style=style, threads=1, out=out))
            seconds[i] = min(seconds[i], took / len(view))
    points = np.array([mean_points(view) for view in views])
    note(f"{style}: {'points':>7} {'ns/drawing':>12} {'ns/point':>10} {'time/line':>12}")
    for count, each, ratio in zip(points, seconds, over_line(points, seconds), strict=True):
        note(f"{count:>15.1f} {1e9 * each:>12.1f} {1e9 * each / count:>10.2f} {ratio:>12.3f}")
