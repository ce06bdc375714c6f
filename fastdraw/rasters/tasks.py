"""The tasks of a bulk run, for threads of this process or workers of a cluster.

Arguments and results are small: images go straight to the disk. A category's file is written in chunks of equally many
drawings. A task draws one chunk and writes it to its own range of the file, so tasks run in any order, on any machine
that shares the folder, and may run twice.
"""

from __future__ import annotations

import functools
import hashlib
import json
import os
import tempfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.index import open_indexed
from fastdraw.quickdraw.mapped import MappedFiles
from fastdraw.rasters.formats import FORMATS, Format
from fastdraw.rasters.manifest import Sidecar, Source
from fastdraw.rasters.metadata import encode_metadata, file_name
from fastdraw.render.render import render
from fastdraw.settings import Settings
from fastdraw.storage import RemoteStore, as_path, open_store

Errors = Literal["raise", "salvage"]


@dataclass(frozen=True)
class Output:
    """The file of a category that is to be written.

    Attributes
    ----------
    category : str
    source : Source
    settings : Settings
    format : str
        Its name in the registry.
    row_bytes : int
        Bytes of each image in the file.
    step : int
        Drawings in a chunk.
    """

    category: str
    source: Source
    settings: Settings
    format: str
    row_bytes: int
    step: int

    @classmethod
    def of(cls, category: str, source: Source, settings: Settings, format: str, chunk_bytes: int) -> Output:
        """An output with chunks of about so many bytes."""
        row_bytes = FORMATS[format].row_bytes((source.count, *settings.shape), category)
        return cls(category, source, settings, format, row_bytes, max(1, chunk_bytes // row_bytes))

    @property
    def file_format(self) -> Format:
        return FORMATS[self.format]

    @property
    def file(self) -> str:
        """Its name in the folder."""
        return f"{self.category}{self.file_format.suffix}"

    @property
    def header(self) -> bytes:
        return self.file_format.header((self.source.count, *self.settings.shape))

    @property
    def size(self) -> int:
        """Bytes of the complete file."""
        return len(self.header) + self.source.count * self.row_bytes

    @property
    def chunks(self) -> int:
        """Number of chunks."""
        return -(-self.source.count // self.step)

    def bounds(self, chunk: int) -> tuple[int, int]:
        """The first drawing of a chunk, and the first after it."""
        return chunk * self.step, min((chunk + 1) * self.step, self.source.count)

    @property
    def key(self) -> str:
        """A digest of all that the bytes of the chunks depend on."""
        what = [self.source.sha256, self.source.count, self.settings.content, self.format, self.step]
        return hashlib.sha256(json.dumps(what).encode()).hexdigest()[:12]


def look(path: str, errors: Errors, known: Source | None) -> tuple[Source | None, str | None]:
    """Check a source and describe it; a known checksum is used again while size, time and count are the same.

    Returns
    -------
    source : Source or None
        None if salvage has found no drawing.
    left_out : str or None
        What ``errors="salvage"`` has left out.
    """
    file = open_indexed(path)
    if file.version is None:
        raise FastdrawError(f"{path}: expected a file that can be read again, received a pipe")
    if file.damage and errors == "raise":
        raise file.damage
    if file.damage and not file.count:
        return None, file.left_out
    _, _, size, mtime_ns = file.version
    if known and (known.size, known.mtime_ns, known.count) == (size, mtime_ns, file.count):
        digest = known.sha256
    else:
        with open(file.path, "rb") as content:
            digest = hashlib.file_digest(content, "sha256").hexdigest()
    return Source(path, size, mtime_ns, file.count, digest), file.left_out


@functools.lru_cache(maxsize=8)  # threads seldom work on more files at a time
def _open(source: Source) -> MappedFiles:
    file = open_indexed(source.path)
    if file.version is None or file.version[2:] != (source.size, source.mtime_ns):
        raise FastdrawError(f"{source.path}: was changed while it was being read; run the same again")
    return MappedFiles([file])


def close_sources() -> None:
    """Close the sources that this process has kept open."""
    _open.cache_clear()


def draw(output: Output, part: str, chunk: int) -> tuple[int, int]:
    """Draw a chunk and write it to its range of an existing file.

    Returns
    -------
    chunk : int
    crc : int
        CRC-32 of its bytes.
    """
    start, stop = output.bounds(chunk)
    mapped = _open(output.source)
    images = render(
        lambda first, end: mapped.records_in_place(range(start + first, start + end)),
        stop - start,
        output.settings,
        threads=1,
    )
    rows = output.file_format.encode(images, output.category)
    try:
        with open(part, "r+b") as file:
            file.seek(len(output.header) + start * output.row_bytes)
            file.write(rows)
    except FileNotFoundError:
        raise FastdrawError(f"{part}: is not there; every worker must see the folder under this name") from None
    except OSError as error:
        error.filename = error.filename or part
        raise
    return chunk, zlib.crc32(rows)


def write_metadata(output: Output, folder: str, form: str) -> Sidecar:
    """Write the metadata of a category beside its images; the file appears when it is complete."""
    rows = _open(output.source).metadata(range(output.source.count))
    content, name = encode_metadata(rows, output.category, form), file_name(output.category, form)
    open_store(folder).write(name, content)
    return Sidecar(name, len(content), hashlib.sha256(content).hexdigest())


def finish(output: Output, part: str, crcs: list[int]) -> tuple[str, list[int]]:
    """Write the header, compare every chunk with its CRC-32, and flush the file to the disk.

    Returns
    -------
    sha256 : str
        Of the file.
    bad : list of int
        Chunks that do not have their CRC-32.
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


def draw_and_upload(output: Output, folder: str) -> str:
    """Draw a whole category, upload it to a remote folder, and return its SHA-256."""
    with tempfile.TemporaryDirectory(prefix="fastdraw-") as scratch:
        part = Path(scratch) / output.file
        part.touch()
        crcs = [draw(output, str(part), chunk)[1] for chunk in range(output.chunks)]
        digest, bad = finish(output, str(part), crcs)
        if bad:
            raise FastdrawError(f"{scratch}: expected this disk to keep what was written to it; it did not")
        RemoteStore(as_path(folder)).upload(part, output.file)
    return digest
