"""Files over HTTP: retried, resumed where they stopped, and renamed only after they are verified."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import urllib3

from fastdraw.errors import FastdrawError

Progress = Callable[[str, int, int], None]
_Item = TypeVar("_Item")
_T = TypeVar("_T")


@dataclass(frozen=True)
class TransferOptions:
    """How to deal with a slow or failing server.

    Attributes
    ----------
    waits : tuple of float
        Seconds before each retry. Counted anew once bytes have arrived.
    longest_wait : float
        The most seconds to wait when the server asks for a pause (``Retry-After``).
    timeout : float
        Seconds without a byte after which a connection counts as lost.
    block : int
        Bytes to read at a time.
    """

    waits: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
    longest_wait: float = 300.0
    timeout: float = 30.0
    block: int = 1 << 20


DEFAULT_OPTIONS = TransferOptions()


@dataclass(frozen=True)
class RemoteFile:
    """A file to fetch: its address, where it goes, and its expected size and checksum."""

    url: str
    path: Path
    size: int
    checksum: tuple[str, str] | None  # name of the algorithm, hex digest

    @property
    def part(self) -> Path:
        """The name of the file until it is whole and verified."""
        return self.path.with_name(f".{self.path.name}.part")


class _Setback(Exception):
    """A failure that a retry may mend."""

    def __init__(self, reason: str, wait: float = 0, progressed: bool = False) -> None:
        super().__init__(reason)
        self.wait = wait
        self.progressed = progressed


class _Stopped(Exception):
    """Another file failed, or the user interrupted: this transfer ends too."""


class Transfers:
    """A pool of threads that fetch and verify files; a context manager.

    An exception in one thread or in the ``with`` block stops all transfers.

    Parameters
    ----------
    connections : int
        Files to work on at the same time.
    options : TransferOptions
    progress : callable, optional
        Called with the name of a file, the bytes present and its size. One call at a time.
    """

    def __init__(self, connections: int, options: TransferOptions, progress: Progress | None) -> None:
        self._options = options
        self._progress = progress
        self._reporting = threading.Lock()
        self._stop = threading.Event()
        timeout = urllib3.Timeout(connect=options.timeout, read=options.timeout)
        redirects = urllib3.Retry(total=None, connect=0, read=0, status=0, other=0, redirect=5)
        self._http = urllib3.PoolManager(maxsize=connections, timeout=timeout, retries=redirects)
        self._threads = ThreadPoolExecutor(connections)

    def __enter__(self) -> Transfers:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is not None:
            self._stop.set()
        self._threads.shutdown()
        self._http.clear()

    def map(self, function: Callable[[_Item], _T], items: Iterable[_Item]) -> list[_T]:
        """Call a function for each item, in the threads."""
        return list(self._threads.map(function, items))

    def head(self, url: str) -> urllib3.HTTPHeaderDict:
        """The headers of a file."""
        return self._retry(url, lambda: self._request("HEAD", url).headers)

    def report(self, file: RemoteFile, done: int) -> None:
        """Report the bytes of a file that are present."""
        if self._progress:
            with self._reporting:
                self._progress(file.path.name, done, file.size)

    def verify(self, file: RemoteFile, path: Path | None = None) -> bool:
        """Whether size and checksum of a file are right; ``path`` if it does not have its name yet."""
        path = path or file.path
        if present_bytes(path) != file.size:
            return False
        if file.checksum:
            algorithm, expected = file.checksum
            digest = hashlib.new(algorithm)
            with open(path, "rb") as content:
                while block := content.read(self._options.block):
                    digest.update(block)
                    if self._stop.is_set():
                        raise _Stopped
            if digest.hexdigest() != expected:
                return False
        self.report(file, file.size)
        return True

    def fetch(self, file: RemoteFile) -> FastdrawError | None:
        """Fetch a file, resuming its part; an error that concerns this file alone is returned."""
        mismatches = 0
        try:
            while True:
                self._retry(file.url, lambda: self._transfer(file))
                if self.verify(file, file.part):
                    with open(file.part, "rb+") as content:
                        os.fsync(content.fileno())
                    os.replace(file.part, file.path)
                    return None
                file.part.unlink()  # the part may have begun as another file: fetch it once more from the start
                mismatches += 1
                if mismatches == 2:
                    raise FastdrawError(f"{file.url}: expected the published file, received one with a wrong checksum")
        except FastdrawError as error:
            return error
        except _Stopped:
            return None  # whatever stopped it is raised elsewhere
        except BaseException:
            self._stop.set()
            raise

    def _transfer(self, file: RemoteFile) -> None:
        """Append to a part until it has the size of the file."""
        begin = present_bytes(file.part)
        if begin == file.size and begin:
            return
        headers = {"Range": f"bytes={begin}-"} if 0 < begin < file.size else {}
        response = self._request("GET", file.url, headers)
        sent = response.headers.get("Content-Range", "")
        if response.status != 200 and not sent.startswith(f"bytes {begin}-"):
            response.close()
            file.part.unlink(missing_ok=True)
            raise _Setback(f"expected the bytes from {begin} on, received status {response.status}, range {sent!r}")
        done = begin = begin if response.status == 206 else 0
        with open(file.part, "ab") as content:
            content.truncate(begin)
            try:
                for block in response.stream(self._options.block):
                    if done + len(block) > file.size:
                        content.truncate(0)
                        raise _Setback(f"expected {file.size:,} bytes, received more")
                    content.write(block)
                    done += len(block)
                    self.report(file, done)
                    if self._stop.is_set():
                        raise _Stopped
            except urllib3.exceptions.HTTPError as error:
                raise _Setback(self._cause(error), progressed=done > begin) from None
            finally:
                response.close()
        if done < file.size:
            raise _Setback(f"expected {file.size:,} bytes, received {done:,}", progressed=done > begin)

    def _request(self, method: str, url: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """A successful answer; raises `_Setback` if a retry may help, else `FastdrawError`."""
        headers = {"Accept-Encoding": "identity"} | (headers or {})
        try:
            response = self._http.request(method, url, headers=headers, preload_content=False, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            raise _Setback(self._cause(error)) from None
        if response.status in (200, 206, 416):
            return response
        response.close()
        answer = f"the server answered {response.status} {response.reason or ''}".strip()
        if response.status in (408, 425, 429) or response.status >= 500:
            after = response.headers.get("Retry-After", "")
            raise _Setback(answer, wait=min(float(after), self._options.longest_wait) if after.isdigit() else 0)
        raise FastdrawError(f"{url}: {answer}")

    def _retry(self, url: str, attempt: Callable[[], _T]) -> _T:
        """Try until it succeeds, or all waits are used up without a byte received in between."""
        waits = iter(self._options.waits)
        while True:
            if self._stop.is_set():
                raise _Stopped
            try:
                return attempt()
            except _Setback as setback:
                if setback.progressed:
                    waits = iter(self._options.waits)
                wait = next(waits, None)
                if wait is None:
                    attempts = len(self._options.waits) + 1
                    raise FastdrawError(f"{url}: gave up after {attempts} attempts: {setback}") from None
                self._stop.wait(max(wait, setback.wait))

    def _cause(self, error: BaseException) -> str:
        """The root cause of an error of urllib3, in a few words."""
        while isinstance(error, urllib3.exceptions.MaxRetryError) and error.reason is not None:
            error = error.reason
        if isinstance(error, urllib3.exceptions.NewConnectionError):
            return str(error).split(": ", 1)[-1]
        if isinstance(error, urllib3.exceptions.TimeoutError):
            return f"nothing arrived for {self._options.timeout:g} seconds"
        return str(error)


def present_bytes(path: Path) -> int:
    """Size of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0
