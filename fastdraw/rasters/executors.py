"""Doing tasks: where, on threads of this process or on a Dask cluster; and in which order."""

from __future__ import annotations

import contextlib
import itertools
import logging
import queue
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import CancelledError, Executor, Future, ThreadPoolExecutor
from typing import Any
from urllib.parse import urlsplit

from fastdraw.errors import FastdrawError

WAIT = 30.0  # seconds for a scheduler to answer, and for a first worker to be there


@contextlib.contextmanager
def threads_here(threads: int) -> Iterator[Executor]:
    """Threads; after an error those tasks that are not yet begun are not done."""
    with ThreadPoolExecutor(threads) as pool:
        try:
            yield pool
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


@contextlib.contextmanager
def cluster(client: Any) -> Iterator[Executor]:
    """The workers of a Dask client. What goes wrong with the cluster itself is a `FastdrawError`."""
    with _one_error(client), client.get_executor(pure=False) as pool:
        try:
            client.wait_for_workers(1, timeout=WAIT)
        except TimeoutError:
            raise FastdrawError(
                f"{client.scheduler.address}: expected a worker there within {WAIT:g} seconds"
            ) from None
        try:
            yield pool
        except BaseException:
            with contextlib.suppress(Exception):  # the scheduler may be what was lost
                pool.shutdown(wait=False)
            raise


@contextlib.contextmanager
def connect(address: str) -> Iterator[Any]:
    """A Dask client of the scheduler at an address.

    Raises
    ------
    FastdrawError
        If the address cannot be one, Dask is not installed or not set up for TLS, or no scheduler answers.
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
    # A client that is interrupted or fails while it connects can hang for a minute, so there is none before this.
    _wait_for(address, host, port, speaks=scheme == "tcp")
    # What these log about a lost scheduler comes as an error too, and in fewer lines.
    for name in ("distributed.client", "tornado.application"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    try:
        client: Any = Client(address, timeout=WAIT, set_as_default=False)
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
    except ValueError:  # of a port that is no number, or a broken IPv6 address
        pass
    raise FastdrawError(f"expected the address of a Dask scheduler as tcp://host:8786 or tls://, received {address!r}")


def _wait_for(address: str, host: str, port: int, speaks: bool) -> None:
    """Wait until a scheduler that is being started listens, and greets where that needs no certificate."""
    end = time.monotonic() + WAIT
    while True:
        try:
            with socket.create_connection((host, port), timeout=WAIT) as connection:
                if speaks and not connection.recv(1):
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


class Task:
    """A function to be called elsewhere, and what to do with its result: it gives the tasks that follow from it."""

    def __init__(self, then: Callable[[Any], Iterable[Task]], function: Callable[..., Any], *arguments: Any) -> None:
        self.then = then
        self.function = function
        self.arguments = arguments


def do_all(tasks: Iterator[Task], pool: Executor, at_a_time: int) -> None:
    """Do tasks in their order, with some of them ahead so that nobody waits for work, until none follows."""
    running: dict[Future[Any], Task] = {}
    done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def submit(task: Task) -> None:
        future = pool.submit(task.function, *task.arguments)
        running[future] = task
        future.add_done_callback(done.put)

    while True:
        for task in itertools.islice(tasks, max(0, at_a_time - len(running))):
            submit(task)
        if not running:
            return
        future = done.get()
        for task in running.pop(future).then(future.result()):
            submit(task)
