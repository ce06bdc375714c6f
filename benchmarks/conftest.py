"""Data of the benchmarks, and the summary of ratios at the end of a run."""

from __future__ import annotations

import importlib.metadata
import os
import platform
from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw.quickdraw.doodles import write_sample

DRAWINGS = 500_000
_RATIOS: list[str] = []


@pytest.fixture(scope="session")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ``.bin`` file of half a million drawings or a few more: real records repeated, or doodles without real data."""
    folder = tmp_path_factory.mktemp("large")
    if "FASTDRAW_REAL_DATA" in os.environ:
        sources = sorted((Path(os.environ["FASTDRAW_REAL_DATA"]) / "quickdraw/bin").glob("*.bin"))
    else:
        sources = list(write_sample(folder / "sample", 10, 500))
    content = b"".join(path.read_bytes() for path in sources)
    (folder / "once.bin").write_bytes(content)
    count = len(fastdraw.open_drawings(folder / "once.bin"))
    path = folder / "large.bin"
    with open(path, "wb") as file:
        for _ in range(-(-DRAWINGS // count)):
            file.write(content)
    drawings = fastdraw.open_drawings(path)
    assert len(drawings) >= DRAWINGS
    # Every one of the repeated drawings leaves ink: nobody times empty paper.
    assert (drawings[:count].rasterize() == 255).any(axis=(1, 2)).mean() > 0.99
    return path


@pytest.fixture(scope="session")
def drawings(large: Path) -> fastdraw.Drawings:
    return fastdraw.open_drawings(large)


def rate(benchmark: object, count: int) -> float:
    """Drawings a second, from the fastest round: the others were disturbed more."""
    return count / benchmark.stats.stats.min


def note(line: str) -> None:
    """Put any line in the summary."""
    _RATIOS.append(line)


def report(ours: str, our_rate: float, rival: str, rival_rate: float, target: float) -> None:
    """Put a line in the summary."""
    ratio = our_rate / rival_rate
    verdict = "met" if ratio >= target else "MISSED"
    _RATIOS.append(
        f"{ours:<34} {our_rate:>13,.0f} /s   {rival:<34} {rival_rate:>13,.0f} /s   "
        f"ratio {ratio:>7.2f}   target {target:g}: {verdict}"
    )


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if not _RATIOS:
        return
    terminalreporter.section("ratios, drawings a second")
    processor = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.split(":")[1].strip() for line in processor if "model name" in line), "?")
    packages = ("numpy", "numba", "pillow", "opencv-python-headless", "tensorflow", "keras")
    versions = [
        f"{name} {importlib.metadata.version(name)}"
        for name in packages
        if importlib.util.find_spec({"pillow": "PIL", "opencv-python-headless": "cv2"}.get(name, name))
    ]
    cores = len(os.sched_getaffinity(0))
    data = "real drawings, repeated" if "FASTDRAW_REAL_DATA" in os.environ else "doodles, repeated"
    terminalreporter.write_line(
        f"{model}, {cores} cores, Python {platform.python_version()}, {', '.join(versions)}; {data}"
    )
    for line in _RATIOS:
        terminalreporter.write_line(line)


def same(images: np.ndarray, expected: np.ndarray) -> bool:
    """Whether two results are equal and hold ink."""
    return bool((images == expected).all() and expected.any())
