"""Converting files by hand: between records and ndjson, and from all other forms to records."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastdraw.errors import DamagedFileWarning, FastdrawError, FormatError
from fastdraw.quickdraw.conversion import convert, holds_records
from fastdraw.quickdraw.ndjson import bin_to_ndjson, write_ndjson
from fastdraw.quickdraw.opening import files_in, open_drawings
from fastdraw.quickdraw.pipes import as_file, is_pipe
from fastdraw.storage import replacing


def convert_files(sources: list[Path], target: Path, errors: str = "raise") -> Iterator[Path]:
    """Convert files: records to ndjson, everything else to records. The content tells what a file is, not its name.

    Records stay records if the target is named so, and everything else becomes ndjson if it is. Drawings of one
    category in several sources, such as shards, become one file, in the order of the sources; files of records appear
    once all sources are read.

    Parameters
    ----------
    sources : list of path
        Files, folders of them, or pipes; ``-`` is standard input.
    target : path
        A folder, for files with the names of the categories; or for a single source, a file.
    errors : {"raise", "salvage"}
        At a line that is no drawing: raise, or leave it out and warn. So too for one of several files without any.

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
    sources = [file for source in sources for file in (files_in(source) if source.is_dir() else [source])]
    for source in sources:
        if not (is_pipe(source) or source.is_file()):
            raise FastdrawError(f"{source}: expected a file, no such file")
    if len(sources) > 1 and not target.is_dir():
        raise FastdrawError(f"{target}: expected an existing folder for {len(sources)} files")
    folder, name = (target, None) if target.is_dir() else (target.parent, target.stem)
    written: dict[Path, Path] = {}  # each file, and what it is of
    without: list[FormatError] = []  # errors of files with no drawing
    with _named(target), tempfile.TemporaryDirectory(prefix=".", suffix=".tmp", dir=folder) as scratch:
        made: dict[Path, Path] = {}  # files of records, by the name that they will have
        for number, source in enumerate(sources):
            try:
                with as_file(source, folder, name) as path:
                    if holds_records(path) and (target.is_dir() or target.suffix != ".bin"):
                        file = target / f"{path.stem}.ndjson" if target.is_dir() else target
                        if file in written:
                            raise FastdrawError(
                                f"{file}: expected one source for it, received {written[file]} and {source}"
                            )
                        written[file] = source
                        yield _to_ndjson(path, file, errors)
                    elif target.suffix == ".ndjson" and not target.is_dir():
                        yield _rewritten(path, source, target, errors, Path(scratch) / str(number))
                    else:
                        _to_bin(path, source, target, errors, Path(scratch) / str(number), made)
            except FormatError as error:
                if errors == "raise":
                    raise
                without.append(error)
        if len(without) == len(sources):
            raise without[0]
        for reason in without:
            warnings.warn(f"{reason.damage}; the file is left out", DamagedFileWarning, stacklevel=2)
        for file, records in made.items():
            os.replace(records, file)
            yield file


@contextlib.contextmanager
def _named(target: Path) -> Iterator[None]:
    """Name the target in errors of the temporary files beside it, and of a disk that is full."""
    try:
        yield
    except OSError as error:
        if Path(error.filename or "").name.endswith(".tmp") or (not error.filename and error.errno == errno.ENOSPC):
            error.filename = str(target)  # the name that the user knows
        raise


def _to_ndjson(path: Path, file: Path, errors: Any) -> Path:
    _expect_suffix(file, ".ndjson")
    bin_to_ndjson(path, file, errors=errors)
    return file


def _rewritten(path: Path, source: Path, target: Path, errors: str, scratch: Path) -> Path:
    """Write what a file of another form holds, which has the content of ``source``, to one file."""
    scratch.mkdir()
    result = convert(path, scratch)
    result.report(source, errors)
    drawings = open_drawings(result.files)
    with replacing(target) as file:
        write_ndjson(drawings, file)
    return target


def _to_bin(path: Path, source: Path, target: Path, errors: str, scratch: Path, made: dict[Path, Path]) -> None:
    """Convert the file at ``path``, which has the content of ``source``, to files in a new folder.

    They are added to ``made``, or appended to what is made for the same category.
    """
    if not target.is_dir():
        _expect_suffix(target, ".bin")
    scratch.mkdir()
    result = convert(path, scratch)
    result.report(source, errors)
    if not target.is_dir():
        if len(result.files) > 1:
            raise FastdrawError(
                f"{target}: expected an existing folder for the {len(result.files)} categories of {source}"
            )
        (records,) = result.files
        if records.stem != target.stem:
            warnings.warn(
                f"{target}: these are drawings of {records.stem!r}, but the name of the file makes them "
                f"{target.stem!r}",
                stacklevel=3,
            )
        made[target] = records
        return
    for records in result.files:
        file = target / records.name
        if made.setdefault(file, records) != records:
            with open(records, "rb") as content, open(made[file], "ab") as end:
                shutil.copyfileobj(content, end, 1 << 20)
            records.unlink()


def _expect_suffix(file: Path, suffix: str) -> None:
    if file.suffix != suffix:
        raise FastdrawError(
            f"{file}: expected the name of a {suffix} file, or an existing folder, received a name ending in "
            f"{file.suffix!r}"
        )
