"""The style ``pillow`` at 32x32 against the loops that people write over Pillow and OpenCV.

Run with ``pytest benchmarks/bench_raster.py``. All contestants draw the same file; each result is checked before it is
timed.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from loops import SIZE, WIDTH, opencv_loop, pillow_loop
from measuring import note, rate, report, same, two_threads_over_one

import fastdraw

SLOW = 5_000  # drawings of the Python loops

_RATES: dict[str, float] = {}


def test_pillow_loop(benchmark, large: Path, drawings: fastdraw.Drawings) -> None:
    data = large.read_bytes()[:4_000_000]
    assert same(pillow_loop(data, SLOW), drawings[:SLOW].rasterize(size=SIZE, line_width=WIDTH))
    benchmark.pedantic(pillow_loop, (data, SLOW), rounds=5)
    _RATES["pillow"] = rate(benchmark, SLOW)


def test_opencv_loop(benchmark, drawings: fastdraw.Drawings) -> None:
    pytest.importorskip("cv2", reason='OpenCV is not installed: pip install -e ".[bench]"')
    some = drawings[:SLOW]
    ours = some.rasterize(size=SIZE, line_width=WIDTH)
    assert abs(opencv_loop(some).mean() / ours.mean() - 1) < 0.5  # about as much ink
    benchmark.pedantic(opencv_loop, (some,), rounds=5)
    _RATES["opencv"] = rate(benchmark, SLOW)


@pytest.mark.parametrize("threads", [1, 2])
def test_fastdraw(benchmark, large: Path, drawings: fastdraw.Drawings, threads: int) -> None:
    out = np.empty((len(drawings), SIZE, SIZE), np.uint8)

    def run() -> np.ndarray:
        return drawings.rasterize(size=SIZE, line_width=WIDTH, threads=threads, out=out)

    assert same(run()[:SLOW], pillow_loop(large.read_bytes()[:4_000_000], SLOW))
    controls = []

    def measure_the_machine() -> None:
        controls.append(two_threads_over_one())

    benchmark.pedantic(run, setup=measure_the_machine, rounds=20)
    _RATES[f"{threads} threads"] = rate(benchmark, len(drawings))
    if threads == 1:
        for rival, target in (("pillow", 100), ("opencv", 20)):
            if rival in _RATES:
                report("pillow 32x32, one thread", _RATES["1 threads"], f"a loop over {rival}", _RATES[rival], target)
    else:
        report("pillow 32x32, two threads", _RATES["2 threads"], "one thread", _RATES["1 threads"], 1.8)
        spread = f"{min(controls):.2f} to {max(controls):.2f}"
        note(f"(control: speed-up of two threads that share nothing, between the rounds: {spread})")


def test_packed(benchmark, drawings: fastdraw.Drawings) -> None:
    out = np.empty((len(drawings), SIZE * SIZE // 8), np.uint8)

    def run() -> np.ndarray:
        return drawings.rasterize(size=SIZE, line_width=WIDTH, packed=True, threads=1, out=out)

    expected = drawings[:SLOW].rasterize(size=SIZE, line_width=WIDTH).reshape(SLOW, -1)
    assert same(np.unpackbits(run()[:SLOW], axis=1) * 255, expected)
    benchmark.pedantic(run, rounds=7)
    report("packed 32x32, one thread", rate(benchmark, len(drawings)), "a loop over pillow", _RATES["pillow"], 120)


def test_copy(benchmark, drawings: fastdraw.Drawings) -> None:
    """The limit set by memory: how fast the finished images can be copied."""
    images = drawings.rasterize(size=SIZE, line_width=WIDTH)
    out = np.empty_like(images)
    benchmark.pedantic(np.copyto, (out, images), rounds=5)
    assert same(out, images)
    copied = rate(benchmark, len(images))
    report("pillow 32x32, two threads", _RATES["2 threads"], "np.copyto of the output", copied, 0.5)
