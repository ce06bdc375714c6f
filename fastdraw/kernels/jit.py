"""The one compilation policy of every kernel."""

from __future__ import annotations

import contextlib
import pickle
from collections.abc import Callable
from typing import Any

import numba
from numba.core.caching import FunctionCache


class _ForgivingCache(FunctionCache):  # type: ignore[misc]  # numba is untyped
    """Numba's on-disk cache, for which a file that cannot be read means "compile again", not an error.

    A cut-off index (a full disk, a power cut) makes numba raise at every later start until somebody finds
    and deletes the file.
    """

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        try:
            return super().load_overload(sig, target_context)
        except (EOFError, pickle.UnpicklingError, AttributeError, ImportError, IndexError, ValueError):
            with contextlib.suppress(OSError):
                self.flush()
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        with contextlib.suppress(OSError):  # a full disk: the kernel is compiled, it is only not kept
            super().save_overload(sig, data)


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel on its first call: serial, without the GIL, kept on disk where that is possible.

    Kernels are never ``parallel=True``: that kills the process when two threads call it under numba's
    workqueue layer, and after a fork under OpenMP. Threads are started by the callers.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy")(function)
    if not numba.config.DISABLE_JIT:
        with contextlib.suppress(RuntimeError):  # numba found no folder that it may write to
            dispatcher._cache = _ForgivingCache(function)
    return dispatcher


def part(function: Callable[..., Any]) -> Any:
    """Compile a part of a kernel into it.

    It must make no arrays: without numba's run time it cannot. Nor does it count the users of those that it is given,
    which took the style ``google`` 3 % of its time.
    """
    return numba.njit(nogil=True, error_model="numpy", forceinline=True, _nrt=False)(function)


def called_part(function: Callable[..., Any]) -> Any:
    """Compile a part that is called: a large one has the processor's registers to itself. Else it is as a `part`."""
    return numba.njit(nogil=True, error_model="numpy", _nrt=False)(function)
