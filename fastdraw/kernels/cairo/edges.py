"""The edges of an outline, and the fill of pixel rows by exact areas.

Reproduces ``src/cairo-tor-scan-converter.c`` of Cairo 1.16.0: `add_edges` does what ``polygon_add_edge`` does,
`are_sorted` is a part of ``can_do_full_row``, `add_areas` and `_add_area` give the cells of ``full_row`` and
``cell_list_render_edge``.

Cairo samples an outline on 15 lines a pixel row; an edge crosses the lines whose middle is between its ends. Pixel rows
in which no edge starts, ends or crosses another are not sampled: their areas are computed exactly (`add_areas`).

Edges are numbered from 1 on, in the order of the outline; 0 means no edge. Edges that cross no line have numbers too.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.cairo.pen import Ints, Points
from fastdraw.kernels.jit import inlined

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ids: TypeAlias = npt.NDArray[np.uint32]
Cells: TypeAlias = npt.NDArray[np.int32]


class Edges(NamedTuple):
    """The edges of an outline as a structure of arrays, so that they are made several at a time."""

    x: Ints  # where the edge, extended, crosses sample line 0: 2**-40 of 1/256 pixel; lowest bit: 1 where it goes up
    step: Ints  # how much x grows from one line to the next; even, so the lowest bit stays
    lines: Ints  # lower half: the first line that is crossed; upper half: the first line below it that is not
    following: Ids  # the next edge in a bucket


LINES = 15  # sample lines in a pixel row

# Unsigned indices need no test for negative values, which took a fifth of the time of `google.draw`.
_u = np.uint32

# x is biased by 1/2, so that x >> 40 rounds to nearest. It is also biased by 2**-23, far less than the distance of any
# two values of x, so that exact halves are rounded up in spite of the error of the sum.
_BIAS = 0.5 + 2.0**-23


@inlined
def x_at(edges: Edges, e: np.uint32, line: int) -> int:
    """Return x on a line, as in `Edges`; ``>> 40`` rounds it to 1/256 pixel."""
    return edges.x[e] + line * edges.step[e]


@inlined
def first_line(edges: Edges, e: int) -> int:
    """Return the first line that an edge crosses."""
    return edges.lines[_u(e)] & 0xFFFFFFFF


@inlined
def end_line(edges: Edges, e: int) -> int:
    """Return the first line below an edge."""
    return edges.lines[_u(e)] >> 32


@inlined
def add_edges(points: Points, count: int, backward: int, edges: Edges, end: int) -> int:
    """Append the edges between the points of an open line of the outline; return the number of the next edge.

    ``backward`` is 1 for a line that the outline runs through from its end to its start, and 0 otherwise.

    The loop has no branches, and its indices cannot wrap around: LLVM vectorizes it. AVX2 makes floats of integers of
    32 bits alone.
    """
    px, py = points.x, points.y
    x, step, lines = edges.x, edges.step, edges.lines
    first, one = np.uint64(end), np.uint64(1)
    for i in range(np.uint64(max(count, 1)) - one):
        x1, y1, x2, y2 = px[i], py[i], px[i + one], py[i + one]
        line1 = (LINES * y1 + 128) >> 8
        line2 = (LINES * y2 + 128) >> 8
        slope = np.int32(x2 - x1) / (15.0 * np.int32(y2 - y1))  # undefined for a horizontal edge, which crosses no line
        down = line1 < line2
        top = line1 if down else line2
        x_top = np.int32(x1 if down else x2) + _BIAS
        x_top += slope * np.int32(256 * top + 128 - LINES * (y1 if down else y2))
        to_next = np.int64(slope * 2.0**48) & -2
        x[first + i] = (np.int64(x_top * 2.0**40) & -2 | (backward if down else 1 - backward)) - top * to_next
        step[first + i] = to_next
        lines[first + i] = top | (line2 if down else line1) << 32
    return end + max(count - 1, 0)


@inlined
def bucket_edges(edges: Edges, end: int, height: int, heads: Ids) -> None:
    """Put the edges up to ``end`` into buckets of ``height`` lines, by their first line.

    ``heads`` holds the first edge of each bucket, ``edges.following`` the next.
    """
    for e in range(end - 1, 0, -1):
        top = first_line(edges, e)
        at = _u(top) // _u(height)
        head = heads[at]
        edges.following[_u(e)] = head
        heads[at] = e if top < end_line(edges, e) else head


@inlined
def sort(active: Ids, n: int, edges: Edges, line: int) -> None:
    """Sort edges by x on a line (insertion sort, stable)."""
    for k in range(1, n):
        e = active[_u(k)]
        x = x_at(edges, e, line) >> 40
        to = k
        while to > 0 and x_at(edges, active[_u(to - 1)], line) >> 40 > x:
            active[_u(to)] = active[_u(to - 1)]
            to -= 1
        active[_u(to)] = e


@inlined
def are_sorted(active: Ids, n: int, edges: Edges, line: int) -> bool:
    """Tell whether edges are sorted by x on a line."""
    x = np.int64(0)
    for k in range(n):
        before, x = x, x_at(edges, active[_u(k)], line) >> 40
        if x < before:
            return False
    return True


@inlined
def drop_ended(active: Ids, n: int, edges: Edges, line: int) -> tuple[int, bool]:
    """Drop the edges that end above a line.

    Returns how many are left, and whether they all cross the whole pixel row that begins with the line.
    """
    kept = 0
    whole = True
    for k in range(n):
        e = active[_u(k)]
        end = end_line(edges, e)
        active[_u(kept)] = e
        kept += end > line
        whole &= (end <= line) | (end >= line + LINES)
    return kept, whole


@inlined
def add_areas(active: Ids, n: int, edges: Edges, line: int, cells: Cells) -> tuple[int, int]:
    """Add the areas that sorted edges enclose to the cells of the pixel row that begins with ``line``.

    All edges must cross the whole row. A span is filled from its first to its last edge, even where a gap opens inside
    the row: so does Cairo.

    A cell is a pixel of the row. Where an edge begins a span on some sample lines, their number is added to the upper
    half of the cell, and twice the area left of the edge to the lower half; where an edge ends a span, the same is
    subtracted.

    Returns the first cell that changed, and the one after the last.
    """
    left, right = np.int64(len(cells)), np.int64(0)
    winding = np.int64(0)
    first = _u(0)  # the edge that begins the span
    for k in range(n):
        e = active[_u(k)]
        if first == 0:
            first = e
        winding += 1 - 2 * (edges.x[e] & 1)
        if winding == 0 and (k == n - 1 or x_at(edges, active[_u(k + 1)], line) >> 40 != x_at(edges, e, line) >> 40):
            from_, to = _add_area(x_at(edges, first, line), edges.step[first], 1, cells)
            left, right = min(left, from_), max(right, to)
            from_, to = _add_area(x_at(edges, e, line), edges.step[e], -1, cells)
            left, right = min(left, from_), max(right, to)
            first = _u(0)
    return left, right + 1


@inlined
def _add_area(x: int, step: int, sign: int, cells: Cells) -> tuple[int, int]:
    """Add the area right of one edge; return the first and the last cell that changed.

    The edge is moved up from the middle of the first sample line to the top of the row by half a step. As in Cairo, the
    whole 1/256 pixels of a step are halved by integer division, apart from the fraction.
    """
    half = step >> 1
    if (abs(step) >> 40) & 1:
        half -= (1 << 39) if step > 0 else -(1 << 39)
    x -= half + (1 << 39)
    first, last = x >> 40, (x + LINES * step) >> 40
    i, j = first >> 8, last >> 8
    from_left, to_left = first & 255, last & 255
    if i == j:
        cells[_u(i)] += sign * ((LINES << 16) + (from_left + to_left) * LINES)
        return i, j
    if j < i:
        i, j = j, i
        from_left, to_left = to_left, from_left
        x += LINES * step
        step = -step
    x -= 1 << 18  # so that exact quotients are not rounded down
    lines_per_x = 1.0 / step
    done = np.int64(0)
    left = i
    while i < j:
        lines = np.int64((((i + 1) << 48) - x) * lines_per_x)
        cells[_u(i)] += sign * (((lines - done) << 16) + (lines - done) * (256 + from_left))
        done = lines
        from_left = 0
        i += 1
    cells[_u(j)] += sign * (((LINES - done) << 16) + (LINES - done) * to_left)
    return left, j
