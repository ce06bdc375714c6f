"""The reference of the style ``google``: Cairo itself, by the recipe that reproduces Google's files.

Run as a script, with pycairo installed, it makes ``golden/google.npz`` anew: doodles and hard strokes as records, and
their images at three sizes as Cairo draws them. The file at hand was made with pycairo 1.29.0.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from pathlib import Path

import cairo
import numpy as np

LINE_WIDTH = 16.0
PADDING = 16.0
SIZES = (28, 32, 64)
GOLDEN = Path(__file__).parents[1] / "golden/google.npz"

# Strokes with edges that touch at the start of a pixel row, where Cairo's order of edges decides: the first four at 28
# pixels, the others at 64. They were found by search.
TOUCHING = (
    ((68, 23, 59), (133, 32, 113)),
    ((103, 137, 84), (177, 132, 202)),
    ((151, 156, 152, 154), (85, 56, 77, 93)),
    ((119, 67, 120, 97, 86, 38), (104, 101, 33, 72, 36, 81)),
    ((177, 156, 172), (197, 146, 185)),
    ((34, 127, 72), (123, 12, 78)),
    ((153, 172, 179, 172, 173), (99, 126, 89, 88, 117)),
    ((227, 198, 199, 197, 218, 229), (216, 206, 183, 216, 208, 199)),
)


@functools.cache
def canvas(size: int) -> tuple[cairo.ImageSurface, cairo.Context]:
    surface = cairo.ImageSurface(cairo.FORMAT_ARGB32, size, size)
    context = cairo.Context(surface)
    context.set_antialias(cairo.ANTIALIAS_BEST)
    context.set_line_cap(cairo.LINE_CAP_ROUND)
    context.set_line_join(cairo.LINE_JOIN_ROUND)
    context.set_line_width(LINE_WIDTH)
    field = 256 + 2 * PADDING + LINE_WIDTH
    context.scale(size / field, size / field)
    context.translate((2 * PADDING + LINE_WIDTH) / 2, (2 * PADDING + LINE_WIDTH) / 2)
    return surface, context


def draw(context: cairo.Context, strokes: Iterable, left: float, top: float) -> None:
    """Draw pairs of x and y, moved by ``left`` and ``top``, as the recipe says."""
    context.set_source_rgb(0, 0, 0)
    context.paint()
    context.set_source_rgb(1, 1, 1)
    for x, y in strokes:
        context.move_to(x[0] + left, y[0] + top)
        for px, py in zip(x, y, strict=True):
            context.line_to(px + left, py + top)
        context.stroke()


def cairo_raster(drawing: Sequence[np.ndarray], size: int = 28) -> np.ndarray:
    """One drawing by Cairo, (size, size) uint8."""
    surface, context = canvas(size)
    strokes = [stroke.astype(float) for stroke in drawing if stroke.size]
    left, top = (256 - np.max([stroke.max(axis=1) for stroke in strokes], axis=0)) / 2 if strokes else (0, 0)
    draw(context, strokes, left, top)
    surface.flush()
    return np.frombuffer(surface.get_data(), np.uint8)[::4].reshape(size, size).copy()


def _golden_drawings() -> list[list[np.ndarray]]:
    from fastdraw.quickdraw.doodles import CATEGORIES, doodles

    rng = np.random.default_rng(0)
    drawings = [drawing for name in CATEGORIES for drawing in doodles(name, 4)]
    for _ in range(60):
        low, high = sorted(rng.integers(0, 257, 2))
        sizes = rng.integers(0, 9, rng.integers(0, 5))
        drawings.append([rng.integers(low, max(high, low + 1), (2, n)).astype(np.uint8) for n in sizes])
    return drawings + [[np.array(stroke, np.uint8)] for stroke in TOUCHING]


if __name__ == "__main__":
    import tempfile

    import fastdraw

    drawings = _golden_drawings()
    with tempfile.TemporaryDirectory() as folder:
        fastdraw.write_drawings(Path(folder) / "golden.bin", drawings)
        records = np.fromfile(Path(folder) / "golden.bin", np.uint8)
    images = {f"size_{size}": np.array([cairo_raster(drawing, size) for drawing in drawings]) for size in SIZES}
    GOLDEN.parent.mkdir(exist_ok=True)
    np.savez_compressed(GOLDEN, records=records, cairo=cairo.cairo_version_string(), **images)
