"""Progress of long jobs: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.text import Text

_INTERVAL = 10.0  # seconds between plain lines


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
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            TransferSpeedColumn() if unit == "bytes" else _Rate(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, speed_estimate_period=30) as bar:
            task = bar.add_task("", total=0, unit=unit, unit_bytes=unit_bytes)

            def update(name: str, done: int, count: int) -> None:
                if name not in finished:  # finished by an earlier run: not part of this bar and its speed
                    finished[name] = done
                    bar.update(task, total=(bar.tasks[0].total or 0) + (count - done) * unit_bytes)
                else:
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
