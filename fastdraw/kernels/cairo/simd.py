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
    Vector,
    broadcast_scalar,
    constant,
    pointer,
    shuffle,
    shuffle_two,
)

PIXELS = 8  # blended at a time

_ALL = list(range(LANES))


def _largest(vector: Any) -> int:
    return int(2 ** (vector.element.width - 1) - 1)


def _never(vector: Any) -> Any:
    return constant(vector, _largest(vector))


def _exact_twice_x(builder: Any, vector: Any, x: Any, step: Any) -> Any:
    """Twice x in 1/256 pixel on each line, or 1 more."""
    # Bits 39 and up of x are shifted into the highest 16 bits of a word; or its highest 32 bits are taken, and they are
    # shifted down.
    left, right = (9, 0) if vector.element.width == 16 else (0, 7)
    shifted_x, shifted_step = (builder.shl(value, ir.Constant(INT64, left)) for value in (x, step))
    steps = builder.mul(broadcast_scalar(builder, shifted_step, LANES), ir.Constant(ir.VectorType(INT64, LANES), _ALL))
    words = builder.add(broadcast_scalar(builder, shifted_x, LANES), steps)
    fields_per_word = 64 // vector.element.width
    fields = builder.bitcast(words, ir.VectorType(vector.element, LANES * fields_per_word))
    fields = shuffle(builder, fields, [(k + 1) * fields_per_word - 1 for k in _ALL])
    return builder.ashr(fields, constant(vector, right))


def _twice_x(builder: Any, x: Any, step: Any) -> tuple[Any, Any]:
    """The same in 16 bits, and whether it may be wrong on a line.

    It needs no products of 64 bits, for which AVX2 has no instruction. Bits 23 and up of x and of the step make a sum
    that is at most LANES - 1 too small.
    """
    words = ir.VectorType(INT32, LANES)
    x, step = (
        broadcast_scalar(builder, builder.trunc(builder.lshr(value, ir.Constant(INT64, 23)), INT32), LANES)
        for value in (x, step)
    )
    low = builder.add(x, builder.mul(step, ir.Constant(words, _ALL)))
    high = builder.add(low, constant(words, LANES - 1))
    differ = builder.and_(builder.xor(low, high), constant(words, -(1 << 17)))  # above what -2 takes away
    half = LANES // 2
    differ = builder.or_(shuffle(builder, differ, _ALL[:half]), shuffle(builder, differ, _ALL[half:]))
    bits = ir.IntType(32 * half)
    unsure = builder.icmp_unsigned("!=", builder.bitcast(differ, bits), ir.Constant(bits, 0))
    fields = builder.bitcast(low, ir.VectorType(ir.IntType(16), 2 * LANES))
    return shuffle(builder, fields, [2 * k + 1 for k in _ALL]), unsure


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def cross_lines(typing, like, x, step, first, end):
    """Return where an edge crosses the sample lines from ``first`` up to ``end`` of a row; `NEVER` in all other lanes.

    ``x``, on line 0 of the row, and ``step`` are as in `edges.Edges`.
    """
    vector_type = Vector(like.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, x, step, first, end = arguments
        vector = context.get_value_type(vector_type)
        if vector_type.bits == 16 and "+avx512dq" not in context.codegen()._tm_features:  # it multiplies 64 bits
            crossings, unsure = _twice_x(builder, x, step)
            known = builder.basic_block
            with builder.if_then(unsure, likely=False):
                exact = _exact_twice_x(builder, vector, x, step)
                computed = builder.basic_block
            either = builder.phi(vector)
            either.add_incoming(crossings, known)
            either.add_incoming(exact, computed)
            crossings = either
        else:
            crossings = _exact_twice_x(builder, vector, x, step)
        crossings = builder.and_(crossings, constant(vector, -2))
        up = builder.and_(builder.trunc(x, vector.element), ir.Constant(vector.element, 1))
        crossings = builder.or_(crossings, broadcast_scalar(builder, up, LANES))
        first, end = (broadcast_scalar(builder, builder.trunc(line, vector.element), LANES) for line in (first, end))
        lines = ir.Constant(vector, [*_ALL[:-1], _largest(vector)])  # no line in the last lane
        crossed = builder.and_(builder.icmp_signed(">=", lines, first), builder.icmp_signed("<", lines, end))
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
def twice(typing, x):
    """Return the lanes of x, and the same again: one for each of two pixels and each line."""
    pair = Vector(x.bits, 2 * LANES)
    return pair(x), lambda context, builder, signature, arguments: shuffle(builder, arguments[0], 2 * _ALL)


@intrinsic  # type: ignore[untyped-decorator]
def right_ends(typing, like, start, pixel):
    """Return the right ends of two pixels, ``pixel`` pixels right of ``start``, in lanes as `twice` has them.

    All are in 1/256 pixel.
    """
    pair = Vector(like.dtype.bitwidth, 2 * LANES)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        _, start, pixel = arguments
        vector = context.get_value_type(pair)
        # Added as vectors: where ``pixel`` is known, two of them become one constant.
        start, offset = (
            broadcast_scalar(builder, builder.trunc(value, vector.element), vector.count)
            for value in (start, builder.shl(pixel, ir.Constant(INT64, 8)))
        )
        return builder.add(start, builder.add(offset, ir.Constant(vector, [256] * LANES + [512] * LANES)))

    return pair(like, types.int64, types.int64), generate


def _add_lines(builder: Any, pairs: list[Any]) -> Any:
    """Add up the lines of each pixel; instructions that stay within 128 bits are the fastest."""
    half = LANES // 2
    # Of each pixel, half as many lanes: those of pixels 0 and 1, 2 and 3, 4 and 5, 6 and 7.
    low, high = [*range(half), *range(LANES, LANES + half)], [*range(half, LANES), *range(LANES + half, 2 * LANES)]
    a, b, c, d = (builder.add(shuffle(builder, pair, low), shuffle(builder, pair, high)) for pair in pairs)

    def zip_and_add(x: Any, y: Any, size: int) -> Any:
        """Add the lower and the upper half of each pixel's lanes; groups of ``size`` lanes of x and y take turns."""
        groups = [
            [
                of + pixel + group + lane
                for pixel in (0, half)
                for group in range(first, first + half // 2, size)
                for of in (0, LANES)
                for lane in range(size)
            ]
            for first in (0, half // 2)
        ]
        return builder.add(*(shuffle_two(builder, x, y, group) for group in groups))

    # Lanes of pixels 0, 2, 0, 2 and so on, then of 1, 3, 1, 3; then of 0, 2, 4, 6, 0, 2, 4, 6, 1, 3 and so on.
    both = zip_and_add(zip_and_add(a, b, 1), zip_and_add(c, d, 1), 2)
    quarter = half // 2
    first = shuffle(builder, both, [of + k for k in range(quarter) for of in (0, half)])
    second = shuffle(builder, both, [of + k for k in range(quarter, half) for of in (0, half)])
    return builder.add(first, second)


@intrinsic  # type: ignore[untyped-decorator]
def blend_pixels(typing, image, at, a, b, c, d, before):
    """Blend white over PIXELS pixels from ``image[at]`` on, as `coverage.blend` does.

    ``a`` to ``d`` hold the length enclosed left of the right end of each pixel, line by line, of two pixels each;
    ``before`` is the length that all lines together enclose left of the first pixel. Both are modulo 2**16. Returns
    ``before`` for the next pixels.
    """
    words, levels = ir.VectorType(ir.IntType(16), PIXELS), ir.VectorType(ir.IntType(8), PIXELS)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        image, at, *pairs, before = arguments
        inside = _add_lines(builder, pairs)
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

    return types.int64(image, types.int64, a, a, a, a, types.int64), generate
