"""Files over HTTP: retried, resumed where they stopped, and renamed only after they are verified."""

from __future__ import annotations

import contextlib
import hashlib
import os
import queue
import threading
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote

import urllib3

from fastdraw.errors import FastdrawError
from fastdraw.notices import notice
from fastdraw.quickdraw.network import explain, open_pool

Progress = Callable[[str, int, int], None]
_PATIENCE = 0.5  # seconds that threads have to notice that they are to stop
_Item = TypeVar("_Item")
_T = TypeVar("_T")


@dataclass(frozen=True)
class TransferOptions:
    """How to deal with a slow or failing server.

    Attributes
    ----------
    waits : tuple of float
        Seconds before each retry. Counted anew once bytes have arrived.
    first_waits : tuple of float
        The same until the server has answered once.
    longest_wait : float
        The most seconds to wait when the server asks for a pause (``Retry-After``).
    timeout : float
        Seconds without a byte after which a connection counts as lost.
    block : int
        Bytes to read at a time.
    """

    waits: tuple[float, ...] = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 60.0)
    first_waits: tuple[float, ...] = (1.0, 2.0)
    longest_wait: float = 300.0
    timeout: float = 20.0
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

    def __init__(self, reason: str, *, wait: float = 0, answered: bool = True) -> None:
        super().__init__(reason)
        self.wait = wait  # seconds that the server asks for
        self.answered = answered  # the server did
        self.progressed = False  # more of the file is here than ever before


class _Unreachable(FastdrawError):
    """There is no connection to the server."""


class _Stopped(Exception):
    """Another file failed, or the user interrupted: this transfer ends too."""


class Transfers:
    """A pool of threads that fetch and verify files; a context manager.

    An exception in one thread or in the ``with`` block stops all transfers.

    Parameters
    ----------
    server : str
        An address of the server.
    connections : int
        Files to work on at the same time.
    options : TransferOptions
    progress : callable, optional
        Called with the name of a file, the bytes present and its size. One call at a time.

    Raises
    ------
    FastdrawError
        If the proxy or the certificates of the environment are not valid.
    """

    def __init__(self, server: str, connections: int, options: TransferOptions, progress: Progress | None) -> None:
        self._connections = connections
        self._options = options
        self._progress = progress
        self._reporting = threading.Lock()
        self._stop = threading.Event()
        self._answered = False
        self._http = open_pool(server, connections, options.timeout)
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Transfers:
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        end = time.monotonic() + _PATIENCE
        for thread in self._threads:
            thread.join(max(0, end - time.monotonic()))
        self._http.clear()

    def map(self, function: Callable[[_Item], _T], items: Iterable[_Item]) -> list[_T]:
        """Call a function for each item, in threads; the first error is raised at once."""
        todo: queue.SimpleQueue[tuple[Future[_T], _Item]] = queue.SimpleQueue()
        futures: list[Future[_T]] = []
        for item in items:
            futures.append(Future())
            todo.put((futures[-1], item))

        def work() -> None:
            with contextlib.suppress(queue.Empty):
                while True:
                    future, item = todo.get_nowait()
                    try:
                        future.set_result(function(item))
                    except BaseException as error:
                        future.set_exception(error)

        for _ in range(min(self._connections, len(futures))):
            # A daemon: it may wait for the server long after an interrupt, and the process does not wait for it.
            self._threads.append(threading.Thread(target=work, daemon=True))
            self._threads[-1].start()
        for future in wait(futures, return_when=FIRST_EXCEPTION).done:
            future.result()
        return [future.result() for future in futures]

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
        most = present_bytes(file.part)

        def attempt() -> None:
            nonlocal most
            try:
                self._transfer(file)
            except _Setback as setback:
                present = present_bytes(file.part)
                setback.progressed = present > most
                most = max(most, present)
                raise

        try:
            while True:
                self._retry(file.url, attempt)
                if self.verify(file, file.part):
                    with open(file.part, "rb+") as content:
                        os.fsync(content.fileno())
                    os.replace(file.part, file.path)
                    return None
                file.part.unlink()  # the part may have begun as another file: fetch it once more from the start
                most = 0
                mismatches += 1
                if mismatches == 2:
                    raise FastdrawError(f"{file.url}: expected the published file, received one with a wrong checksum")
        except FastdrawError as error:
            if isinstance(error, _Unreachable):  # the other files are on the same server
                self._stop.set()
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
        size = sent.rpartition("/")[2] if response.status == 206 else response.headers.get("Content-Length", "")
        if size.isdigit() and int(size) != file.size:
            response.close()
            raise FastdrawError(f"{file.url}: expected a file of {file.size:,} bytes, the server has {int(size):,}")
        done = begin if response.status == 206 else 0
        with open(file.part, "ab") as content:
            content.truncate(done)
            try:
                while block := response.read1(self._options.block):
                    if self._stop.is_set():
                        raise _Stopped
                    if done + len(block) > file.size:
                        content.truncate(0)
                        raise _Setback(f"expected {file.size:,} bytes, received more")
                    content.write(block)
                    content.flush()
                    done += len(block)
                    self.report(file, done)
            except urllib3.exceptions.HTTPError as error:
                raise _Setback(explain(error, self._options.timeout).reason) from None
            finally:
                response.close()
        if done < file.size:
            raise _Setback(f"expected {file.size:,} bytes, received {done:,}")

    def _request(self, method: str, url: str, headers: dict[str, str] | None = None) -> urllib3.BaseHTTPResponse:
        """A successful answer; raises `_Setback` if a retry may help, else `FastdrawError`."""
        headers = {"Accept-Encoding": "identity"} | (headers or {})
        try:
            response = self._http.request(method, url, headers=headers, preload_content=False, decode_content=False)
        except urllib3.exceptions.HTTPError as error:
            failure = explain(error, self._options.timeout)
            if failure.is_final:
                raise _Unreachable(f"{url}: {failure.reason}") from None
            raise _Setback(failure.reason, answered=False) from None
        self._answered = True
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
        failures = 0
        while True:
            if self._stop.is_set():
                raise _Stopped
            try:
                return attempt()
            except _Setback as setback:
                failures = 1 if setback.progressed else failures + 1
                waits = self._options.waits if self._answered else self._options.first_waits
                if failures > len(waits):
                    kind = FastdrawError if setback.answered else _Unreachable
                    raise kind(f"{url}: gave up after {failures} attempts: {setback}") from None
                pause = max(waits[failures - 1], setback.wait)
                name = unquote(url.rpartition("/")[2])
                notice(f"{name}: {setback}; attempt {failures + 1} of {len(waits) + 1} in {pause:g} s")
                self._stop.wait(pause)


def present_bytes(path: Path) -> int:
    """Size of a file, 0 if there is none."""
    return path.stat().st_size if path.exists() else 0
