"""How all kernels are compiled."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any, NoReturn

import numba
from numba import types
from numba.core import event
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompilerBase, DefaultPassBuilder
from numba.core.compiler_machinery import AnalysisPass, register_pass
from numba.core.registry import CPUDispatcher
from numba.core.typed_passes import NopythonRewrites

from fastdraw.kernels.cache import KernelCache
from fastdraw.kernels.watch import listeners


class _Teller(event.Listener):  # type: ignore[misc]  # numba is untyped
    def on_start(self, begun: Any) -> None:
        for listener in listeners:
            listener.on_start(begun)

    def on_end(self, ended: Any) -> None:
        for listener in listeners:
            listener.on_end(ended)


event.register("numba:compile", _Teller())


def jit(function: Callable[..., Any]) -> Any:
    """Compile a kernel on its first call: serial, without the GIL, cached on disk where possible.

    Kernels are never ``parallel=True``: that kills the process when two threads call a kernel under numba's workqueue
    layer, and after a fork under OpenMP. Callers start the threads.

    The cache notices changes of the file that a kernel is in, and of all files of `fastdraw.kernels`.
    """
    dispatcher = numba.njit(nogil=True, error_model="numpy", no_cfunc_wrapper=True)(function)
    if not numba.config.DISABLE_JIT:
        with contextlib.suppress(RuntimeError):  # no folder that can be written to
            dispatcher._cache = KernelCache(function)
    return dispatcher


def inlined(function: Callable[..., Any]) -> Any:
    """Compile a function into each kernel that calls it.

    It is compiled without numba's runtime, so it cannot allocate arrays, and does not count references to those it
    receives: counting took 3% of the time of the style ``google``.
    """
    return _part(function, forceinline=True, _nrt=False)


def noinline(function: Callable[..., Any]) -> Any:
    """Compile a large function that is called: it has all registers to itself. Otherwise as `inlined`."""
    return _part(function, _nrt=False)


def allocating(function: Callable[..., Any]) -> Any:
    """Compile a function that allocates arrays for the kernel that calls it."""
    return _part(function)


def _part(function: Callable[..., Any], **options: Any) -> Any:
    if numba.config.DISABLE_JIT:
        return function
    options |= {"nopython": True, "nogil": True, "error_model": "numpy", "boundscheck": None}
    options |= {"no_cpython_wrapper": True, "no_cfunc_wrapper": True}
    return _Part(function, targetoptions=options, pipeline_class=_PartCompiler)


class _Part(CPUDispatcher):  # type: ignore[misc]
    """A function that only kernels call. It is compiled once for numbers and constants, which have types of their own.

    numba would optimize each function and make machine code of it, with all functions that it calls, and then again as
    a part of its caller. That took most of the time. Here the kernel is optimized, as a whole.
    """

    def get_call_template(self, args: Any, kws: Any) -> Any:
        return super().get_call_template([types.unliteral(arg) for arg in args], kws)

    def _insert(self, *_: Any) -> None:
        """Leave out what calls from Python need."""

    def _compile_for_args(self, *_: Any, **__: Any) -> NoReturn:
        raise TypeError(f"expected {self.py_func.__name__} to be called by a kernel")


class _PartLibrary(JITCodeLibrary):  # type: ignore[misc]
    """The code of a part, which is neither optimized nor loaded."""

    def _optimize_final_module(self) -> None:
        pass

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()
        return 0

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, env: Any) -> None:
        """Set nothing: what is not loaded has no environment."""


@register_pass(mutates_CFG=False, analysis_only=True)
class _UsePartLibrary(AnalysisPass):  # type: ignore[misc]
    _name = "use_part_library"

    def __init__(self) -> None:
        AnalysisPass.__init__(self)

    def run_pass(self, state: Any) -> bool:
        state.library = _PartLibrary(state.targetctx.codegen(), state.func_id.func_qualname)
        return False


class _PartCompiler(CompilerBase):  # type: ignore[misc]
    def define_pipelines(self) -> list[Any]:
        passes = DefaultPassBuilder.define_nopython_pipeline(self.state)
        passes.add_pass_after(_UsePartLibrary, NopythonRewrites)
        passes.finalize()
        return [passes]
