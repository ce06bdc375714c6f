"""Where the records of a file are: found by one checking walk, kept beside the file in a sidecar.

A ``.bin`` file has no table of contents; record ``i`` is found only by walking over the ``i`` before it. The walk
also checks that every record is whole, so nothing that reads records later has to. Its result goes to
``<file>.index``: a header, then the byte offset of each record and of the end of the last (uint64).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import zlib
from pathlib import Path
from typing import Any

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
        ("sample", "S16"),  # digest of a few blocks of the .bin file
        ("count", "<u8"),
        ("strokes", "<u8"),
        ("points", "<u8"),
        ("damage", "<u8"),  # SOUND, or what is wrong with the record behind the last sound one
        ("where", "<u8"),  # byte offset of what is wrong in it
        ("end", "<u8"),  # byte offset behind the last sound record
        ("offsets_crc", "<u8"),
        ("header_crc", "<u8"),  # of all fields above
    ]
)
_BLOCK = 1 << 20  # records that one call of the scan kernel walks over


class IndexedFile:
    """A memory-mapped, checked ``.bin`` file.

    Attributes
    ----------
    path : pathlib.Path
        The file on this machine: that of an address is a copy.
    data : (b,) uint8
        The file, memory-mapped and read-only.
    count, strokes, points : int
        What the sound records hold.
    end : int
        Byte offset behind the last sound record; less than ``len(data)`` when the file is damaged.
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
        header = self._read_sidecar_header()
        if header is None:
            header, self._offsets["kept"] = self._scan()
        self._header = header
        self.count, self.strokes, self.points, self.end = (
            int(self._header[field]) for field in ("count", "strokes", "points", "end")
        )

    @property
    def offsets(self) -> npt.NDArray[np.uint64]:
        """Byte offset of each sound record and of the end of the last, (count + 1,) uint64.

        Read from the sidecar when first asked for, so that opening hundreds of files reads hundreds of headers.
        """
        if "kept" not in self._offsets:
            offsets: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
            with contextlib.suppress(OSError, ValueError):
                offsets = np.memmap(self._sidecar, "<u8", "r", _HEADER.itemsize, self.count + 1)
            if len(offsets) == 0 or zlib.crc32(offsets.data) != self._header["offsets_crc"]:
                offsets = self._scan()[1]
            # Threads may get here together. Kernels read through the address of the array, so the first one that
            # is kept must stay; setdefault is atomic, and unlike a lock it cannot be held during a fork.
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
            reason = f"record {self.count} is cut off: the file ends after {left} bytes of its {kernels.HEAD}-byte head"
        elif kind == kernels.BAD_FLAG:
            reason = (
                f"record {self.count} has {self.data[where]} as its recognized flag (byte {where}), expected 0 or 1; "
                "the bytes before it may not be what the record before it says"
            )
        elif kind == kernels.CUT_STROKE:
            reason = (
                f"record {self.count} is cut off: a stroke should begin at byte {where}, where {left} bytes are left"
            )
        else:
            need = 2 * int(self.data[where - 2 : where].view("<u2")[0])
            reason = (
                f"record {self.count} is cut off: a stroke needs {need} bytes at byte {where}, where {left} are left"
            )
        return BinFormatError(self.path, self.end, reason)

    @property
    def left_out(self) -> str | None:
        """What is lost if only the sound records are used, in words, or None for a sound file."""
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

    def _read_sidecar_header(self) -> Any:
        """The sidecar's header, or None unless it is whole and was made for just this file."""
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

    def _scan(self) -> tuple[Any, npt.NDArray[np.uint64]]:
        """Walk over the whole file; write the sidecar where that is possible and return its two parts."""
        found = []
        totals = np.zeros(2, np.int64)
        position, damage, where = 0, kernels.SOUND, 0
        while True:
            block = np.empty(_BLOCK, np.uint64)
            count, position, damage, where = kernels.scan(self.data, position, block, totals)
            found.append(block[:count].copy())
            if count < _BLOCK:
                break
        offsets = np.concatenate([*found, np.array([position], np.uint64)])
        header = np.zeros((), _HEADER)
        header["magic"] = _MAGIC
        header["size"], header["mtime_ns"], header["sample"] = self._expected
        header["count"] = len(offsets) - 1
        header["strokes"], header["points"] = totals
        header["damage"], header["where"], header["end"] = damage, where, position
        header["offsets_crc"] = zlib.crc32(offsets.data)
        header["header_crc"] = _header_crc(header)
        # Where the folder cannot be written or the disk is full, the file is scanned again next time.
        with contextlib.suppress(OSError), replacing(self._sidecar) as file:
            file.write(header.tobytes())
            file.write(offsets.data)
        return header[()], offsets


def find_bin_files(paths: str | os.PathLike[str] | list[str | os.PathLike[str]]) -> list[Path]:
    """The ``.bin`` files that ``paths`` names: files as given, folders as their ``*.bin`` sorted by category."""
    files: list[Path] = []
    for path in [paths] if isinstance(paths, (str, os.PathLike)) else paths:
        path = as_path(path)
        with reaching(path):
            if path.is_dir():
                inside = sorted(path.glob("*.bin"), key=lambda file: file.stem)  # "house" before "house plant"
                if not inside:
                    raise FastdrawError(f"{path}: expected a folder of .bin files, found none in it")
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
    """Digest of eight evenly spread blocks, so that another file of equal size and time is not taken for this one."""
    digest = hashlib.blake2b(digest_size=15)  # NumPy's S16 drops trailing zero bytes, so end in a sixteenth
    for start in np.linspace(0, max(0, len(data) - 4096), 8).astype(int):
        digest.update(data[start : start + 4096].tobytes())
    return digest.digest() + b"."
