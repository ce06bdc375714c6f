"""Progress of whatever takes long: a live bar on a terminal, plain lines elsewhere."""

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
    """Units a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{(task.speed or 0) / task.fields['unit_bytes']:,.0f} {task.fields['unit']}/s")


@contextlib.contextmanager
def show_progress(unit: str, unit_bytes: int = 1, quiet: bool = False) -> Iterator[Callable[[str, int, int], None]]:
    """What to give as ``progress`` to a function that works through many files.

    It is called with a file, the units of it that are done and the units it has. The first call for a file says what
    was done before.

    Parameters
    ----------
    unit : str
        What is counted: "drawings" or "bytes".
    unit_bytes : int
        Bytes that one of them takes.
    quiet : bool
        Show nothing.
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
                if name not in finished:  # what an earlier run has done is no work, and no speed, of this one
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
