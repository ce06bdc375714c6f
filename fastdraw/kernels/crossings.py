"""Where edges cross the 15 sample lines of a pixel row, and what that covers: a line to a lane of a vector.

The crossings of a row stand in slots, vectors of int32: slot k has the k-th crossing from the left of every line. They
are kept sorted while edges are added (`add_crossings`), become pixels and what is added to them (`find_spans`), and are
summed up and blended 16 pixels at a time (`blend_block`). Written in LLVM's own language, which it translates for every
processor.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic

from fastdraw.kernels.vectors import pointer

LANES = 16  # numbers in a slot: the sample lines of a pixel row and one that is not used; also the pixels of a block
SLOTS = 4  # slots that every edge goes through: few rows are crossed more often, and loops cost more

_NEVER = 2**31 - 1  # the crossing of a line that an edge does not cross: right of all others

_BYTE, _INT, _LONG, _MASK = ir.IntType(8), ir.IntType(32), ir.IntType(64), ir.IntType(LANES)
_INTS, _LONGS = ir.VectorType(_INT, LANES), ir.VectorType(_LONG, LANES)
_ORDER = list(range(LANES))


def _lanes(vector: Any, value: int | list[int]) -> Any:
    return ir.Constant(vector, value if isinstance(value, list) else [value] * LANES)


def _spread(builder: Any, value: Any) -> Any:
    """Return a vector with the value in every lane."""
    vector = ir.VectorType(value.type, LANES)
    one = builder.insert_element(ir.Constant(vector, ir.Undefined), value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(one, ir.Constant(vector, ir.Undefined), _lanes(_INTS, 0))


def _some(builder: Any, condition: Any) -> Any:
    return builder.icmp_unsigned("!=", builder.bitcast(condition, _MASK), ir.Constant(_MASK, 0))


def _slot(context: Any, builder: Any, array_type: Any, array: Any, slot: Any) -> Any:
    at = builder.mul(slot, ir.Constant(_LONG, LANES))
    return pointer(context, builder, array_type, array, at, _INTS)


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def clear(typing, slots):
    """Remove all crossings, and return the number of slots then in use."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        for k in range(SLOTS):
            target = _slot(context, builder, signature.args[0], arguments[0], ir.Constant(_LONG, k))
            builder.store(_lanes(_INTS, _NEVER), target, align=4)
        return ir.Constant(_LONG, SLOTS)

    return types.int64(slots), generate


@intrinsic  # type: ignore[untyped-decorator]
def add_crossings(typing, slots, used, place, step, low, high):
    """Add the crossings of an edge with the lines from ``low`` up to ``high``, and return how many slots are in use.

    ``place`` (on the first line of the row) and ``step`` are those of `edges`. A crossing is x in 1/256 pixel, then one
    bit of direction: 1 where the edge goes up.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slots, used, place, step, low, high = arguments

        def exchange(slot: Any, crossing: Any) -> Any:
            """Leave the smaller crossing of each line in the slot, and return the larger."""
            target = _slot(context, builder, signature.args[0], slots, slot)
            there = builder.load(target, align=4)
            left = builder.icmp_signed("<", there, crossing)
            builder.store(builder.select(left, there, crossing), target, align=4)
            return builder.select(left, crossing, there)

        steps = builder.mul(_spread(builder, step), _lanes(_LONGS, _ORDER))
        halves_type = ir.VectorType(_INT, 2 * LANES)
        halves = builder.bitcast(builder.add(_spread(builder, place), steps), halves_type)
        upper = builder.shuffle_vector(
            halves, ir.Constant(halves_type, ir.Undefined), _lanes(_INTS, [2 * k + 1 for k in _ORDER])
        )
        x = builder.and_(builder.ashr(upper, _lanes(_INTS, 7)), _lanes(_INTS, -2))
        up = builder.and_(builder.trunc(place, _INT), ir.Constant(_INT, 1))
        below, above = (builder.shl(ir.Constant(_INT, 1), builder.trunc(end, _INT)) for end in (high, low))
        crossed = builder.bitcast(builder.trunc(builder.sub(below, above), _MASK), ir.VectorType(ir.IntType(1), LANES))
        rest = builder.select(crossed, builder.or_(x, _spread(builder, up)), _lanes(_INTS, _NEVER))
        for k in range(SLOTS):
            rest = exchange(ir.Constant(_LONG, k), rest)

        result = cgutils.alloca_once_value(builder, used)
        with builder.if_then(_some(builder, builder.icmp_signed("!=", rest, _lanes(_INTS, _NEVER))), likely=False):
            carried = cgutils.alloca_once_value(builder, rest)
            with cgutils.for_range_slice(
                builder, ir.Constant(_LONG, SLOTS), used, ir.Constant(_LONG, 1), intp=_LONG
            ) as (k, _):
                builder.store(exchange(k, builder.load(carried)), carried)
            rest = builder.load(carried)
            builder.store(rest, _slot(context, builder, signature.args[0], slots, used), align=4)
            more = _some(builder, builder.icmp_signed("!=", rest, _lanes(_INTS, _NEVER)))
            builder.store(builder.add(used, builder.zext(more, _LONG)), result)
        return builder.load(result)

    return types.int64(slots, types.int64, types.int64, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def find_spans(typing, slots, weights, used):
    """Turn crossings into pixels, and set ``weights`` to what each adds to its pixel's cell by the non-zero rule.

    Cells are those of `edges.add_areas`.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slots, weights, used = arguments
        zero, one = _lanes(_INTS, 0), _lanes(_INTS, 1)
        winding = cgutils.alloca_once_value(builder, zero)
        with cgutils.for_range(builder, used, intp=_LONG) as loop:
            source = _slot(context, builder, signature.args[0], slots, loop.index)
            crossing = builder.load(source, align=4)
            there = builder.icmp_signed("!=", crossing, _lanes(_INTS, _NEVER))
            before = builder.load(winding)
            change = builder.sub(one, builder.shl(builder.and_(crossing, one), one))
            after = builder.select(there, builder.add(before, change), before)
            builder.store(after, winding)
            begins = builder.and_(there, builder.icmp_signed("==", before, zero))
            ends = builder.and_(there, builder.icmp_signed("==", after, zero))
            weight = builder.add(builder.and_(crossing, _lanes(_INTS, 510)), _lanes(_INTS, 1 << 16))
            weight = builder.select(begins, weight, builder.select(ends, builder.sub(zero, weight), zero))
            builder.store(weight, _slot(context, builder, signature.args[1], weights, loop.index), align=4)
            builder.store(builder.ashr(crossing, _lanes(_INTS, 9)), source, align=4)
        return context.get_dummy_value()

    return types.void(slots, weights, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def blend_block(typing, slots, weights, used, cells, first, lines, image, to):
    """Blend white over ``image[to : to + 16]``, the pixels of a row from ``first`` on, and empty their cells.

    To the cells what `find_spans` found in ``used`` slots is added. ``lines`` is the number of lines on which the pixel
    before is in an enclosed part; that of the last pixel is returned.

    The coverage is a sum of 15 lines of 2 x 256 each, rounded to 255ths; white over v is then the coverage plus v times
    the rest, divided by 255 with Cairo's rounding.
    """

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        slots, weights, used, cells, first, lines, image, to = arguments
        zero = _lanes(_INTS, 0)
        start = _spread(builder, builder.trunc(first, _INT))
        columns = builder.add(start, _lanes(_INTS, _ORDER))
        block = pointer(context, builder, signature.args[3], cells, first, _INTS)
        total = cgutils.alloca_once_value(builder, builder.load(block, align=4))
        builder.store(zero, block, align=4)
        with cgutils.for_range(builder, used, intp=_LONG) as loop:
            at = builder.mul(loop.index, ir.Constant(_LONG, LANES))
            pixels = builder.load(pointer(context, builder, signature.args[0], slots, at, _INTS), align=4)
            inside = builder.icmp_unsigned("<", builder.sub(pixels, start), _lanes(_INTS, LANES))
            with builder.if_then(_some(builder, inside)):
                # Two sums: a single one would wait for itself.
                sums = [builder.load(total), zero]
                for lane in range(LANES - 1):
                    here = builder.add(at, ir.Constant(_LONG, lane))
                    pixel, weight = (
                        _spread(builder, builder.load(pointer(context, builder, kind, array, here, _INT)))
                        for kind, array in zip(signature.args[:2], (slots, weights), strict=True)
                    )
                    met = builder.select(builder.icmp_signed("==", columns, pixel), weight, zero)
                    sums[lane % 2] = builder.add(sums[lane % 2], met)
                builder.store(builder.add(*sums), total)

        cell = builder.load(total)
        outside = builder.ashr(builder.shl(cell, _lanes(_INTS, 16)), _lanes(_INTS, 16))
        count = builder.ashr(builder.sub(cell, outside), _lanes(_INTS, 16))
        for distance in (1, 2, 4, 8):  # a running sum
            order = [max(k - distance, -1) % (2 * LANES) for k in _ORDER]  # the last of the zeros where none is before
            count = builder.add(count, builder.shuffle_vector(count, zero, _lanes(_INTS, order)))
        count = builder.add(count, _spread(builder, builder.trunc(lines, _INT)))
        alpha = builder.mul(builder.sub(builder.shl(count, _lanes(_INTS, 9)), outside), _lanes(_INTS, 17))
        alpha = builder.ashr(builder.add(alpha, _lanes(_INTS, 256)), _lanes(_INTS, 9))

        target = pointer(context, builder, signature.args[6], image, to, ir.VectorType(_BYTE, LANES))
        old = builder.zext(builder.load(target, align=1), _INTS)
        rest = builder.add(builder.mul(old, builder.sub(_lanes(_INTS, 255), alpha)), _lanes(_INTS, 127))
        rest = builder.lshr(builder.add(builder.lshr(rest, _lanes(_INTS, 8)), rest), _lanes(_INTS, 8))
        builder.store(builder.trunc(builder.add(alpha, rest), ir.VectorType(_BYTE, LANES)), target, align=1)
        return builder.sext(builder.extract_element(count, ir.Constant(_INT, LANES - 1)), _LONG)

    signature = types.int64(slots, weights, types.int64, cells, types.int64, types.int64, image, types.int64)
    return signature, generate
