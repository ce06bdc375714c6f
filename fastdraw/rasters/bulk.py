"""From ``.bin`` files to a folder of rasters, in one run or in as many as it takes.

The folder holds a file for each finished category and ``dataset.json``, which lists the finished categories and, as
pending, those that a run has begun or has yet to begin. What is done is in the folder only: a run that was stopped,
however hard and wherever its tasks were done, is picked up behind the last chunk that is as it should be.
"""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict, Unpack

import filelock

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.index import find_bin_files
from fastdraw.rasters.executors import cluster, do_all, threads_here
from fastdraw.rasters.plan import Progress, Run
from fastdraw.rasters.reader import Rasters, open_rasters
from fastdraw.rasters.tasks import Errors, close_sources
from fastdraw.settings import Settings
from fastdraw.storage import Address, as_path, is_local, make_folder
from fastdraw.threads import choose_threads

_TASKS = 1000  # that a cluster is given at a time, so that it knows what comes next whatever its size


class Options(TypedDict, total=False):
    """Options of `run` that `rasterize_files` passes on."""

    style: str
    size: int | None
    line_width: int
    invert: bool
    packed: bool
    flat: bool
    threads: int | None
    overwrite: bool
    errors: Errors
    client: Any
    progress: Progress | None


def rasterize_files(sources: Address | Sequence[Address], folder: Address, **options: Unpack[Options]) -> Rasters:
    """Draw every drawing of some ``.bin`` files, write ``<category>.npy`` files, and open them.

    Parameters
    ----------
    sources, folder, **options
        As for `fastdraw.bulk.run`; the folder is on this machine.

    Returns
    -------
    Rasters
        All of the folder.

    Raises
    ------
    FastdrawError, OSError, ValueError
        As for `fastdraw.bulk.run`.
    """
    if not is_local(as_path(folder)):
        raise ValueError(f"expected a folder on this machine, to open it; fastdraw.bulk.run writes to {folder}")
    run(sources, folder, **options)
    return open_rasters(folder)


def run(
    sources: Address | Sequence[Address],
    folder: Address,
    *,
    style: str = "pillow",
    size: int | None = None,
    line_width: int = 2,
    invert: bool = False,
    packed: bool = False,
    flat: bool = False,
    tfrecord: bool = False,
    threads: int | None = None,
    overwrite: bool = False,
    errors: Errors = "raise",
    client: Any = None,
    progress: Progress | None = None,
) -> int:
    """Draw every drawing of some ``.bin`` files and write a file for each category.

    The same call again goes on where a stopped one was, and skips categories that are finished; other sources are added
    to the folder. The labels in ``dataset.json`` number its categories in alphabetical order.

    Parameters
    ----------
    sources : path or sequence of paths
        Files, or folders of ``*.bin``; on this machine, or at addresses such as ``gs://bucket/folder``.
    folder : path
        Made where it does not exist. At an address, each category is uploaded when it is finished, and drawn from
        its beginning by the next run if it was not.
    style, size, line_width, invert, packed
        As for `Drawings.rasterize`.
    flat : bool
        Write (N, size * size) instead of (N, size, size), as Google's ``numpy_bitmap`` files are.
    tfrecord : bool
        Write TFRecord files, for `fastdraw.read_tfrecords`, instead of NumPy's.
    threads : int, optional
        As for `Drawings.rasterize`; not with a ``client``.
    overwrite : bool
        Replace the rasters of a folder that were made with other settings, or files that are not ours.
    errors : {"raise", "salvage"}
        As for `open_drawings`.
    client : distributed.Client, optional
        Of a Dask cluster that does the tasks. Its workers have fastdraw, and see sources and folder under the same
        names as this process. The result does not depend on it.
    progress : callable, optional
        Called with a category, the number of its drawings that are finished and the number it has: for every category
        before the first is begun, then after each chunk.

    Returns
    -------
    int
        The number of images in the folder.

    Raises
    ------
    FastdrawError
        If two sources are of the same category, the folder holds something else under a name that is needed, was made
        with other settings, or is being written by another run; a source is damaged or missing; or the cluster is lost.
    ValueError, TypeError
        If the settings cannot be.
    OSError
        If the folder cannot be written, or the disk is full. The same call goes on later.
    """
    if threads is not None and client is not None:
        raise ValueError("expected threads or a cluster, whose workers have threads of their own, received both")
    settings = Settings.of(style=style, size=size, line_width=line_width, invert=invert, packed=packed, flat=flat)
    files = _files_by_category(find_bin_files(sources if isinstance(sources, (str, os.PathLike)) else list(sources)))
    target = as_path(folder)
    if is_local(target):
        target = make_folder(target).resolve()
    threads = choose_threads(threads)
    executor, tasks = (threads_here(threads), 2 * threads) if client is None else (cluster(client), _TASKS)
    with _only_run(target), executor as pool:
        this = Run(target, settings, "tfrecord" if tfrecord else "npy", overwrite, progress)
        works = this.plan(files, errors, pool)
        try:
            do_all(itertools.chain.from_iterable(work.first_tasks() for work in works), pool, tasks)
        except BaseException:
            with contextlib.suppress(OSError, FastdrawError):  # the disk may be full
                this.save()
            raise
        finally:
            close_sources()
        this.save()
        return sum(entry["count"] for entry in this.manifest["categories"].values())


def _files_by_category(files: list[Path]) -> dict[str, Path]:
    categories: dict[str, Path] = {}
    for path in files:
        other = categories.setdefault(path.stem, path)
        if other is not path:
            raise FastdrawError(f"expected one file a category, received two of {path.stem!r}: {other} and {path}")
    return dict(sorted(categories.items()))


@contextlib.contextmanager
def _only_run(folder: Path) -> Iterator[None]:
    """Keep other runs out of a folder; at an address that cannot be done."""
    if not is_local(folder):
        yield
        return
    lock = filelock.FileLock(folder / ".lock", timeout=0)
    try:
        lock.acquire()
    except filelock.Timeout:
        raise FastdrawError(f"{folder}: another run is writing to this folder; wait for it or choose another") from None
    try:
        yield
    finally:
        lock.release()
