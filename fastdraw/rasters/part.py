"""The file of a category while it is being written, and the journal that says which of its chunks are there."""

from __future__ import annotations

import contextlib
import glob
import os
import struct
from pathlib import Path

from fastdraw.rasters.tasks import Output

_RECORD = struct.Struct("<II")  # number of a chunk, CRC-32 of its bytes


class Part:
    """``.<category>.<key>.part``, with a journal beside it.

    The key is that of the output, so what was drawn from another source or with other settings, even by a worker of
    an earlier run that is still at it, never gets into this one. The journal may say more than the disk has kept after
    a power cut: `fastdraw.rasters.tasks.finish` finds that out.

    Attributes
    ----------
    crcs : dict of int to int
        CRC-32 of each chunk that is there.
    """

    def __init__(self, folder: Path, output: Output) -> None:
        self.path = folder / f".{output.category}.{output.key}.part"
        self._journal = self.path.with_suffix(".journal")
        self._final = folder / output.file
        self._chunks = output.chunks
        self.crcs: dict[int, int] = {}

    def resume(self) -> None:
        """Read the journal of an earlier run, if there is one."""
        with contextlib.suppress(FileNotFoundError):
            content = self._journal.read_bytes()
            whole = len(content) // _RECORD.size * _RECORD.size
            os.truncate(self._journal, whole)  # the last record may have been cut off
            self.crcs = {chunk: crc for chunk, crc in _RECORD.iter_unpack(content[:whole]) if chunk < self._chunks}
        if not self.path.exists():
            if self.crcs and len(self.crcs) == self._chunks and self._final.exists():
                os.replace(self._final, self.path)  # it was renamed, and then there was no time to say so
            else:
                self.crcs = {}

    def begin(self) -> None:
        """Make the file, for others to write in."""
        self.path.touch()

    def add(self, chunk: int, crc: int) -> None:
        self.crcs[chunk] = crc
        with open(self._journal, "ab") as journal:
            journal.write(_RECORD.pack(chunk, crc))

    def publish(self) -> None:
        """Give the file its name; the journal stays until `discard`, when the manifest knows of it."""
        os.replace(self.path, self._final)


def discard(folder: Path, category: str, keep: str = "") -> None:
    """Delete the parts of a category and their journals, but for those of one key."""
    for path in folder.glob(f".{glob.escape(category)}.*"):
        key, _, suffix = path.name.removeprefix(f".{category}.").partition(".")
        if suffix in ("part", "journal") and key != keep:
            path.unlink(missing_ok=True)
