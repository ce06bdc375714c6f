"""Bulk runs in small chunks, whose tasks a test can watch; and what is in their folders."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path
from typing import Any

from fastdraw.quickdraw.opening import find_bin_files
from fastdraw.rasters.executors import Threads
from fastdraw.rasters.plan import Job
from fastdraw.rasters.tasks import draw
from fastdraw.rasters.write import write_rasters
from fastdraw.settings import Settings
from fastdraw.storage import Store, creating_store


class Stopped(Exception):
    """A run is stopped by the test."""


class Watched(Threads):
    """Threads that do each task through ``watch(function, *arguments)``."""

    def __init__(self, watch: Callable[..., Any], threads: int = 1) -> None:
        super().__init__(threads)
        self._watch = watch

    def submit(self, function: Callable[..., Any], /, *arguments: Any) -> Future[Any]:  # type: ignore[override]
        return super().submit(self._watch, function, *arguments)


class Drawn(Watched):
    """Threads that note the chunks that they draw."""

    def __init__(self, threads: int = 1) -> None:
        super().__init__(self._note, threads)
        self.chunks: list[tuple[str, int]] = []
        self.drawings = 0

    @property
    def categories(self) -> set[str]:
        return {category for category, _ in self.chunks}

    def _note(self, function: Callable[..., Any], output: Any, *arguments: Any) -> Any:
        if function is draw:
            chunk = arguments[1]
            start, stop = output.bounds(chunk)
            self.chunks.append((output.category, chunk))
            self.drawings += stop - start
        return function(output, *arguments)


def run_in_chunks(
    sources: Any,
    folder: Path | Store,
    executor: Threads | None = None,
    *,
    at_a_time: int = 2,
    chunk_bytes: int = 37 * 1024,
    format: str = "npy",
    overwrite: bool = False,
    progress: Any = None,
    **image: Any,
) -> int:
    """As `fastdraw.bulk.run`, in chunks of 37 images of 32x32 pixels, drawn by an executor of the test."""
    files = {path.stem: path for path in find_bin_files(sources if isinstance(sources, list) else [sources])}
    job = Job(files, Settings.of(**image), format, overwrite, chunk_bytes=chunk_bytes)
    with contextlib.nullcontext(folder) if isinstance(folder, Store) else creating_store(folder) as store:
        return write_rasters(job, store, executor or Threads(2), at_a_time, progress).count


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def checksums(folder: Path) -> dict[str, str]:
    return {path.name: sha256(path) for path in folder.glob("*.npy")}


def visible(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir() if path.name != ".lock"}


def chunks_done(out: Path, chunks: dict[str, int]) -> int:
    """Chunks that a bulk run has written, by its journals and its finished files; a category has so many chunks."""
    done = 0
    for category, of_all in chunks.items():
        if (out / f"{category}.npy").exists():
            done += of_all
        else:
            done += sum(map(_size, out.glob(f".{category}.*.journal"))) // 8
    return done


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0
