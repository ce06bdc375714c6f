"""The order in which works get the results of their calls, and how many calls an executor has at a time."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import Executor, Future
from typing import Any

import pytest

from fastdraw.rasters.executors import Call, Threads, Work, do_all


class Manual(Executor):
    """Ends its oldest call when it has as many as it should, or no more come."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Future[Any], Any]] = []
        self.most = 0

    def submit(self, function: Any, /, *arguments: Any) -> Future[Any]:  # type: ignore[override]
        future: Future[Any] = Future()
        self.waiting.append((future, arguments[0]))
        self.most = max(self.most, len(self.waiting))
        threading.Timer(0.01, self.end).start()
        return future

    def end(self) -> None:
        future, result = self.waiting.pop(0)
        future.set_result(result)


def identity(value: object) -> object:
    return value


def test_a_work_gets_the_results_of_its_own_calls() -> None:
    received: dict[str, list[Any]] = {}

    def work(name: str, first: int, then: int) -> Work[None]:
        results = received[name] = []
        yield [Call(identity, ((name, number),)) for number in range(first)]
        for _ in range(first):
            results.append((yield None))
        yield [Call(identity, ((name, number),)) for number in range(first, first + then)]
        for _ in range(then):
            results.append((yield None))

    sizes = {"a": (5, 1), "b": (0, 2), "c": (3, 0), "d": (0, 0), "e": (1, 1)}
    with Threads(3) as pool:
        do_all((work(name, *size) for name, size in sizes.items()), pool, 4)
    for name, (first, then) in sizes.items():
        assert sorted(received[name][:first]) == [(name, number) for number in range(first)]
        assert sorted(received[name][first:]) == [(name, number) for number in range(first, first + then)]


def test_no_more_calls_at_a_time_than_asked() -> None:
    begun: list[int] = []

    def work(number: int) -> Work[None]:
        begun.append(number)
        yield [Call(identity, (number,))]
        assert (yield None) == number

    pool = Manual()
    do_all(map(work, range(20)), pool, 3)
    assert begun == list(range(20))
    assert pool.most == 3


def test_an_error_ends_it_and_cancels_what_has_not_begun() -> None:
    done: list[int] = []
    failed = threading.Event()

    def call(number: int) -> None:
        if number == 1:
            failed.set()
            raise ValueError("one")
        if number > 1:
            failed.wait(10)
            threading.Event().wait(0.2)  # time to be cancelled
        done.append(number)

    def works() -> Iterator[Work[None]]:
        for number in range(100):
            yield one(number)

    def one(number: int) -> Work[None]:
        yield [Call(call, (number,))]
        yield None

    with pytest.raises(ValueError, match="one"), Threads(2) as pool:
        do_all(works(), pool, 50)
    assert len(done) < 10
