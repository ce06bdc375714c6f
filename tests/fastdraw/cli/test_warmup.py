"""``fastdraw warmup`` compiles all kernels, and commands say on a terminal when they compile."""

from __future__ import annotations

import functools
import io
import re
from pathlib import Path

import numba
import pytest
from click.testing import CliRunner
from fresh import fresh_process
from numba.core.caching import NullCache
from rich.console import Console

from fastdraw import progress
from fastdraw.cli import main, warmup
from fastdraw.notices import notice

# Prints the kernels that are loaded or compiled after a warm-up, while drawings are used in many ways.
PROGRAM = """
from numba.core.dispatcher import Dispatcher
loaded, add = [], Dispatcher.add_overload
def add_overload(self, result):
    loaded.append(self.py_func.__qualname__)
    return add(self, result)
Dispatcher.add_overload = add_overload
from fastdraw.cli.warmup import warm_up
warm_up()
assert len(loaded) > 15
loaded.clear()

import tempfile, numpy as np, fastdraw
from fastdraw.render.buffers import Buffers
drawings = fastdraw.open_drawings({folder!r})
for style in ("pillow", "line", "line-aa", "google"):
    for size in (8, 28, 64, 65, 256):
        for dtype in (np.uint8, np.float32):
            for some in (drawings[:60], drawings[np.arange(0, 600, 20)]):
                some.rasterize(style=style, size=size, out=np.empty((len(some), size, size), dtype), threads=2)
drawings.rasterize(size=128)
for dtype in (np.uint8, np.float32):
    for size in (64, 128):
        for out in (np.empty((600, size, size), dtype), Buffers(0).empty((600, size, size), dtype)):
            drawings.rasterize(size=size, out=out, threads=1)
drawings[:9].rasterize(size=36, packed=True)
drawings[:9].rasterize(size=256, packed=True, style="line")
drawings[:9].rasterize(size=300, channels=3, style="line-aa")
drawings.filter(recognized=True).split()[0].metadata
augment = fastdraw.Augment(rotate=3, scale=(0.9, 1), shear=2, translate=3, jitter=1, drop_strokes=0.1, flip=True)
for options in ({{"shuffle": True, "augment": augment}}, {{"packed": True}}, {{"style": "google", "dtype": "uint8"}}):
    next(iter(fastdraw.batches(drawings, 100, **options)))
with tempfile.TemporaryDirectory() as scratch:
    fastdraw.bin_to_ndjson({folder!r} + "/face.bin", scratch + "/face.ndjson")
    fastdraw.ndjson_to_bin(scratch + "/face.ndjson", scratch + "/face.bin")
print(*loaded)
"""


@pytest.mark.slow
def test_nothing_is_compiled_after_it(sample: Path) -> None:
    assert fresh_process(PROGRAM.format(folder=str(sample))) == "\n"


def test_command(monkeypatch: pytest.MonkeyPatch) -> None:
    result = CliRunner().invoke(main, ["warmup"])
    assert result.exit_code == 0
    assert re.fullmatch(r".*: \d+ kernels compiled in \d+ s\n", result.stdout)
    assert CliRunner().invoke(main, ["warmup", "--quiet"]).output == ""
    monkeypatch.setattr(warmup, "_folder", lambda kernel: None)
    result = CliRunner().invoke(main, ["warmup"])
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr.endswith("name one in NUMBA_CACHE_DIR\n")


@pytest.fixture
def screen(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What is shown on a terminal."""
    screen = io.StringIO()
    terminal = functools.partial(Console, file=screen, force_terminal=True, width=120)
    monkeypatch.setattr(progress, "Console", lambda stderr: terminal())
    return screen


class Kept(NullCache):  # type: ignore[misc]
    """A cache that has nothing yet."""

    cache_path = "folder"


def compile_something(kept: bool = True) -> None:
    @numba.njit
    def inner(x):  # type: ignore[no-untyped-def]
        return x + 1

    @numba.njit
    def outer(x):  # type: ignore[no-untyped-def]
        return inner(x) + 1

    if kept:
        outer._cache = Kept()
    assert outer(1) == 3


def test_commands_say_that_they_compile(screen: io.StringIO) -> None:
    with progress.show_compilation():
        assert screen.getvalue() == ""
        compile_something(kept=False)
        assert "compiling kernels (each time: NUMBA_CACHE_DIR names a folder to keep them) " in screen.getvalue()
        compile_something()
    assert "compiling kernels (first run only) " in screen.getvalue()
    assert screen.getvalue().endswith("\x1b[2K")  # erased


def test_a_line_is_printed_above_a_bar(screen: io.StringIO) -> None:
    @main.command("wait", hidden=True)
    def wait() -> None:
        with progress.show_progress("bytes"):
            notice("waiting")

    try:
        result = CliRunner().invoke(main, ["wait"])
    finally:
        del main.commands["wait"]
    assert (result.exit_code, result.stderr) == (0, "")  # all is on the screen
    assert "\x1b[2Kfastdraw: waiting\n" in screen.getvalue()


def test_a_bar_says_that_kernels_are_compiled(screen: io.StringIO) -> None:
    with progress.show_progress("drawings") as update:
        update("cat", 0, 10)
        update("cat", 0, 10)
        compile_something()
        update("cat", 10, 10)
    shown = screen.getvalue()
    assert "compiling kernels (first run only) " in shown
    assert "cat" in shown[shown.rindex("compiling") :]
    with progress.show_progress("bytes"):
        compile_something()
    assert "compiling" not in screen.getvalue()[len(shown) :]
