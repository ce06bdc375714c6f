"""Progress of a bulk run: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

import click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.text import Text

_INTERVAL = 10.0  # seconds between plain lines


class _Rate(ProgressColumn):
    """Drawings a second, over the last half minute."""

    def render(self, task: Task) -> Text:
        return Text(f"{(task.speed or 0) / task.fields['image_bytes']:,.0f} drawings/s")


@contextlib.contextmanager
def show_progress(image_bytes: int, quiet: bool) -> Iterator[Callable[[str, int, int], None]]:
    """What to give `fastdraw.rasterize_files` as its ``progress``.

    Parameters
    ----------
    image_bytes : int
        Bytes of one image.
    quiet : bool
        Show nothing.
    """
    console = Console(stderr=True)
    finished: dict[str, int] = {}
    if quiet:
        yield lambda category, done, count: None
    elif console.is_terminal:
        columns = (
            TextColumn("{task.description}"),
            BarColumn(),
            _Rate(),
            DownloadColumn(),
            TimeRemainingColumn(),
        )
        with Progress(*columns, console=console, speed_estimate_period=30) as bar:
            task = bar.add_task("", total=0, image_bytes=image_bytes)

            def update(category: str, done: int, count: int) -> None:
                if category not in finished:  # what an earlier run has done is no work, and no speed, of this one
                    finished[category] = done
                    bar.update(task, total=(bar.tasks[0].total or 0) + (count - done) * image_bytes)
                else:
                    bar.update(task, description=category, advance=(done - finished[category]) * image_bytes)
                    finished[category] = done

            yield update
    else:
        last = time.monotonic()

        def line(category: str, done: int, count: int) -> None:
            nonlocal last
            if (done == count and finished.get(category) != count) or time.monotonic() - last > _INTERVAL:
                last = time.monotonic()
                click.echo(f"{category}: {done:,} of {count:,} drawings", err=True)
            finished[category] = done

        yield line
