"""Standard input and pipes. They can be read once, so they are copied to a file first."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from fastdraw.errors import FastdrawError, FormatError
from fastdraw.quickdraw.streams import base_name

STANDARD_INPUT = "-"
_PIECE = 1 << 20  # bytes


def is_pipe(path: Path) -> bool:
    """Whether a path is ``-``, for standard input, or a pipe."""
    return str(path) in (STANDARD_INPUT, "/dev/stdin") or path.is_fifo()


@contextlib.contextmanager
def as_file(path: Path, folder: Path, name: str | None) -> Iterator[Path]:
    """A file of the same content; for a pipe a temporary one.

    Parameters
    ----------
    path : path
    folder : path
        For the temporary file.
    name : str or None
        Of the drawings in a pipe; by default its own.
    """
    if not is_pipe(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as scratch:
        copy = _copy(path, Path(scratch), name or _name(path))
        try:
            yield copy
        except FormatError as error:
            error.path = str(path)  # the name that the user knows
            raise


def kept_file(path: Path) -> Path:
    """A file of the same content, until the process ends; for a pipe a temporary one."""
    if not is_pipe(path):
        return path
    scratch = tempfile.TemporaryDirectory(prefix="fastdraw-")
    atexit.register(scratch.cleanup)
    return _copy(path, Path(scratch.name), _name(path))


def _name(path: Path) -> str:
    return "stdin" if str(path) == STANDARD_INPUT else base_name(path)


def _copy(path: Path, folder: Path, name: str) -> Path:
    copy = folder / f"{name}.pipe"
    if str(path) == STANDARD_INPUT and sys.stdin is None:
        raise FastdrawError(f"{path}: expected something on standard input, received it closed")
    with contextlib.ExitStack() as stack:
        source = sys.stdin.buffer if str(path) == STANDARD_INPUT else stack.enter_context(open(path, "rb"))
        shutil.copyfileobj(source, stack.enter_context(open(copy, "wb")), _PIECE)
    if not copy.stat().st_size:
        raise FastdrawError(f"{path}: expected the content of a file, received no bytes")
    return copy
