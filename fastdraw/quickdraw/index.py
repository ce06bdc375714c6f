"""The index of a file: where its records are, found by one scan and kept next to the file.

A ``.bin`` file has no table of contents: record ``i`` is found only by scanning the records before it. The scan also
checks that every record is complete, so later readers need no checks. Its result is written to ``<file>.index``: a
header, then the byte offset of each record and of the end of the last (uint64).
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import weakref
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.errors import BinFormatError, FastdrawError, FormatError, OtherFormatError
from fastdraw.kernels import layout
from fastdraw.maps import FileMap, Identity, Version, limits, reopen, sample_digest
from fastdraw.quickdraw.identify import HEAD, identify
from fastdraw.quickdraw.scan import scan_records
from fastdraw.storage import as_path, is_local, local_copy, replacing

SUFFIX = ".index"

_MAGIC = b"fastdraw index 2"  # 1: zero bytes were records
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
    """A memory-mapped, checked ``.bin`` file; `open_indexed` opens one.

    A pickle of it holds the path, not the bytes; unpickling opens the file again if it is still the same.

    Attributes
    ----------
    path : pathlib.Path
        The file on this machine; for an address, its local copy.
    data : (b,) uint8
        The file, memory-mapped and read-only; what was read from a pipe is in memory.
    count, strokes, points : int
        Totals of the sound records.
    end : int
        Byte offset of the end of the last sound record; less than ``len(data)`` if the file is damaged.
    """

    def __init__(self, path: str | os.PathLike[str], file: FileMap | None = None) -> None:
        source = as_path(path)
        self._address = os.path.abspath(source) if is_local(source) else str(source)
        self._file = file = file or FileMap(local_copy(source))
        self.path = file.path
        self.data = file.bytes
        self._sidecar = Path(os.path.abspath(file.path) + SUFFIX)
        self._sidecar_map: FileMap | None = None
        size, mtime_ns = (len(self.data), 0) if file.version is None else file.version[2:]
        self._expected = (size, mtime_ns, sample_digest(self.data))
        self._offsets: dict[str, npt.NDArray[np.uint64]] = {}
        header = None if file.version is None else self._read_header()
        if header is None:
            header, self._offsets["kept"] = self._build()
        self._header = header
        self.count, self.strokes, self.points, self.end = (
            int(self._header[field]) for field in ("count", "strokes", "points", "end")
        )

    def check(self) -> None:
        """Raise an error if the file or its sidecar were changed in place since they were mapped.

        Raises
        ------
        FastdrawError
        """
        self._file.check()
        if self._sidecar_map is not None:
            self._sidecar_map.check()

    @property
    def version(self) -> Version | None:
        """The file as it was when it was mapped; None for a pipe, which cannot be opened again."""
        return self._file.version

    @property
    def is_current(self) -> bool:
        """Whether the maps still have the content that was indexed, as far as a sample of it shows."""
        try:
            self.check()
        except FastdrawError:  # to open it again must help
            return False
        return self._expected[2] == sample_digest(self.data)

    @property
    def identity(self) -> Identity:
        """What another opening of the same file must agree with."""
        digest = hashlib.blake2b(self._expected[2], digest_size=16)
        digest.update(self._header.tobytes())
        return Identity(self._address, *self._expected[:2], digest.digest())

    def __reduce__(self) -> tuple[Any, ...]:
        if self.version is not None:
            return reopen, (self.identity, open_indexed)
        return IndexedFile, (self._address, self._file)

    @property
    def offsets(self) -> npt.NDArray[np.uint64]:
        """Byte offset of each sound record and of the end of the last: (count + 1,) uint64.

        Mapped at the first use, so that opening hundreds of files reads only their headers.
        """
        if "kept" not in self._offsets:
            offsets: npt.NDArray[np.uint64] = np.empty(0, np.uint64)
            sidecar = None
            with contextlib.suppress(OSError, FastdrawError):
                sidecar = FileMap(self._sidecar)
                if len(sidecar.bytes) == _HEADER.itemsize + 8 * (self.count + 1):
                    offsets = sidecar.bytes[_HEADER.itemsize :].view("<u8")
            if len(offsets) == 0 or zlib.crc32(offsets.data) != self._header["offsets_crc"]:
                self.check()
                offsets, sidecar = self._build()[1], None
            # Kernels read through the address of the array, so when threads get here together all must use the
            # first one stored. `setdefault` is atomic and, unlike a lock, cannot be held during a fork.
            if self._offsets.setdefault("kept", offsets) is offsets:
                self._sidecar_map = sidecar
        return self._offsets["kept"]

    @property
    def damage(self) -> FormatError | None:
        """The error that describes the damage, or None for a sound file."""
        kind, where = int(self._header["damage"]), int(self._header["where"])
        if kind == layout.SOUND:
            return None
        left = len(self.data) - where
        if self.count == 0:
            try:
                identify(self.data[:HEAD].tobytes())
            except ValueError as error:  # it is something else
                return OtherFormatError(self.path, 0, str(error))
        if kind == layout.CUT_HEAD:
            reason = f"record {self.count} is cut off: expected {layout.HEAD} bytes for its head, received {left}"
        elif kind == layout.BAD_FLAG:
            reason = (
                f"record {self.count}: expected 0 or 1 as recognized flag (byte {where}), received {self.data[where]}; "
                + ("an earlier record may have a wrong length" if self.count else "this may not be a .bin file")
            )
        elif kind == layout.ZEROS:
            reason = f"record {self.count}: expected a drawing, received zero bytes; the file may be incomplete"
            if self.count == 0 and len(self.data) % 784 == 0:
                reason += ", or hold bitmaps of 28x28 pixels, which fastdraw.open_rasters opens"
        elif kind == layout.CUT_STROKE:
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
        if not self.count:
            return f"{damage.path}: left out, because it has no drawing: {damage.reason}"
        return (
            f"{damage.path}: kept {self.count} drawings and left out the last {left_out} bytes, "
            f"from byte {damage.offset} on: {damage.reason}"
        )

    def _read_header(self) -> Any:
        """The header of the sidecar; None unless the sidecar is complete and belongs to this version of the file."""
        try:
            with limits(self.path), open(self._sidecar, "rb") as file:
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
        self._file.check()
        offsets = scan.offsets
        header = np.zeros((), _HEADER)
        header["magic"] = _MAGIC
        header["size"], header["mtime_ns"], header["sample"] = self._expected
        header["count"] = len(offsets) - 1
        header["strokes"], header["points"] = scan.strokes, scan.points
        header["damage"], header["where"], header["end"] = scan.damage, scan.where, offsets[-1]
        header["offsets_crc"] = zlib.crc32(offsets.data)
        header["header_crc"] = _header_crc(header)
        if self.version is not None and scan.damage == layout.SOUND:
            # If the folder is read-only or the disk full, the file is scanned again next time.
            with contextlib.suppress(OSError, FastdrawError), replacing(self._sidecar) as file:
                file.write(header.tobytes())
                file.write(offsets.data)
        return header[()], offsets


_opened: weakref.WeakValueDictionary[tuple[str, str, Version], IndexedFile] = weakref.WeakValueDictionary()


def open_indexed(path: str | os.PathLike[str]) -> IndexedFile:
    """Open a ``.bin`` file; as long as it is open in this process and has not changed, it is opened only once.

    Raises
    ------
    FastdrawError
        If the path is a folder or a device, a pipe is empty, or a limit of the process or the machine is reached.
    OSError
        If the file cannot be read.
    """
    path = as_path(path)
    if is_local(path):
        known = _opened.get((*_names(path), Version.of(os.stat(path))))
        if known is not None and known.is_current:
            return known
    file = IndexedFile(path)
    if file.version is not None:
        _opened[*_names(file.path), file.version] = file
    return file


def _names(path: Path) -> tuple[str, str]:
    """A path as it was given, for messages, and what it means in this working directory."""
    return str(path), os.path.abspath(path)


def _header_crc(header: Any) -> int:
    return zlib.crc32(header.tobytes()[: -_HEADER["header_crc"].itemsize])
