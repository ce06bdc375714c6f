"""The edges of an outline, and the pixel rows that their areas fill.

Cairo samples an outline on 15 lines a pixel row; an edge crosses those whose middle lies between its ends. Pixel rows
in which no edge starts, ends or crosses another are not sampled but measured as areas (`add_areas`).

An edge is eight numbers in an array, of which five are used. Its id is the place of the first; 0 means no edge.

- +0: x on sample line 0, were the edge so long, in 2**-40 of 1/256 pixel; the lowest bit is 1 where the edge goes up
- +1: what x grows by from one line to the next (an even number: it leaves that bit alone)
- +2: the first line that is crossed
- +3: the first line after that which is not
- +4: the edge that was added before it in the same pixel row
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.jit import part

Bytes: TypeAlias = npt.NDArray[np.uint8]
Ints: TypeAlias = npt.NDArray[np.int64]
Ids: TypeAlias = npt.NDArray[np.uint32]
Cells: TypeAlias = npt.NDArray[np.int32]

LINES = 15  # sample lines in a pixel row
EDGE = 8  # numbers of an edge; the first edge has the id 8

# Unsigned indices spare numba the test for negative ones, a fifth of the time of `google.draw`.
_u = np.uint32

# x is biased by 1/2, so that x >> 40 rounds, and by 2**-23, far less than two different x can be apart, so that the
# exact halves are rounded up whatever the error of the sum.
_BIAS = 0.5 + 2.0**-23


@part
def place(edges: Ints, e: np.uint32, line: int) -> int:
    """Return x on a line in 2**-40 of 1/256 pixel, rounded by ``>> 40``, and the direction in the lowest bit."""
    return edges[e] + line * edges[e + 1]


@part
def add_edges(polyline: Ints, count: int, up: int, edges: Ints, end: int, heads: Ids) -> int:
    """Append the edges between the points of a part of the outline, and return the new end of ``edges``.

    ``heads`` has the last edge that starts in each pixel row. The last edge of an outline is added first: then the
    lists begin with the first one, the order that Cairo has.
    """
    x2, y2 = polyline[count - 1, 0], polyline[count - 1, 1]
    line2 = (LINES * y2 + 128) >> 8
    for i in range(count - 2, -1, -1):
        x1, y1 = polyline[i, 0], polyline[i, 1]
        line1 = (LINES * y1 + 128) >> 8
        if line1 != line2:
            slope = (x2 - x1) / (15.0 * (y2 - y1))
            down = line1 < line2
            top, bottom = (line1, line2) if down else (line2, line1)
            x, y = (x1, y1) if down else (x2, y2)
            x_top = x + _BIAS + slope * (256 * top + 128 - LINES * y)
            step = np.int64(slope * 2.0**48) & -2
            e = _u(end)
            edges[e] = (np.int64(x_top * 2.0**40) & -2 | (up if down else 1 - up)) - top * step
            edges[e + 1] = step
            edges[e + 2] = top
            edges[e + 3] = bottom
            row = _u(top) // _u(LINES)
            edges[e + 4] = heads[row]
            heads[row] = e
            end += EDGE
        x2, y2, line2 = x1, y1, line1
    return end


@part
def sort(active: Ids, n: int, edges: Ints, line: int) -> None:
    """Sort edges by x on a line; those at the same place stay in their order."""
    for k in range(1, n):
        e = active[_u(k)]
        x = place(edges, e, line) >> 40
        to = k
        while to > 0 and place(edges, active[_u(to - 1)], line) >> 40 > x:
            active[_u(to)] = active[_u(to - 1)]
            to -= 1
        active[_u(to)] = e


@part
def are_sorted(active: Ids, n: int, edges: Ints, line: int) -> bool:
    """Tell whether edges are in the order of x on a line."""
    x = np.int64(0)
    for k in range(n):
        before, x = x, place(edges, active[_u(k)], line) >> 40
        if x < before:
            return False
    return True


@part
def drop_ended(active: Ids, n: int, edges: Ints, line: int) -> tuple[int, bool]:
    """Drop the edges that do not reach a line; return how many are left, and whether these reach a row further."""
    kept = 0
    far = True
    for k in range(n):
        e = active[_u(k)]
        end = edges[e + 3]
        active[_u(kept)] = e
        kept += end > line
        far &= (end <= line) | (end >= line + LINES)
    return kept, far


@part
def add_areas(active: Ids, n: int, edges: Ints, line: int, cells: Cells) -> None:
    """Add to the cells of the pixel row that begins with ``line`` what edges enclose that cross all of it, in order.

    Between the first and the last edge of an enclosed part all is filled, gaps that open within the row too.

    A cell is a pixel of the row: where an edge begins an enclosed part on some lines, their number is added to its
    upper half, and twice the length outside, left of the edge, to the lower; where one ends it, the same is subtracted.
    """
    winding = np.int64(0)
    first = _u(0)  # the edge that begins the enclosed part; none so far
    for k in range(n):
        e = active[_u(k)]
        if first == 0:
            first = e
        winding += 1 - 2 * (edges[e] & 1)
        if winding == 0 and (k == n - 1 or place(edges, active[_u(k + 1)], line) >> 40 != place(edges, e, line) >> 40):
            _add_area(place(edges, first, line), edges[first + 1], 1, cells)
            _add_area(place(edges, e, line), edges[e + 1], -1, cells)
            first = _u(0)


@part
def _add_area(x: int, step: int, sign: int, cells: Cells) -> None:
    """Add what lies right of one edge, as an area.

    The edge is moved up from the middle of the first sample line to the top of the row by half a step; of a step in
    1/256 pixel the whole part and the rest are halved apart, and the former loses its half.
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
        return
    if j < i:
        i, j = j, i
        from_left, to_left = to_left, from_left
        x += LINES * step
        step = -step
    x -= 1 << 18  # so that exact quotients are not rounded down
    lines_per_x = 1.0 / step
    done = np.int64(0)
    while i < j:
        lines = np.int64((((i + 1) << 48) - x) * lines_per_x)
        cells[_u(i)] += sign * (((lines - done) << 16) + (lines - done) * (256 + from_left))
        done = lines
        from_left = 0
        i += 1
    cells[_u(j)] += sign * (((LINES - done) << 16) + (LINES - done) * to_left)
