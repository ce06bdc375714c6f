"""The whole dataset, or a thousandth of it: from ``.bin`` files to rasters on disk, against plain reading and writing.

Run with ``python benchmarks/bench_full.py --scale full``. It needs 47 GB of disk for temporary files; ``--scale small``
needs a thousandth. The input is a stand-in for Google's files: 345 categories with as many drawings each, made by
repeating real records (doodles, without real data). It is in the page cache. The clock stops when the output is on
disk. Each job is a process; its peak memory includes mapped pages of the input.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import numpy as np
from measuring import DATA, Job, job, machine, source_records

import fastdraw
from fastdraw.cli.demo import pillow_loop
from fastdraw.quickdraw.catalog import categories
from fastdraw.quickdraw.index import SUFFIX, IndexedFile

BLOCK = 1 << 23
ROUNDS = 4  # of the job with a third of the drawings, and of that with all
CHECKED = 300  # images that are compared with Pillow's

INDEX = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from fastdraw.quickdraw.index import IndexedFile
from fastdraw.threads import default_threads
with ThreadPoolExecutor(default_threads()) as pool:
    print(sum(pool.map(lambda path: IndexedFile(path).count, sorted(Path(sys.argv[1]).glob("*.bin")))))
"""
RENDER = """
import sys
from pathlib import Path
import fastdraw
for path in sorted(Path(sys.argv[1]).glob("*.bin")):
    drawings = fastdraw.open_drawings(path)
    assert drawings.rasterize(packed=True).any()
"""


def write_stand_in(folder: Path, scale: int) -> None:
    """Write the files. Each starts at a different source record."""
    folder.mkdir()
    once = folder / "once"
    once.write_bytes(source_records(folder / "sample"))
    content, offsets = once.read_bytes(), IndexedFile(once).offsets.astype(np.int64)
    count = len(offsets) - 1
    for number, category in enumerate(categories().values()):
        left, at = category.drawings // scale, number * 997 % count
        with open(folder / f"{category.name}.bin", "wb") as file:
            while left:
                many = min(left, count - at)
                file.write(memoryview(content)[offsets[at] : offsets[at + many]])
                left, at = left - many, 0
    for path in folder.glob("once*"):
        path.unlink()
    shutil.rmtree(folder / "sample", ignore_errors=True)


def read_all(files: list[Path]) -> float:
    """Seconds to read all files from the page cache on all cores."""

    def read(path: Path) -> int:
        total, buffer = 0, bytearray(BLOCK)
        with open(path, "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
        return total

    for _ in range(2):  # the first fills the page cache
        began = time.perf_counter()
        with ThreadPoolExecutor(len(os.sched_getaffinity(0))) as pool:
            assert sum(pool.map(read, files)) == sum(path.stat().st_size for path in files)
        seconds = time.perf_counter() - began
    return seconds


def write_all(folder: Path, sizes: list[int], images: np.ndarray) -> float:
    """Seconds to write files of these sizes from memory to disk."""
    folder.mkdir()
    block = memoryview(np.resize(images.ravel(), BLOCK))
    began = time.perf_counter()
    for number, size in enumerate(sizes):
        with open(folder / str(number), "wb") as file:
            for at in range(0, size, BLOCK):
                file.write(block[: min(BLOCK, size - at)])
            file.flush()
            os.fsync(file.fileno())
    seconds = time.perf_counter() - began
    shutil.rmtree(folder)
    return seconds


def check(rasters: fastdraw.Rasters, drawings: fastdraw.Drawings, **settings: object) -> None:
    """Compare random images with those of `Drawings.rasterize`, and packed ones with Pillow's."""
    some = np.random.default_rng(0).integers(0, len(rasters), CHECKED)
    images = drawings[some].rasterize(**settings)
    assert len(rasters) == len(drawings)
    assert (rasters[some].reshape(CHECKED, -1) == images.reshape(CHECKED, -1)).all()
    assert images.any()
    if settings.get("packed"):
        assert (np.unpackbits(images, axis=1).reshape(-1, 32, 32) * 255 == pillow_loop(drawings[some])).all()


def grow(place: Path, source: Path, files: list[Path]) -> tuple[float, list[Job]]:
    """Rasterize every third file, then all. Returns the ratio of their drawings, and the fastest job of each."""
    third = place / "third"
    third.mkdir()
    for path in files[::3]:
        for name in (path.name, path.name + SUFFIX):
            os.link(source / name, third / name)
    fastdraw_command = Path(sys.executable).with_name("fastdraw")
    runs: list[list[Job]] = [[], []]
    for _ in range(ROUNDS):  # in turn: other virtual machines use the disk and the cores, too
        for folder, done in zip((third, source), runs, strict=True):
            done.append(job(fastdraw_command, "rasterize", folder, "--out", place / "out", "--quiet", "--packed"))
            shutil.rmtree(place / "out")
    times = len(fastdraw.open_drawings(source)) / len(fastdraw.open_drawings(third))
    return times, [min(done, key=lambda run: run.seconds) for done in runs]


@click.command()
@click.option("--scale", type=click.Choice(["small", "full"]), default="small", show_default=True)
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Where to make the temporary folder.")
def main(scale: str, folder: Path | None) -> None:
    """Index and rasterize a stand-in for the whole dataset."""
    with tempfile.TemporaryDirectory(prefix="fastdraw-full-", dir=folder) as place:
        measure(Path(place), {"small": 1000, "full": 1}[scale])


def measure(place: Path, scale: int) -> None:
    print(f"{machine()}; {DATA}")
    source = place / "bin"
    write_stand_in(source, scale)
    files = sorted(source.glob("*.bin"))
    size = sum(path.stat().st_size for path in files)
    fastdraw_command = Path(sys.executable).with_name("fastdraw")
    for options in (["--packed"], ["--style", "google"]):  # compiles the kernels
        job(fastdraw_command, "rasterize", files[0], "--out", place / "warm", "--overwrite", "--quiet", *options)
    for path in source.glob(f"*{SUFFIX}"):
        path.unlink()

    reading = read_all(files)
    indexing = job(sys.executable, "-c", INDEX, source)
    drawings = fastdraw.open_drawings(source)
    count = len(drawings)
    assert count == sum(category.drawings // scale for category in categories().values())
    print(f"{len(files)} files, {count:,} drawings, {size:,} bytes")
    print(f"{'':<24}{'seconds':>9}{'drawings/s':>13}{'CPU s':>8}{'peak MB':>9}{'plain s':>9}{'ratio':>7}")

    def show(name: str, done: Job, plain: float) -> None:
        print(
            f"{name:<24}{done.seconds:>9.1f}{count / done.seconds:>13,.0f}{done.processor:>8.1f}{done.peak / 1e6:>9.0f}"
            f"{plain:>9.1f}{done.seconds / plain:>7.2f}"
        )

    show("index", indexing, reading)
    rendering = job(sys.executable, "-c", RENDER, source)
    show("packed, nothing written", rendering, reading)
    peaks = []
    for name, row, options, settings in (
        ("packed 32x32", 128, ["--packed"], {"packed": True}),
        ("google 28x28", 784, ["--style", "google", "--flat"], {"style": "google"}),
    ):
        sizes = [128 + row * (category.drawings // scale) for category in categories().values()]
        writing = write_all(place / "plain", sizes, drawings[:10_000].rasterize(**settings))
        done = job(fastdraw_command, "rasterize", source, "--out", place / "out", "--quiet", *options)
        rasters = fastdraw.open_rasters(place / "out")
        check(rasters, drawings, **settings)
        show(name, done, reading + writing)
        peaks.append(done.peak)
        del rasters
        shutil.rmtree(place / "out")

    times, runs = grow(place, source, files)
    longer = runs[1].seconds / runs[0].seconds
    print("plain: read the input from the page cache, then write as many bytes as the output has")
    print(
        f"{times:.2f} times the drawings, packed: {longer:.2f} times the seconds ({runs[0].seconds:.1f}, "
        f"{runs[1].seconds:.1f}), {runs[1].peak / runs[0].peak:.2f} times the memory"
    )
    if scale == 1:
        for target, met in (
            ("all drawn packed within 60 s", rendering.seconds <= 60),
            ("time proportional to drawings within 10%", abs(longer / times - 1) <= 0.1),
            ("under 1 GB of memory", max(peaks) < 1e9),
        ):
            print(f"target {target}: {'met' if met else 'MISSED'}")


if __name__ == "__main__":
    main()
