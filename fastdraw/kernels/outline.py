"""The outline of a stroke as Cairo makes it: the polygon that a round pen leaves behind.

1. Points become 24.8 fixed point numbers, and points that change nothing are dropped (`fixed_path`).
2. The pen is a polygon (`pen_polygon`), and a stroke is one outline: the two sides of every segment, fans of pen
   vertices around the outer side of every join and around both ends (`outline`).

Where Cairo's result depends on a detail (rounding, directions that are parallel), that detail is kept.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.jit import jit, part

_Bytes: TypeAlias = npt.NDArray[np.uint8]
_Ints: TypeAlias = npt.NDArray[np.int64]

_TOLERANCE = 0.1  # pixels: how far the pen's polygon may miss the circle


_HALF_WAY = 1.5 * 2.0**52  # from here on neighbouring numbers are 1 apart


@part
def _rint(x: float) -> int:
    """Round to the nearest whole number, halves to the even one: what `np.rint` calls a function for."""
    return np.int64((x + _HALF_WAY) - _HALF_WAY)


@part
def _turn(ax: int, ay: int, bx: int, by: int) -> int:
    """Return the sign of the angle from b to a, with Cairo's choice of -1 or 1 for opposite directions."""
    cross = ay * bx - by * ax
    if cross != 0:
        return 1 if cross > 0 else -1
    if (ax ^ bx) < 0 or (ay ^ by) < 0:
        return -1 if ax > 0 or (ax == 0 and ay > 0) else 1
    return 0


@part
def fixed_path(records: _Bytes, at: int, count: int, scale: float, shift: tuple[float, float], path: _Ints) -> int:
    """Write a stroke's points in fixed point into `path`, and return how many are left.

    A point like the one before it is dropped, and a point on the straight way to the next one too: the
    sides of the stroke are rounded segment by segment, so that fewer points are other sides.
    """
    n = 0
    for i in range(count):
        x = _rint((scale * (records[at + i] + shift[0]) + 24 * scale) * 256.0)
        y = _rint((scale * (records[at + count + i] + shift[1]) + 24 * scale) * 256.0)
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


@jit
def pen_polygon(radius: float) -> _Ints:
    """Return the pen's vertices: x, y, then the direction of the side before and of the side after."""
    n = 4
    if radius > _TOLERANCE:
        n = max(4, int(math.ceil(2 * math.pi / math.acos(1 - _TOLERANCE / radius))))
        n += n % 2
    pen = np.empty((n, 6), np.int64)
    for i in range(n):
        angle = 2 * math.pi * i / n
        pen[i, 0] = _rint(radius * math.cos(angle) * 256.0)
        pen[i, 1] = _rint(radius * math.sin(angle) * 256.0)
    for i in range(n):
        before, after = (i - 1) % n, (i + 1) % n
        for axis in range(2):
            pen[i, 2 + axis] = pen[i, axis] - pen[before, axis]
            pen[i, 4 + axis] = pen[after, axis] - pen[i, axis]
    return pen


@part
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


@part
def _put(side: _Ints, n: int, x: int, y: int) -> int:
    """Append a point to an outline, and return its new length."""
    side[n, 0] = x
    side[n, 1] = y
    return n + 1


@part
def outline(
    path: _Ints, count: int, pen: _Ints, reach: float, right: _Ints, left: _Ints, start: _Ints
) -> tuple[int, int, int]:
    """Write the outline of a stroke as three open lines, and return the length of each.

    `right` and `left` are the sides, `left` with the round end; `start` is the round beginning. On the
    inner side of a join the outline goes through the path's own point.
    """
    x, y = path[0, 0], path[0, 1]
    if count == 1:  # a dot: two ends back to back
        down = _rint(reach)
        n = _put(left, _fan(pen, -256, 0, 256, 0, x, y, False, left, 0), x, y + down)
        n = _put(left, _fan(pen, 256, 0, -256, 0, x, y, False, left, n), x, y - down)
        return 0, _put(left, n, left[0, 0], left[0, 1]), 0
    n_right = n_left = n_start = 0
    ax = ay = afx = afy = np.int64(0)
    for i in range(1, count):
        # The face: the vector from the path to its left side, square to the segment and rounded.
        bx, by = path[i, 0] - x, path[i, 1] - y
        ratio = reach / math.sqrt(float(bx * bx + by * by))
        fx, fy = _rint(-by * ratio), _rint(bx * ratio)
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
