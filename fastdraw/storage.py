"""Files at any address that fsspec knows, local or remote; files are replaced as a whole, never half written."""

from __future__ import annotations

import abc
import contextlib
import errno
import hashlib
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, cast

import filelock
import platformdirs

from fastdraw.errors import FastdrawError
from fastdraw.notices import notice, notice_after

_LOCK = ".lock"
_CANNOT_LOCK = errno.ENOLCK, errno.EOPNOTSUPP  # some network file systems
_CANNOT_WRITE = errno.EACCES, errno.EPERM, errno.EROFS

Address = str | os.PathLike[str]
Progress = Callable[[str, int, int], None]  # called with the name of a file, its units done, and all its units


class Store(abc.ABC):
    """The files of one folder, which need not exist.

    Attributes
    ----------
    folder : path
        A `pathlib.Path`, or for a remote address an object with the same methods.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __str__(self) -> str:
        return str(self.folder)

    def __truediv__(self, name: str) -> Path:
        return self.folder / name

    def size(self, name: str) -> int | None:
        """Bytes of a file, or None if there is none."""
        path = self / name
        with reaching(path):
            return path.stat().st_size if path.exists() else None

    def read(self, name: str) -> bytes:
        """The content of a small file."""
        path = self / name
        with reaching(path):
            return path.read_bytes()

    def remove(self, name: str) -> None:
        """Delete a file if it exists."""
        path = self / name
        with reaching(path):
            path.unlink(missing_ok=True)

    @abc.abstractmethod
    def write(self, name: str, content: bytes) -> None:
        """Write a small file; readers see the old content or the new, never a part."""

    @abc.abstractmethod
    def locked(self) -> contextlib.AbstractContextManager[None]:
        """Keep other runs out of the folder, where that is possible.

        Raises
        ------
        FastdrawError
            If another run is in it.
        """


class LocalStore(Store):
    """The files of a folder on this machine."""

    def write(self, name: str, content: bytes) -> None:
        if self.size(name) == len(content) and self.read(name) == content:
            return  # the folder may be read-only, with nothing left to do
        with replacing(self / name) as file:
            file.write(content)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locking(self / _LOCK, timeout=0))
            except filelock.Timeout:
                raise FastdrawError(
                    f"{self}: another run is writing to this folder; wait for it or choose another"
                ) from None
            for path in self.folder.glob(".*.tmp"):  # left by a run that was killed while it wrote
                path.unlink()
            yield


class RemoteStore(Store):
    """The files of a folder at a remote address."""

    def write(self, name: str, content: bytes) -> None:
        path = self / name
        with reaching(path):
            path.write_bytes(content)

    def upload(self, source: Path, name: str) -> None:
        """Copy a local file into the folder; it appears there when it is complete."""
        path: Any = self / name
        with reaching(path):
            path.fs.put_file(str(source), path.path)

    def locked(self) -> contextlib.AbstractContextManager[None]:
        return contextlib.nullcontext()


def open_store(address: Address) -> LocalStore | RemoteStore:
    """The files of a folder.

    Raises
    ------
    FastdrawError
        As `as_path`.
    """
    folder = as_path(address)
    return LocalStore(folder) if is_local(folder) else RemoteStore(folder)


@contextlib.contextmanager
def creating_store(address: Address) -> Iterator[LocalStore | RemoteStore]:
    """The files of a folder, under its absolute path; a local folder is created as in `filling`.

    Raises
    ------
    FastdrawError
        As `as_path`, or if there is a file in the way.
    """
    store = open_store(address)
    if isinstance(store, RemoteStore):
        yield store
        return
    with filling(store.folder) as folder:
        yield LocalStore(folder.resolve())


def as_path(address: Address) -> Path:
    """A local path; or, for an address such as ``s3://bucket/folder``, an object with the same methods.

    Raises
    ------
    FastdrawError
        If the address needs a package that is not installed, or no package knows addresses like it.
    """
    if hasattr(address, "fs"):
        return cast(Path, address)  # of this function
    if not isinstance(address, (str, os.PathLike)):
        raise TypeError(f"expected a path, received {address!r}")
    text = os.fspath(address)
    if not text:
        raise FastdrawError("expected a path, received an empty one")  # which would be the working directory
    if "://" not in text:
        return Path(text)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    try:
        from upath import UPath

        path = UPath(text)
        assert path.fs is not None  # created here, which imports its package
    except ImportError as error:
        # The message of fsspec names the package.
        raise FastdrawError(f'{text}: {error}; for gs:// and s3://, pip install "fastdraw-vaekit[cloud]"') from None
    except ValueError as error:
        raise FastdrawError(f"{text}: expected the address of a file system: {error}") from None
    return cast(Path, path)


def as_paths(addresses: Address | Iterable[Address]) -> Sequence[Path]:
    """The paths of one address or of several, see `as_path`."""
    given: Any = addresses
    if isinstance(given, (str, bytes, os.PathLike)) or not isinstance(given, Iterable):
        given = [given]
    return [as_path(address) for address in given]


def is_local(path: Path) -> bool:
    """Whether a path is on this machine."""
    return isinstance(path, Path)


@contextlib.contextmanager
def reaching(path: Path) -> Iterator[None]:
    """Turn any other exception that the package of a remote address raises in the block into a `FastdrawError`."""
    try:
        yield
    except FastdrawError:
        raise
    except OSError as error:
        error.filename = error.filename or str(path)
        raise
    except Exception as error:
        if is_local(path):
            raise
        raise FastdrawError(f"{path}: {error}") from error


def is_open_file(path: str) -> bool:
    """Whether an absolute path names a descriptor, such as ``/dev/stdin``: another process has another file there."""
    folder = os.path.realpath(os.path.dirname(path))
    return folder in ("/dev", "/dev/fd") or folder.startswith("/proc/")


def expect_file_name(path: Path) -> None:
    """Check the name of a file that is to be written.

    Raises
    ------
    FastdrawError
        If a folder, a device or a pipe has the name. With the rights of root, renaming would replace ``/dev/stdout``.
    """
    if is_open_file(os.path.abspath(path)) or (path.exists() and not path.is_file()):
        raise FastdrawError(f"{path}: expected the name of a file, received that of a folder, a device or a pipe")


def parse_json(content: bytes) -> Any:
    """The value of JSON; a ValueError also if it is nested too deeply, where Python raises a RecursionError."""
    try:
        return json.loads(content)
    except RecursionError:
        raise ValueError("lists or objects are nested too deeply") from None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A temporary file to write, renamed to ``path`` at the end of the block and deleted after an error.

    Raises
    ------
    FastdrawError
        As `expect_file_name`.
    """
    expect_file_name(path)
    temporary = path.with_name(f".{path.name}.{uuid.uuid4().hex[:8]}.tmp")
    try:
        with open(temporary, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError) and error.filename in (None, str(temporary)):
            error.filename = str(path)  # the name that the user knows
        raise


def make_folder(path: Path) -> Path:
    """Create a folder and its parents where they do not exist; returns ``path``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise FastdrawError(f"{path}: expected a folder or a new name, found a file there") from None
    return path


@contextlib.contextmanager
def filling(folder: Path) -> Iterator[Path]:
    """As `make_folder`; after an error in the block, a new folder in which nothing was written is deleted again."""
    is_new = not folder.exists()
    try:
        yield make_folder(folder)
    except BaseException:
        with contextlib.suppress(OSError):
            if is_new and {path.name for path in folder.iterdir()} <= {_LOCK}:
                (folder / _LOCK).unlink(missing_ok=True)
                folder.rmdir()
        raise


@contextlib.contextmanager
def locking(path: Path, *, timeout: float = -1) -> Iterator[None]:
    """Hold a lock file, so that processes that write the same files take turns.

    Where the file system has no locks, a notice says so. Where nothing can be written, no lock is needed.

    Parameters
    ----------
    path : Path
    timeout : float
        Seconds to wait for another process; by default without end, and a notice says so.

    Raises
    ------
    filelock.Timeout
        If another process still holds the lock.
    OSError
        If the lock file cannot be written, though others in its folder can.
    """
    lock = filelock.FileLock(path, timeout=timeout)
    try:
        with notice_after(1, f"{path.parent}: waiting for another process that writes to it"):
            lock.acquire()
    except filelock.Timeout:
        raise
    except OSError as error:
        if error.errno in _CANNOT_LOCK:
            notice(f"{path.parent}: cannot be locked ({error.strerror}); let no other process write to it now")
        elif error.errno not in _CANNOT_WRITE or os.access(path.parent, os.W_OK):
            raise
    try:
        yield
    finally:
        lock.release()


def cache_folder() -> Path:
    """The user's cache folder for fastdraw; it need not exist.

    Raises
    ------
    FastdrawError
        If the user has none.
    """
    try:
        folder = platformdirs.user_cache_path("fastdraw")
    except RuntimeError:  # later versions of platformdirs
        folder = Path("~")
    if not folder.is_absolute():
        raise FastdrawError("expected a home folder, to keep files in its cache; set HOME or XDG_CACHE_HOME")
    return folder


def local_copy(path: Path) -> Path:
    """A local file: the path itself, or a copy of a remote file in the user's cache folder.

    The copy gets the time of the remote file. It is fetched again when size or time of that have changed.
    """
    if is_local(path):
        return path
    parent = hashlib.sha256(str(path.parent).encode()).hexdigest()[:16]
    folder = make_folder(cache_folder() / "copies" / parent)
    copy = folder / path.name
    with reaching(path), locking(folder / f".{path.name}.lock"):
        system, address = cast(Any, path).fs, cast(Any, path).path
        size, moment = system.size(address), int(system.modified(address).timestamp() * 1e6) * 1000
        if not copy.exists() or (copy.stat().st_size, copy.stat().st_mtime_ns) != (size, moment):
            part = folder / f".{path.name}.part"
            system.get_file(address, str(part))
            os.utime(part, ns=(moment, moment))
            os.replace(part, copy)
    return copy
