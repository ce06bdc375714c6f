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

sys.path.append(str(Path(__file__).parent.parent / "tests/helpers"))
from strategies import skimage_raster

SLOW = 2_000  # drawings of the Python loops
FAST = 50_000


def compare(
    benchmark, drawings: fastdraw.Drawings, style: str, loops: dict[str, Callable[[list], np.ndarray]], target: float
) -> None:
    """Compare with loops over the reference, which are given drawings as ``drawings[i]`` gives them."""
    ours, some = drawings[:SLOW].rasterize(style=style), list(drawings[:SLOW])
    rivals = {}
    for name, loop in loops.items():
        theirs = loop(some)
        difference = np.abs(ours.astype(int) - theirs)
        identical = (difference == 0).all(axis=(1, 2)).mean()
        note(f"{style}: {identical:.2%} identical, difference mean {difference.mean():g}, largest {difference.max()}")
        assert identical == 1
        assert theirs.any(axis=(1, 2)).mean() > 0.99
        rivals[name] = SLOW / min(_seconds(lambda loop=loop: loop(some)) for _ in range(5))
    many = drawings[:FAST]
    benchmark.pedantic(many.rasterize, kwargs={"style": style, "threads": 1}, rounds=5)
    for name, rival in rivals.items():
        report(f"{style}, one thread", rate(benchmark, FAST), name, rival, target)


def _seconds(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


@pytest.mark.parametrize("style", ["line", "line-aa"])
def test_line(benchmark, drawings: fastdraw.Drawings, style: str) -> None:
    def loop(some: list) -> np.ndarray:
        return np.array([skimage_raster(drawing, 32, style == "line-aa") for drawing in some])

    compare(benchmark, drawings, style, {"a loop over scikit-image": loop}, 20)


def test_google(benchmark, drawings: fastdraw.Drawings) -> None:
    reference = pytest.importorskip("cairo_reference", exc_type=ImportError)

    def loop(some: list) -> np.ndarray:
        return np.array([reference.cairo_raster(drawing) for drawing in some])

    def loop_over_lists(some: list) -> np.ndarray:
        """The same without NumPy's numbers, which take Cairo's functions longer than Python's own."""
        surface, context = reference.canvas(28)
        pixels = surface.get_data()
        images = []
        for drawing in some:
            strokes = [stroke.tolist() for stroke in drawing]
            left = (256 - max(max(x) for x, _ in strokes)) / 2
            top = (256 - max(max(y) for _, y in strokes)) / 2
            reference.draw(context, strokes, left, top)
            surface.flush()
            images.append(bytes(pixels[::4]))
        return np.frombuffer(b"".join(images), np.uint8).reshape(-1, 28, 28)

    loops = {"a loop over pycairo": loop, "a loop over pycairo and lists": loop_over_lists}
    compare(benchmark, drawings, "google", loops, 10)
