"""The on-disk cache of compiled kernels: numba's, except that it notices every change and every damaged byte.

numba's own cache compares only the source file of a kernel, so it misses edits of functions that are inlined from other
files, and it unpickles and runs whatever its files hold. Here a file is used only if its checksum matches, which covers
the machine code and all that it was made from: the sources of all kernels, the versions of Python, numba, llvmlite,
LLVM and NumPy, numba's settings, the processor and the signature. Anything else is a cache miss.

Files are in ``NUMBA_CACHE_DIR`` if that is set, else in the user's cache folder, where a new installation of the same
versions finds them, else beside the package.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
import platformdirs
from llvmlite import binding as llvm
from numba.core.caching import CompileResultCacheImpl, FunctionCache, IndexDataCacheFile

_SUFFIX = ".kernel"
_HASH_SIZE = 32  # bytes
_SETS = 4  # of kernels in the user's cache folder: of the versions and sources that were used last


def _hash(*strings: bytes) -> bytes:
    """Hash byte strings, and where one ends and the next begins."""
    hasher = hashlib.blake2b(digest_size=_HASH_SIZE)
    for string in strings:
        hasher.update(len(string).to_bytes(8, "little"))
        hasher.update(string)
    return hasher.digest()


def _hash_sources() -> bytes:
    """Hash the source files of `fastdraw.kernels`; ``b""`` if there are none (in a zip file) or one is unreadable."""
    folder = Path(__file__).parent
    strings: list[bytes] = []
    try:
        for path in sorted(folder.rglob("[!.]*.py")):
            strings += path.relative_to(folder).as_posix().encode(), path.read_bytes()
    except OSError:
        return b""
    return _hash(*strings) if strings else b""


# The sources at import, from which everything is compiled, even if the files change later.
_SOURCES = _hash_sources()


def _versions() -> list[str]:
    return [sys.version, numba.__version__, llvmlite.__version__, str(llvm.llvm_version_info), np.__version__]


def _compiler() -> list[str]:
    """Describe the compiler: versions, and numba's settings except those that cannot change serial code for the CPU."""
    other = ("CACHE_", "CUDA_", "NUMBA_DEFAULT_NUM_THREADS", "NUMBA_NUM_THREADS", "THREADING_LAYER")
    names = (name for name in dir(numba.config) if name.isupper() and not name.startswith(other))
    return _versions() + [f"{name}={getattr(numba.config, name)!r}" for name in names]


class _CacheFiles(IndexDataCacheFile):  # type: ignore[misc]  # numba is untyped
    """The cache files of one kernel: one for each signature, processor and set of closed-over values.

    A file holds the hash of the kernel sources, the checksum, and the pickled machine code. After any other change, its
    name stays, and it is replaced.
    """

    def load(self, key: Any) -> Any:
        """Return the data saved under a key, or None if they are damaged or were made from something else."""
        content = self._path(key).read_bytes()
        head, data = content[: 2 * _HASH_SIZE], content[2 * _HASH_SIZE :]
        return pickle.loads(data) if head == self._head(key, data) else None

    def save(self, key: Any, data: Any) -> None:
        """Save data under a key, and remove the files that were made from other sources."""
        if not _SOURCES or _hash_sources() != _SOURCES:
            return
        dumped = self._dump(data)
        with self._open_for_write(str(self._path(key))) as file:  # a temporary file, renamed when it is whole
            file.write(self._head(key, dumped) + dumped)
        for path in Path(self._cache_path).glob(f"*{_SUFFIX}*"):
            with contextlib.suppress(OSError), path.open("rb") as file:
                if file.read(_HASH_SIZE) != _SOURCES:
                    path.unlink()

    def flush(self) -> None:
        """Remove all files of the kernel."""
        for path in Path(self._cache_path).glob(f"{self._name}.*{_SUFFIX}"):
            path.unlink(missing_ok=True)

    @property
    def _name(self) -> str:
        return self._index_name.removesuffix(".nbi")

    def _path(self, key: Any) -> Path:
        signature, processor, (_, closure) = key
        named = _hash(str(signature).encode(), repr(processor).encode(), closure.encode())
        return Path(self._cache_path, f"{self._name}.{named.hex()[:16]}{_SUFFIX}")

    def _head(self, key: Any, data: bytes) -> bytes:
        made_from = (_compiler(), self._source_stamp, str(key[0]), key[1:], self._path(key).name)
        return _SOURCES + _hash(_SOURCES, repr(made_from).encode(), data)


class _AtHome:
    """Refuses a folder named ``~``, which numba would make in the working directory of a user without a home."""

    def ensure_cache_path(self) -> None:
        if self.get_cache_path().startswith("~"):
            raise OSError("expected a home folder")
        super().ensure_cache_path()


@functools.cache
def _user_folder() -> Path | None:
    """The folder in the user's cache for kernels of these sources and versions, or None if there can be none.

    Those that were not used for longest are removed.
    """
    with contextlib.suppress(RuntimeError, OSError):  # no home, or one that cannot be written to
        kernels = platformdirs.user_cache_path("fastdraw") / "kernels"
        if _SOURCES and kernels.is_absolute():
            folder = kernels / _hash(_SOURCES, *map(str.encode, _versions())).hex()[:16]
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
            for old in sorted(kernels.iterdir(), key=lambda path: path.stat().st_mtime)[:-_SETS]:
                shutil.rmtree(old, ignore_errors=True)
            return folder
    return None


# Its name begins with an underscore in some versions of numba.
_UserWide: Any = next(c for c in CompileResultCacheImpl._locator_classes if c.__name__.endswith("UserWideCacheLocator"))


class _UserFolder(_AtHome, _UserWide):  # type: ignore[misc]
    """Places kernels of this package in the user's cache, unless the user names another folder."""

    def __init__(self, function: Callable[..., Any], path: str) -> None:
        super().__init__(function, path)
        self._cache_path = str(_user_folder() or "~")

    @classmethod
    def from_function(cls, function: Callable[..., Any], path: str) -> Any:
        ours = function.__module__.startswith(f"{__package__}.")
        return super().from_function(function, path) if ours and not numba.config.CACHE_DIR else None

    def get_source_stamp(self) -> str:
        return ""  # the time of a file differs between installations, and its content counts anyway

    def get_disambiguator(self) -> str:
        return f"{self._lineno}-{Path(self._py_file).parent.name}"


class _CacheImpl(CompileResultCacheImpl):  # type: ignore[misc]
    _locator_classes = (
        _UserFolder,
        *(type(cls.__name__, (_AtHome, cls), {}) for cls in CompileResultCacheImpl._locator_classes),
    )


class KernelCache(FunctionCache):  # type: ignore[misc]
    """The cache of one kernel, for `numba`'s dispatcher.

    Raises
    ------
    RuntimeError
        If there is no folder that can be written to.
    """

    _impl_class = _CacheImpl

    def __init__(self, function: Callable[..., Any]) -> None:
        super().__init__(function)
        old = self._cache_file
        self._cache_file = _CacheFiles(self._cache_path, self._impl.filename_base, old._source_stamp)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        """Load a compiled kernel, or return None: whatever fails, the kernel is then compiled."""
        with contextlib.suppress(Exception):
            return super().load_overload(sig, target_context)
        return None

    def save_overload(self, sig: Any, data: Any) -> None:
        """Save a compiled kernel if that is possible: on a full disk it is only compiled."""
        with contextlib.suppress(OSError):
            super().save_overload(sig, data)
