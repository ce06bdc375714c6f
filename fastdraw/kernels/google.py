"""Google's bitmaps: the 28 x 28 images that Cairo draws of Quick, Draw! strokes, byte for byte.

The official ``numpy_bitmap`` files were drawn with Cairo (1.16's image backend): round pen 16 units wide,
on a field of 304 units scaled to the image, every stroke in white over black with its best antialiasing.
This file computes the same bytes. It follows Cairo in these steps, and each function says which it does:

1. points become 24.8 fixed point numbers, and points that change nothing are dropped (`_path`);
2. the pen is a polygon (`_pen`), and a stroke is one outline: the two sides of every segment, fans of pen
   vertices around the outer side of every join and around both ends (`_outline`);
3. the outline's edges are sampled on 15 lines a pixel row (`_add_edges`), kept sorted from left to right
   (`_enter`), and what they enclose by the non-zero rule is measured in 1/256 of a pixel (`_fill`);
   pixel rows in which no edge starts, ends or crosses another are measured as areas (`_add_area`);
4. the coverage, in 255ths, blends white over what earlier strokes left (`_blend`).

Where Cairo's result depends on a detail (rounding, the order of edges that touch), that detail is kept.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.jit import jit
from fastdraw.kernels.records import HEAD

_Bytes: TypeAlias = npt.NDArray[np.uint8]
_Ints: TypeAlias = npt.NDArray[np.int64]
_Ids: TypeAlias = npt.NDArray[np.uint32]

_TOLERANCE = 0.1  # pixels: how far the pen's polygon may miss the circle
_LINES = 15  # sample lines in a pixel row

# Unsigned indices spare numba the test for negative ones, a fifth of the time of `draw`.
_u = np.uint32

# An edge is four numbers in `edges`; its id is the place of the first, and 0 means no edge.
#   +0  x on the current sample line in 2**-40 of 1/256 pixel; the lowest bit is 1 where the edge goes up
#   +1  what x grows by from one line to the next (an even number: it leaves that bit alone)
#   +2  the first line that is not crossed any more
#   +3  the next edge that starts on the same line
# x is biased by 1/2, so that x >> 40 rounds, and by 2**-23, far less than two different x can be apart, so
# that the exact halves are rounded up whatever the error of the sum.
_BIAS = 0.5 + 2.0**-23


@jit
def _turn(ax: int, ay: int, bx: int, by: int) -> int:
    """Return the sign of the angle from b to a, with Cairo's choice of -1 or 1 for opposite directions."""
    cross = ay * bx - by * ax
    if cross != 0:
        return 1 if cross > 0 else -1
    if (ax ^ bx) < 0 or (ay ^ by) < 0:
        return -1 if ax > 0 or (ax == 0 and ay > 0) else 1
    return 0


# Step 1: the path.


@jit
def _path(records: _Bytes, at: int, count: int, scale: float, shift: tuple[float, float], path: _Ints) -> int:
    """Write a stroke's points in fixed point into `path`, and return how many are left.

    A point like the one before it is dropped, and a point on the straight way to the next one too: the
    sides of the stroke are rounded segment by segment, so that fewer points are other sides.
    """
    n = 0
    for i in range(count):
        x = np.int64(np.rint((scale * (records[at + i] + shift[0]) + 24 * scale) * 256.0))
        y = np.int64(np.rint((scale * (records[at + count + i] + shift[1]) + 24 * scale) * 256.0))
        if n > 0 and x == path[n - 1, 0] and y == path[n - 1, 1]:
            continue
        if n > 1:
            ax, ay = path[n - 1, 0] - path[n - 2, 0], path[n - 1, 1] - path[n - 2, 1]
            bx, by = x - path[n - 1, 0], y - path[n - 1, 1]
            if ay * bx == by * ax and ax * bx + ay * by >= 0:
                n -= 1
        path[n, 0] = x
        path[n, 1] = y
        n += 1
    return n


# Step 2: the pen and the outline of a stroke.


@jit
def _pen(radius: float) -> _Ints:
    """Return the pen's vertices: x, y, then the direction of the side before and of the side after."""
    n = 4
    if radius > _TOLERANCE:
        n = max(4, int(math.ceil(2 * math.pi / math.acos(1 - _TOLERANCE / radius))))
        n += n % 2
    pen = np.empty((n, 6), np.int64)
    for i in range(n):
        angle = 2 * math.pi * i / n
        pen[i, 0] = np.int64(np.rint(radius * math.cos(angle) * 256.0))
        pen[i, 1] = np.int64(np.rint(radius * math.sin(angle) * 256.0))
    for i in range(n):
        before, after = (i - 1) % n, (i + 1) % n
        for axis in range(2):
            pen[i, 2 + axis] = pen[i, axis] - pen[before, axis]
            pen[i, 4 + axis] = pen[after, axis] - pen[i, axis]
    return pen


@jit
def _fan(pen: _Ints, ax: int, ay: int, bx: int, by: int, x: int, y: int, cw: bool, side: _Ints, n: int) -> int:
    """Append to an outline the pen's vertices around (x, y) from direction a to direction b.

    The first vertex is found by bisection, as in Cairo: that decides about directions parallel to a side of
    the pen. Counter-clockwise fans have one vertex more than clockwise ones.
    """
    count = len(pen)
    low, high = 0, count
    i = count >> 1
    while high - low > 1:
        if (_turn(pen[i, 2], pen[i, 3], ax, ay) if cw else _turn(ax, ay, pen[i, 4], pen[i, 5])) < 0:
            low = i
        else:
            high = i
        i = (low + high) >> 1
    if (_turn(pen[i, 2], pen[i, 3], ax, ay) if cw else _turn(ax, ay, pen[i, 4], pen[i, 5])) < 0:
        i = (i + 1) % count
    least = 0
    if not cw:
        if _turn(pen[i, 2], pen[i, 3], bx, by) > 0:
            return n
        least = 2
    while least > 0 or _turn(bx, by, pen[i, 4], pen[i, 5]) >= (0 if cw else 1):
        least -= 1
        side[n, 0] = x + pen[i, 0]
        side[n, 1] = y + pen[i, 1]
        n += 1
        i += 1 if cw else count - 1
        if i >= count:
            i -= count
    return n


@jit
def _put(side: _Ints, n: int, x: int, y: int) -> int:
    """Append a point to an outline, and return its new length."""
    side[n, 0] = x
    side[n, 1] = y
    return n + 1


@jit
def _outline(
    path: _Ints, count: int, pen: _Ints, reach: float, right: _Ints, left: _Ints, start: _Ints
) -> tuple[int, int, int]:
    """Write the outline of a stroke as three open lines, and return the length of each.

    `right` and `left` are the sides, `left` with the round end; `start` is the round beginning. On the
    inner side of a join the outline goes through the path's own point.
    """
    x, y = path[0, 0], path[0, 1]
    if count == 1:  # a dot: two ends back to back
        down = np.int64(np.rint(reach))
        n = _put(left, _fan(pen, -256, 0, 256, 0, x, y, False, left, 0), x, y + down)
        n = _put(left, _fan(pen, 256, 0, -256, 0, x, y, False, left, n), x, y - down)
        return 0, _put(left, n, left[0, 0], left[0, 1]), 0
    n_right = n_left = n_start = 0
    ax = ay = afx = afy = np.int64(0)
    for i in range(1, count):
        # The face: the vector from the path to its left side, square to the segment and rounded.
        bx, by = path[i, 0] - x, path[i, 1] - y
        ratio = reach / math.sqrt(float(bx * bx + by * by))
        fx, fy = np.int64(np.rint(-by * ratio)), np.int64(np.rint(bx * ratio))
        if i == 1:
            n_right = _put(right, 0, x - fx, y - fy)
            n_left = _put(left, 0, x + fx, y + fy)
            n_start = _fan(pen, -bx, -by, bx, by, x, y, False, start, _put(start, 0, x - fx, y - fy))
            n_start = _put(start, n_start, x + fx, y + fy)
        else:
            turn = _turn(ax, ay, bx, by)
            same = fx == afx and fy == afy
            if turn < 0:
                if not same:
                    n_right = _fan(pen, ax, ay, bx, by, x, y, True, right, n_right)
                    n_right = _put(right, n_right, x - fx, y - fy)
                n_left = _put(left, _put(left, n_left, x, y), x + fx, y + fy)
            elif turn > 0:
                if not same:
                    n_left = _fan(pen, ax, ay, bx, by, x, y, False, left, n_left)
                    n_left = _put(left, n_left, x + fx, y + fy)
                n_right = _put(right, _put(right, n_right, x, y), x - fx, y - fy)
        x, y = path[i, 0], path[i, 1]
        n_right = _put(right, n_right, x - fx, y - fy)
        n_left = _put(left, n_left, x + fx, y + fy)
        ax, ay, afx, afy = bx, by, fx, fy
    n_left = _fan(pen, ax, ay, -ax, -ay, x, y, False, left, n_left)
    return n_right, _put(left, n_left, x - afx, y - afy), n_start


# Step 3: filling the outline.


@jit
def _add_edges(line: _Ints, count: int, up: int, edges: _Ints, end: int, heads: _Ids, broken: _Bytes) -> int:
    """Append the edges between the points of `line`, and return the new end of `edges`.

    An edge crosses the sample lines whose middle lies between its ends. `heads` lists the edges that start
    on a line, and `broken` marks the pixel rows in which one starts after the first line or ends before the
    last. The last edge is added first: the lists then begin with the first one, the order that Cairo has.
    """
    x2, y2 = line[count - 1, 0], line[count - 1, 1]
    line2 = (_LINES * y2 + 128) >> 8
    for i in range(count - 2, -1, -1):
        x1, y1 = line[i, 0], line[i, 1]
        line1 = (_LINES * y1 + 128) >> 8
        if line1 != line2:
            slope = (x2 - x1) / (15.0 * (y2 - y1))
            down = line1 < line2
            top, bottom = (line1, line2) if down else (line2, line1)
            x, y = (x1, y1) if down else (x2, y2)
            e = _u(end)
            place = x + _BIAS + slope * (256 * top + 128 - _LINES * y)
            edges[e] = np.int64(place * 2.0**40) & -2 | (up if down else 1 - up)
            edges[e + 1] = np.int64(slope * 2.0**48) & -2
            edges[e + 2] = bottom
            edges[e + 3] = heads[_u(top)]
            heads[_u(top)] = e
            broken[_u(top) // _u(_LINES)] |= _u(top) % _u(_LINES) != 0
            broken[_u(bottom) // _u(_LINES)] |= _u(bottom) % _u(_LINES) != 0
            end += 4
        x2, y2, line2 = x1, y1, line1
    return end


@jit
def _merge(active: _Ids, edges: _Ints, low: int, middle: int, high: int) -> None:
    """Merge the sorted edges active[middle:high] into the sorted active[low:middle].

    Of edges at the same place, one of the second list comes after those of the first, except right behind
    another of the second list: Cairo takes from one list as long as it can, then from the other.
    """
    behind = high  # the place after the edge that was moved last
    for k in range(middle, high):
        e = active[_u(k)]
        x = edges[e] >> 40
        to = k
        if behind < k and edges[active[_u(behind)]] >> 40 >= x:
            while to > behind:
                active[_u(to)] = active[_u(to - 1)]
                to -= 1
        elif behind != k:
            while to > low and edges[active[_u(to - 1)]] >> 40 > x:
                active[_u(to)] = active[_u(to - 1)]
                to -= 1
        active[_u(to)] = e
        behind = to + 1


@jit
def _enter(active: _Ids, n: int, edges: _Ints, e: np.uint32) -> int:
    """Add to the active edges the list that begins with `e`, sorted by merging; return how many there are."""
    m = n
    while e != 0:
        active[_u(m)] = e
        e = _u(edges[e + 3])
        m += 1
    width = 1
    while width < m - n:
        for k in range(n, m - width, 2 * width):
            _merge(active, edges, k, k + width, min(k + 2 * width, m))
        width *= 2
    _merge(active, edges, 0, n, m)
    return m


@jit
def _add_area(x: int, step: int, sign: int, cells: _Ints) -> None:
    """Add to a pixel row what lies right of an edge that crosses all of it, as an area.

    The edge is moved up from the middle of the first sample line to the top of the row by half a step; of a
    step in 1/256 pixel the whole part and the rest are halved apart, and the former loses its half.
    """
    half = step >> 1
    if (abs(step) >> 40) & 1:
        half -= (1 << 39) if step > 0 else -(1 << 39)
    x -= half + (1 << 39)
    first, last = x >> 40, (x + _LINES * step) >> 40
    i, j = first >> 8, last >> 8
    from_left, to_left = first & 255, last & 255
    if i == j:
        cells[_u(i)] += sign * ((_LINES << 32) + (from_left + to_left) * _LINES)
        return
    if j < i:
        i, j = j, i
        from_left, to_left = to_left, from_left
        x += _LINES * step
        step = -step
    x -= 1 << 18  # so that exact quotients are not rounded down
    lines_per_x = 1.0 / step
    done = np.int64(0)
    while i < j:
        lines = np.int64((((i + 1) << 48) - x) * lines_per_x)
        cells[_u(i)] += sign * (((lines - done) << 32) + (lines - done) * (256 + from_left))
        done = lines
        from_left = 0
        i += 1
    cells[_u(j)] += sign * (((_LINES - done) << 32) + (_LINES - done) * to_left)


@jit
def _fill(
    edges: _Ints,
    heads: _Ids,
    broken: _Bytes,
    active: _Ids,
    cells: _Ints,
    box: tuple[int, int, int, int],
    image: _Bytes,
) -> None:
    """Fill the outline in the pixels of `box` (left, top, right, bottom), row by row.

    A cell is a pixel of the row: where an edge begins an enclosed part on some lines, their number is added
    to its upper half, and twice the length outside, left of the edge, to the lower; where one ends it,
    the same is subtracted.
    """
    n = 0
    for row in range(box[1], box[3]):
        whole = broken[row] == 0
        broken[row] = 0
        for line in range(row * _LINES, (row + 1) * _LINES):
            e = heads[_u(line)]
            if e != 0:
                heads[_u(line)] = 0
                n = _enter(active, n, edges, e)
            if whole:  # only ever true on the first line
                x = np.int64(0)
                for k in range(n):
                    e = active[_u(k)]
                    previous, x = x, (edges[e] + _LINES * edges[e + 1]) >> 40
                    whole &= x >= previous
            if whole:
                n = _fill_whole(edges, active, n, (row + 1) * _LINES, cells)
                break
            kept = 0
            winding = x = disorder = np.int64(0)
            for k in range(n):
                e = active[_u(k)]
                place = edges[e]
                before = winding
                winding += 1 - 2 * (place & 1)
                if before == 0 or winding == 0:
                    weight = (1 << 32) + ((place >> 39) & 510)
                    cells[_u(place >> 48)] += weight if before == 0 else -weight
                # On to the next line: drop the edge if it ends, and see whether it overtook another.
                place += edges[e + 1]
                edges[e] = place
                active[_u(kept)] = e
                lives = edges[e + 2] != line + 1
                kept += lives
                disorder |= (place >> 40) - x if lives else 0
                x = place >> 40 if lives else x
            n = kept
            if disorder < 0:
                for k in range(1, n):
                    e = active[_u(k)]
                    x = edges[e] >> 40
                    to = k
                    while to > 0 and edges[active[_u(to - 1)]] >> 40 > x:
                        active[_u(to)] = active[_u(to - 1)]
                        to -= 1
                    active[_u(to)] = e
        _blend(cells, box[0], box[2], image[row])
    broken[box[3]] = 0


@jit
def _fill_whole(edges: _Ints, active: _Ids, n: int, end: int, cells: _Ints) -> int:
    """Add a whole pixel row to the cells at once, and return how many edges reach the next one.

    Between the first and the last edge of an enclosed part all is filled, gaps that open within the row too.
    """
    k = 0
    while k < n:
        first = last = active[_u(k)]
        winding = np.int64(0)
        while True:
            last = active[_u(k)]
            winding += 1 - 2 * (edges[last] & 1)
            k += 1
            if winding == 0 and (k == n or edges[active[_u(k)]] >> 40 != edges[last] >> 40):
                break
        _add_area(edges[first], edges[first + 1], 1, cells)
        _add_area(edges[last], edges[last + 1], -1, cells)
    kept = 0
    for k in range(n):
        e = active[_u(k)]
        edges[e] += _LINES * edges[e + 1]
        active[_u(kept)] = e
        kept += edges[e + 2] != end
    return kept


# Step 4: compositing.


@jit
def _blend(cells: _Ints, left: int, right: int, pixels: _Bytes) -> None:
    """Blend white over a row of pixels by the coverage in its cells, and empty these.

    The coverage is a sum of 15 lines of 2 x 256 each, rounded to 255ths; white over v is then the coverage
    plus v times the rest, divided by 255 with Cairo's rounding.
    """
    lines = np.int64(0)
    for x in range(left, right):
        cell = cells[_u(x)]
        cells[_u(x)] = 0
        outside = (cell << 32) >> 32
        lines += (cell - outside) >> 32
        alpha = (17 * (512 * lines - outside) + 256) >> 9
        rest = pixels[_u(x)] * (255 - alpha) + 127
        pixels[_u(x)] = alpha + (((rest >> 8) + rest) >> 8)


@jit
def _count(records: _Bytes, at: int, end: int) -> int:
    """Return the number of points of the stroke at ``at``, no more than there are bytes for."""
    return min(np.int64(records[at]) | np.int64(records[at + 1]) << 8, (end - at - 2) // 2)


@jit
def draw(records: _Bytes, starts: _Ints, size: int, out: _Bytes) -> None:
    """Draw records as Google's bitmaps.

    Parameters
    ----------
    records
        (B,) bytes: whole, valid records of the binary format, back to back.
    starts
        (n + 1,) offsets: record i is ``records[starts[i]:starts[i + 1]]``.
    size
        The side of an image in pixels, from 8 to 256. Google's own bitmaps have 28; other sizes are the
        same recipe, scaled.
    out
        (n, size, size) bytes, all of them written: 0 is the background, 255 full ink.
    """
    scale = size / 304.0
    reach = 8 * scale * 256.0  # half the line's width in fixed point
    margin = int(reach) + 2
    pen = _pen(8 * scale)

    longest = np.int64(1)
    for d in range(len(starts) - 1):
        at, end = starts[d] + HEAD, starts[d + 1]
        while at + 2 <= end:
            count = _count(records, at, end)
            longest = max(longest, count)
            at += 2 + 2 * count
    # A join adds at most a fan (half the pen and two vertices) and five points to the outline.
    room = longest * (len(pen) // 2 + 8) + 2 * len(pen) + 16
    path = np.empty((longest, 2), np.int64)
    right = np.empty((room, 2), np.int64)
    left = np.empty((room, 2), np.int64)
    start = np.empty((len(pen) + 8, 2), np.int64)
    edges = np.empty(4 * room + 4, np.int64)
    active = np.empty(room, np.uint32)
    heads = np.zeros(size * _LINES + 1, np.uint32)
    broken = np.zeros(size + 1, np.uint8)
    cells = np.zeros(size + 1, np.int64)

    out[:] = 0
    for d in range(len(starts) - 1):
        # The drawing is centred by its largest coordinates alone: that is Google's recipe.
        at, last = starts[d] + HEAD, starts[d + 1]
        x_max = y_max = np.int64(0)
        while at + 2 <= last:
            count = _count(records, at, last)
            at += 2
            for i in range(at, at + count):
                x_max = max(x_max, np.int64(records[i]))
                y_max = max(y_max, np.int64(records[i + count]))
            at += 2 * count
        shift = ((256 - x_max) / 2.0, (256 - y_max) / 2.0)

        at = starts[d] + HEAD
        while at + 2 <= last:
            count = _count(records, at, last)
            at += 2
            if count == 0:
                continue
            points = _path(records, at, count, scale, shift, path)
            at += 2 * count
            n_right, n_left, n_start = _outline(path, points, pen, reach, right, left, start)
            end = 4  # the last line first: see `_add_edges`
            if points > 1:
                end = _add_edges(right, n_right, 0, edges, end, heads, broken)
                end = _add_edges(start, n_start, 1, edges, end, heads, broken)
            _add_edges(left, n_left, 1, edges, end, heads, broken)
            x1 = x2 = path[0, 0]
            y1 = y2 = path[0, 1]
            for i in range(1, points):
                x1, x2 = min(x1, path[i, 0]), max(x2, path[i, 0])
                y1, y2 = min(y1, path[i, 1]), max(y2, path[i, 1])
            # One column more on both sides: `_add_area` may go half a line beyond the ends of an edge.
            box = (
                max(((x1 - margin) >> 8) - 1, 0),
                max((y1 - margin) >> 8, 0),
                min(((x2 + margin) >> 8) + 2, size),
                min(((y2 + margin) >> 8) + 1, size),
            )
            _fill(edges, heads, broken, active, cells, box, out[d])
