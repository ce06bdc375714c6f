"""Executors, threads of this process or a Dask cluster, and the order in which they do the work."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import socket
import time
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from fastdraw.errors import FastdrawError
from fastdraw.notices import notice_after

WAIT = 30.0  # seconds for a scheduler to answer, and for the first worker
_SILENT = 1.0  # seconds before a line says what it waits for

Result = TypeVar("Result")


class Threads(ThreadPoolExecutor):
    """Threads of this process. After an error in its block, calls that have not begun are cancelled."""

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: Any) -> None:
        self.shutdown(wait=True, cancel_futures=kind is not None)


@contextlib.contextmanager
def cluster(client: Any, wait: float = WAIT) -> Iterator[Executor]:
    """The workers of a Dask client; it waits so many seconds for the first.

    Raises
    ------
    FastdrawError
        If no worker is there, or the cluster is lost.
    """
    with _one_error(client), client.get_executor(pure=False) as pool:
        try:
            with notice_after(_SILENT, f"{client.scheduler.address}: waiting for a worker, {wait:g} seconds at most"):
                client.wait_for_workers(1, timeout=wait)
        except TimeoutError:
            raise FastdrawError(
                f"{client.scheduler.address}: expected a worker there within {wait:g} seconds"
            ) from None
        try:
            yield pool
        except BaseException:
            with contextlib.suppress(Exception):  # the scheduler itself may be lost
                pool.shutdown(wait=False)
            raise


@contextlib.contextmanager
def connect(address: str, wait: float = WAIT) -> Iterator[Any]:
    """A Dask client of the scheduler at an address, which has so many seconds to answer.

    Raises
    ------
    FastdrawError
        If the address is not valid, Dask is not installed or not set up for TLS, or no scheduler answers.
    """
    scheme, host, port = _parts(address)
    try:
        from distributed import Client, Security
    except ImportError:
        raise FastdrawError('expected Dask, which is not installed: pip install "fastdraw-vaekit[dask]"') from None
    if scheme == "tls" and Security().get_connection_args("client")["ssl_context"] is None:
        raise FastdrawError(
            f"{address}: expected Dask to be set up for TLS: name the certificates in its configuration"
        )
    # A client that is interrupted or fails while it connects can hang for a minute: create it when a server is there.
    with notice_after(_SILENT, f"{address}: waiting for a Dask scheduler, {wait:g} seconds at most"):
        _wait_for(address, host, port, wait, greets=scheme == "tcp")
    # They log at length about a lost scheduler; our error says the same in one line.
    for name in ("distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client: Any = Client(address, timeout=wait, set_as_default=False)
    except (OSError, ValueError) as error:
        raise FastdrawError(f"{address}: expected a Dask scheduler to answer there: {error}") from None
    try:
        yield client
    finally:
        client.close(timeout=2)


def _parts(address: str) -> tuple[str, str, int]:
    try:
        parts = urlsplit(address)
        if parts.scheme in ("tcp", "tls") and parts.hostname and parts.port:
            return parts.scheme, parts.hostname, parts.port
    except ValueError:  # the port is not a number, or an IPv6 address is malformed
        pass
    raise FastdrawError(f"expected the address of a Dask scheduler as tcp://host:8786 or tls://, received {address!r}")


def _wait_for(address: str, host: str, port: int, wait: float, greets: bool) -> None:
    """Wait until a scheduler that is being started listens, and greets if it does so without a certificate."""
    end = time.monotonic() + wait
    while True:
        try:
            with socket.create_connection((host, port), timeout=wait) as connection:
                if greets and not connection.recv(1):
                    raise ConnectionAbortedError("it hung up")
                return
        except OSError as error:
            if time.monotonic() > end or isinstance(error, (socket.gaierror, TimeoutError, ConnectionAbortedError)):
                raise FastdrawError(
                    f"{address}: expected a Dask scheduler to answer there: {error.strerror or error}"
                ) from None
        time.sleep(0.1)


@contextlib.contextmanager
def _one_error(client: Any) -> Iterator[None]:
    try:
        yield
    except CancelledError:
        raise FastdrawError(
            f"{client.scheduler.address}: the scheduler was lost; start it again, and run the same again to go on"
        ) from None
    except Exception as error:
        if type(error).__module__.split(".")[0] not in ("dask", "distributed"):
            raise
        raise FastdrawError(f"{client.scheduler.address}: {type(error).__name__}: {error}") from error


class Call(NamedTuple):
    """A function to be called by an executor, and its arguments."""

    function: Callable[..., Any]
    arguments: tuple[Any, ...]


Work = Generator[Sequence[Call] | None, Any, Result]
"""A job of many calls. It yields a list of calls that may begin, or None to receive the result of one that has ended,
whichever that is."""


def do_all(works: Iterable[Work[None]], pool: Executor, at_a_time: int) -> None:
    """Do all works in their order, with up to ``at_a_time`` calls in the executor so that it never waits for more.

    Calls that a work yields later, in answer to results, go to the executor at once.
    """
    running: dict[Future[Any], Work[None]] = {}
    ended: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def submit(work: Work[None], call: Call) -> None:
        future = pool.submit(call.function, *call.arguments)
        running[future] = work
        future.add_done_callback(ended.put)

    first = ((work, call) for work in works for call in _advance(work))
    while True:
        for work, call in itertools.islice(first, max(0, at_a_time - len(running))):
            submit(work, call)
        if not running:
            return
        future = ended.get()
        work = running.pop(future)
        for call in _advance(work, future.result()):
            submit(work, call)


def _advance(work: Work[None], result: Any = None) -> list[Call]:
    """Send a work a result, or start it; returns the calls that it yields until it waits for the next result."""
    calls: list[Call] = []
    with contextlib.suppress(StopIteration):
        more = work.send(result)
        while more is not None:
            calls += more
            more = next(work)
    return calls
