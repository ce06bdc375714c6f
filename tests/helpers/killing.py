"""Processes of the command that start to work at once, so that a test can kill them at any moment of the work.

They are forked from a process without threads that has imported everything and loaded the kernels.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from folders import chunks_done


class Killer:
    """Runs the command in forked processes; a context manager."""

    def __init__(self, sources: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, sources], stdin=subprocess.PIPE, stdout=subprocess.PIPE, bufsize=0
        )

    def __enter__(self) -> Killer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, arguments: list[object], until: Callable[[], bool] | None = None) -> int:
        """The exit status of ``fastdraw`` with these arguments; -9 if it was killed because ``until`` returned true."""
        self._process.stdin.write(json.dumps([str(argument) for argument in arguments]).encode() + b"\n")
        pid = int(self._process.stdout.readline())
        while until and not select.select([self._process.stdout], [], [], 0.001)[0]:
            if until():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                break
        return int(self._process.stdout.readline())


def at_random(rng: random.Random, out: Path, chunks: dict[str, int]) -> Callable[[], bool]:
    """A condition to kill a run: while it checks its sources, or shortly after it has written one to three chunks."""
    goal = chunks_done(out, chunks) + rng.choice([0, 1, 1, 2, 3])
    later = rng.uniform(0, 0.01)

    def until() -> bool:
        if chunks_done(out, chunks) < goal:
            return False
        time.sleep(later)
        return True

    return until


def _serve(sources: str) -> None:
    import distributed  # noqa: F401

    import fastdraw
    from fastdraw import bulk, cli, progress  # noqa: F401
    from fastdraw.rasters import executors  # noqa: F401

    fastdraw.open_drawings(sources).rasterize(slice(0, 9), threads=1)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            cli.main(json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
