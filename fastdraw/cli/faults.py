"""Ends a command with one line when it reads a mapped file that was truncated: the system sends SIGBUS then."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Iterator

_SHOW_CURSOR = "\r\n\x1b[?25h"  # a progress bar hides it


@contextlib.contextmanager
def reporting_truncation(command: str) -> Iterator[None]:
    """Report a truncated file on standard error and exit with status 1, on whatever thread it is read."""
    if not hasattr(signal, "SIGBUS"):
        yield
        return
    reports: list[int] = []

    # Python's own handlers run after the faulting instruction, which never ends; this one runs in its place.
    def handle(number: int) -> None:
        reports.append(number)
        if len(reports) > 1:  # of another thread
            time.sleep(60)
        try:
            names = _truncated()
        except BaseException:
            names = "a file"
        line = f"{command}: {names}: was truncated while it was being read; write it anew, and run the same again\n"
        with contextlib.suppress(OSError):
            os.write(2, ((_SHOW_CURSOR if os.isatty(2) else "") + line).encode(errors="surrogateescape"))
        os._exit(1)

    handler = ctypes.CFUNCTYPE(None, ctypes.c_int)(handle)
    libc = ctypes.CDLL(None)
    libc.signal.restype = ctypes.c_void_p
    libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
    before = libc.signal(signal.SIGBUS, ctypes.cast(handler, ctypes.c_void_p))
    try:
        yield
    finally:
        libc.signal(signal.SIGBUS, before)


def _truncated() -> str:
    """The files that were truncated; `fastdraw.maps` is not imported before a command needs it."""
    maps = sys.modules.get("fastdraw.maps")
    return (maps and ", ".join(map(str, maps.truncated_files()))) or "a file"
