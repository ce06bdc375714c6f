"""Converting files by hand: between records and ndjson, and from all other forms to records."""

from __future__ import annotations

import contextlib
import os
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.conversion import convert, holds_records
from fastdraw.quickdraw.ndjson import bin_to_ndjson
from fastdraw.quickdraw.pipes import as_file, is_pipe


def convert_files(sources: list[Path], target: Path, errors: str = "raise") -> Iterator[Path]:
    """Convert files: records to ndjson, everything else to records. The content tells what a file is, not its name.

    Records stay records if the target is named so.

    Parameters
    ----------
    sources : list of path
        Files or pipes; ``-`` is standard input.
    target : path
        A folder, for files with the names of the categories; or for a single source, a file.
    errors : {"raise", "salvage"}
        At a line that is no drawing: raise, or leave it out and warn.

    Yields
    ------
    pathlib.Path
        Each file, when it is written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastdraw.export.files import convert_files
    >>> [path.name for path in convert_files([Path("quickdraw/face.bin"), Path("quickdraw/star.bin")], Path("."))]
    ['face.ndjson', 'star.ndjson']
    """
    for source in sources:
        if not (is_pipe(source) or source.is_file()):
            what = "received a folder" if source.is_dir() else "no such file"
            raise FastdrawError(f"{source}: expected a file, {what}")
    if len(sources) > 1 and not target.is_dir():
        raise FastdrawError(f"{target}: expected an existing folder for {len(sources)} files")
    folder, name = (target, None) if target.is_dir() else (target.parent, target.stem)
    for source in sources:
        with _named(target), as_file(source, folder, name) as path:
            if holds_records(path) and (target.is_dir() or target.suffix != ".bin"):
                yield _to_ndjson(path, target, errors)
            else:
                yield from _to_bin(path, source, target, errors)


@contextlib.contextmanager
def _named(target: Path) -> Iterator[None]:
    """Name the target in errors of the temporary files beside it."""
    try:
        yield
    except OSError as error:
        if error.filename and Path(error.filename).name.endswith(".tmp"):
            error.filename = str(target)  # the name that the user knows
        raise


def _to_ndjson(path: Path, target: Path, errors: Any) -> Path:
    file = target / f"{path.stem}.ndjson" if target.is_dir() else target
    _expect_suffix(file, ".ndjson")
    bin_to_ndjson(path, file, errors=errors)
    return file


def _to_bin(path: Path, source: Path, target: Path, errors: str) -> list[Path]:
    """Convert the file at ``path``, which has the content of ``source``."""
    folder = target if target.is_dir() else target.parent
    if not target.is_dir():
        _expect_suffix(target, ".bin")
    with tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as scratch:
        result = convert(path, Path(scratch))
        result.report(source, errors)
        if target.is_dir():
            files = [target / file.name for file in result.files]
        elif len(result.files) == 1:
            files = [target]
            if result.files[0].stem != target.stem:
                warnings.warn(
                    f"{target}: these are drawings of {result.files[0].stem!r}, but the name of the file makes them "
                    f"{target.stem!r}",
                    stacklevel=3,
                )
        else:
            raise FastdrawError(
                f"{target}: expected an existing folder for the {len(result.files)} categories of {source}"
            )
        for written, file in zip(result.files, files, strict=True):
            os.replace(written, file)
    return files


def _expect_suffix(file: Path, suffix: str) -> None:
    if file.suffix != suffix:
        raise FastdrawError(
            f"{file}: expected the name of a {suffix} file, or an existing folder, received a name ending in "
            f"{file.suffix!r}"
        )
