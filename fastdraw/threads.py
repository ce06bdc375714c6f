"""How many threads to use."""

from __future__ import annotations

import os

import numpy as np


def default_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def choose_threads(threads: int | None) -> int:
    """The number of threads, checked; `default_threads` for None."""
    if threads is None:
        return default_threads()
    if not isinstance(threads, (int, np.integer)) or isinstance(threads, bool):
        raise TypeError(f"expected threads to be a whole number, received {threads!r}")
    if threads < 1:
        raise ValueError(f"expected threads to be 1 or more, received {threads}")
    return int(threads)
