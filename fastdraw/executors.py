"""Where the tasks of a bulk run are done: on threads of this process, or on a Dask cluster."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Iterator
from concurrent.futures import CancelledError, Executor, ThreadPoolExecutor
from typing import Any

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
        client.wait_for_workers(1, timeout=WAIT)
        try:
            yield pool
        except BaseException:
            with contextlib.suppress(Exception):  # the scheduler may be what was lost
                pool.shutdown(wait=False)
            raise


@contextlib.contextmanager
def connect(address: str) -> Iterator[Any]:
    """A Dask client of the scheduler at an address."""
    try:
        from distributed import Client
    except ImportError:
        raise FastdrawError('expected Dask, which is not installed: pip install "fastdraw-vaekit[dask]"') from None
    # What it logs about a lost scheduler comes as an error too, and in fewer lines.
    logging.getLogger("distributed.client").setLevel(logging.CRITICAL + 1)
    try:
        client: Any = Client(address, timeout=WAIT, set_as_default=False)
    except (OSError, ValueError) as error:
        raise FastdrawError(f"{address}: expected a Dask scheduler to answer there: {error}") from None
    try:
        yield client
    finally:
        client.close(timeout=2)


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
