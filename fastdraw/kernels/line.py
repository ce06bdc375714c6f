"""The styles ``line`` and ``line-aa``: lines one pixel wide, bit-identical to `skimage.draw.line` and `line_aa`.

Reproduces ``_line`` and ``_line_aa`` in ``skimage/draw/_draw.pyx`` of scikit-image 0.26.

Most segments are a few pixels long, so set-up costs count. Tried, and slower: closed forms without branches for the
hard line (by a quarter), a table of shades for each segment of the anti-aliased line (by a fifth).
"""

from math import sqrt
from typing import Any

import numpy as np

from fastdraw.kernels.jit import inlined, jit, noinline
from fastdraw.kernels.layout import HEAD


@noinline
def hard_segment(pixels: Any, size: int, x0: int, y0: int, x1: int, y1: int) -> None:
    """Set the pixels of Bresenham's line, with both ends."""
    along, across = abs(x1 - x0), abs(y1 - y0)
    step, side = (1 if x1 > x0 else -1), (size if y1 > y0 else -size)
    if across > along:
        along, across, step, side = across, along, side, step
    at = y0 * size + x0
    lag = 2 * across - along  # distance of the true line from the middle between two pixels, times 2 * along
    for _ in range(along + 1):
        pixels[at] = 255
        if lag >= 0:
            at += side
            lag -= 2 * along
        at += step
        lag += 2 * across


@inlined
def _blend(pixels: Any, at: int, offset: int, length: float) -> None:
    """Raise a pixel to the shade for a distance of offset / length pixels from the line."""
    # The order of the operations matters.
    pixels[at] = max(np.int64(pixels[at]), np.int64(np.rint(255.0 * (1.0 - abs(offset) / length))))


@noinline
def soft_segment(pixels: Any, size: int, x0: int, y0: int, x1: int, y1: int) -> None:
    """Blend in an anti-aliased line: A. Zingl, "A Rasterizing Algorithm for Drawing Curves", 2012.

    The path visits the pixels nearest to the line, never beyond x1 or y1. Each step also shades the neighbour on the
    other side of the line, which may be one pixel off the canvas.
    """
    width, height = abs(x1 - x0), abs(y1 - y0)
    right, down = (1 if x1 > x0 else -1), (1 if y1 > y0 else -1)
    length = sqrt(width * width + height * height) if width + height > 0 else 1.0
    # Distances from the line, times its length; `error` is that of the pixel diagonally ahead.
    error = width - height
    x, y = x0, y0
    while True:
        at = y * size + x
        _blend(pixels, at, error - width + height, length)
        sideways = 2 * error >= -width
        downward = 2 * error <= height
        if sideways and x == x1:
            break
        below, beside = error + height, width - error
        if sideways and below < length and 0 <= y + down < size:
            _blend(pixels, at + down * size, below, length)
        if downward and y == y1:
            break
        if downward and beside < length and 0 <= x + right < size:
            _blend(pixels, at + right, beside, length)
        if sideways:
            error -= height
            x += right
        if downward:
            error += width
            y += down


@jit
def draw(records: Any, starts: Any, size: int, antialias: bool, out: Any) -> None:
    """Draw records with lines one pixel wide, white on black. Coordinate p becomes p * size // 256.

    A segment joins two successive points of a stroke: a stroke of one point draws nothing, two equal points draw one
    pixel. Where segments meet or cross, the largest value stays.

    Parameters
    ----------
    records : (b,) uint8
        Whole, valid records, back to back.
    starts : (n + 1,) int64
        Record i is ``records[starts[i]:starts[i + 1]]``.
    size : int
        Side of an image in pixels.
    antialias : bool
        False sets the pixels of `skimage.draw.line` to 255. True sets a pixel to the largest ``rint(255 * value)`` of
        those that `skimage.draw.line_aa` returns for it.
    out : (n, size, size) uint8, C-contiguous, out
        The images, [image, y, x]. Every byte is written.
    """
    for image in range(len(starts) - 1):
        pixels = out[image].reshape(-1)
        pixels[:] = 0
        at, end = starts[image] + HEAD, starts[image + 1]
        while at + 2 <= end:
            points = records[at] | records[at + 1] << 8
            xs = at + 2
            ys = xs + points
            at = ys + points
            if at > end:
                continue
            for i in range(1, points):
                x0, y0 = records[xs + i - 1] * size >> 8, records[ys + i - 1] * size >> 8
                x1, y1 = records[xs + i] * size >> 8, records[ys + i] * size >> 8
                if antialias:
                    soft_segment(pixels, size, x0, y0, x1, y1)
                else:
                    hard_segment(pixels, size, x0, y0, x1, y1)
