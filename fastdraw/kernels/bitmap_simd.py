"""SIMD for `bitmap`: OR of segments into a canvas, and its bits to pixels.

LLVM cannot vectorize such loops itself: it must assume that what one iteration stores is what the next one loads.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from fastdraw.kernels.pillow import BLOCK
from fastdraw.kernels.simd import INT32, INT64, broadcast_scalar, constant, pointer

_BLOCK = ir.VectorType(INT64, BLOCK)


def _or_into(shift_words: Callable[[Any, Any, Any], Any]) -> Callable[..., Any]:
    """Generate ``canvas[at : at + BLOCK] |= shift_words(builder, blocks[block], shift)``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        canvas, at, blocks, block, shift = arguments
        target = pointer(context, builder, signature.args[0], canvas, at, _BLOCK)
        first = builder.mul(block, ir.Constant(INT64, BLOCK))
        words = builder.load(pointer(context, builder, signature.args[2], blocks, first, _BLOCK), align=8)
        ink = shift_words(builder, words, broadcast_scalar(builder, shift, BLOCK))
        builder.store(builder.or_(builder.load(target, align=8), ink), target, align=8)
        return context.get_dummy_value()

    return generate


@intrinsic  # type: ignore[untyped-decorator]  # numba is untyped
def or_block(typing, canvas, at, blocks, block, shift):
    """``canvas[at : at + BLOCK] |= blocks[block] << shift``; both arrays contiguous uint64, ``shift`` below 64."""
    code = _or_into(lambda builder, words, shifts: builder.shl(words, shifts))
    return types.void(canvas, at, blocks, block, shift), code


@intrinsic  # type: ignore[untyped-decorator]
def or_carry(typing, canvas, at, blocks, block, shift):
    """The same with the bits that `or_block` shifts out: ``blocks[block] >> 64 - shift``, also for a shift of 0."""
    code = _or_into(
        lambda builder, words, shifts: builder.lshr(
            builder.lshr(words, constant(_BLOCK, 1)), builder.sub(constant(_BLOCK, 63), shifts)
        )
    )
    return types.void(canvas, at, blocks, block, shift), code


def _store(
    convert: Callable[[Any, Any, Any], Any], count: int, nontemporal: bool = False
) -> Callable[[Any, Any, Any, Any], Any]:
    """Generate ``out[at:] = convert(builder, lowest count bits of an integer, element type of out)``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        out, at, bits = arguments
        element = context.get_data_type(signature.args[0].dtype)
        values = convert(builder, builder.trunc(bits, ir.IntType(count)), element)
        target = pointer(context, builder, signature.args[0], out, at, values.type)
        element_size = signature.args[0].dtype.bitwidth // 8
        store = builder.store(values, target, align=count * element_size if nontemporal else element_size)
        if nontemporal:
            store.set_metadata("nontemporal", builder.module.add_metadata([ir.Constant(INT32, 1)]))
        return context.get_dummy_value()

    return generate


def _expand(builder: Any, bits: Any, element: Any) -> Any:
    """An element for each bit: 255 or 0, or 1.0 or 0.0."""
    count = bits.type.width
    mask, vector = builder.bitcast(bits, ir.VectorType(ir.IntType(1), count)), ir.VectorType(element, count)
    return builder.sext(mask, vector) if isinstance(element, ir.IntType) else builder.uitofp(mask, vector)


def _pack(builder: Any, bits: Any, element: Any) -> Any:
    """Bytes of eight bits each, lowest bit first in the highest place."""
    count = bits.type.width // 8
    vector = ir.VectorType(ir.IntType(8), count)
    name = f"llvm.bitreverse.v{count}i8"
    reverse = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(vector, [vector]))
    return builder.call(reverse, [builder.bitcast(bits, vector)])


@intrinsic  # type: ignore[untyped-decorator]
def expand_8(typing, out, at, bits):
    """Set ``out[at + i]`` for bits 0 to 7: to 255 or 0 where ``out`` is uint8, to 1 or 0 where it is float32."""
    return types.void(out, at, bits), _store(_expand, 8)


@intrinsic  # type: ignore[untyped-decorator]
def expand_16(typing, out, at, bits):
    """The same for 16 bits."""
    return types.void(out, at, bits), _store(_expand, 16)


@intrinsic  # type: ignore[untyped-decorator]
def expand_16_nontemporal(typing, out, at, bits):
    """The same, past the caches, where ``out[at]`` is aligned to 16 elements; a `fence` must follow."""
    return types.void(out, at, bits), _store(_expand, 16, nontemporal=True)


@intrinsic  # type: ignore[untyped-decorator]
def pack_8(typing, out, at, bits):
    """Set ``out[at]`` to bits 0 to 7, bit 0 in the highest place, as `numpy.packbits` does."""
    return types.void(out, at, bits), _store(_pack, 8)


@intrinsic  # type: ignore[untyped-decorator]
def pack_32(typing, out, at, bits):
    """Set ``out[at : at + 4]`` to bits 0 to 31 in the same way."""
    return types.void(out, at, bits), _store(_pack, 32)


@intrinsic  # type: ignore[untyped-decorator]
def fence(typing):
    """Wait until other threads see everything that was stored."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.fence("seq_cst")
        return context.get_dummy_value()

    return types.void(), generate
