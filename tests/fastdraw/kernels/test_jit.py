"""Kernels and their parts."""

from __future__ import annotations

from typing import Any

import numba
import numpy as np
import pytest
from numba.core.dispatcher import Dispatcher

from fastdraw.kernels.jit import allocating, inlined, noinline


@inlined
def scaled(x: int, factor: int) -> int:
    return x * factor


@noinline
def summed(x: Any) -> int:
    total = 0
    for i in range(len(x)):
        total += x[i]
    return total


@allocating
def filled(count: int, value: int) -> Any:
    array = np.empty(count, np.int64)
    for i in range(count):
        array[i] = value
    return array


@numba.njit  # not `jit`, whose cache would have it
def kernel(count: int, value: int) -> int:
    return scaled(summed(filled(count, value)), 3) + scaled(count, value)


def test_parts_are_compiled_once_for_numbers_and_constants() -> None:
    assert kernel(4, 5) == 3 * 4 * 5 + 4 * 5
    if isinstance(kernel, Dispatcher):  # not with NUMBA_DISABLE_JIT
        assert [len(part.overloads) for part in (scaled, summed, filled)] == [1, 1, 1]


def test_parts_are_called_by_kernels_alone() -> None:
    if isinstance(kernel, Dispatcher):
        with pytest.raises(TypeError, match="expected scaled to be called by a kernel"):
            scaled(2, 3)
