"""How many threads to use."""

from __future__ import annotations

import os

from fastdraw.checks import integer


def default_threads() -> int:
    """CPU cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_threads(threads: int | None) -> int:
    """The number of threads, checked; `default_threads` if None."""
    return default_threads() if threads is None else integer("threads", threads, 1)
