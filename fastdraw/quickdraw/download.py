"""The published files, fetched in spite of the network, and never under their names before they are checked."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import quote

import filelock
import platformdirs
import urllib3

from fastdraw.errors import FastdrawError
from fastdraw.progress import show_progress
from fastdraw.quickdraw.catalog import Category, categories, find_categories
from fastdraw.quickdraw.drawings import Drawings, open_drawings
from fastdraw.storage import make_folder

BASE_URL = "https://storage.googleapis.com/quickdraw_dataset/full"
FORMATS = {"bin": ("binary", "bin"), "numpy_bitmap": ("numpy_bitmap", "npy"), "simplified": ("simplified", "ndjson")}

WAITS = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)  # seconds before another attempt, while nothing arrives in between
LONGEST_WAIT = 300.0  # seconds, where the server names a time
TIMEOUT = 30.0  # seconds in which nothing arrives: the connection is as good as cut
_BLOCK = 1 << 20

Progress = Callable[[str, int, int], None]
_T = TypeVar("_T")


@dataclass(frozen=True)
class _File:
    """A file to have: where from, where to, and what it must be."""

    url: str
    path: Path
    size: int
    checksum: tuple[str, str] | None  # name of the algorithm, hex digest

    @property
    def part(self) -> Path:
        return self.path.with_name(f".{self.path.name}.part")


class _Setback(Exception):
    """What another attempt may mend."""

    def __init__(self, reason: str, wait: float = 0, progressed: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.progressed = progressed


class _Stopped(Exception):
    """Another file's failure, or the user, ends this one."""


def load(names: str | Sequence[str], *, cache: str | os.PathLike[str] | None = None) -> Drawings:
    """Open published categories, downloading those that are not there yet.

    Parameters
    ----------
    names : str or sequence of str
        As for `download_files`.
    cache : path, optional
        Folder that keeps the files; by default the user's cache folder of this system.

    Returns
    -------
    Drawings

    Raises
    ------
    ValueError
        If a name is not one of a category; the message has the closest three.
    FastdrawError
        If a file cannot be fetched.
    """
    folder = platformdirs.user_cache_path("fastdraw") / "bin" if cache is None else Path(cache)
    chosen = find_categories(names)
    paths = {category.name: folder / f"{category.name}.bin" for category in chosen}
    # A file under its name was checked when it got that name.
    missing = [c.name for c in chosen if not (p := paths[c.name]).exists() or p.stat().st_size != c.bin_bytes]
    if missing:
        with show_progress("bytes") as progress:
            download_files(missing, folder, progress=progress)
    return open_drawings(list(paths.values()))


def download_files(
    names: str | Sequence[str] | None,
    folder: str | os.PathLike[str],
    *,
    format: str = "bin",
    parallel: int = 4,
    base_url: str = BASE_URL,
    progress: Progress | None = None,
) -> list[Path]:
    """Fetch published files.

    A file that is there is checked and not fetched again. One that was cut off goes on where it was. None has its name
    before its size and checksum are right: SHA-256 for ``bin`` and ``numpy_bitmap``; for ``simplified``, whose
    checksums are not known beforehand, the MD5 that the server names, if it does.

    Parameters
    ----------
    names : str or sequence of str, optional
        Categories, as a user would type them; all where None.
    folder : path
        Made where it does not exist.
    format : {"bin", "numpy_bitmap", "simplified"}
    parallel : int
        Files to fetch at the same time.
    base_url : str
        Address above the folders of the formats.
    progress : callable, optional
        Called with a file's name, the bytes that are there and the bytes it has: for every file before any is
        fetched, then as they arrive. One call at a time.

    Returns
    -------
    list of Path
        A file for each category.

    Raises
    ------
    ValueError
        If a name is not one of a category, or another argument is not as above.
    FastdrawError
        If the disk has no room for all, or files could not be fetched in spite of many attempts; the others are there.
    OSError
        If the folder cannot be written.
    """
    if format not in FORMATS:
        raise ValueError(f"expected format to be one of {tuple(FORMATS)}, received {format!r}")
    if parallel < 1:
        raise ValueError(f"expected parallel to be 1 or more, received {parallel}")
    if not base_url.startswith(("http://", "https://")):
        raise ValueError(f"expected base_url to begin with http:// or https://, received {base_url!r}")
    chosen = list(categories().values()) if names is None else find_categories(names)
    folder = make_folder(Path(folder))
    # Another process may want the same files: it waits here and then finds them.
    with filelock.FileLock(folder / ".lock"):
        return _Downloader(folder, format, parallel, base_url.rstrip("/"), progress).fetch_all(chosen)


class _Downloader:
    """The threads of one call of `download_files` and what they share."""

    def __init__(self, folder: Path, format: str, parallel: int, base_url: str, progress: Progress | None) -> None:
        self._folder = folder
        self._format = format
        self._parallel = parallel
        self._base_url = base_url
        self._progress = progress
        self._reporting = threading.Lock()
        self._stop = threading.Event()
        timeout = urllib3.Timeout(connect=TIMEOUT, read=TIMEOUT)
        redirects = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)
        self._http = urllib3.PoolManager(maxsize=parallel, timeout=timeout, retries=redirects)

    def fetch_all(self, chosen: list[Category]) -> list[Path]:
        with ThreadPoolExecutor(self._parallel) as pool:
            try:
                files = list(pool.map(self._describe, chosen))
                for file in files:
                    self._report(file, _size(file.part) if not file.path.exists() else 0)
                wanted = [file for file, good in zip(files, pool.map(self._is_good, files), strict=True) if not good]
                for file in wanted:
                    if file.path.exists():  # cut off by whoever fetched it, or wrong: no name for it until it is right
                        os.replace(file.path, file.part)
                self._check_room(wanted)
                failures = [error for error in pool.map(self._fetch, wanted) if error]
            except BaseException:
                self._stop.set()
                raise
            finally:
                self._http.clear()
        if failures:
            more = f" ({len(failures)} of {len(files)} files are missing)" if len(files) > 1 else ""
            raise FastdrawError(f"{failures[0]}{more}; run the same again to go on") from None
        return [file.path for file in files]

    def _describe(self, category: Category) -> _File:
        subfolder, suffix = FORMATS[self._format]
        url = f"{self._base_url}/{subfolder}/{quote(category.name)}.{suffix}"
        path = self._folder / f"{category.name}.{suffix}"
        if self._format == "bin":
            return _File(url, path, category.bin_bytes, ("sha256", category.bin_sha256))
        if self._format == "numpy_bitmap":
            return _File(url, path, category.npy_bytes, ("sha256", category.npy_sha256))

        def ask() -> _File:
            response = self._request("HEAD", url)
            if "Content-Length" not in response.headers:
                raise FastdrawError(f"{url}: the server does not say how long this file is")
            hashes = dict(
                part.strip().split("=", 1) for part in response.headers.get("x-goog-hash", "").split(",") if part
            )
            checksum = ("md5", base64.b64decode(hashes["md5"]).hex()) if "md5" in hashes else None
            return _File(url, path, int(response.headers["Content-Length"]), checksum)

        return self._persist(url, ask)

    def _is_good(self, file: _File, path: Path | None = None) -> bool:
        """Whether a file is as it must be."""
        path = path or file.path
        if _size(path) != file.size:
            return False
        if file.checksum:
            algorithm, expected = file.checksum
            digest = hashlib.new(algorithm)
            with open(path, "rb") as content:
                while block := content.read(_BLOCK):
                    digest.update(block)
                    if self._stop.is_set():
                        raise _Stopped
            if digest.hexdigest() != expected:
                return False
        self._report(file, file.size)
        return True

    def _check_room(self, wanted: list[_File]) -> None:
        need = sum(file.size - min(file.size, _size(file.part)) for file in wanted)
        free = shutil.disk_usage(self._folder).free
        if need > free:
            raise FastdrawError(
                f"{self._folder}: expected room for {need:,} bytes more, found {free:,}; make room or choose another"
            )

    def _fetch(self, file: _File) -> FastdrawError | None:
        """Fetch one file; an error that says nothing about the others is returned."""
        wrong = 0
        try:
            while True:
                self._persist(file.url, lambda: self._transfer(file))
                if self._is_good(file, file.part):
                    with open(file.part, "rb+") as content:
                        os.fsync(content.fileno())
                    os.replace(file.part, file.path)
                    return None
                file.part.unlink()  # it may have been begun with another file's bytes: once more from the start
                wrong += 1
                if wrong == 2:
                    raise FastdrawError(f"{file.url}: what the server sends is not the published file: wrong checksum")
        except FastdrawError as error:
            return error
        except _Stopped:
            return None  # the one who stopped it says why
        except BaseException:
            self._stop.set()
            raise

    def _transfer(self, file: _File) -> None:
        """Make a part whole, from where it is."""
        begin = _size(file.part)
        if begin == file.size and begin:
            return
        headers = {"Range": f"bytes={begin}-"} if 0 < begin < file.size else {}
        response = self._request("GET", file.url, headers)
        received = response.headers.get("Content-Range", "")
        if response.status != 200 and not received.startswith(f"bytes {begin}-"):
            response.close()
            file.part.unlink()
            raise _Setback(f"expected the bytes from {begin} on, the server offers {received!r}")
        done = begin = begin if response.status == 206 else 0
        with open(file.part, "ab") as content:
            content.truncate(begin)
            try:
                for block in response.stream(_BLOCK):
                    if done + len(block) > file.size:
                        content.truncate(0)
                        raise _Setback(f"expected {file.size:,} bytes, the server sends more")
                    content.write(block)
                    done += len(block)
                    self._report(file, done)
                    if self._stop.is_set():
                        raise _Stopped
            except urllib3.exceptions.HTTPError as error:
                raise _Setback(_cause(error), progressed=done > begin) from None
            finally:
                response.close()
        if done < file.size:
            raise _Setback(f"the connection ended after {done:,} of {file.size:,} bytes", progressed=done > begin)

    def _request(self, method: str, url: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """An answer about content; `_Setback` if there is none now, `FastdrawError` if there will never be."""
        headers = {"Accept-Encoding": "identity"} | (headers or {})
        try:
            response = self._http.request(method, url, headers=headers, preload_content=False, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise _Setback(_cause(error)) from None
        if response.status in (200, 206, 416):
            return response
        response.close()
        answer = f"the server answers {response.status} {response.reason or ''}".strip()
        if response.status in (408, 425, 429) or response.status >= 500:
            after = response.headers.get("Retry-After", "")
            raise _Setback(answer, wait=min(float(after), LONGEST_WAIT) if after.isdigit() else 0)
        raise FastdrawError(f"{url}: {answer}")

    def _persist(self, url: str, attempt: Callable[[], _T]) -> _T:
        """Attempt it until it succeeds, or has failed as often in a row as there are waits."""
        waits = iter(WAITS)
        while True:
            if self._stop.is_set():
                raise _Stopped
            try:
                return attempt()
            except _Setback as setback:
                if setback.progressed:
                    waits = iter(WAITS)
                wait = next(waits, None)
                if wait is None:
                    raise FastdrawError(f"{url}: gave up after {len(WAITS) + 1} attempts: {setback}") from None
                self._stop.wait(max(wait, setback.wait))

    def _report(self, file: _File, done: int) -> None:
        if self._progress:
            with self._reporting:
                self._progress(file.path.name, done, file.size)


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _cause(error: BaseException) -> str:
    """What lies at the bottom of an error of the transport, in a few words."""
    while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
        error = error.reason
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return str(error).split(": ", 1)[-1]
    if isinstance(error, urllib3.exceptions.TimeoutError):
        return f"nothing arrived for {TIMEOUT:g} seconds"
    return str(error)
