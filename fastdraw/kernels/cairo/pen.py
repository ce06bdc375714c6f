"""The round pen, which is a polygon, and its fans: the vertices around the outer side of a join.

Reproduces Cairo 1.16.0: `pen_polygon` is ``_cairo_pen_init`` in ``src/cairo-pen.c``, `turn` is ``_cairo_slope_compare``
in ``src/cairo-slope.c``, and `fan` is ``add_fan`` in ``src/cairo-path-stroke-polygon.c``. Cairo finds the ends of a fan
by binary search (``_cairo_pen_find_active_cw_vertices`` and ``..._ccw_vertices``); here SIMD compares a direction with
all sides of the pen, which gives a bit for each.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastdraw.kernels.jit import inlined
from fastdraw.kernels.simd import INT32, INT64, broadcast_scalar, constant, pointer

Ints: TypeAlias = npt.NDArray[np.int64]

_TOLERANCE = 0.1  # pixels: the largest distance of the polygon from the circle; Cairo's default
_TO_INTEGER = 1.5 * 2.0**52  # neighbouring floats are 1 apart here

_SIDES = 16  # sides of the pen that are compared at a time
VERTICES = 8  # vertices that are copied at a time, needed or not: arrays of an outline have as much room at the end

_SIDES_INT32, _VERTICES_INT64 = ir.VectorType(INT32, _SIDES), ir.VectorType(INT64, VERTICES)


class Points(NamedTuple):
    """Points in 24.8 fixed-point numbers."""

    x: Ints
    y: Ints


class Pen(NamedTuple):
    """A polygon, counter-clockwise where y points up."""

    count: int  # number of vertices: even, at most 62
    onward: Points  # the vertices, twice
    backward: Points  # the same, last vertex first
    sides: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]  # x and y of the side that ends at each vertex


class Turns(NamedTuple):
    """`turn` of the sides of a pen and a direction: bit k is for side k."""

    right: int  # 1 where it is 1
    left: int  # 1 where it is -1


@inlined
def rint(x: float) -> int:
    """Round half to even, without the function call that `np.rint` is."""
    return np.int64((x + _TO_INTEGER) - _TO_INTEGER)


@inlined
def turn(ax: int, ay: int, bx: int, by: int) -> int:
    """Return the sign of the angle from b to a; for opposite directions -1 or 1, as Cairo chooses."""
    cross = ay * bx - by * ax
    if cross != 0:
        return 1 if cross > 0 else -1
    if (ax ^ bx) < 0 or (ay ^ by) < 0:
        return -1 if ax > 0 or (ax == 0 and ay > 0) else 1
    return 0


def pen_polygon(radius: float) -> tuple[int, Ints, npt.NDArray[np.int32]]:
    """Return the arrays of the `Pen` of a radius, in pixels: not in a kernel, as a second of compilation is saved.

    Returns
    -------
    count : int
        Number of vertices.
    vertices : (4, c) int64
        x and y of ``onward``, then of ``backward``.
    sides : (2, s) int32
    """
    n = 4
    if radius > _TOLERANCE:
        n = max(4, int(math.ceil(2 * math.pi / math.acos(1 - _TOLERANCE / radius))))
        n += n % 2
    room = 2 * n + VERTICES
    angles = [2 * math.pi * i / n for i in range(n)]
    corners = np.array([[round(radius * f(angle) * 256.0) for angle in angles] for f in (math.cos, math.sin)])
    onward = np.arange(room) % n
    vertices = np.vstack([corners.take(onward, axis=1), corners.take((-1 - onward) % n, axis=1)])
    sides = np.zeros((2, n + _SIDES), np.int32)
    sides[:, :n] = corners - np.roll(corners, 1, axis=1)
    return n, vertices, sides


@inlined
def turns(pen: Pen, x: int, y: int) -> Turns:
    """Return `turn` of all sides and the direction (x, y)."""
    right = parallel = np.int64(0)
    for i in range(0, pen.count, _SIDES):
        bits = _crosses(pen.sides[0], pen.sides[1], i, x, y)
        right |= (bits & ((1 << _SIDES) - 1)) << i
        parallel |= (bits >> _SIDES) << i
    every = (1 << pen.count) - 1
    right &= every
    left = ~(right | parallel) & every
    if parallel & every:
        right = left = np.int64(0)
        for i in range(pen.count):
            direction = turn(np.int64(pen.sides[0][i]), np.int64(pen.sides[1][i]), x, y)
            right |= np.int64(direction > 0) << i
            left |= np.int64(direction < 0) << i
    return Turns(right, left)


@inlined
def fan(pen: Pen, a: Turns, b: Turns, x: int, y: int, clockwise: bool, side: Points, n: int) -> int:
    """Append the vertices of the pen around (x, y) from direction a to direction b to a line; return its new length.

    Counter-clockwise fans have one vertex more than clockwise ones, as Cairo's searches end differently.
    """
    count = pen.count
    every = (1 << count) - 1
    if clockwise:
        i = _end_of_run(a.left, count)
        after = i + 1
        copies = _trailing_zeros((b.right >> after | b.right << (count - after)) & every)
        for k in range(0, copies, VERTICES):
            _copy_moved(pen.onward.x, i + k, x, side.x, n + k)
            _copy_moved(pen.onward.y, i + k, y, side.y, n + k)
        return n + copies
    i = _end_of_run(a.right, count) - 1
    if i < 0:
        i += count
    if b.right >> i & 1:
        return n
    not_left = ~b.left & every
    before = (not_left << (count - i) | not_left >> i) & every  # the side of vertex i - 1 is in the highest place
    copies = 2 + _leading_zeros(before) - (64 - count)
    for k in range(0, copies, VERTICES):
        _copy_moved(pen.backward.x, count - 1 - i + k, x, side.x, n + k)
        _copy_moved(pen.backward.y, count - 1 - i + k, y, side.y, n + k)
    return n + copies


@inlined
def _end_of_run(bits: int, count: int) -> int:
    """Return the place of the 0 that follows a 1, in a circle of ``count`` bits."""
    return _trailing_zeros(~bits & (bits << 1 | bits >> (count - 1)))


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def _crosses(typing, x, y, at, ax, ay):
    """Compare ``y * ax - x * ay`` of _SIDES sides with 0: bit k is 1 where it is above, bit k + _SIDES where equal."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *arrays, at, ax, ay = arguments
        x, y = (
            builder.load(pointer(context, builder, kind, array, at, _SIDES_INT32), align=4)
            for kind, array in zip(signature.args, arrays, strict=False)
        )
        ax, ay = (broadcast_scalar(builder, builder.trunc(value, INT32), _SIDES) for value in (ax, ay))
        cross = builder.sub(builder.mul(y, ax), builder.mul(x, ay))
        above, equal = (
            builder.bitcast(builder.icmp_signed(sign, cross, constant(_SIDES_INT32, 0)), ir.IntType(_SIDES))
            for sign in (">", "==")
        )
        above, equal = builder.zext(above, INT64), builder.zext(equal, INT64)
        return builder.or_(above, builder.shl(equal, ir.Constant(INT64, _SIDES)))

    return types.int64(x, y, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def _copy_moved(typing, source, at, by, target, to):
    """``target[to : to + VERTICES] = source[at : at + VERTICES] + by``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, at, by, target, to = arguments
        numbers = builder.load(pointer(context, builder, signature.args[0], source, at, _VERTICES_INT64), align=8)
        numbers = builder.add(numbers, broadcast_scalar(builder, by, VERTICES))
        builder.store(numbers, pointer(context, builder, signature.args[3], target, to, _VERTICES_INT64), align=8)
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64), generate


def _zeros(count: str) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, count)(arguments[0], ir.Constant(ir.IntType(1), 0))

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def _trailing_zeros(typing, bits):
    """Count the zeros below the lowest 1 of 64 bits."""
    return types.int64(types.int64), _zeros("cttz")


@intrinsic  # type: ignore[untyped-decorator]
def _leading_zeros(typing, bits):
    """Count the zeros above the highest 1 of 64 bits."""
    return types.int64(types.int64), _zeros("ctlz")
