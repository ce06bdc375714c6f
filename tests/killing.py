"""The command in processes that begin to work at once, to be killed at any moment of it.

They are forked from a process that has imported everything and loaded the kernels, and that has no threads.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path


class Killer:
    """Runs the command again and again; a context manager."""

    def __init__(self, sources: Path) -> None:
        self._process = subprocess.Popen(
            [sys.executable, __file__, sources], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
        )

    def __enter__(self) -> Killer:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait()

    def run(self, arguments: list[object], seconds: float | None = None) -> int:
        """Exit status of ``fastdraw`` with these arguments; -9 if it was still running after that time."""
        self._process.stdin.write(json.dumps([str(argument) for argument in arguments]) + "\n")
        pid = int(self._process.stdout.readline())
        if not select.select([self._process.stdout], [], [], seconds)[0]:
            os.kill(pid, signal.SIGKILL)
        return int(self._process.stdout.readline())


def _serve(sources: str) -> None:
    import distributed  # noqa: F401

    import fastdraw
    from fastdraw import bulk, cli, executors, progress  # noqa: F401

    fastdraw.open_drawings(sources).rasterize(slice(0, 9), threads=1)
    for line in sys.stdin:
        pid = os.fork()
        if pid == 0:
            cli.main(json.loads(line))
        print(pid, flush=True)
        print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]), flush=True)


if __name__ == "__main__":
    _serve(sys.argv[1])
