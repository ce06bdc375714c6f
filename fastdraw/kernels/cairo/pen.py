"""The round pen, which for Cairo is a polygon, and its fans: the vertices around the outer side of a bend of a stroke.

Cairo searches the vertices at which a fan begins and ends; here all sides are compared with a direction at once, which
makes a bit for each.
"""

from __future__ import annotations

import math
from typing import Any, NamedTuple, TypeAlias

import numpy as np
import numpy.typing as npt
from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastdraw.kernels.jit import inlined, jit
from fastdraw.kernels.vectors import pointer, spread_number

Ints: TypeAlias = npt.NDArray[np.int64]

_TOLERANCE = 0.1  # pixels: how far the polygon may miss the circle
_HALF_WAY = 1.5 * 2.0**52  # from here on neighbouring numbers are 1 apart

_SIDES = 16  # of the pen that are looked at at once
VERTICES = 8  # that are copied at once, needed or not: an array of an outline has as much room behind it

_INT, _LONG, _MASK = ir.IntType(32), ir.IntType(64), ir.IntType(_SIDES)
_INTS, _LONGS = ir.VectorType(_INT, _SIDES), ir.VectorType(_LONG, VERTICES)


class Points(NamedTuple):
    """Points in 24.8 fixed point."""

    x: Ints
    y: Ints


class Pen(NamedTuple):
    """A polygon, counter-clockwise where y goes up."""

    count: int  # of vertices: even, 38 at most
    onward: Points  # the vertices, then the same again
    backward: Points  # the same, last vertex first
    sides: tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]  # x and y of the side that ends at each vertex


class Turns(NamedTuple):
    """`turn` of the pen's sides and a direction: bits, the lowest one for the first side."""

    right: int  # 1 where it is 1
    left: int  # 1 where it is -1


@jit
def room_for_points(count: int) -> Points:
    """Return so many points, any ones."""
    return Points(np.empty(count, np.int64), np.empty(count, np.int64))


@inlined
def rint(x: float) -> int:
    """Round to the nearest whole number, halves to the even one: what `np.rint` calls a function for."""
    return np.int64((x + _HALF_WAY) - _HALF_WAY)


@inlined
def turn(ax: int, ay: int, bx: int, by: int) -> int:
    """Return the sign of the angle from b to a, with Cairo's choice of -1 or 1 for opposite directions."""
    cross = ay * bx - by * ax
    if cross != 0:
        return 1 if cross > 0 else -1
    if (ax ^ bx) < 0 or (ay ^ by) < 0:
        return -1 if ax > 0 or (ax == 0 and ay > 0) else 1
    return 0


@jit
def pen_polygon(radius: float) -> Pen:
    """Return the pen of a radius in pixels."""
    n = 4
    if radius > _TOLERANCE:
        n = max(4, int(math.ceil(2 * math.pi / math.acos(1 - _TOLERANCE / radius))))
        n += n % 2
    room = 2 * n + VERTICES
    onward, backward = room_for_points(room), room_for_points(room)
    for k in range(room):
        for vertices, i in ((onward, k % n), (backward, (-1 - k) % n)):
            angle = 2 * math.pi * i / n
            vertices.x[k] = rint(radius * math.cos(angle) * 256.0)
            vertices.y[k] = rint(radius * math.sin(angle) * 256.0)
    sides = np.zeros(n + _SIDES, np.int32), np.zeros(n + _SIDES, np.int32)
    for i in range(n):
        sides[0][i] = onward.x[i] - onward.x[(i - 1) % n]
        sides[1][i] = onward.y[i] - onward.y[(i - 1) % n]
    return Pen(n, onward, backward, sides)


@inlined
def turns(pen: Pen, x: int, y: int) -> Turns:
    """Return `turn` of all sides and a direction."""
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
    """Append to an outline the pen's vertices around (x, y) from direction a to direction b; return its new length.

    Counter-clockwise fans have one vertex more than clockwise ones: that is how Cairo's searches end.
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
    before = (not_left << (count - i) | not_left >> i) & every  # the side of vertex i - 1 comes highest
    copies = 2 + _leading_zeros(before) - (64 - count)
    for k in range(0, copies, VERTICES):
        _copy_moved(pen.backward.x, count - 1 - i + k, x, side.x, n + k)
        _copy_moved(pen.backward.y, count - 1 - i + k, y, side.y, n + k)
    return n + copies


@inlined
def _end_of_run(bits: int, count: int) -> int:
    """Return the place of the 0 that comes after a 1, of so many bits in a circle."""
    return _trailing_zeros(~bits & (bits << 1 | bits >> (count - 1)))


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def _crosses(typing, x, y, at, ax, ay):
    """``y * ax - x * ay`` of each of _SIDES sides from ``at`` on: bit k is 1 where above 0, k + _SIDES where 0."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        *arrays, at, ax, ay = arguments
        x, y = (
            builder.load(pointer(context, builder, kind, array, at, _INTS), align=4)
            for kind, array in zip(signature.args, arrays, strict=False)
        )
        ax, ay = (spread_number(builder, builder.trunc(value, _INT), _SIDES) for value in (ax, ay))
        cross = builder.sub(builder.mul(y, ax), builder.mul(x, ay))
        zeros = ir.Constant(_INTS, [0] * _SIDES)
        above, zero = (
            builder.zext(builder.bitcast(builder.icmp_signed(sign, cross, zeros), _MASK), _LONG) for sign in (">", "==")
        )
        return builder.or_(above, builder.shl(zero, ir.Constant(_LONG, _SIDES)))

    return types.int64(x, y, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def _copy_moved(typing, source, at, by, target, to):
    """``target[to : to + VERTICES] = source[at : at + VERTICES] + by``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source, at, by, target, to = arguments
        numbers = builder.load(pointer(context, builder, signature.args[0], source, at, _LONGS), align=8)
        numbers = builder.add(numbers, spread_number(builder, by, VERTICES))
        builder.store(numbers, pointer(context, builder, signature.args[3], target, to, _LONGS), align=8)
        return context.get_dummy_value()

    return types.void(source, types.int64, types.int64, target, types.int64), generate


def _zeros(count: str) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return getattr(builder, count)(arguments[0], ir.Constant(ir.IntType(1), 0))

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def _trailing_zeros(typing, bits):
    """How many of 64 bits are 0 below the lowest 1."""
    return types.int64(types.int64), _zeros("cttz")


@intrinsic  # type: ignore[untyped-decorator]
def _leading_zeros(typing, bits):
    """How many of 64 bits are 0 above the highest 1."""
    return types.int64(types.int64), _zeros("ctlz")
