"""Memory for arrays, reused when an array is garbage-collected."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import numpy as np
import numpy.typing as npt

_ALIGNMENT = 64  # bytes: TensorFlow copies arrays that are aligned to less

_Memory = npt.NDArray[np.uint8]


class Buffers:
    """A pool of memory for arrays.

    The operating system clears new memory page by page on the first write, which takes as long as drawing the images in
    it. Threads and forked processes may share a pool.

    Parameters
    ----------
    keep : int
        Unused blocks of memory to keep, at most.
    """

    def __init__(self, keep: int) -> None:
        self._unused: deque[_Memory] = deque(maxlen=keep)

    def __reduce__(self) -> tuple[Any, ...]:
        return Buffers, (self._unused.maxlen,)  # a pickle of the content would be hundreds of MB

    def empty(self, shape: tuple[int, ...], dtype: npt.DTypeLike) -> npt.NDArray[Any]:
        """An uninitialized, aligned array."""
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
    """The owner of an array's memory, which returns it to the pool when no array refers to it any more."""

    def __init__(self, memory: _Memory, unused: deque[_Memory]) -> None:
        self.__array_interface__ = memory.__array_interface__
        self._memory = memory
        self._unused = unused

    def __del__(self) -> None:
        self._unused.append(self._memory)
