"""From ``.bin`` files to a folder of rasters, in one run or in as many as it takes.

The folder holds a file for each finished category and ``dataset.json``, which lists the finished categories and, as
pending, those that a run has begun or has yet to begin. What is done is in the folder only: a run that was stopped,
however hard and wherever its tasks were done, is picked up behind the last chunk that is as it should be.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import queue
import warnings
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future
from dataclasses import asdict
from pathlib import Path
from typing import Any, Literal, TypedDict, Unpack

import filelock

from fastdraw.errors import DamagedFileWarning, FastdrawError
from fastdraw.executors import cluster, threads_here
from fastdraw.files import make_folder
from fastdraw.forms import FORMS
from fastdraw.index import find_bin_files
from fastdraw.manifest import MANIFEST, VERSION, read_manifest, save_manifest
from fastdraw.parts import Part, discard
from fastdraw.raster import Settings, default_size, default_threads
from fastdraw.rasters import Rasters, open_rasters
from fastdraw.shards import Output, Source, draw, finish, look, make
from fastdraw.storage import Address, as_path, file_size, is_local, reaching

CHUNK = 1 << 23  # bytes of images that a task draws: all that each thread has in memory

_TASKS = 1000  # that a cluster is given at a time, so that it knows what comes next whatever its size

Progress = Callable[[str, int, int], None]
Errors = Literal["raise", "salvage"]


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
        As for `Drawings.rasterize`; without a ``client``.
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
    if size is None:
        size = default_size(style)
    if threads is not None and threads < 1:
        raise ValueError(f"expected threads to be 1 or more, received {threads}")
    settings = Settings(style=style, size=size, line_width=line_width, invert=invert, packed=packed, flat=flat)
    files = _files_by_category(find_bin_files(sources if isinstance(sources, (str, os.PathLike)) else list(sources)))
    target = as_path(folder)
    if is_local(target):
        target = make_folder(target).resolve()
    threads = threads or default_threads()
    executor, tasks = (threads_here(threads), 2 * threads) if client is None else (cluster(client), _TASKS)
    with _only_run(target), executor as pool:
        this = _Run(target, settings, "tfrecord" if tfrecord else "npy", overwrite, progress)
        works = this.plan(files, errors, pool)
        _do(itertools.chain.from_iterable(work.first_tasks() for work in works), pool, tasks)
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


class _Task:
    """A function to be called elsewhere, and what to do with its result: it gives the tasks that follow from it."""

    def __init__(self, then: Callable[[Any], Iterable[_Task]], function: Callable[..., Any], *arguments: Any) -> None:
        self.then = then
        self.function = function
        self.arguments = arguments


def _do(tasks: Iterator[_Task], pool: Executor, at_a_time: int) -> None:
    """Do tasks in their order, with some of them ahead so that nobody waits for work, until none follows."""
    running: dict[Future[Any], _Task] = {}
    done: queue.SimpleQueue[Future[Any]] = queue.SimpleQueue()

    def submit(task: _Task) -> None:
        future = pool.submit(task.function, *task.arguments)
        running[future] = task
        future.add_done_callback(done.put)

    while True:
        for task in itertools.islice(tasks, max(0, at_a_time - len(running))):
            submit(task)
        if not running:
            return
        future = done.get()
        for task in running.pop(future).then(future.result()):
            submit(task)


class _Run:
    """One run: its folder, its manifest, and the categories that it has to write."""

    def __init__(self, folder: Path, settings: Settings, form: str, overwrite: bool, progress: Progress | None) -> None:
        self.folder = folder
        self.local = is_local(folder)
        self.settings = settings
        self.form = form
        self.overwrite = overwrite
        self.progress = progress or (lambda category, done, count: None)
        self.manifest = self._begin()

    def plan(self, files: dict[str, Path], errors: Errors, pool: Executor) -> list[_Category]:
        """Look at all sources before anything is drawn: a damaged one is found at once, not after an hour."""
        finished, pending = self.manifest["categories"], self.manifest["pending"]
        if self.local:
            for path in self.folder.glob(".*.tmp"):  # of a run that was killed while it saved the manifest
                path.unlink()
        for category in set(pending) - set(files):  # of a run that was to do more than this one
            self._remove(category)  # its file is of its source as it was before it changed
            del pending[category]
        known = {category: (finished.get(category) or pending.get(category)) for category in files}
        looks = [
            pool.submit(look, str(path.absolute()), errors, known[category] and known[category]["source"])
            for category, path in files.items()
        ]
        works = []
        for (category, old), looked in zip(known.items(), looks, strict=True):
            source, left_out = looked.result()
            if left_out:
                warnings.warn(left_out, DamagedFileWarning, stacklevel=4)
            output = self._output(category, source)
            same = old is not None and old["source"]["sha256"] == source.sha256
            if category in finished and same and file_size(self.folder / output.file) == output.size:
                finished[category]["source"] = asdict(source)
                self.progress(category, source.count, source.count)
                continue
            if old is None and file_size(self.folder / output.file) is not None and not self.overwrite:
                raise FastdrawError(
                    f"{self.folder / output.file}: is in the way and was not written by a run in this folder; "
                    "move it, choose another folder, or ask to overwrite"
                )
            finished.pop(category, None)
            pending[category] = {"source": asdict(source)}
            works.append(_Category(self, output))
        save_manifest(self.folder, self.manifest)
        return works

    def _output(self, category: str, source: Source) -> Output:
        row_bytes = FORMS[self.form].row_bytes((source.count, *self.settings.shape), category)
        return Output(category, source, self.settings, self.form, row_bytes, max(1, CHUNK // row_bytes))

    def _begin(self) -> dict[str, Any]:
        """The manifest to go on with; where that is one of other settings, a new one, if we may."""
        own = {"form": self.form, "settings": asdict(self.settings)}
        fresh: dict[str, Any] = {"version": VERSION, **own, "categories": {}, "pending": {}}
        if file_size(self.folder / MANIFEST) is None:
            return fresh
        try:
            manifest = read_manifest(self.folder)
        except FastdrawError:
            if not self.overwrite:
                raise
            return fresh
        if all(manifest[name] == value for name, value in own.items()):
            return manifest
        if not self.overwrite:
            before, now = manifest["settings"] | {"form": manifest["form"]}, asdict(self.settings) | {"form": self.form}
            changes = [
                f"{name} {before.get(name)!r}, now {now[name]!r}" for name in now if before.get(name) != now[name]
            ]
            raise FastdrawError(
                f"{self.folder}: holds rasters made with other settings ({changes}); choose another folder, "
                "or ask to overwrite"
            )
        for category in [*manifest["categories"], *manifest["pending"]]:
            self._remove(category, manifest["form"])
        return fresh

    def _remove(self, category: str, form: str | None = None) -> None:
        """Delete what there is of a category."""
        file = self.folder / f"{category}{FORMS[form or self.form].suffix}"
        with reaching(file):
            file.unlink(missing_ok=True)
        if self.local:
            discard(self.folder, category)


class _Category:
    """A category that a run has to write: the tasks of that, and what to do about their results."""

    def __init__(self, run: _Run, output: Output) -> None:
        self.run = run
        self.output = output
        self.failed = False
        self.part = Part(run.folder, output) if run.local else None
        if self.part:
            discard(run.folder, output.category, keep=output.key)
            self.part.resume()
        self._report()

    def first_tasks(self) -> Iterator[_Task]:
        if self.part is None:
            yield _Task(self._finished, make, self.output, str(self.run.folder))
            return
        self.part.begin()
        missing = [chunk for chunk in range(self.output.chunks) if chunk not in self.part.crcs]
        yield from map(self._draw, missing)
        if not missing:
            yield self._finish()

    def _draw(self, chunk: int) -> _Task:
        assert self.part is not None
        return _Task(lambda crc: self._drawn(chunk, crc), draw, self.output, str(self.part.path), chunk)

    def _drawn(self, chunk: int, crc: int) -> Iterable[_Task]:
        assert self.part is not None
        self.part.add(chunk, crc)
        if len(self.part.crcs) == self.output.chunks:
            return [self._finish()]
        self._report()
        return []

    def _finish(self) -> _Task:
        assert self.part is not None
        crcs = [self.part.crcs[chunk] for chunk in range(self.output.chunks)]
        return _Task(self._checked, finish, self.output, str(self.part.path), crcs)

    def _checked(self, result: tuple[str, list[int]]) -> Iterable[_Task]:
        assert self.part is not None
        digest, bad = result
        if bad and self.failed:
            raise FastdrawError(f"{self.run.folder}: expected this disk to keep what was written to it; it did not")
        if bad:  # lost in a power cut, or changed by somebody
            self.failed = True
            for chunk in bad:
                del self.part.crcs[chunk]
            return map(self._draw, bad)
        self.part.publish()
        return self._finished(digest)

    def _finished(self, digest: str) -> Iterable[_Task]:
        output, manifest = self.output, self.run.manifest
        manifest["categories"][output.category] = {
            "count": output.source.count,
            "file": output.file,
            "size": output.size,
            "sha256": digest,
            "source": manifest["pending"].pop(output.category)["source"],
        }
        save_manifest(self.run.folder, manifest)
        if self.run.local:
            discard(self.run.folder, output.category)
        self.run.progress(output.category, output.source.count, output.source.count)
        return []

    def _report(self) -> None:
        chunks = self.part.crcs if self.part else ()
        bounds = map(self.output.bounds, chunks)
        self.run.progress(self.output.category, sum(stop - start for start, stop in bounds), self.output.source.count)
