"""The style ``pillow`` at 32x32 against the loops that people write over Pillow and OpenCV.

Run with ``pytest benchmarks/bench_raster.py``. All contestants draw the same file; each result is checked before it is
timed.
"""

from __future__ import annotations

import hashlib
import struct
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from measuring import note, rate, report, same
from PIL import Image, ImageDraw

import fastdraw

SIZE, WIDTH = 32, 2
SLOW = 5_000  # drawings of the Python loops

_RATES: dict[str, float] = {}


# The baseline is a user's whole job without fastdraw, parsing included. That is why it is not the reference loop of the
# tests, which takes strokes that fastdraw has read.
def pillow_loop(data: bytes, count: int) -> np.ndarray:
    """What a user would write: ``struct.unpack`` and ``ImageDraw.line`` for each stroke.

    Unlike `fastdraw.cli.demo.pillow_loop` it parses the file too, without NumPy, and so measures all that a user does.
    """
    images = np.empty((count, SIZE, SIZE), np.uint8)
    position = 0
    for i in range(count):
        image = Image.new("L", (SIZE, SIZE))
        draw = ImageDraw.Draw(image)
        _, _, _, _, strokes = struct.unpack_from("<Q2sBIH", data, position)
        position += 17
        for _ in range(strokes):
            (n,) = struct.unpack_from("<H", data, position)
            xs = struct.unpack_from(f"{n}B", data, position + 2)
            ys = struct.unpack_from(f"{n}B", data, position + 2 + n)
            position += 2 + 2 * n
            draw.line([(x * SIZE // 256, y * SIZE // 256) for x, y in zip(xs, ys, strict=True)], 255, WIDTH)
        images[i] = np.asarray(image)
    return images


def two_threads_over_one() -> float:
    """Speed-up of two threads that only compute and share nothing: what the machine has to give at this moment."""
    data = bytes(20_000_000)
    began = time.perf_counter()
    hashlib.sha256(data)
    alone = time.perf_counter() - began
    with ThreadPoolExecutor(2) as pool:
        began = time.perf_counter()
        list(pool.map(hashlib.sha256, [data, data]))
        return 2 * alone / (time.perf_counter() - began)


def opencv_loop(drawings: fastdraw.Drawings) -> np.ndarray:
    """The same with OpenCV, which draws whole strokes from arrays. Its lines are not pixel-identical to Pillow's."""
    cv2 = pytest.importorskip("cv2", reason='OpenCV is not installed: pip install -e ".[bench]"')
    images = np.zeros((len(drawings), SIZE, SIZE), np.uint8)
    for image, strokes in zip(images, drawings, strict=True):
        points = [(stroke.T.astype(np.int32) * SIZE // 256).reshape(-1, 1, 2) for stroke in strokes]
        cv2.polylines(image, points, False, 255, WIDTH)
    return images


def test_pillow_loop(benchmark, large: Path, drawings: fastdraw.Drawings) -> None:
    data = large.read_bytes()[:4_000_000]
    assert same(pillow_loop(data, SLOW), drawings[:SLOW].rasterize(size=SIZE, line_width=WIDTH))
    benchmark.pedantic(pillow_loop, (data, SLOW), rounds=5)
    _RATES["pillow"] = rate(benchmark, SLOW)


def test_opencv_loop(benchmark, drawings: fastdraw.Drawings) -> None:
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
