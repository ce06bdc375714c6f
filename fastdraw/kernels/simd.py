"""SIMD for kernels: a numba type for vectors of integers, and operations on it, written as LLVM IR.

LLVM translates the operations for any processor. A `Vector` lives in registers, as a scalar does. Operations that make
one take an array that the vector is ``like``: it has as many bits a lane as the elements of the array.

The other functions generate IR, for the intrinsics of this and other modules.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic, models, register_model

LANES = 16

INT32, INT64 = ir.IntType(32), ir.IntType(64)
MASK = ir.IntType(LANES)  # a bit a lane


class Vector(types.Type):  # type: ignore[misc]  # numba is untyped
    """A vector of integers of ``bits`` bits."""

    def __init__(self, bits: int, lanes: int = LANES) -> None:
        self.bits = bits
        self.lanes = lanes
        super().__init__(f"Vector({bits}, {lanes})")


@register_model(Vector)
class _Model(models.PrimitiveModel):  # type: ignore[misc]
    def __init__(self, manager: Any, vector: Vector) -> None:
        super().__init__(manager, vector, ir.VectorType(ir.IntType(vector.bits), vector.lanes))


def pointer(context: Any, builder: Any, array_type: Any, array: Any, index: Any, element: Any) -> Any:
    """Return the address of ``array[index]``, as a pointer to an ``element``."""
    data = context.make_array(array_type)(context, builder, array).data
    return builder.bitcast(builder.gep(data, [index]), element.as_pointer())


def constant(vector: Any, value: int) -> Any:
    """Return a constant vector with the value in each lane."""
    return ir.Constant(vector, [value] * vector.count)


def broadcast_scalar(builder: Any, scalar: Any, lanes: int) -> Any:
    """Return a vector with the scalar in each lane."""
    undefined = ir.Constant(ir.VectorType(scalar.type, lanes), ir.Undefined)
    first = builder.insert_element(undefined, scalar, ir.Constant(INT32, 0))
    return builder.shuffle_vector(first, undefined, constant(ir.VectorType(INT32, lanes), 0))


def shuffle(builder: Any, vector: Any, lanes: list[int]) -> Any:
    """Return the vector of the given lanes of a vector."""
    return shuffle_two(builder, vector, ir.Constant(vector.type, ir.Undefined), lanes)


def shuffle_two(builder: Any, a: Any, b: Any, lanes: list[int]) -> Any:
    """Return the vector of the given lanes of a and b, whose lanes are counted on."""
    return builder.shuffle_vector(a, b, ir.Constant(ir.VectorType(INT32, len(lanes)), lanes))


@intrinsic  # type: ignore[untyped-decorator]
def broadcast(typing, like, scalar):
    """Return a vector with the scalar (int64) in each lane."""
    vector = Vector(like.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return broadcast_scalar(builder, builder.trunc(arguments[1], ir.IntType(vector.bits)), LANES)

    return vector(like, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def load(typing, array, index):
    """Return ``array[index : index + LANES]``."""
    vector = Vector(array.dtype.bitwidth)

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        source = pointer(context, builder, signature.args[0], *arguments, context.get_value_type(vector))
        return builder.load(source, align=vector.bits // 8)

    return vector(array, types.int64), generate


@intrinsic  # type: ignore[untyped-decorator]
def store(typing, array, index, vector):
    """Set ``array[index : index + LANES]``."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        array, index, values = arguments
        target = pointer(context, builder, signature.args[0], array, index, values.type)
        builder.store(values, target, align=vector.bits // 8)
        return context.get_dummy_value()

    return types.void(array, types.int64, vector), generate


@intrinsic  # type: ignore[untyped-decorator]
def add(typing, a, b):
    """Return a + b, lane by lane."""
    return a(a, b), lambda context, builder, signature, arguments: builder.add(*arguments)


@intrinsic  # type: ignore[untyped-decorator]
def sub(typing, a, b):
    """Return a - b, lane by lane."""
    return a(a, b), lambda context, builder, signature, arguments: builder.sub(*arguments)


@intrinsic  # type: ignore[untyped-decorator]
def minimum(typing, a, b):
    """Return the smaller of a and b, lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b = arguments
        return builder.select(builder.icmp_signed("<", a, b), a, b)

    return a(a, b), generate


@intrinsic  # type: ignore[untyped-decorator]
def maximum(typing, a, b):
    """Return the larger of a and b, lane by lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        a, b = arguments
        return builder.select(builder.icmp_signed("<", a, b), b, a)

    return a(a, b), generate


@intrinsic  # type: ignore[untyped-decorator]
def any_ne(typing, a, b):
    """Tell whether a and b differ in any lane."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        mask = builder.bitcast(builder.icmp_signed("!=", *arguments), MASK)
        return builder.icmp_unsigned("!=", mask, ir.Constant(MASK, 0))

    return types.boolean(a, b), generate


def _reduce(operation: str) -> Any:
    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        vector = arguments[0].type
        name = f"llvm.vector.reduce.{operation}.v{vector.count}i{vector.element.width}"
        function = builder.module.declare_intrinsic(name, fnty=ir.FunctionType(vector.element, [vector]))
        return builder.zext(builder.call(function, arguments), INT64)

    return generate


@intrinsic  # type: ignore[untyped-decorator]
def reduce_min(typing, a):
    """Return the smallest of all lanes, which must be 0 or more."""
    return types.int64(a), _reduce("umin")


@intrinsic  # type: ignore[untyped-decorator]
def reduce_max(typing, a):
    """Return the largest of all lanes, which must be 0 or more."""
    return types.int64(a), _reduce("umax")
