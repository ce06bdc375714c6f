"""Writing a folder of rasters: plans, does the work, and keeps the manifest up to date."""

from __future__ import annotations

import contextlib
import itertools
import time
from collections.abc import Iterable
from concurrent.futures import Executor
from dataclasses import replace

from fastdraw.errors import FastdrawError
from fastdraw.rasters.croissant import CROISSANT, describe_rasters
from fastdraw.rasters.executors import Call, Work, do_all
from fastdraw.rasters.manifest import Entry, Manifest, Sidecar
from fastdraw.rasters.plan import Job, make_plan
from fastdraw.rasters.targets import Target, open_target
from fastdraw.rasters.tasks import Output, close_sources, write_metadata
from fastdraw.storage import LocalStore, Progress, RemoteStore


def write_rasters(
    job: Job,
    store: LocalStore | RemoteStore,
    executor: contextlib.AbstractContextManager[Executor],
    at_a_time: int,
    progress: Progress | None = None,
) -> Manifest:
    """Write what a folder lacks of a job.

    Parameters
    ----------
    job : Job
    store : LocalStore or RemoteStore
    executor : context manager
        Gives the executor of the tasks. It is left before the folder's lock is released.
    at_a_time : int
        Tasks that the executor is given before some are finished.
    progress : callable, optional
        As for `fastdraw.bulk.run`.

    Returns
    -------
    Manifest
        As saved in the folder.

    Raises
    ------
    FastdrawError, OSError
        As for `fastdraw.bulk.run`. What is finished stays, and the same call goes on from it.
    """
    progress = progress or (lambda category, done, count: None)
    target = open_target(store)
    with store.locked(), executor as pool:
        manifest, outputs, bare = make_plan(job, target, pool)
        if outputs or bare:
            store.remove(CROISSANT)
        done = {output.category: target.resume(output) for output in outputs}
        for category in job.files:
            if source := manifest.source(category):
                progress(category, done.get(category, source.count), source.count)
        run = _Run(target, manifest, progress)
        try:
            do_all(run.works(outputs, bare), pool, at_a_time)
        except BaseException:
            with contextlib.suppress(OSError, FastdrawError):  # the disk may be full
                run.save()
            raise
        finally:
            close_sources()
        run.save()
        describe_rasters(manifest, store)
    return manifest


class _Run:
    """Writes outputs to a target and lists them in its manifest."""

    def __init__(self, target: Target, manifest: Manifest, progress: Progress) -> None:
        self._target = target
        self._manifest = manifest
        self._progress = progress
        self._unsaved: list[str] = []  # categories whose files are finished, not yet in the manifest on the disk
        self._saved = time.monotonic()

    def works(self, outputs: Iterable[Output], bare: Iterable[Output]) -> Iterable[Work[None]]:
        return itertools.chain(map(self._describe, bare), map(self._write, outputs))

    def _describe(self, output: Output) -> Work[None]:
        """Write metadata beside images that are finished."""
        before = self._manifest.categories[output.category]
        sidecar = yield from self._write_metadata(output)
        self._manifest.finish(output.category, replace(before, metadata=sidecar))
        if before.metadata and before.metadata.file != sidecar.file:
            self.save()
            self._target.store.remove(before.metadata.file)

    def _write_metadata(self, output: Output) -> Work[Sidecar]:
        yield [Call(write_metadata, (output, str(self._target.store), self._manifest.metadata))]
        sidecar: Sidecar = yield None
        return sidecar

    def _write(self, output: Output) -> Work[None]:
        category, source = output.category, output.source
        sidecar = (yield from self._write_metadata(output)) if self._manifest.metadata else None
        digest = yield from self._target.write(output, lambda drawn: self._progress(category, drawn, source.count))
        self._manifest.finish(category, Entry(source.count, output.file, output.size, digest, source, sidecar))
        self._unsaved.append(category)
        if time.monotonic() > self._saved + self._target.saving:
            self.save()
        self._progress(category, source.count, source.count)

    def save(self) -> None:
        self._manifest.save(self._target.store)
        self._saved = time.monotonic()
        while self._unsaved:
            self._target.clean(self._unsaved.pop())
