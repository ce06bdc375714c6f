"""Numbers for the iterators over one dataset."""

from __future__ import annotations


class IteratorCounter:
    """Numbers iterators over the same batches, so that no two of them yield the same epochs.

    Iterators may be made in several threads. To take a number is one atomic operation on a dict: a lock could be held
    during a fork.
    """

    def __init__(self) -> None:
        self._taken: dict[int, object] = {}

    def take(self) -> int:
        """A number larger than all that are taken, the first 0."""
        mine = object()
        while True:
            number = max(list(self._taken), default=-1) + 1
            if self._taken.setdefault(number, mine) is mine:
                return number

    def mark(self, number: int) -> None:
        """Mark a number as taken, by a restored iterator."""
        self._taken.setdefault(number, None)
