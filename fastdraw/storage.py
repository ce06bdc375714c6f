"""Where files are, on this machine or at any address that fsspec knows; and files that appear when they are whole."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, cast

import filelock
import platformdirs

from fastdraw.errors import FastdrawError

Address = str | os.PathLike[str]


def as_path(address: Address) -> Path:
    """A path on this machine; or, for an address such as ``s3://bucket/folder``, an object with the methods of one.

    Raises
    ------
    FastdrawError
        If the address needs a package that is not installed, or no package knows addresses like it.
    """
    if not isinstance(address, (str, os.PathLike)):
        return address  # of this function
    text = os.fspath(address)
    if "://" not in text:
        return Path(text)
    if text.startswith("file://"):
        return Path(text.removeprefix("file://"))
    try:
        from upath import UPath

        path = UPath(text)
        assert path.fs is not None  # it is made here, and its package imported
    except ImportError as error:
        raise FastdrawError(
            f'{text}: expected {error.name}, which is not installed: pip install "fastdraw-vaekit[cloud]"'
        ) from None
    except ValueError as error:
        raise FastdrawError(f"{text}: expected the address of a file system: {error}") from None
    return cast(Path, path)


def is_local(path: Path) -> bool:
    """Whether a path is one on this machine."""
    return isinstance(path, Path)


@contextlib.contextmanager
def reaching(path: Path) -> Iterator[None]:
    """What the package for an address raises in the block that is no error of ours or of files becomes one."""
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


def file_size(path: Path) -> int | None:
    """Bytes of a file, or None if there is none."""
    with reaching(path):
        return path.stat().st_size if path.exists() else None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file to write, renamed to ``path`` at the end of the block; after an error nothing is left of it."""
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
    """Make a folder and those above it where they do not exist; returns ``path``."""
    try:
        path.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError):
        raise FastdrawError(f"{path}: expected a folder or a new name, found a file there") from None
    return path


def save_bytes(path: Path, content: bytes) -> None:
    """Write a small file at once."""
    with reaching(path):
        if is_local(path):
            with replacing(path) as file:
                file.write(content)
        else:
            path.write_bytes(content)


def local_copy(path: Path) -> Path:
    """A file on this machine: the path itself, or a copy of what is at the address in the user's cache folder.

    The copy is made again when size or time of what is at the address have changed, and gets that time.
    """
    if is_local(path):
        return path
    parent = hashlib.sha256(str(path.parent).encode()).hexdigest()[:16]
    folder = make_folder(platformdirs.user_cache_path("fastdraw") / "copies" / parent)
    copy = folder / path.name
    with reaching(path), filelock.FileLock(folder / f".{path.name}.lock"):
        system, address = cast(Any, path).fs, cast(Any, path).path
        size, moment = system.size(address), int(system.modified(address).timestamp() * 1e6) * 1000
        if not copy.exists() or (copy.stat().st_size, copy.stat().st_mtime_ns) != (size, moment):
            part = folder / f".{path.name}.part"
            system.get_file(address, str(part))
            os.utime(part, ns=(moment, moment))
            os.replace(part, copy)
    return copy


def upload(source: Path, target: Path) -> None:
    """Put a file at an address, where it appears when it is whole."""
    with reaching(target):
        cast(Any, target).fs.put_file(str(source), cast(Any, target).path)
