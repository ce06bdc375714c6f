"""Operations on several words at once, in LLVM's own language, which it translates for every processor.

Written out word by word they stay apart: the compiler has to suppose that what is written overlaps what is read next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

BLOCK = 8  # rows of a segment that are drawn at a time, needed or not: nearly all segments then take one step

_WORD = ir.IntType(64)


def pointer(context: Any, builder: Any, array_type: Any, array: Any, at: Any, element: Any) -> Any:
    """Return a pointer to what begins at ``array[at]``, as to an ``element``."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [at]), element.as_pointer())


def spread_number(builder: Any, number: Any, count: int) -> Any:
    """Return a vector with the number in each of ``count`` lanes."""
    undefined = ir.Constant(ir.VectorType(number.type, count), ir.Undefined)
    first = builder.insert_element(undefined, number, ir.Constant(ir.IntType(32), 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(ir.IntType(32), count), [0] * count))


def _or_into(shift_words: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """Code of ``canvas[at : at + BLOCK] |= shift_words(words of the block, shift)``."""
    vector = ir.VectorType(_WORD, BLOCK)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        canvas, at, blocks, block, shift = arguments
        target = pointer(context, builder, signature.args[0], canvas, at, vector)
        first = builder.mul(block, ir.Constant(_WORD, BLOCK))
        words = builder.load(pointer(context, builder, signature.args[2], blocks, first, vector), align=8)
        ink = shift_words(builder, words, spread_number(builder, shift, BLOCK))
        builder.store(builder.or_(builder.load(target, align=8), ink), target, align=8)
        return context.get_dummy_value()

    return generate


def _lanes(value: int) -> Any:
    return ir.Constant(ir.VectorType(_WORD, BLOCK), [value] * BLOCK)


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def or_block(typing, canvas, at, blocks, block, shift):
    """``canvas[at : at + BLOCK] |= blocks[block] << shift``; both arrays contiguous uint64, ``shift`` below 64."""
    code = _or_into(lambda builder, words, shifts: builder.shl(words, shifts))
    return types.void(canvas, at, blocks, block, shift), code


@intrinsic  # type: ignore[untyped-decorator]
def or_carry(typing, canvas, at, blocks, block, shift):
    """The same with those bits that `or_block` shifts out of the words."""
    code = _or_into(
        lambda builder, words, shifts: builder.lshr(builder.lshr(words, _lanes(1)), builder.sub(_lanes(63), shifts))
    )
    return types.void(canvas, at, blocks, block, shift), code


def _store(
    values: Callable[[Any, Any, Any], Any], count: int, past_caches: bool = False
) -> Callable[[Any, Any, Any, Any], Any]:
    """Code that stores ``values`` of the lowest ``count`` bits from ``out[at]`` on."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        out, at, bits = arguments
        number = context.get_data_type(signature.args[0].dtype)
        made = values(builder, builder.trunc(bits, ir.IntType(count)), number)
        target = pointer(context, builder, signature.args[0], out, at, made.type)
        bytes_each = signature.args[0].dtype.bitwidth // 8
        store = builder.store(made, target, align=count * bytes_each if past_caches else bytes_each)
        if past_caches:
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(ir.IntType(32), 1)]))
        return context.get_dummy_value()

    return generate


def _pixels(builder: Any, bits: Any, number: Any) -> Any:
    """A number for each bit: 255 or 0, or 1.0 or 0.0."""
    count = bits.type.width
    one_each, vector = builder.bitcast(bits, ir.VectorType(ir.IntType(1), count)), ir.VectorType(number, count)
    return builder.sext(one_each, vector) if isinstance(number, ir.IntType) else builder.uitofp(one_each, vector)


def _packed(builder: Any, bits: Any, number: Any) -> Any:
    """The same bits, highest first in each byte."""
    count = bits.type.width // 8
    bytes_of = ir.VectorType(ir.IntType(8), count)
    reverse = builder.module.declare_intrinsic(
        f"llvm.bitreverse.v{count}i8", fnty=ir.FunctionType(bytes_of, [bytes_of])
    )
    return builder.call(reverse, [builder.bitcast(bits, bytes_of)])


@intrinsic  # type: ignore[untyped-decorator]
def spread_8(typing, out, at, bits):
    """Set ``out[at + i]`` for 8 bits: to 255 or 0 where ``out`` is uint8, to 1 or 0 where it is float32; contiguous."""
    return types.void(out, at, bits), _store(_pixels, 8)


@intrinsic  # type: ignore[untyped-decorator]
def spread_16(typing, out, at, bits):
    """The same for 16 pixels."""
    return types.void(out, at, bits), _store(_pixels, 16)


@intrinsic  # type: ignore[untyped-decorator]
def spread_16_past_caches(typing, out, at, bits):
    """The same straight into memory, where ``out[at]`` is aligned to 16 pixels. A `fence` has to follow."""
    return types.void(out, at, bits), _store(_pixels, 16, past_caches=True)


@intrinsic  # type: ignore[untyped-decorator]
def pack_8(typing, out, at, bits):
    """``out[at]`` gets the lowest 8 bits, highest first."""
    return types.void(out, at, bits), _store(_packed, 8)


@intrinsic  # type: ignore[untyped-decorator]
def pack_32(typing, out, at, bits):
    """``out[at : at + 4]`` gets the lowest 32 bits, highest first in each byte."""
    return types.void(out, at, bits), _store(_packed, 32)


@intrinsic  # type: ignore[untyped-decorator]
def fence(typing):
    """Wait until other threads see all that was written."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate
