"""SIMD for the fill of sampled pixel rows (`crossings`): the 15 sample lines of a row are the lanes of a vector.

A *crossing* is twice x in 1/256 pixel, plus 1 where the edge goes up. `NEVER`, the largest number, means none.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastdraw.kernels.simd import (
    INT32,
    INT64,
    LANES,
    MASK,
    Vector,
    broadcast_scalar,
    constant,
    minimum_of,
    pointer,
    shuffle,
)

PIXELS = 8  # blended at a time

_ALL = list(range(LANES))


def _never(vector: Any) -> Any:
    return constant(vector, 2 ** (vector.element.width - 1) - 1)


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def cross_lines(typing, like, x, step, first, end):
    """Return where an edge crosses the sample lines from ``first`` up to ``end`` of a row; `NEVER` in all other lanes.

    ``x``, on line 0 of the row, and ``step`` are as in `edges.Edges`.
    """
    vector_type = Vector(like.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x, step, first, end = arguments
        vector = context.get_value_type(vector_type)
        # Bits 39 and up are twice x in 1/256 pixel. They are shifted into the highest 16 bits of a word; or its highest
        # 32 bits are taken, and they are shifted down.
        left, right = (9, 0) if vector_type.bits == 16 else (0, 7)
        shifted_x, shifted_step = (builder.shl(value, ir.Constant(INT64, left)) for value in (x, step))
        steps = builder.mul(
            broadcast_scalar(builder, shifted_step, LANES), ir.Constant(ir.VectorType(INT64, LANES), _ALL)
        )
        words = builder.add(broadcast_scalar(builder, shifted_x, LANES), steps)
        fields_per_word = 64 // vector_type.bits
        fields = builder.bitcast(words, ir.VectorType(vector.element, LANES * fields_per_word))
        crossings = shuffle(builder, fields, [(k + 1) * fields_per_word - 1 for k in _ALL])
        crossings = builder.and_(builder.ashr(crossings, constant(vector, right)), constant(vector, -2))
        up = builder.and_(builder.trunc(x, vector.element), ir.Constant(vector.element, 1))
        crossings = builder.or_(crossings, broadcast_scalar(builder, up, LANES))
        below_end, below_first = (builder.shl(ir.Constant(INT32, 1), builder.trunc(n, INT32)) for n in (end, first))
        crossed = builder.trunc(builder.sub(below_end, below_first), MASK)
        crossed = builder.bitcast(crossed, ir.VectorType(ir.IntType(1), LANES))
        return builder.select(crossed, crossings, _never(vector))

    return vector_type(like, types.int64, types.int64, types.int64, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def wind(typing, winding, crossings):
    """Return the winding numbers right of crossings, given those left of them; undefined right of `NEVER`."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        winding, crossings = arguments
        one = constant(winding.type, 1)
        return builder.sub(builder.add(winding, one), builder.shl(builder.and_(crossings, one), one))

    return winding(winding, crossings), generate


@intrinsic  # type: ignore[untyped-decorator]
def bounds(typing, crossings, winding):
    """Return x, in 1/256 pixel, of the crossings with winding number 0 on one side, and 0 in all other lanes."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        crossings, winding = arguments
        zero, one = constant(winding.type, 0), constant(winding.type, 1)
        crossed = builder.icmp_signed("!=", crossings, _never(winding.type))
        is_bound = builder.and_(crossed, builder.icmp_signed("==", winding, zero))
        return builder.select(is_bound, builder.lshr(crossings, one), zero)

    return crossings(crossings, winding), generate


@intrinsic  # type: ignore[untyped-decorator]
def clip_to_pixels(typing, x, start):
    """Return the smaller of x and the right end of a pixel, for each line and each of PIXELS pixels from ``start`` on.

    All are in 1/256 pixel. The lanes hold the pixels of the first line, then those of the second, and so on.
    """
    vector_type = Vector(x.bits, PIXELS * LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        x, start = arguments
        vector = context.get_value_type(vector_type)
        repeated = shuffle(builder, x, [line for line in _ALL for _ in range(PIXELS)])
        offsets = ir.Constant(vector, [256 * (pixel + 1) for pixel in range(PIXELS)] * LANES)
        ends = builder.add(broadcast_scalar(builder, builder.trunc(start, vector.element), vector.count), offsets)
        return minimum_of(builder, repeated, ends)

    return vector_type(x, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def blend_pixels(typing, image, at, inside, before):
    """Blend white over PIXELS pixels from ``image[at]`` on, as `coverage.blend` does.

    ``inside`` is the length enclosed left of the right end of each pixel, line by line, as in `clip_to_pixels`;
    ``before`` is the length that all lines together enclose left of the first pixel. Both are modulo 2**16. Returns
    ``before`` for the next pixels.
    """
    words, levels = ir.VectorType(ir.IntType(16), PIXELS), ir.VectorType(ir.IntType(8), PIXELS)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        image, at, inside, before = arguments
        while inside.type.count > PIXELS:  # add all lines
            half = inside.type.count // 2
            halves = [shuffle(builder, inside, [*range(first, first + half)]) for first in (0, half)]
            inside = builder.add(*halves)
        if inside.type != words:
            inside = builder.trunc(inside, words)
        before = broadcast_scalar(builder, builder.trunc(before, words.element), PIXELS)
        order = ir.Constant(ir.VectorType(INT32, PIXELS), [PIXELS, *range(PIXELS - 1)])
        covered = builder.sub(inside, builder.shuffle_vector(inside, before, order))

        eight = constant(words, 8)
        alpha = builder.lshr(builder.add(builder.mul(covered, constant(words, 17)), constant(words, 128)), eight)
        target = pointer(context, builder, signature.args[0], image, at, levels)
        below = builder.zext(builder.load(target, align=1), words)
        rest = builder.add(builder.mul(below, builder.sub(constant(words, 255), alpha)), constant(words, 127))
        rest = builder.lshr(builder.add(rest, builder.lshr(rest, eight)), eight)
        builder.store(builder.trunc(builder.add(alpha, rest), levels), target, align=1)
        return builder.zext(builder.extract_element(inside, ir.Constant(INT32, PIXELS - 1)), INT64)

    return types.int64(image, types.int64, inside, types.int64), generate
