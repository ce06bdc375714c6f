"""The file of a category while it is being written, and the journal of its finished chunks."""

from __future__ import annotations

import contextlib
import glob
import os
import struct
from pathlib import Path

from fastdraw.rasters.tasks import Output

_RECORD = struct.Struct("<II")  # number of a chunk, CRC-32 of its bytes


class Part:
    """``.<category>.<key>.part``, with a journal beside it; it goes on with those of an earlier run.

    The key is that of the output. So a chunk that was drawn from another source or with other settings, even by a late
    worker of an earlier run, never gets into this file. After a power cut the journal may list chunks that the disk has
    lost: `fastdraw.rasters.tasks.finish` finds them.

    Attributes
    ----------
    path : pathlib.Path
    crcs : dict of int to int
        CRC-32 of each finished chunk.
    """

    def __init__(self, folder: Path, output: Output) -> None:
        self.path = folder / f".{output.category}.{output.key}.part"
        self.crcs: dict[int, int] = {}
        self._output = output
        self._journal = self.path.with_suffix(".journal")
        self._final = folder / output.file
        discard(folder, output.category, keep=output.key)
        self._resume()

    def _resume(self) -> None:
        chunks = self._output.chunks
        with contextlib.suppress(FileNotFoundError):
            content = self._journal.read_bytes()
            whole = len(content) // _RECORD.size * _RECORD.size
            os.truncate(self._journal, whole)  # the last record may be cut off
            self.crcs = {chunk: crc for chunk, crc in _RECORD.iter_unpack(content[:whole]) if chunk < chunks}
        if not self.path.exists():
            if self.crcs and len(self.crcs) == chunks and self._final.exists():
                os.replace(self._final, self.path)  # the run was killed after renaming, before saving the manifest
            else:
                self.crcs = {}

    @property
    def missing(self) -> list[int]:
        """Chunks that are not finished."""
        return [chunk for chunk in range(self._output.chunks) if chunk not in self.crcs]

    @property
    def drawn(self) -> int:
        """Drawings in finished chunks."""
        return sum(stop - start for start, stop in map(self._output.bounds, self.crcs))

    def create(self) -> None:
        """Create the file, for tasks to write to."""
        self.path.touch()

    def add(self, chunk: int, crc: int) -> None:
        """Note a finished chunk."""
        self.crcs[chunk] = crc
        with open(self._journal, "ab") as journal:
            journal.write(_RECORD.pack(chunk, crc))

    def publish(self) -> None:
        """Give the file its name; the journal stays until the manifest lists the category, then `discard` it."""
        os.replace(self.path, self._final)


def discard(folder: Path, category: str, keep: str = "") -> None:
    """Delete the parts of a category and their journals, except those with the key ``keep``."""
    for path in folder.glob(f".{glob.escape(category)}.*"):
        key, _, suffix = path.name.removeprefix(f".{category}.").partition(".")
        if suffix in ("part", "journal") and key != keep:
            path.unlink(missing_ok=True)
