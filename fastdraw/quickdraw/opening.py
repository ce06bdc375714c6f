"""From paths to drawings: which files they mean, in which form, and what is in them."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np

from fastdraw.checks import one_of
from fastdraw.errors import DamagedFileWarning, FastdrawError, FormatError, OtherFormatError
from fastdraw.maps import limits
from fastdraw.notices import notice
from fastdraw.quickdraw.binary import FLAG
from fastdraw.quickdraw.conversion import converted, holds_records
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.identify import HEAD, has_drawings
from fastdraw.quickdraw.index import open_indexed
from fastdraw.quickdraw.mapped import MappedFiles
from fastdraw.quickdraw.pipes import kept_file
from fastdraw.quickdraw.streams import SUFFIXES, base_name, is_compressed
from fastdraw.storage import as_paths, is_local, local_copy, reaching

Paths = str | os.PathLike[str] | Sequence[str | os.PathLike[str]]

_SUFFIXES = (".bin", ".ndjson", ".jsonl", ".json", ".csv", ".npz", ".parquet", ".tar")


def open_drawings(paths: Paths, *, errors: Literal["raise", "salvage"] = "raise") -> Drawings:
    """Open files of drawings as one sequence.

    Every ``.bin`` file is validated in full. The result is cached next to it, in ``<file>.index``, which makes the next
    opening fast. Files in other forms (ndjson, JSON, Kaggle's CSV, sketch-rnn's ``.npz``, Parquet, WebDataset), also
    compressed ones, are converted to ``.bin`` files once, into a cache beside them.

    Parameters
    ----------
    paths : path or list of paths
        Files, or folders of them; ``-`` is standard input. The category of a drawing is the name of its ``.bin`` file,
        or its word in other forms.
    errors : {"raise", "salvage"}
        For a damaged file: raise, or keep every complete record before the damage and warn. A file with none is left
        out, and is no category.

    Returns
    -------
    Drawings

    Raises
    ------
    FormatError
        If a file is damaged; with its path, where the damage is (a byte, line or row) and the reason. With
        ``errors="salvage"``, if no file has drawings.
    OtherFormatError
        If a file holds something else, such as a web page; with what it is.
    FastdrawError
        If a path does not exist, or a folder holds no file of drawings.

    Warns
    -----
    DamagedFileWarning
        With ``errors="salvage"``, for each damaged file: how many bytes are left out.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> drawings
    <600 drawings of 3 categories>
    >>> drawings.categories
    ('face', 'house', 'star')
    """
    one_of("errors", errors, ("raise", "salvage"))
    opened = [open_indexed(path) for path in find_bin_files(paths, errors)]
    files = [file for file in opened if file.count or not file.damage]
    for file in opened:
        if file.damage and (errors == "raise" or not files):
            raise file.damage
        if not file.count and not file.damage:  # which is what write_drawings makes of none
            notice(f"{file.path}: an empty file, which has no drawings; if it should have some, get it again")
        if file.left_out:
            warnings.warn(file.left_out, DamagedFileWarning, stacklevel=2)
    categories = tuple(dict.fromkeys(file.path.stem for file in files))
    labels = np.array([categories.index(file.path.stem) for file in files])
    return Drawings(MappedFiles(files), categories, labels, range(sum(file.count for file in files)))


def find_bin_files(paths: Paths, errors: str = "raise") -> list[Path]:
    """Files as given, and the files of folders, sorted by category; those in other formats as `conversion.converted`.

    A pipe, or ``-`` for standard input, is copied to a temporary file. With ``errors="salvage"``, files in other
    formats that have no drawing are left out, with a warning, if there are others.

    In a folder, files count whose names end as those of drawings do, but not those that start with a dot. A ``.bin``
    file goes before others of its name.
    """
    files: list[Path] = []
    without: list[FormatError] = []  # errors of files with no drawing
    for path in as_paths(paths):
        if is_local(path):
            path = kept_file(path)
        with limits(path), reaching(path):
            if path.is_dir():
                inside = files_in(path)
            elif path.exists():
                inside = [path]
            else:
                raise FastdrawError(f"{path}: no such file or folder; expected a .bin file or a folder of them")
        for file in inside:
            try:
                files += _as_bin(file, errors)
            except FormatError as error:
                if errors == "raise":
                    raise
                without.append(error)
    if without and not files:
        raise without[0]
    if not files:
        raise FastdrawError("expected at least one .bin file or folder, received an empty list")
    for reason in without:
        warnings.warn(f"{reason}; the file is left out", DamagedFileWarning, stacklevel=3)
    return files


def files_in(folder: Path) -> list[Path]:
    """The files of drawings in a folder, one for each category. Says which others of the same name it passes over.

    Raises
    ------
    FastdrawError
        If there are none.
    """
    found: dict[str, Path] = {}
    others: dict[Path, str] = {}  # of the same name, and that name
    for file in sorted(folder.iterdir()):
        if file.name.startswith(".") or file.is_dir():
            continue
        if is_local(file) and file.suffix == ".bin" and file.is_fifo():  # which may have no writer, ever
            raise FastdrawError(f"{file}: expected a file, found a pipe in a folder; name it itself to read it")
        if file.suffix == ".bin":
            found[file.stem] = file
            continue
        name = base_name(file)
        suffix = file.name.removeprefix(name)
        if (
            is_local(file)
            and suffix.removesuffix(file.suffix if file.suffix in SUFFIXES else "") in _SUFFIXES
            and (suffix.startswith((".ndjson", ".jsonl", ".bin")) or (file.exists() and _has_drawings(file)))
            and found.setdefault(name, file) != file
        ):
            others[file] = name
    for file, name in others.items():
        if found[name].suffix != ".bin":  # such as that which the other was made of
            notice(f"{file}: left out, {found[name].name} is read for {name!r}")
    if not found:
        raise FastdrawError(f"{folder}: expected a folder of .bin files, received one without any")
    return [found[name] for name in sorted(found)]  # "house" before "house plant"


def _has_drawings(file: Path) -> bool:
    with open(file, "rb") as stream:
        head = stream.read(HEAD)
        stream.seek(max(0, file.stat().st_size - HEAD))
        return is_compressed(head) or has_drawings(head, stream.read())


def _as_bin(path: Path, errors: str) -> list[Path]:
    """The file itself, or where its content is not that of a ``.bin`` file, those that it is converted to."""
    if not is_local(path):
        if path.suffix == ".bin":
            return [path]
        path = local_copy(path)
    if path.is_symlink() and not path.exists():
        target = os.readlink(path)
        raise FormatError(path, None, f"expected a file, found a link to {target}, which is not there; get that file")
    if not path.is_file():
        return [path]
    with limits(path), open(path, "rb", buffering=0) as file:
        head = file.read(FLAG + 1)
    # In a .bin file, byte 10 is 0 or 1, which no text has.
    if path.suffix == ".bin" and (len(head) <= FLAG or head[FLAG] <= 1) and not is_compressed(head):
        return [path]
    try:
        is_bin = holds_records(path)
    except OtherFormatError:
        if path.suffix == ".bin":
            return [path]  # whose index says so
        raise
    return [path] if is_bin else converted(path, errors)
