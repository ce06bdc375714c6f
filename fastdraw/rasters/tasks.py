"""The tasks of a bulk run.

They take and return small descriptions; what they make goes straight to storage. A category's file is written in
chunks of equally many drawings. A chunk is a task that draws them and writes its own range of the file's bytes, so
it does not matter in which order, how often, or on which machine of those that share the folder it is done.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.index import IndexedFile
from fastdraw.quickdraw.mapped import MappedFiles
from fastdraw.rasters.formats import FORMS
from fastdraw.render.render import render
from fastdraw.settings import Settings
from fastdraw.storage import as_path, upload

Errors = Literal["raise", "salvage"]


@dataclass(frozen=True)
class Source:
    """A ``.bin`` file as it was when it was looked at."""

    path: str
    size: int
    mtime_ns: int
    count: int
    sha256: str


@dataclass(frozen=True)
class Output:
    """A category's file to be."""

    category: str
    source: Source
    settings: Settings
    form: str
    row_bytes: int
    step: int  # drawings in a chunk

    @property
    def file(self) -> str:
        return f"{self.category}{FORMS[self.form].suffix}"

    @property
    def header(self) -> bytes:
        return FORMS[self.form].header((self.source.count, *self.settings.shape))

    @property
    def size(self) -> int:
        return len(self.header) + self.source.count * self.row_bytes

    @property
    def chunks(self) -> int:
        return -(-self.source.count // self.step)

    def bounds(self, chunk: int) -> tuple[int, int]:
        """The first drawing of a chunk, and the one behind its last."""
        return chunk * self.step, min((chunk + 1) * self.step, self.source.count)

    @property
    def key(self) -> str:
        """Differs whenever any byte of any chunk may differ."""
        what = [self.source.sha256, self.source.count, asdict(self.settings), self.form, self.step]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]


def look(path: str, errors: Errors, known: dict[str, Any] | None) -> tuple[Source, str | None]:
    """Check a source and describe it; its checksum is not computed again while size, time and count are as known.

    Returns
    -------
    source : Source
    left_out : str or None
        What ``errors="salvage"`` has left out.
    """
    file = IndexedFile(path)
    if file.damage and errors == "raise":
        raise file.damage
    status = file.path.stat()
    seen = (status.st_size, status.st_mtime_ns, file.count)
    if known and seen == (known["size"], known["mtime_ns"], known["count"]):
        digest = known["sha256"]
    else:
        with open(file.path, "rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Source(path, *seen, digest), file.left_out


@functools.lru_cache(maxsize=8)  # threads are seldom at work in more files at a time
def _open(source: Source) -> MappedFiles:
    file = IndexedFile(source.path)
    status = file.path.stat()
    if (status.st_size, status.st_mtime_ns) != (source.size, source.mtime_ns):
        raise FastdrawError(f"{source.path}: was changed while it was being read; run the same again")
    return MappedFiles([file])


def close_sources() -> None:
    """Let go of the sources that this process has kept open."""
    _open.cache_clear()


def draw(output: Output, part: str, chunk: int) -> int:
    """Draw a chunk and write it to its place in a file that is there; returns the CRC-32 of its bytes."""
    start, stop = output.bounds(chunk)
    mapped = _open(output.source)
    images = render(
        lambda first, end: mapped.records_in_place(range(start + first, start + end)),
        stop - start,
        output.settings,
        threads=1,
    )
    rows = FORMS[output.form].encode(images, output.category)
    try:
        with open(part, "r+b") as file:
            file.seek(len(output.header) + start * output.row_bytes)
            file.write(rows)
    except FileNotFoundError:
        raise FastdrawError(f"{part}: is not there; every worker has to see the folder under this name") from None
    except OSError as error:
        error.filename = error.filename or part
        raise
    return zlib.crc32(rows)


def finish(output: Output, part: str, crcs: list[int]) -> tuple[str, list[int]]:
    """Write the header, compare every chunk with its CRC-32, and have it all put on the disk.

    Returns
    -------
    sha256 : str
    bad : list of int
        Chunks that are not what was written.
    """
    bad = []
    digest = hashlib.sha256(output.header)
    with open(part, "r+b") as file:
        file.write(output.header)
        for chunk, crc in enumerate(crcs):
            start, stop = output.bounds(chunk)
            rows = file.read((stop - start) * output.row_bytes)
            digest.update(rows)
            if zlib.crc32(rows) != crc:
                bad.append(chunk)
        file.truncate(output.size)
        os.fsync(file.fileno())
    return digest.hexdigest(), bad


def make(output: Output, folder: str) -> str:
    """Draw a whole category, upload it to a folder at an address, and return its SHA-256."""
    with tempfile.TemporaryDirectory(prefix="fastdraw-") as scratch:
        part = Path(scratch) / output.file
        part.touch()
        crcs = [draw(output, str(part), chunk) for chunk in range(output.chunks)]
        digest, bad = finish(output, str(part), crcs)
        if bad:
            raise FastdrawError(f"{scratch}: this disk does not keep what is written to it")
        upload(part, as_path(folder) / output.file)
    return digest
