"""The styles ``line``, ``line-aa`` and ``google`` against loops over scikit-image and Cairo, whose pixels they match.

Run with ``pytest benchmarks/bench_styles.py``; the ``google`` part needs pycairo.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from loops import pycairo_list_loop, pycairo_loop, skimage_loop
from measuring import in_turn, note, rate, report

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
        return skimage_loop(some, style == "line-aa")

    compare(benchmark, drawings, style, {"a loop over scikit-image": loop}, 20)


def test_google(benchmark, drawings: fastdraw.Drawings) -> None:
    pytest.importorskip("cairo", exc_type=ImportError)
    loops = {"a loop over pycairo": pycairo_loop, "a loop over pycairo and lists": pycairo_list_loop}
    compare(benchmark, drawings, "google", loops, 10)
