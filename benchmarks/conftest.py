"""Fixtures of the benchmarks that run under pytest, and the summary of ratios at the end of a run."""

from __future__ import annotations

from pathlib import Path

import pytest
from measuring import DATA, machine, ratios, source_records

import fastdraw

DRAWINGS = 500_000


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.bin`` file of at least half a million drawings: the source records, repeated."""
    folder = tmp_path_factory.mktemp("large")
    content = source_records(folder / "sample")
    (folder / "once.bin").write_bytes(content)
    count = len(fastdraw.open_drawings(folder / "once.bin"))
    path = folder / "large.bin"
    with open(path, "wb") as file:
        for _ in range(-(-DRAWINGS // count)):
            file.write(content)
    drawings = fastdraw.open_drawings(path)
    assert len(drawings) >= DRAWINGS
    # Nearly every source drawing leaves ink: nobody times blank images.
    assert (drawings[:count].rasterize() == 255).any(axis=(1, 2)).mean() > 0.99
    return path


@pytest.fixture(scope="session")
def drawings(large: Path) -> fastdraw.Drawings:
    return fastdraw.open_drawings(large)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if ratios:
        terminalreporter.section("ratios")
        for line in (f"{machine()}; {DATA}", *ratios):
            terminalreporter.write_line(line)
