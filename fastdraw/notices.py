"""Lines about what a long call waits for.

They are warnings of the logger ``fastdraw``: a program shows them on standard error, or wherever it sends its log. The
commands show them after their name, and hide them with ``--quiet``.
"""

from __future__ import annotations

import contextlib
import logging
import threading
from collections.abc import Iterator

LOG = logging.getLogger("fastdraw")


def notice(message: str) -> None:
    """Say a line."""
    LOG.warning("%s", message)


@contextlib.contextmanager
def notice_after(seconds: float, message: str) -> Iterator[None]:
    """Say a line if the block takes longer than so many seconds."""
    timer = threading.Timer(seconds, notice, [message])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
