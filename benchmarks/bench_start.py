"""The first second: how long commands and first images take in a new process, with no compiled kernels and with all.

Run with ``python benchmarks/bench_start.py [ROUNDS] [NAME]...``: rounds (default: 3; the fastest counts), and which
rows to measure. What a row gives must be the same with and without compiled kernels. In brackets are seconds of
processor time, which other work on the machine disturbs less.
"""

from __future__ import annotations

import hashlib
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from measuring import DATA, machine, source_records

COMMAND = [sys.executable, "-m", "fastdraw"]
PROGRAM = """
import sys, fastdraw
drawings = fastdraw.open_drawings(sys.argv[1])
{}
open(sys.argv[2], "wb").write(made)
"""
STYLES = ("pillow", "line", "line-aa", "google")


class Seconds(NamedTuple):
    """How long a process took."""

    passed: float
    processor: float


def python(code: str) -> list[str]:
    """A program that writes the bytes ``made``."""
    return [sys.executable, "-c", PROGRAM.format(code), "{source}", "{target}"]


ROWS: dict[str, list[str]] = {
    "inspect": [*COMMAND, "inspect", "{source}"],
    "show": [*COMMAND, "show", "{source}", "--out", "{target}.png"],
    **{
        f"rasterize {style}": [*COMMAND, "rasterize", "{source}", "--out", "{target}", "--style", style, "--quiet"]
        for style in STYLES
    },
    **{f"first image {style}": python(f"made = drawings[:1].rasterize(style={style!r})") for style in STYLES},
    "first batch": python("made = next(iter(fastdraw.batches(drawings, 128, shuffle=True, seed=0)))"),
}


def measure(command: list[str], source: Path, scratch: Path, cache: Path) -> tuple[Seconds, str]:
    """Seconds of a command in a new process, and the digest of what it wrote and printed."""
    target = scratch / "made"
    filled = [part.format(source=source, target=target) for part in command]
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache)}
    before = processor_time()
    began = time.perf_counter()
    done = subprocess.run(filled, capture_output=True, env=environment)
    seconds = Seconds(time.perf_counter() - began, processor_time() - before)
    assert done.returncode == 0, done.stderr.decode()
    files = [path for path in sorted(scratch.rglob("*")) if path.is_file() and path.suffix != ".json"]
    contents = [done.stdout, *(path.read_bytes() for path in files)]
    assert any(map(any, contents))  # something that is not blank
    for path in files:
        path.unlink()
    return seconds, hashlib.sha256(b"".join(contents)).hexdigest()


def processor_time() -> float:
    """Seconds of all child processes that have ended."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def best(times: list[Seconds]) -> str:
    return f"{min(times).passed:.2f} ({min(seconds.processor for seconds in times):.2f})"


def main(rounds: int, names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "drawings.bin"
        source.write_bytes(source_records(Path(folder) / "sample"))
        print(f"{machine()}; {DATA}; load {os.getloadavg()[0]:.1f}")
        print("| from a new process to | no kernels, s | all kernels, s |\n| --- | ---: | ---: |")
        for name in names or ROWS:
            cold, warm, digests = [], [], set()
            for number in range(rounds):
                with tempfile.TemporaryDirectory(dir=folder) as cache, tempfile.TemporaryDirectory(dir=folder) as made:
                    Path(f"{source}.index").unlink(missing_ok=True)
                    for times in (cold, warm, warm)[: 3 if number == 0 else 2]:
                        seconds, digest = measure(ROWS[name], source, Path(made), Path(cache))
                        times.append(seconds)
                        digests.add(digest)
            assert len(digests) == 1, name
            print(f"| `{name}` | {best(cold)} | {best(warm)} |", flush=True)


if __name__ == "__main__":
    arguments = sys.argv[1:]
    main(int(arguments.pop(0)) if arguments and arguments[0].isdigit() else 3, arguments)
