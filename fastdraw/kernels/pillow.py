"""The segments of the style ``pillow``: the pixels of ``PIL.ImageDraw.Draw.line(points, fill, width)``.

Reproduces ``src/libImaging/Draw.c`` of Pillow 13.0: ``line8`` for width 1, ``ImagingDrawWideLine`` and
``polygon_generic`` for wider lines. Each segment is drawn on its own: Bresenham's line, or a quadrilateral with integer
corners, filled row by row in single precision. Either covers one span of pixels in each row. For nearly all segments
the spans depend on (dx, dy) alone, so short segments are looked up in a table of 64-bit words, with which `bitmap`
draws.
"""

from __future__ import annotations

import math

import numpy as np

from fastdraw.kernels.jit import allocating, inlined, jit, noinline

WORD = 64  # bits
SHORT = 32  # segments shorter than this in x and in y are looked up in a table
SIDE = 2 * SHORT - 1  # differences in x, or in y, of such segments
BY_PLACE = 1 << 15  # marks segments whose pixels depend on where they are
BLOCK = 8  # rows of a segment that are drawn at a time, needed or not: nearly all segments then take one step

HALF = np.float32(0.5)
ONE = np.float32(1.0)


@inlined
def _start_of_span(x):
    """First pixel of a span that begins at ``x`` (float32): rounds half away from zero, like ``ROUND_UP``."""
    return int(math.floor(x + HALF)) if x >= 0 else -int(math.floor(0.5 - np.float64(x)))


@inlined
def _end_of_span(x):
    """Last pixel of a span that ends at ``x`` (float32): rounds half towards zero, like ``ROUND_DOWN``."""
    return int(math.ceil(x - HALF)) if x >= 0 else -int(math.ceil(-np.float64(x) - 0.5))


@inlined
def _nearest(x):
    """Round ``x`` (float32) half away from zero, to float32, like ``roundf`` in C."""
    return np.float32(math.floor(x + 0.5) if x >= 0 else -math.floor(0.5 - x))


@inlined
def _towards_zero(value):
    """Round ``value`` (float64) half towards zero, like ``ROUND_DOWN``."""
    return int(math.ceil(value - 0.5)) if value >= 0 else -int(math.ceil(-value - 0.5))


@inlined
def _crossing(edges, slopes, i, y):
    """Where edge ``i``, extended, crosses row ``y``: the order and precision of the operations matter."""
    return np.float32(y - edges[i, 1]) * slopes[i] + np.float32(edges[i, 0])


@noinline
def _thin_spans(x0, y0, x1, y1, left, right):
    """Spans of Bresenham's line with both ends; returns (top row, number of rows)."""
    dx, dy = abs(x1 - x0), abs(y1 - y0)
    step_x, step_y = (1 if x1 >= x0 else -1), (1 if y1 >= y0 else -1)
    top = min(y0, y1)
    for row in range(dy + 1):
        left[row], right[row] = 1 << 30, -(1 << 30)
    error = 2 * min(dx, dy) - max(dx, dy)
    for _ in range(max(dx, dy) + 1):
        row = y0 - top
        left[row], right[row] = min(left[row], x0), max(right[row], x0)
        sideways = error >= 0
        error += 2 * min(dx, dy) - (2 * max(dx, dy) if sideways else 0)
        if dx > dy:
            x0 += step_x
            y0 += step_y if sideways else 0
        else:
            y0 += step_y
            x0 += step_x if sideways else 0
    return top, dy + 1


@noinline
def _wide_corners(x0, y0, x1, y1, width, edges, slopes):
    """Set the four edges (x, y, other x, other y, smallest y, largest y) of a wide segment, and their dx/dy."""
    dx, dy = x1 - x0, y1 - y0
    length = math.hypot(dx, dy)
    near, far = (width - 1) // 2, width // 2  # (width - 1) / 2, rounded down and up
    corners = (
        (x0 - _towards_zero(near / length * dy), y0 + _towards_zero(far / length * dx)),
        (x1 - _towards_zero(near / length * dy), y1 + _towards_zero(far / length * dx)),
        (x1 + _towards_zero(far / length * dy), y1 - _towards_zero(near / length * dx)),
        (x0 + _towards_zero(far / length * dy), y0 - _towards_zero(near / length * dx)),
    )
    for i in range(4):
        (ax, ay), (bx, by) = corners[i], corners[(i + 1) % 4]
        edges[i, 0], edges[i, 1], edges[i, 2], edges[i, 3] = ax, ay, bx, by
        edges[i, 4], edges[i, 5] = min(ay, by), max(ay, by)
        slopes[i] = np.float32(bx - ax) / np.float32(by - ay) if by != ay else np.float32(0)


@noinline
def _joined(edges, slopes, i, x, y):
    """Crossing ``x`` of edge ``i`` at its end row ``y``, moved if an earlier edge ends at the same point.

    At a sharp corner, both edges leave to the same side. Pillow then moves the crossing next to where they are in the
    neighbouring row, so that the corner is connected.
    """
    for k in range(i):
        if (y != edges[k, 4] and y != edges[k, 5]) or slopes[k] == 0:
            continue
        if _nearest(x) != _nearest(_crossing(edges, slopes, k, y)):
            continue
        next_y = y - 1 if y == edges[i, 5] else y + 1
        if edges[k, 4] <= next_y <= edges[k, 5]:
            a, b = _crossing(edges, slopes, i, next_y), _crossing(edges, slopes, k, next_y)
            if x > a + ONE and x > b + ONE:
                return _nearest(max(a, b)) + ONE
            if x < a - ONE and x < b - ONE:
                return _nearest(min(a, b)) - ONE
            return x
    return x


@noinline
def _sort(values, count):
    """Sort the first ``count`` values, at most eight, in place (insertion sort)."""
    for i in range(1, count):
        value = values[i]
        k = i - 1
        while k >= 0 and values[k] > value:
            values[k + 1] = values[k]
            k -= 1
        values[k + 1] = value


@noinline
def _wide_spans(x0, y0, x1, y1, width, left, right, edges, slopes, crossings):
    """Spans of a wide segment; returns (top row, number of rows)."""
    _wide_corners(x0, y0, x1, y1, width, edges, slopes)
    top, bottom = edges[0, 4], edges[0, 5]
    for i in range(1, 4):
        top, bottom = min(top, edges[i, 4]), max(bottom, edges[i, 5])
    for y in range(top, bottom + 1):
        start, end = 1 << 30, -(1 << 30)
        count = 0
        for i in range(4):
            if edges[i, 4] == edges[i, 5]:
                if edges[i, 1] == y:  # a horizontal edge is drawn from end to end
                    start = min(start, min(edges[i, 0], edges[i, 2]))
                    end = max(end, max(edges[i, 0], edges[i, 2]))
                continue
            if not edges[i, 4] <= y <= edges[i, 5]:
                continue
            x = _crossing(edges, slopes, i, y)
            if y == edges[i, 5] and y < bottom:  # an edge that ends above the last row counts twice there
                crossings[count] = x
                count += 1
            elif (y == edges[i, 4] or y == edges[i, 5]) and slopes[i] != 0:
                x = _joined(edges, slopes, i, x, y)
            crossings[count] = x
            count += 1
        _sort(crossings, count)
        for i in range(1, count, 2):
            a, b = _start_of_span(crossings[i - 1]), _end_of_span(crossings[i])
            if a <= b:
                start, end = min(start, a), max(end, b)
        left[y - top], right[y - top] = start, end
    return top, bottom - top + 1


@allocating
def scratch_for_spans(size, width):
    """Allocate what `spans` needs: the left and right end of each row, and the scratch arrays of `_wide_spans`."""
    rows = size + 2 * width + 2
    return (
        np.empty(rows, np.int64),
        np.empty(rows, np.int64),
        np.empty((4, 6), np.int64),
        np.empty(4, np.float32),
        np.empty(8, np.float32),
    )


@noinline
def spans(x0, y0, x1, y1, width, scratch):
    """Write the spans of a segment to ``scratch[0]`` (left ends) and ``scratch[1]`` (right ends).

    Returns (top row, number of rows). Rows without pixels have left > right.
    """
    left, right, edges, slopes, crossings = scratch
    if width == 1 or (x0 == x1 and y0 == y1):
        return _thin_spans(x0, y0, x1, y1, left, right)
    return _wide_spans(x0, y0, x1, y1, width, left, right, edges, slopes, crossings)


@noinline
def _depends_on_x(dx, dy, width, size, count, home, scratch):
    """Whether the pixels of a segment, relative to its first point, depend on where it is on the canvas.

    ``home`` holds its spans at x = ``size``, not clipped. Pillow computes in single precision where an edge crosses a
    row. For a few segments in a thousand, that is so close to half a pixel that the rounding depends on x.
    """
    left, right = scratch[0], scratch[1]
    for shift in range(-size, -abs(dx)):  # home is at x = size
        x0 = size - min(dx, 0) + shift
        spans(x0, 0, x0 + dx, dy, width, scratch)
        for row in range(count):
            a, b = max(home[0, row] + shift, 0), min(home[1, row] + shift, size - 1)
            c, d = max(left[row], 0), min(right[row], size - 1)
            if (a != c or b != d) and (a <= b or c <= d):
                return True
    return False


@inlined
def _word(first, last, origin):
    """Bits ``first - origin`` to ``last - origin``."""
    word = np.uint64(0)
    for x in range(first, last + 1):
        word |= np.uint64(1) << np.uint64(x - origin)
    return word


@jit
def segment_table(size, width, segments, blocks):
    """Make the table of short segments for canvases of up to ``size`` pixels.

    Parameters
    ----------
    size, width : int
        Side of the canvas, at least ``SHORT``, and width of the line, in pixels; the width is at most ``WORD - SHORT``.
    segments : (SIDE * SIDE,) uint64, out
        Entry ``(dy + SHORT - 1) * SIDE + dx + SHORT - 1`` describes segment (dx, dy). Bits 0-31 are the index of its
        first block; bits 32-47 the number of its blocks, plus ``BY_PLACE`` if its pixels depend on its place: if
        ``size`` is ``SHORT``, it has as many blocks for each x of its leftmost point, else none; bits 48-63 are
        ``2 * SHORT`` plus its top row relative to its first point.
    blocks : (b, BLOCK) uint64, out
        A word for each row. Bit ``i`` is the pixel ``i - width // 2`` to the right of the leftmost point.

    Returns
    -------
    int
        Number of blocks. If it is more than ``b``, only the first ``b`` blocks were written.
    """
    scratch = scratch_for_spans(size, width)
    left, right = scratch[0], scratch[1]
    home = np.empty((2, len(left)), np.int64)
    used = 0
    number = 0
    for dy in range(1 - SHORT, SHORT):
        for dx in range(1 - SHORT, SHORT):
            # Away from x = 0, where the direction of rounding changes.
            x0 = size - min(dx, 0)
            top, count = spans(x0, 0, x0 + dx, dy, width, scratch)
            for row in range(count):
                home[0, row], home[1, row] = left[row], right[row]
            steps = (count + BLOCK - 1) // BLOCK
            first_place, places, kind = size, 1, 0
            if _depends_on_x(dx, dy, width, size, count, home, scratch):
                first_place, places, kind = 0, (SHORT if size == SHORT else 0), BY_PLACE
            segments[number] = used | (steps + kind) << 32 | (top + 2 * SHORT) << 48
            number += 1
            for place in range(first_place, first_place + places):
                x0 = place - min(dx, 0)
                spans(x0, 0, x0 + dx, dy, width, scratch)
                for row in range(steps * BLOCK):
                    if used + row // BLOCK < len(blocks):
                        word = _word(left[row], right[row], place - width // 2) if row < count else np.uint64(0)
                        blocks[used + row // BLOCK, row % BLOCK] = word
                used += steps
    return used
