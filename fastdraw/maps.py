"""The bytes of files: read-only memory maps that hold no file descriptor, and notice when their file changes."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import hashlib
import mmap
import multiprocessing
import os
import stat
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FastdrawError
from fastdraw.storage import as_path, is_open_file

_FEW = 8  # files that are checked at every read
_REST = 100  # times as long as checking many files took, they are not checked again: it then takes 1% of the time

_live: weakref.WeakSet[FileMap] = weakref.WeakSet()


class Version(NamedTuple):
    """A file as it was when it was mapped."""

    device: int
    inode: int
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, status: os.stat_result) -> Version:
        """The version of a file with this status."""
        return cls(status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns)


class FileMap:
    """The bytes of a file, read-only.

    A regular file is mapped. The map outlives its file descriptor, so hundreds of files need none; it is unmapped when
    the last array that uses it is deleted. A pipe is read to its end.

    Parameters
    ----------
    path : pathlib.Path
        On this machine.

    Attributes
    ----------
    path : pathlib.Path
        As given, for messages.
    bytes : (b,) uint8
    version : Version or None
        None for what was read from a pipe.

    Raises
    ------
    FastdrawError
        If the path is a folder or a device, a pipe is empty, or a limit of the process or the machine is reached.
    OSError
        If the file cannot be opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._absolute = os.path.abspath(path)  # the working directory may change
        self.version: Version | None = None
        with limits(path):
            mode = os.stat(path).st_mode
            if not (stat.S_ISREG(mode) or stat.S_ISFIFO(mode)):
                kind = "folder" if stat.S_ISDIR(mode) else "socket" if stat.S_ISSOCK(mode) else "device"
                raise FastdrawError(f"{path}: expected a file, received a {kind}")
            with open(path, "rb") as file:
                if stat.S_ISREG(mode) and not is_open_file(self._absolute):
                    status = os.fstat(file.fileno())
                    self.version = Version.of(status)
                    self.bytes = _map(file, status.st_size)
                else:
                    self.bytes = np.frombuffer(file.read(), np.uint8)
                    if not len(self.bytes):
                        raise FastdrawError(f"{path}: expected the content of a file, received no bytes")
        _live.add(self)

    def check(self) -> None:
        """Raise an error if the file was changed in place, and reading the map may give anything or crash.

        A file that was replaced or deleted is fine: the map still has the bytes of the old one.

        Raises
        ------
        FastdrawError
        """
        before = self.version
        if before is None:
            return
        try:
            now = os.stat(self._absolute)
        except OSError:
            return
        if (now.st_size != before.size or now.st_mtime_ns != before.mtime_ns) and (
            (now.st_dev, now.st_ino) == before[:2]
        ):
            raise FastdrawError(f"{self.path}: was changed while it was open; open it again")

    def __reduce_ex__(self, protocol: Any) -> Any:
        return super().__reduce_ex__(protocol) if self.version is None else (reopen, (self.identity, FileMap))

    @property
    def identity(self) -> Identity:
        """What another opening of the same file must agree with."""
        self.check()
        size, mtime_ns = (len(self.bytes), 0) if self.version is None else self.version[2:]
        return Identity(self._absolute, size, mtime_ns, sample_digest(self.bytes))

    @property
    def is_truncated(self) -> bool:
        """Whether the file is now shorter than its map: reading the end crashes."""
        if self.version is None:
            return False
        with contextlib.suppress(OSError):
            return os.stat(self._absolute).st_size < self.version.size
        return False


def truncated_files() -> list[Path]:
    """Files of this process that were truncated while they were mapped."""
    return [file.path for file in list(_live) if file.is_truncated]


class Checked(Protocol):
    """What a `Watch` checks."""

    def check(self) -> None:
        """Raise `FastdrawError` if it changed."""


class Watch:
    """Checks files before they are read, at a cost of about 1% of the time.

    A few files are checked at each call. Many are checked again only after `_REST` times as long as that takes.
    """

    def __init__(self, files: Sequence[Checked]) -> None:
        self._files = files
        self._due = np.zeros(len(files))

    def check(self, numbers: npt.NDArray[np.int64]) -> None:
        """Check the files with these numbers.

        Raises
        ------
        FastdrawError
            If one was changed in place.
        """
        began = time.monotonic()
        if len(numbers) > _FEW:
            numbers = numbers[self._due[numbers] <= began]
        for number in numbers.tolist():
            self._files[number].check()
        if len(numbers) > _FEW:
            end = time.monotonic()
            self._due[numbers] = end + _REST * (end - began)


class Identity(NamedTuple):
    """What a pickled object remembers of a file, to open the same again, in another process or on another machine."""

    address: str
    size: int
    mtime_ns: int
    digest: bytes  # of some of its content


def reopen(identity: Identity, open: Callable[[Path], Any]) -> Any:
    """Open the file that an unpickled object was made from.

    In a worker process an error is raised when the result is used: an error while a pool unpickles its work kills
    the worker, and the pool waits forever.

    Parameters
    ----------
    identity : Identity
    open : callable
        Opens a path; the result has an attribute ``identity``.

    Raises
    ------
    FastdrawError
        If the file is not there, or is not the same.
    """
    try:
        try:
            opened = open(as_path(identity.address))
        except OSError as error:
            raise FastdrawError(
                f"{identity.address}: cannot be opened again: {error.strerror or error}; "
                "open what is there now, and pickle that"
            ) from None
        now = opened.identity
        if now[1:] != identity[1:]:
            raise FastdrawError(
                f"{identity.address}: was changed since it was pickled: expected {_describe(identity)}, "
                f"received {_describe(now)}; open it again, and pickle that"
            )
        return opened
    except FastdrawError as error:
        if multiprocessing.current_process().name == "MainProcess":
            raise
        return Unavailable(error)


class Unavailable:
    """Stands for what could not be opened, and raises its error when it is used."""

    def __init__(self, error: FastdrawError) -> None:
        self._error = error

    def __reduce__(self) -> tuple[Any, ...]:
        return Unavailable, (self._error,)

    def __getattr__(self, name: str) -> Any:
        raise self._error


@contextlib.contextmanager
def limits(path: Path) -> Iterator[None]:
    """Say what to do about a limit that is reached in the block.

    Raises
    ------
    FastdrawError
    """
    try:
        yield
    except OSError as error:
        if error.errno not in (errno.EMFILE, errno.ENFILE):
            raise
        raise FastdrawError(
            f"{path}: cannot be opened: {error.strerror}; close some, or raise the limit (ulimit -n)"
        ) from None


def sample_digest(data: npt.NDArray[np.uint8]) -> bytes:
    """Digest of eight evenly spaced blocks, to tell apart files of equal size and time: 16 bytes."""
    digest = hashlib.blake2b(digest_size=15)  # NumPy's S16 drops trailing zero bytes, so append a byte
    for start in np.linspace(0, max(0, len(data) - 4096), 8).astype(int):
        digest.update(data[start : start + 4096].tobytes())
    return digest.digest() + b"."


def _describe(identity: Identity) -> str:
    moment = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(identity.mtime_ns / 1e9))
    return f"{identity.size:,} bytes of {moment} with digest {identity.digest.hex()[:8]}"


def _map(file: BinaryIO, size: int) -> npt.NDArray[np.uint8]:
    if size == 0:
        return np.empty(0, np.uint8)  # there is no map of no bytes
    if os.name != "posix":
        return np.memmap(file, np.uint8, "r")
    address = _libc.mmap(None, size, mmap.PROT_READ, mmap.MAP_PRIVATE, file.fileno(), 0)
    if address == _FAILED:
        number = ctypes.get_errno()
        raise FastdrawError(f"{file.name}: cannot be mapped into memory: {os.strerror(number)}")
    return np.asarray(_Pages(address, size))


class _Pages:
    """The owner of mapped memory: all arrays of it refer to this object."""

    def __init__(self, address: int, size: int) -> None:
        self.__array_interface__ = {"shape": (size,), "typestr": "|u1", "data": (address, True), "version": 3}
        # Not at exit: threads may still read.
        weakref.finalize(self, _libc.munmap, address, size).atexit = False


if os.name == "posix":
    # Python's mmap keeps a duplicate of the descriptor for each map.
    _libc = ctypes.CDLL(None, use_errno=True)
    _libc.mmap.restype = ctypes.c_void_p
    _libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *3 * [ctypes.c_int], ctypes.c_long]
    _libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]
    _FAILED = ctypes.c_void_p(-1).value
