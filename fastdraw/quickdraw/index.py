"""The index of a file: where its records are, found by one scan and kept next to the file.

A ``.bin`` file has no table of contents: record ``i`` is found only by scanning the records before it. The scan also
checks that every record is complete, so later readers need no checks. Its result is written to ``<file>.index``: a
header, then the byte offset of each record and of the end of the last (uint64).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdraw.errors import BinFormatError, FastdrawError
from fastdraw.kernels import records as kernels
from fastdraw.storage import as_path, local_copy, reaching, replacing

SUFFIX = ".index"

_MAGIC = b"fastdraw index 1"
_HEADER = np.dtype(
    [
        ("magic", "S16"),
        ("size", "<u8"),  # of the .bin file, bytes
        ("mtime_ns", "<i8"),  # of the .bin file
        ("sample", "S16"),  # digest of eight blocks of the .bin file
        ("count", "<u8"),
        ("strokes", "<u8"),
        ("points", "<u8"),
        ("damage", "<u8"),  # SOUND, or what is wrong with the record after the last sound one
        ("where", "<u8"),  # byte offset of the error in it
        ("end", "<u8"),  # byte offset of the end of the last sound record
        ("offsets_crc", "<u8"),
        ("header_crc", "<u8"),  # of all fields above
    ]
)


class IndexedFile:
    """A memory-mapped, checked ``.bin`` file.

    Attributes
    ----------
    path : pathlib.Path
        The file on this machine; for an address, its local copy.
    data : (b,) uint8
        The file, memory-mapped and read-only.
    count, strokes, points : int
        Totals of the sound records.
    end : int
        Byte offset of the end of the last sound record; less than ``len(data)`` if the file is damaged.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = local_copy(as_path(path))
        with open(self.path, "rb") as file:
            status = os.fstat(file.fileno())
            self.data: npt.NDArray[np.uint8] = (
                np.memmap(file, np.uint8, "r") if status.st_size else np.empty(0, np.uint8)
            )
        self._expected = (status.st_size, status.st_mtime_ns, _sample_digest(self.data))
        self._offsets: dict[str, npt.NDArray[np.uint64]] = {}
        header = self._read_header()
        if header is None:
            header, self._offsets["kept"] = self._build()
        self._header = header
        self.count, self.strokes, self.points, self.end = (
            int(self._header[field]) for field in ("count", "strokes", "points", "end")
        )

    @property
    def offsets(self) -> npt.NDArray[np.uint64]:
        """Byte offset of each sound record and of the end of the last: (count + 1,) uint64.

        Mapped at the first use, so that opening hundreds of files reads only their headers.
        """
        if "kept" not in self._offsets:
            offsets: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
            with contextlib.suppress(OSError, ValueError):
                offsets = np.memmap(self._sidecar, "<u8", "r", _HEADER.itemsize, self.count + 1)
            if len(offsets) == 0 or zlib.crc32(offsets.data) != self._header["offsets_crc"]:
                offsets = self._build()[1]
            # Kernels read through the address of the array, so when threads get here together all must use the
            # first one stored. `setdefault` is atomic and, unlike a lock, cannot be held during a fork.
            self._offsets.setdefault("kept", offsets)
        return self._offsets["kept"]

    @property
    def damage(self) -> BinFormatError | None:
        """The error that describes the damage, or None for a sound file."""
        kind, where = int(self._header["damage"]), int(self._header["where"])
        if kind == kernels.SOUND:
            return None
        left = len(self.data) - where
        if kind == kernels.CUT_HEAD:
            reason = f"record {self.count} is cut off: expected {kernels.HEAD} bytes for its head, received {left}"
        elif kind == kernels.BAD_FLAG:
            reason = (
                f"record {self.count}: expected 0 or 1 as recognized flag (byte {where}), received {self.data[where]}; "
                + ("an earlier record may have a wrong length" if self.count else "this may not be a .bin file")
            )
        elif kind == kernels.CUT_STROKE:
            reason = (
                f"record {self.count} is cut off: expected 2 bytes for the length of a stroke at byte {where}, "
                f"received {left}"
            )
        else:
            need = 2 * int(self.data[where - 2 : where].view("<u2")[0])
            reason = (
                f"record {self.count} is cut off: expected {need} bytes for a stroke at byte {where}, received {left}"
            )
        return BinFormatError(self.path, self.end, reason)

    @property
    def left_out(self) -> str | None:
        """What is lost when only the sound records are used, as a sentence; None for a sound file."""
        if (damage := self.damage) is None:
            return None
        left_out = len(self.data) - self.end
        return (
            f"{damage.path}: kept {self.count} drawings and left out the last {left_out} bytes, "
            f"from byte {damage.offset} on: {damage.reason}"
        )

    @property
    def _sidecar(self) -> Path:
        return self.path.with_name(self.path.name + SUFFIX)

    def _read_header(self) -> Any:
        """The header of the sidecar; None unless the sidecar is complete and belongs to this version of the file."""
        try:
            with open(self._sidecar, "rb") as file:
                raw = file.read(_HEADER.itemsize)
                length = os.fstat(file.fileno()).st_size
        except OSError:
            return None
        if len(raw) < _HEADER.itemsize:
            return None
        header = np.frombuffer(raw, _HEADER)[0]
        sound = (
            header["magic"] == _MAGIC
            and header["header_crc"] == _header_crc(header)
            and (header["size"], header["mtime_ns"], header["sample"]) == self._expected
            and length == _HEADER.itemsize + 8 * (int(header["count"]) + 1)
        )
        return header if sound else None

    def _build(self) -> tuple[Any, npt.NDArray[np.uint64]]:
        """Scan the file, write the sidecar if possible, and return its header and offsets."""
        scan = scan_records(self.data)
        offsets = scan.offsets
        header = np.zeros((), _HEADER)
        header["magic"] = _MAGIC
        header["size"], header["mtime_ns"], header["sample"] = self._expected
        header["count"] = len(offsets) - 1
        header["strokes"], header["points"] = scan.strokes, scan.points
        header["damage"], header["where"], header["end"] = scan.damage, scan.where, offsets[-1]
        header["offsets_crc"] = zlib.crc32(offsets.data)
        header["header_crc"] = _header_crc(header)
        # If the folder is read-only or the disk full, the file is scanned again next time.
        with contextlib.suppress(OSError), replacing(self._sidecar) as file:
            file.write(header.tobytes())
            file.write(offsets.data)
        return header[()], offsets


class Scan(NamedTuple):
    """Result of `scan_records`."""

    offsets: npt.NDArray[np.uint64]  # byte offset of each sound record and of the end of the last
    strokes: int
    points: int
    damage: int  # SOUND, or what is wrong with the record after the last sound one
    where: int  # byte offset of the error in it


def scan_records(data: npt.NDArray[np.uint8], block: int = 1 << 20) -> Scan:
    """Find and check the records of a file; the kernel does ``block`` records at a time."""
    found = []
    totals = np.zeros(2, np.int64)
    position = 0
    while True:
        offsets = np.empty(block, np.uint64)
        count, position, damage, where = kernels.scan(data, position, offsets, totals)
        found.append(offsets[:count].copy())
        if count < block:
            break
    offsets = np.concatenate([*found, np.array([position], np.uint64)])
    return Scan(offsets, int(totals[0]), int(totals[1]), damage, where)


def find_bin_files(paths: str | os.PathLike[str] | list[str | os.PathLike[str]]) -> list[Path]:
    """Files as given, and the ``*.bin`` files of folders, sorted by category; not those that start with a dot."""
    files: list[Path] = []
    for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
        path = as_path(path)
        with reaching(path):
            if path.is_dir():
                inside = [file for file in path.glob("*.bin") if not file.name.startswith(".") and not file.is_dir()]
                inside.sort(key=lambda file: file.stem)  # "house" before "house plant"
                if not inside:
                    raise FastdrawError(f"{path}: expected a folder of .bin files, received one without any")
                files += inside
            elif path.exists():
                files.append(path)
            else:
                raise FastdrawError(f"{path}: no such file or folder; expected a .bin file or a folder of them")
    if not files:
        raise FastdrawError("expected at least one .bin file or folder, received an empty list")
    return files


def _header_crc(header: Any) -> int:
    return zlib.crc32(header.tobytes()[: -_HEADER["header_crc"].itemsize])


def _sample_digest(data: npt.NDArray[np.uint8]) -> bytes:
    """Digest of eight evenly spaced blocks, to tell apart files of equal size and time."""
    digest = hashlib.blake2b(digest_size=15)  # S16 drops trailing zero bytes, so append a byte
    for start in np.linspace(0, max(0, len(data) - 4096), 8).astype(int):
        digest.update(data[start : start + 4096].tobytes())
    return digest.digest() + b"."
