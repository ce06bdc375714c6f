"""The outline of a stroke: the polygon that a round pen covers on its way.

Reproduces Cairo 1.16.0, with every detail that the pixels depend on, such as rounding and parallel directions:

1. `fixed_points` and `fixed_path` make 24.8 fixed-point numbers of the points, and drop redundant points, as
   ``_cairo_path_fixed_line_to`` in ``src/cairo-path-fixed.c`` does.
2. `outline` joins the two sides of every segment, and fans of vertices of the `pen` around the outer side of every join
   and around both ends: ``compute_face``, ``inner_join``, ``outer_join`` and ``add_caps`` in
   ``src/cairo-path-stroke-polygon.c``.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.cairo.pen import Ints, Pen, Points, Turns, fan, rint, turn, turns
from fastdraw.kernels.jit import inlined

_Bytes: TypeAlias = npt.NDArray[np.uint8]

_u = np.uint32  # see `edges`


def fixed_points(scale: float) -> Ints:
    """Return a table of coordinates in the image, in 24.8 fixed point, by coordinates in half units.

    Centring moves a drawing by half units. The margin is 24 units.
    """
    return np.array([round((scale * (half / 2) + 24 * scale) * 256.0) for half in range(2 * 256)])


@inlined
def fixed_path(records: _Bytes, at: int, count: int, fixed: Ints, left: int, above: int, path: Points) -> int:
    """Write the points of a stroke to ``path``, in 24.8 fixed point, and return their number.

    The drawing is moved by ``left`` and ``above``, in half units; ``fixed`` is the table that `fixed_points` returns.

    A point equal to the one before is dropped, and so is a point on the straight line to the next one. That changes
    pixels: the sides of a stroke are rounded segment by segment.
    """
    n = 0
    x1 = y1 = ax = ay = np.int64(0)  # the point before, and the segment that ends there
    for i in range(count):
        x = fixed[_u(2 * np.int64(records[at + i]) + left)]
        y = fixed[_u(2 * np.int64(records[at + count + i]) + above)]
        bx, by = x - x1, y - y1
        if n > 0 and bx == 0 and by == 0:
            continue
        if n > 1 and ay * bx == by * ax and ax * bx + ay * by >= 0:
            n -= 1
            bx, by = bx + ax, by + ay
        path.x[n] = x
        path.y[n] = y
        n += 1
        x1, y1, ax, ay = x, y, bx, by
    return n


@inlined
def _put(side: Points, n: int, x: int, y: int) -> int:
    """Append a point to an outline, and return its new length."""
    side.x[n] = x
    side.y[n] = y
    return n + 1


@inlined
def outline(
    path: Points, count: int, pen: Pen, reach: float, right: Points, left: Points, start: Points
) -> tuple[int, int, int]:
    """Write the outline of a stroke as three open lines, and return the number of points of each.

    ``right`` and ``left`` are the two sides, ``left`` with the cap at the end; ``start`` is the cap at the start. The
    outline goes through the point of the path itself on the inner side of a join.
    """
    x, y = path.x[0], path.y[0]
    if count == 1:  # a dot: two caps
        down = rint(reach)
        n = _put(left, fan(pen, turns(pen, -256, 0), turns(pen, 256, 0), x, y, False, left, 0), x, y + down)
        n = _put(left, fan(pen, turns(pen, 256, 0), turns(pen, -256, 0), x, y, False, left, n), x, y - down)
        return 0, _put(left, n, left.x[0], left.y[0]), 0
    n_right = n_left = n_start = 0
    ax = ay = afx = afy = np.int64(0)
    a = Turns(ax, ay)
    for i in range(1, count):
        # The face: the rounded vector from the path to its left side, perpendicular to the segment.
        bx, by = path.x[i] - x, path.y[i] - y
        ratio = reach / math.sqrt(float(bx * bx + by * by))
        fx, fy = rint(-by * ratio), rint(bx * ratio)
        b = turns(pen, bx, by)
        if i == 1:
            n_right = _put(right, 0, x - fx, y - fy)
            n_left = _put(left, 0, x + fx, y + fy)
            n_start = fan(pen, turns(pen, -bx, -by), b, x, y, False, start, _put(start, 0, x - fx, y - fy))
            n_start = _put(start, n_start, x + fx, y + fy)
        else:
            bend = turn(ax, ay, bx, by)
            same = fx == afx and fy == afy
            if bend < 0:
                if not same:
                    n_right = fan(pen, a, b, x, y, True, right, n_right)
                    n_right = _put(right, n_right, x - fx, y - fy)
                n_left = _put(left, _put(left, n_left, x, y), x + fx, y + fy)
            elif bend > 0:
                if not same:
                    n_left = fan(pen, a, b, x, y, False, left, n_left)
                    n_left = _put(left, n_left, x + fx, y + fy)
                n_right = _put(right, _put(right, n_right, x, y), x - fx, y - fy)
        x, y = path.x[i], path.y[i]
        n_right = _put(right, n_right, x - fx, y - fy)
        n_left = _put(left, n_left, x + fx, y + fy)
        ax, ay, afx, afy, a = bx, by, fx, fy, b
    n_left = fan(pen, a, turns(pen, -ax, -ay), x, y, False, left, n_left)
    return n_right, _put(left, n_left, x - afx, y - afy), n_start
