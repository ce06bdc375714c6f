"""What a bulk run has to do: which categories of its folder it has to write, and by which tasks."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fastdraw.errors import DamagedFileWarning, FastdrawError
from fastdraw.rasters.executors import Task
from fastdraw.rasters.formats import FORMS
from fastdraw.rasters.manifest import MANIFEST, VERSION, read_manifest, save_manifest
from fastdraw.rasters.part import Part, discard
from fastdraw.rasters.tasks import Errors, Output, Source, draw, finish, look, make
from fastdraw.settings import Settings
from fastdraw.storage import file_size, is_local, reaching

CHUNK = 1 << 23  # bytes of images that a task draws: all that each thread has in memory

_SAVING = 1.0  # seconds from one writing of the manifest to the next

Progress = Callable[[str, int, int], None]


class Run:
    """One run: its folder, its manifest, and the categories that it has to write."""

    def __init__(self, folder: Path, settings: Settings, form: str, overwrite: bool, progress: Progress | None) -> None:
        self.folder = folder
        self.local = is_local(folder)
        self.settings = settings
        self.form = form
        self.overwrite = overwrite
        self.progress = progress or (lambda category, done, count: None)
        self.manifest = self._begin()
        self.unsaved: list[str] = []  # categories that have their files and are not yet in the manifest on the disk
        self.saved = time.monotonic()

    def plan(self, files: dict[str, Path], errors: Errors, pool: Executor) -> list[Category]:
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
            works.append(Category(self, output))
        self.save()
        return works

    def _output(self, category: str, source: Source) -> Output:
        row_bytes = FORMS[self.form].row_bytes((source.count, *self.settings.shape), category)
        return Output(category, source, self.settings, self.form, row_bytes, max(1, CHUNK // row_bytes))

    def add(self, output: Output, digest: str) -> None:
        """Put a finished file in the manifest; what that is not saved with at once, the journals say as well."""
        entries = self.manifest["categories"]
        entries[output.category] = {
            "count": output.source.count,
            "file": output.file,
            "size": output.size,
            "sha256": digest,
            "source": self.manifest["pending"].pop(output.category)["source"],
        }
        self.unsaved.append(output.category)
        if not self.local or time.monotonic() > self.saved + _SAVING:
            self.save()

    def save(self) -> None:
        save_manifest(self.folder, self.manifest)
        self.saved = time.monotonic()
        while self.local and self.unsaved:
            discard(self.folder, self.unsaved.pop())

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
            changed = [name for name in now if before.get(name) != now[name]]
            changes = ", ".join(f"{name} {before.get(name)!r}, now {now[name]!r}" for name in changed)
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


class Category:
    """A category that a run has to write: the tasks of that, and what to do about their results."""

    def __init__(self, run: Run, output: Output) -> None:
        self.run = run
        self.output = output
        self.failed = False
        self.part = Part(run.folder, output) if run.local else None
        if self.part:
            discard(run.folder, output.category, keep=output.key)
            self.part.resume()
        self._report()

    def first_tasks(self) -> Iterator[Task]:
        if self.part is None:
            yield Task(self._finished, make, self.output, str(self.run.folder))
            return
        self.part.begin()
        missing = [chunk for chunk in range(self.output.chunks) if chunk not in self.part.crcs]
        yield from map(self._draw, missing)
        if not missing:
            yield self._finish()

    def _draw(self, chunk: int) -> Task:
        assert self.part is not None
        return Task(lambda crc: self._drawn(chunk, crc), draw, self.output, str(self.part.path), chunk)

    def _drawn(self, chunk: int, crc: int) -> Iterable[Task]:
        assert self.part is not None
        self.part.add(chunk, crc)
        if len(self.part.crcs) == self.output.chunks:
            return [self._finish()]
        self._report()
        return []

    def _finish(self) -> Task:
        assert self.part is not None
        crcs = [self.part.crcs[chunk] for chunk in range(self.output.chunks)]
        return Task(self._checked, finish, self.output, str(self.part.path), crcs)

    def _checked(self, result: tuple[str, list[int]]) -> Iterable[Task]:
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

    def _finished(self, digest: str) -> Iterable[Task]:
        output = self.output
        self.run.add(output, digest)
        self.run.progress(output.category, output.source.count, output.source.count)
        return []

    def _report(self) -> None:
        chunks = self.part.crcs if self.part else ()
        bounds = map(self.output.bounds, chunks)
        self.run.progress(self.output.category, sum(stop - start for start, stop in bounds), self.output.source.count)
