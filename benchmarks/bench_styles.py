"""The styles ``line``, ``line-aa`` and ``google`` against loops over scikit-image and Cairo, whose pixels they match.

Run with ``pytest benchmarks/bench_styles.py``; the ``google`` part needs pycairo.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from measuring import in_turn, note, rate, report
from strategies import skimage_raster  # of tests/helpers

import fastdraw

SLOW = 2_000  # drawings of the Python loops
FAST = 50_000


def compare(
    benchmark, drawings: fastdraw.Drawings, style: str, loops: dict[str, Callable[[list], np.ndarray]], target: float
) -> None:
    """Compare with loops over the reference library. They get lists of strokes, as ``drawings[i]`` returns them."""
    ours, some = drawings[:SLOW].rasterize(style=style), list(drawings[:SLOW])
    for name, loop in loops.items():
        theirs = loop(some)
        difference = np.abs(ours.astype(int) - theirs)
        identical = (difference == 0).all(axis=(1, 2)).mean()
        note(f"{style}, {name}: {identical:.2%} identical, largest difference {difference.max()}")
        assert identical == 1
        assert theirs.any(axis=(1, 2)).mean() > 0.99
    best = in_turn({name: lambda loop=loop: loop(some) for name, loop in loops.items()}, rounds=5)
    many = drawings[:FAST]
    benchmark.pedantic(many.rasterize, kwargs={"style": style, "threads": 1}, rounds=5)
    for name, seconds in best.items():
        report(f"{style}, one thread", rate(benchmark, FAST), name, SLOW / seconds, target)


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
        """The same over Python's own numbers, which Cairo's functions take faster than NumPy's."""
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
