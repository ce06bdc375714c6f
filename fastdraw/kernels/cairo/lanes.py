"""Whole numbers, mostly sixteen, that are worked on at once: a numba type, and operations on it in LLVM's own language.

LLVM translates them for every processor. Values of the type live in registers, as single numbers do. Where one is made
of other things an array is named that it is ``like``: it has as many bits, so that a kernel is as wide as it has to be.

A *crossing* is x in 1/256 pixel, then one bit: 1 where the edge goes up. `NEVER`, the largest number, is none.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

from fastdraw.kernels.vectors import pointer, spread_number

LANES = 16
PIXELS = 8  # blended at once

_INT, _LONG, _MASK = ir.IntType(32), ir.IntType(64), ir.IntType(LANES)
_INTS, _LONGS = ir.VectorType(_INT, LANES), ir.VectorType(_LONG, LANES)
_ORDER = list(range(LANES))


class Lanes(types.Type):  # type: ignore[misc]  # numba is untyped
    """So many whole numbers of so many bits."""

    def __init__(self, bits: int, count: int = LANES) -> None:
        self.bits = bits
        self.count = count
        super().__init__(f"Lanes({bits}, {count})")


@register_model(Lanes)
class _Vector(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, lanes: Lanes) -> None:
        super().__init__(manager, lanes, ir.VectorType(ir.IntType(lanes.bits), lanes.count))


def _each(vector: Any, value: int) -> Any:
    return ir.Constant(vector, [value] * vector.count)


def _never(vector: Any) -> Any:
    return _each(vector, 2 ** (vector.element.width - 1) - 1)


def _picked(builder: Any, vector: Any, lanes: list[int]) -> Any:
    """Return a vector of some lanes."""
    order = ir.Constant(ir.VectorType(_INT, len(lanes)), lanes)
    return builder.shuffle_vector(vector, ir.Constant(vector.type, ir.Undefined), order)


def _call(builder: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Call one of LLVM's functions of vectors."""
    vector = arguments[0].type
    function = ir.FunctionType(result, [argument.type for argument in arguments])
    full_name = f"llvm.{name}.v{vector.count}i{vector.element.width}"
    return builder.call(builder.module.declare_intrinsic(full_name, fnty=function), list(arguments))


def _less(builder: Any, a: Any, b: Any, one: Any, other: Any) -> Any:
    return builder.select(builder.icmp_signed("<", a, b), one, other)


@intrinsic  # type: ignore[untyped-decorator]
def spread(typing, like, number):
    """The number in every lane."""
    lanes = Lanes(like.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return spread_number(builder, builder.trunc(arguments[1], ir.IntType(lanes.bits)), LANES)

    return lanes(like, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load(typing, array, at):
    """``array[at : at + LANES]``."""
    lanes = Lanes(array.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = pointer(context, builder, signature.args[0], *arguments, context.get_value_type(lanes))
        return builder.load(source, align=lanes.bits // 8)

    return lanes(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(typing, array, at, lanes):
    """``array[at : at + LANES] = lanes``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, at, values = arguments
        target = pointer(context, builder, signature.args[0], array, at, values.type)
        builder.store(values, target, align=lanes.bits // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, lanes), generate


@intrinsic  # type: ignore[untyped-decorator]
def plus(typing, a, b):
    """Add lane by lane."""
    return a(a, b), lambda context, builder, signature, arguments: builder.add(*arguments)


@intrinsic  # type: ignore[untyped-decorator]
def minus(typing, a, b):
    """Subtract b from a lane by lane."""
    return a(a, b), lambda context, builder, signature, arguments: builder.sub(*arguments)


@intrinsic  # type: ignore[untyped-decorator]
def smaller(typing, a, b):
    """The smaller of a and b, lane by lane."""
    return a(a, b), lambda context, builder, signature, arguments: _less(builder, *arguments, *arguments)


@intrinsic  # type: ignore[untyped-decorator]
def larger(typing, a, b):
    """The larger of a and b, lane by lane."""
    return a(a, b), lambda context, builder, signature, arguments: _less(builder, *arguments, *arguments[::-1])


@intrinsic  # type: ignore[untyped-decorator]
def differ(typing, a, b):
    """Tell whether a and b differ in any lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        different = builder.bitcast(builder.icmp_signed("!=", *arguments), _MASK)
        return builder.icmp_unsigned("!=", different, ir.Constant(_MASK, 0))

    return types.boolean(a, b), generate


def _reduced(name: str) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        number = _call(builder, f"vector.reduce.{name}", arguments[0].type.element, arguments[0])
        return builder.zext(number, _LONG)

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def smallest(typing, a):
    """The smallest of all lanes, none of which is below 0."""
    return types.int64(a), _reduced("umin")


@intrinsic  # type: ignore[untyped-decorator]
def largest(typing, a):
    """The largest of all lanes, none of which is below 0."""
    return types.int64(a), _reduced("umax")


@intrinsic  # type: ignore[untyped-decorator]
def cross(typing, like, place, step, first, end):
    """The crossings of an edge with the lines from ``first`` up to ``end`` of 15, and `NEVER` in all other lanes.

    ``place``, on line 0, and ``step`` are those of `edges`.
    """
    lanes = Lanes(like.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, place, step, first, end = arguments
        vector = context.get_value_type(lanes)
        # Bits 39 and up of a place become the upper part of a word, or the upper half and are moved down then.
        up_by, down_by = (9, 0) if lanes.bits == 16 else (0, 7)
        shifted_place, shifted_step = (builder.shl(value, ir.Constant(_LONG, up_by)) for value in (place, step))
        steps = builder.mul(spread_number(builder, shifted_step, LANES), ir.Constant(_LONGS, _ORDER))
        places = builder.add(spread_number(builder, shifted_place, LANES), steps)
        parts_of_word = 64 // lanes.bits
        parts = ir.VectorType(vector.element, LANES * parts_of_word)
        upper = ir.Constant(_INTS, [(k + 1) * parts_of_word - 1 for k in _ORDER])
        x = builder.shuffle_vector(builder.bitcast(places, parts), ir.Constant(parts, ir.Undefined), upper)
        x = builder.and_(builder.ashr(x, _each(vector, down_by)), _each(vector, -2))
        up = builder.and_(builder.trunc(place, vector.element), ir.Constant(vector.element, 1))
        before_end, before = (builder.shl(ir.Constant(_INT, 1), builder.trunc(line, _INT)) for line in (end, first))
        crossed = builder.trunc(builder.sub(before_end, before), _MASK)
        crossed = builder.bitcast(crossed, ir.VectorType(ir.IntType(1), LANES))
        return builder.select(crossed, builder.or_(x, spread_number(builder, up, LANES)), _never(vector))

    return lanes(like, types.int64, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def wind(typing, winding, crossings):
    """The winding numbers right of crossings, of those left of them; right of `NEVER` they may be anything."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        winding, crossings = arguments
        one = _each(winding.type, 1)
        return builder.sub(builder.add(winding, one), builder.shl(builder.and_(crossings, one), one))

    return winding(winding, crossings), generate


@intrinsic  # type: ignore[untyped-decorator]
def bounds(typing, crossings, winding):
    """Where the crossings are (x) beside which the winding number is 0, and 0 for all others."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        crossings, winding = arguments
        zero, one = _each(winding.type, 0), _each(winding.type, 1)
        there = builder.icmp_signed("!=", crossings, _never(winding.type))
        bound = builder.and_(there, builder.icmp_signed("==", winding, zero))
        return builder.select(bound, builder.lshr(crossings, one), zero)

    return crossings(crossings, winding), generate


@intrinsic  # type: ignore[untyped-decorator]
def up_to_ends(typing, x, start):
    """The smaller of x and the right end of a pixel, for each line and each of PIXELS pixels from ``start`` on."""
    lanes = Lanes(x.bits, PIXELS * LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, start = arguments
        vector = context.get_value_type(lanes)
        repeated = _picked(builder, x, [line for line in _ORDER for _ in range(PIXELS)])
        pixels = ir.Constant(vector, [256 * (pixel + 1) for pixel in range(PIXELS)] * LANES)
        ends = builder.add(spread_number(builder, builder.trunc(start, vector.element), vector.count), pixels)
        return _less(builder, repeated, ends, repeated, ends)

    return lanes(x, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def blend_pixels(typing, image, at, inside, before):
    """Blend white over PIXELS pixels from ``image[at]`` on, as `coverage.blend` does.

    ``inside`` is what is enclosed left of the end of each pixel, line by line, and ``before`` what all lines enclose
    left of the first pixel; both may be too large by multiples of 2**16. Returns ``before`` of the next pixels.
    """
    words, levels = ir.VectorType(ir.IntType(16), PIXELS), ir.VectorType(ir.IntType(8), PIXELS)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        image, at, inside, before = arguments
        while inside.type.count > PIXELS:
            half = inside.type.count // 2
            parts = [_picked(builder, inside, [*range(first, first + half)]) for first in (0, half)]
            inside = builder.add(*parts)
        if inside.type != words:
            inside = builder.trunc(inside, words)
        before = spread_number(builder, builder.trunc(before, words.element), PIXELS)
        order = ir.Constant(ir.VectorType(_INT, PIXELS), [PIXELS, *range(PIXELS - 1)])
        covered = builder.sub(inside, builder.shuffle_vector(inside, before, order))

        eight = _each(words, 8)
        alpha = builder.lshr(builder.add(builder.mul(covered, _each(words, 17)), _each(words, 128)), eight)
        target = pointer(context, builder, signature.args[0], image, at, levels)
        below = builder.zext(builder.load(target, align=1), words)
        rest = builder.add(builder.mul(below, builder.sub(_each(words, 255), alpha)), _each(words, 127))
        rest = builder.lshr(builder.add(rest, builder.lshr(rest, eight)), eight)
        builder.store(builder.trunc(builder.add(alpha, rest), levels), target, align=1)
        return builder.zext(builder.extract_element(inside, ir.Constant(_INT, PIXELS - 1)), _LONG)

    return types.int64(image, types.int64, inside, types.int64), generate
