"""Fixtures of the benchmarks that run under pytest, and the summary of ratios at the end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from measuring import DATA, machine, ratios, write_repeated

import fastdraw

DRAWINGS = 500_000
CHECKED = 10_000  # more than there are different ones


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.bin`` file of at least half a million drawings: the source records, repeated."""
    path = tmp_path_factory.mktemp("large") / "large.bin"
    write_repeated(path, DRAWINGS)
    drawings = fastdraw.open_drawings(path)
    assert len(drawings) >= DRAWINGS
    # Nearly every source drawing leaves ink: nobody times blank images.
    assert (drawings[:CHECKED].rasterize() == 255).any(axis=(1, 2)).mean() > 0.99
    return path


@pytest.fixture(scope="session")
def drawings(large: Path) -> fastdraw.Drawings:
    return fastdraw.open_drawings(large)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ratios:
        terminalreporter.section("ratios")
        for line in (f"{machine()}; {DATA}", *ratios):
            terminalreporter.write_line(line)
