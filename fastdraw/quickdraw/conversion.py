"""Files in other formats as ``.bin`` files: converted once, into a cache that is used as long as they do not change."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import hashlib
import json
import os
import re
import shutil
import tempfile
import warnings
from collections.abc import Iterable
from pathlib import Path
from typing import Any, BinaryIO

from fastdraw.errors import DamagedFileWarning, FastdrawError, FormatError, OtherFormatError
from fastdraw.notices import notice
from fastdraw.quickdraw.binary import Item
from fastdraw.quickdraw.csv import read_csv
from fastdraw.quickdraw.identify import HEAD, Kind, identify
from fastdraw.quickdraw.index import IndexedFile
from fastdraw.quickdraw.ndjson import read_array, read_lines
from fastdraw.quickdraw.parquet import read_parquet
from fastdraw.quickdraw.sketchrnn import read_sketchrnn
from fastdraw.quickdraw.streams import base_name, is_compressed, open_stream
from fastdraw.quickdraw.tar import read_tar
from fastdraw.storage import cache_folder, make_folder, parse_json, replacing

_VERSION = 2  # of the cache; another one is converted anew
_MANIFEST = "converted.json"
_BUFFER = 1 << 25  # bytes of records in memory
_PLACES = re.compile(r"^stroke \d+: |: line \d+ column \d+ \(char \d+\)| byte 0x.. in position \d+| in position [\d-]+")

_READERS = {
    Kind.LINES: read_lines,
    Kind.ARRAY: read_array,
    Kind.CSV: read_csv,
    Kind.NPZ: read_sketchrnn,
    Kind.PARQUET: read_parquet,
    Kind.TAR: read_tar,
}


@dataclasses.dataclass(frozen=True)
class Conversion:
    """What a file was converted to.

    Attributes
    ----------
    files : list of Path
        A ``.bin`` file for each category.
    drawings : int
    left_out : dict of str to int
        How many lines are no drawings, by reason.
    error : FormatError or None
        That of the first of them.
    """

    files: list[Path]
    drawings: int
    left_out: dict[str, int]
    error: FormatError | None

    def report(self, path: Path, errors: str) -> None:
        """Raise the error, or warn of what is left out of the file at ``path``."""
        if self.error is None:
            return
        if errors == "raise":
            self.error.salvageable = True
            raise self.error
        reasons = "; ".join(f"{count:,} times {reason}" for reason, count in self.left_out.items())
        warnings.warn(
            f"{path}: kept {self.drawings:,} drawings and left out {sum(self.left_out.values()):,}: {reasons}",
            DamagedFileWarning,
            stacklevel=5,
        )


def converted(path: Path, errors: str = "raise") -> list[Path]:
    """A file of another format as ``.bin`` files in a cache, beside the file or in the user's cache folder.

    Parameters
    ----------
    path : path
        On this machine.
    errors : {"raise", "salvage"}
        At a line that is no drawing: raise, or leave it out and warn.

    Raises
    ------
    FastdrawError
        If the file is none that fastdraw reads, or holds no drawing.

    Warns
    -----
    DamagedFileWarning
        With ``errors="salvage"``: how many lines are left out, and why.
    """
    status = os.stat(path)
    key = {"version": _VERSION, "size": status.st_size, "mtime_ns": status.st_mtime_ns}
    places = _places(path)
    result = next((kept for place in places if (kept := _read(place, path, key)) is not None), None)
    if result is None:
        result = _convert_into(places, path, key, errors)
    result.report(path, errors)
    return result.files


def _places(path: Path) -> list[Path]:
    """Folders for a conversion, the best place first."""
    absolute = Path(os.path.abspath(path))
    name = hashlib.sha256(os.fsencode(absolute)).hexdigest()[:16]
    places = [absolute.with_name(f".{path.name}.fastdraw")]
    with contextlib.suppress(FastdrawError):  # the user has none
        places.append(cache_folder() / "converted" / f"{name}-{path.name}")
    return places


def _convert_into(places: list[Path], path: Path, key: dict[str, int], errors: str) -> Conversion:
    """Convert a file into the first place that can be written to."""
    for place in places:
        try:
            scratch = Path(tempfile.mkdtemp(prefix=f"{place.name}.", suffix=".tmp", dir=make_folder(place.parent)))
            break
        except OSError:
            if place is places[-1]:
                raise
    try:
        notice(f"{path}: converting to .bin files in {place} (first time only)")
        result = convert(path, scratch)
        if errors == "raise":
            result.report(path, errors)  # before the conversion gets its name
        kept = {
            "files": [file.name for file in result.files],
            "drawings": result.drawings,
            "left_out": result.left_out,
            "error": result.error and [result.error.offset, result.error.reason],
        }
        (scratch / _MANIFEST).write_text(json.dumps(key | kept))
        shutil.rmtree(place, ignore_errors=True)  # of an earlier version of the file
        with contextlib.suppress(OSError):  # another process was faster
            os.rename(scratch, place)
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
    return dataclasses.replace(result, files=[place / file.name for file in result.files])


def _read(folder: Path, path: Path, key: dict[str, int]) -> Conversion | None:
    """A conversion of this version of the file; None if there is none."""
    try:
        content: Any = parse_json((folder / _MANIFEST).read_bytes())
        if any(content[name] != value for name, value in key.items()):
            return None
        error = content["error"]
        files = [folder / name for name in content["files"]]
        if not all(file.exists() for file in files):
            return None
        return Conversion(files, content["drawings"], content["left_out"], error and FormatError(path, *error))
    except (OSError, ValueError, KeyError, TypeError):
        return None


def is_converted(file: Path) -> bool:
    """Whether a file is one of those that `converted` returns."""
    return (file.parent / _MANIFEST).exists()


def joined(files: list[Path]) -> Path:
    """Converted files of one category as one file, which is kept beside the first of them and made once."""
    file = files[0].parent / "joined" / files[0].name
    key = [[str(part), part.stat().st_size, part.stat().st_mtime_ns] for part in files]
    made_of = file.with_suffix(".json")
    with contextlib.suppress(OSError, ValueError):
        if file.exists() and parse_json(made_of.read_bytes()) == key:
            return file
    make_folder(file.parent)
    notice(f"{file}: joining {len(files)} files of {file.stem!r} (first time only)")
    with replacing(file) as target:
        for part in files:
            with open(part, "rb") as content:
                shutil.copyfileobj(content, target, 1 << 20)
    made_of.write_text(json.dumps(key))
    return file


def convert(path: Path, folder: Path) -> Conversion:
    """Write the drawings of a file as ``<category>.bin`` files to a folder.

    The category of a drawing is its word; where there is none, the name of the file. Lines that are no drawings are
    left out.

    Raises
    ------
    FastdrawError
        If the file is none that fastdraw reads, or holds no drawing.
    """
    result = None
    try:
        with open_stream(path) as (head, stream):
            if is_compressed(head):
                raise OtherFormatError(path, None, "expected drawings, received a file compressed twice; decompress it")
            kind = _identify(path, head)
            if kind is Kind.BIN:
                result = _unpack(path, stream, folder / f"{base_name(path)}.bin")
            else:
                result = _write(path, _READERS[kind](path, head, stream), folder)
    except FormatError as error:  # behind what was read, the compressed data is damaged
        if result is None:
            raise
        return dataclasses.replace(result, left_out=result.left_out | {_reason(error): 1}, error=error)
    return result


def _unpack(path: Path, stream: BinaryIO, file: Path) -> Conversion:
    """Write decompressed records to a file, up to the first damage."""
    with open(file, "wb") as target:
        shutil.copyfileobj(stream, target, 1 << 20)
    indexed = IndexedFile(file)
    if indexed.damage is None:
        return Conversion([file], indexed.count, {}, None)
    error = FormatError(path, indexed.end, indexed.damage.reason)
    if indexed.count == 0:
        raise error
    os.truncate(file, indexed.end)
    return Conversion([file], indexed.count, {_reason(error): 1}, error)


def _write(path: Path, items: Iterable[Item | FormatError], folder: Path) -> Conversion:
    """Write drawings to the files of their categories."""
    left_out: collections.Counter[str] = collections.Counter()
    error = None
    drawings = waiting = 0
    records: dict[str, bytearray] = {}

    def flush() -> None:
        for category, content in records.items():
            with open(folder / f"{category}.bin", "ab") as file:  # one at a time: there may be hundreds
                file.write(content)
            content.clear()

    for item in items:
        if isinstance(item, FormatError):
            error = error or item
            left_out[_reason(item)] += 1
            continue
        records.setdefault(item.word or base_name(path), bytearray()).extend(item.records)
        drawings += item.drawings
        waiting += len(item.records)
        if waiting > _BUFFER:
            flush()
            waiting = 0
    flush()
    if not drawings:
        raise error or FastdrawError(f"{path}: expected drawings, received none")
    return Conversion([folder / f"{category}.bin" for category in sorted(records)], drawings, dict(left_out), error)


def holds_records(path: Path) -> bool:
    """Whether a file holds records, not compressed; an empty one does if its name says so.

    Raises
    ------
    OtherFormatError
        If it holds no drawings, but something else.
    """
    with open(path, "rb") as file:
        head = file.read(HEAD)
    if is_compressed(head):
        return False
    return (not head and path.suffix == ".bin") or _identify(path, head) is Kind.BIN


def _identify(path: Path, head: bytes) -> Kind:
    try:
        return identify(head)
    except ValueError as error:
        raise OtherFormatError(path, 0, str(error)) from None


def _reason(error: FormatError) -> str:
    """What is wrong, without where it is and the value, so that lines with the same fault are counted together."""
    reason = error.reason.partition(": ")[2].partition(", received")[0] or error.reason
    return _PLACES.sub("", reason)
