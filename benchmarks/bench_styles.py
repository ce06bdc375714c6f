"""The other styles beside loops over the libraries whose pixels they have.

Run with ``pytest benchmarks/bench_styles.py``; the ``google`` part needs pycairo.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from conftest import note, rate, report

import fastdraw

sys.path.append(str(Path(__file__).parent.parent / "tests"))
from strategies import skimage_raster

SLOW = 2_000  # drawings of the Python loops
FAST = 50_000


def compare(
    benchmark, drawings: fastdraw.Drawings, style: str, loop: Callable[[fastdraw.Drawings], np.ndarray], target: float
) -> None:
    some = drawings[:SLOW]
    ours, theirs = some.rasterize(style=style), loop(some)
    difference = np.abs(ours.astype(int) - theirs)
    identical = (difference == 0).all(axis=(1, 2)).mean()
    note(f"{style}: {identical:.2%} identical, difference mean {difference.mean():g}, largest {difference.max()}")
    assert identical == 1
    assert theirs.any(axis=(1, 2)).mean() > 0.99
    rival = min(_seconds(lambda: loop(some)) for _ in range(3)) / SLOW
    many = drawings[:FAST]
    benchmark.pedantic(many.rasterize, kwargs={"style": style, "threads": 1}, rounds=5)
    report(f"{style}, one thread", rate(benchmark, FAST), "a loop over the reference", 1 / rival, target)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@pytest.mark.parametrize("style", ["line", "line-aa"])
def test_line(benchmark, drawings: fastdraw.Drawings, style: str) -> None:
    def loop(some: fastdraw.Drawings) -> np.ndarray:
        return np.array([skimage_raster(drawing, 32, style == "line-aa") for drawing in some])

    compare(benchmark, drawings, style, loop, 20)


def test_google(benchmark, drawings: fastdraw.Drawings) -> None:
    cairo_raster = pytest.importorskip("cairo_reference", exc_type=ImportError).cairo_raster

    def loop(some: fastdraw.Drawings) -> np.ndarray:
        return np.array([cairo_raster(drawing) for drawing in some])

    compare(benchmark, drawings, "google", loop, 10)
