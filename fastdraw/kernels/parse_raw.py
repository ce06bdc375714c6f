"""Reads a raw drawing in a line of JSON, and simplifies it. A part of `fastdraw.kernels.parse`."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.jit import allocating, inlined
from fastdraw.kernels.layout import LIMIT
from fastdraw.kernels.simplify import LARGEST, simplified
from fastdraw.kernels.tokens import CLOSE, COMMA, OPEN, UNKNOWN, number, skip


@inlined
def _numbers(text, at, out, to):
    """Parse an array of numbers into ``out[to:]``: how many, and where it ends."""
    if text[at] != OPEN:
        return 0, UNKNOWN
    count = 0
    while to + count < len(out):
        value, at = number(text, skip(text, at + 1))
        if at == UNKNOWN:
            return 0, UNKNOWN
        out[to + count] = value
        count += 1
        if text[at] == CLOSE:
            return count, at + 1
        if text[at] != COMMA:
            return 0, UNKNOWN
    return 0, UNKNOWN


@allocating
def raw_drawing(text, at, points, ends, out, to):
    """Parse strokes of x, y and times, to the rows of ``points``, and write them simplified to ``out[to:]``.

    Drawings that may be simplified ones with labels, or points instead of rows, are left to the complete parser.

    Returns
    -------
    strokes : int
    to : int
        Where they end in ``out``.
    at : int
        Where they end in the text.
    """
    if text[at] != OPEN:
        return 0, to, UNKNOWN
    strokes = size = 0
    pairs = True
    while strokes < len(ends):
        at = skip(text, at + 1)
        if text[at] != OPEN:
            return 0, to, UNKNOWN
        count = 0
        for row in range(3):
            also, at = _numbers(text, skip(text, at + 1), points[row], size)
            if at == UNKNOWN or text[at] != (CLOSE if row == 2 else COMMA) or (row > 0 and also != count):
                return 0, to, UNKNOWN
            count = also
        for i in range(size + 1, size + count):
            if points[2, i] < points[2, i - 1]:
                return 0, to, UNKNOWN
        at += 1
        size += count
        ends[strokes] = size
        strokes += 1
        pairs = pairs and count == 2
        if text[at] == CLOSE:
            break
        if text[at] != COMMA:
            return 0, to, UNKNOWN
    if text[at] != CLOSE or pairs:
        return 0, to, UNKNOWN
    in_pixels = True
    for i in range(size):
        for axis in range(2):
            value = points[axis, i]
            in_pixels = in_pixels and 0.0 <= value <= LARGEST and value == np.floor(value)
    if in_pixels:
        return 0, to, UNKNOWN

    pixels, new_ends, _ = simplified(points[0, :size], points[1, :size], ends[:strokes])
    begin = 0
    for end in new_ends:
        count = end - begin
        if count > LIMIT or to + 2 + 2 * count > len(out):
            return 0, to, UNKNOWN
        out[to] = count & 255
        out[to + 1] = count >> 8
        for i in range(count):
            out[to + 2 + i] = pixels[0, begin + i]
            out[to + 2 + count + i] = pixels[1, begin + i]
        to += 2 + 2 * count
        begin = end
    return strokes, to, at + 1
