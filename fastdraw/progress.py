"""Progress of long jobs: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

from fastdraw.kernels.watch import listeners

_INTERVAL = 10.0  # seconds between plain lines
_PAUSE = 0.05  # seconds between changes of a bar: it estimates the speed from its last 1000


class _Compilation:
    """Whether kernels are being compiled, and for how many seconds they have been."""

    def __init__(self) -> None:
        self._depth = 0  # kernels are compiled while others that call them are
        self._began = 0.0
        self._before = 0.0
        self._remark = ""

    def begin(self, kept: bool) -> None:
        if not self._depth:
            self._began = time.monotonic()
            self._remark = "first run only" if kept else "each time: NUMBA_CACHE_DIR names a folder to keep them"
        self._depth += 1

    def end(self) -> None:
        self._depth -= 1
        if not self._depth:
            self._before += time.monotonic() - self._began

    @property
    def is_on(self) -> bool:
        return self._depth > 0

    def __str__(self) -> str:
        seconds = self._before + (time.monotonic() - self._began if self.is_on else 0)
        return f"compiling kernels ({self._remark}) {seconds:.0f} s"


@contextlib.contextmanager
def _watching(compilation: _Compilation, begun: Callable[[], None], ended: Callable[[], None]) -> Iterator[None]:
    """Follow what numba compiles, and call functions when it begins and ends."""

    class Listener:
        def on_start(self, started: Any) -> None:
            was_on = compilation.is_on
            compilation.begin(kept=started.data["dispatcher"]._cache.cache_path is not None)
            if not was_on:
                begun()

        def on_end(self, _: Any) -> None:
            compilation.end()
            if not compilation.is_on:
                ended()

    listener = Listener()
    listeners.append(listener)
    try:
        yield
    finally:
        listeners.remove(listener)


class _Doing(ProgressColumn):
    """The name of a file, or that kernels are compiled."""

    def __init__(self, compilation: _Compilation) -> None:
        super().__init__()
        self._compilation = compilation

    def render(self, task: Task) -> Text:
        return Text(str(self._compilation) if self._compilation.is_on else task.description)


@contextlib.contextmanager
def show_compilation() -> Iterator[None]:
    """Say on the terminal of standard error that kernels are compiled, and for how long, while they are.

    Examples
    --------
    >>> from fastdraw.progress import show_compilation
    >>> with show_compilation():
    ...     images = fastdraw.open_drawings("quickdraw").rasterize()
    """
    compilation = _Compilation()
    # colorama, which numba uses while it compiles, would keep the replaced sys.stdout.
    row = Progress(_Doing(compilation), console=Console(stderr=True), transient=True, redirect_stdout=False)
    row.add_task("", total=None)
    with _watching(compilation, row.start, row.stop):
        yield


class _Rate(ProgressColumn):
    """Units per second over the last 30 seconds."""

    def render(self, task: Task) -> Text:
        return Text(f"{(task.speed or 0) / task.fields['unit_bytes']:,.0f} {task.fields['unit']}/s")


@contextlib.contextmanager
def show_progress(unit: str, unit_bytes: int = 1, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """Show the progress of a function that works through many files.

    Parameters
    ----------
    unit : str
        What is counted: "drawings" or "bytes".
    unit_bytes : int
        Size of a unit in bytes.
    quiet : bool
        Show nothing.

    Yields
    ------
    callable
        To be passed as ``progress``: called with the name of a file, its finished units and all its units. The first
        call for a file says how many units were finished before.

    Examples
    --------
    >>> from fastdraw.progress import show_progress
    >>> with show_progress("bytes", quiet=True) as progress:
    ...     progress("cat.bin", 500, 1000)
    """
    console = Console(stderr=True)
    finished: dict[str, int] = {}
    if quiet:
        yield lambda name, done, count: None
    elif console.is_terminal:
        compilation = _Compilation()
        columns = (
            _Doing(compilation),
            BarColumn(),
            TransferSpeedColumn() if unit == "bytes" else _Rate(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        bar = Progress(*columns, console=console, speed_estimate_period=30, redirect_stdout=False)
        # Files need no kernels, drawings do.
        watching = contextlib.nullcontext() if unit == "bytes" else _watching(compilation, bar.refresh, bar.refresh)
        with watching, bar:
            task = bar.add_task("", total=0, unit=unit, unit_bytes=unit_bytes)
            shown = 0.0

            def update(name: str, done: int, count: int) -> None:
                nonlocal shown
                if name not in finished:  # finished by an earlier run: not part of this bar and its speed
                    finished[name] = done
                    bar.update(task, total=(bar.tasks[0].total or 0) + (count - done) * unit_bytes)
                elif done == count or time.monotonic() - shown > _PAUSE:
                    shown = time.monotonic()
                    bar.update(task, description=name, advance=(done - finished[name]) * unit_bytes)
                    finished[name] = done

            yield update
    else:
        last = time.monotonic()

        def line(name: str, done: int, count: int) -> None:
            nonlocal last
            if (done == count and finished.get(name) != count) or time.monotonic() - last > _INTERVAL:
                last = time.monotonic()
                click.echo(f"{name}: {done:,} of {count:,} {unit}", err=True)
            finished[name] = done

        yield line
