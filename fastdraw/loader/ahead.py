"""What is drawn ahead on threads."""

from __future__ import annotations

import itertools
from collections import deque
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any


def drawn_ahead(draw: Callable[[int], Any], numbers: Iterator[int], threads: int) -> Generator[Any, None, None]:
    """``draw`` of each number, in order, while the next are drawn on threads. When it is closed, no thread is left."""
    pool = ThreadPoolExecutor(threads)
    ahead = deque(pool.submit(draw, number) for number in itertools.islice(numbers, threads + 1))
    try:
        while ahead:
            made = ahead.popleft().result()
            ahead.extend(pool.submit(draw, number) for number in itertools.islice(numbers, 1))
            yield made
    finally:
        pool.shutdown(cancel_futures=True)
