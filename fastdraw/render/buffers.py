"""Memory for arrays that is used again when nobody looks at the array any more."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 64  # bytes: with it TensorFlow uses NumPy's memory, without it makes a copy

_Memory = npt.NDArray[np.uint8]


class Buffers:
    """Gives empty arrays, in memory of earlier ones where it can.

    Memory that is fresh from the operating system is cleared page by page as it is first written to, which takes
    as long as to draw the images in it. Threads and forked processes may share one object.

    Parameters
    ----------
    keep : int
        Unused pieces of memory to keep, at most.
    """

    def __init__(self, keep: int) -> None:
        self._unused: deque[_Memory] = deque(maxlen=keep)

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An aligned array with any values in it."""
        size = math.prod(shape) * np.dtype(dtype).itemsize
        try:
            memory = self._unused.pop()
        except IndexError:
            memory = np.empty(0, np.uint8)
        if len(memory) < size:
            memory = np.empty(size + _ALIGNMENT, np.uint8)
            memory = memory[-memory.ctypes.data % _ALIGNMENT :][:size]
        return np.asarray(_Lease(memory, self._unused))[:size].view(dtype).reshape(shape)


class _Lease:
    """What arrays in a piece of memory refer to; the last of them to go gives the memory back."""

    def __init__(self, memory: _Memory, unused: deque[_Memory]) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory
        self._unused = unused

    def __del__(self) -> None:
        self._unused.append(self._memory)
