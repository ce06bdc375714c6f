"""Who is told when kernels are compiled; `jit` tells them. Without numba, as commands watch before they import it."""

from typing import Any

listeners: list[Any] = []  # with the methods of `numba.core.event.Listener`
