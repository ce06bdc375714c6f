"""The two ways to write a category: in its folder, chunk by chunk; or as a whole, uploaded to a remote folder."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fastdraw.errors import FastdrawError
from fastdraw.rasters.executors import Call, Work
from fastdraw.rasters.part import Part, discard
from fastdraw.rasters.tasks import Output, draw, draw_and_upload, finish
from fastdraw.storage import LocalStore, RemoteStore, Store

Report = Callable[[int], None]  # called with the number of drawings that are finished


class Target(Protocol):
    """A folder to which categories are written.

    Attributes
    ----------
    store : Store
    saving : float
        Seconds from one writing of the manifest to the next, at least.
    """

    store: Store
    saving: float

    def resume(self, output: Output) -> int:
        """Prepare to write a category; returns how many of its drawings an earlier run has finished."""

    def write(self, output: Output, report: Report) -> Work[str]:
        """Write a category that was resumed; returns the SHA-256 of its file."""

    def clean(self, category: str) -> None:
        """Delete what a run keeps of a category besides its file: it is in the manifest on the disk, or not wanted."""


class InPlace:
    """Chunks are drawn to their places in the folder's file, on any machine that shares the folder.

    A journal lists the finished ones, so the manifest need not be written for each category.
    """

    saving = 1.0

    def __init__(self, store: LocalStore) -> None:
        self.store: Store = store
        self._parts: dict[str, Part] = {}

    def resume(self, output: Output) -> int:
        part = self._parts[output.category] = Part(self.store.folder, output)
        return part.drawn

    def write(self, output: Output, report: Report) -> Work[str]:
        part = self._parts.pop(output.category)
        part.create()
        missing = part.missing
        for _ in range(2):  # the second time for chunks that a power cut has lost, or somebody has changed
            yield [Call(draw, (output, str(part.path), chunk)) for chunk in missing]
            for _ in missing:
                chunk, crc = yield None
                part.add(chunk, crc)
                if part.missing:
                    report(part.drawn)
            yield [Call(finish, (output, str(part.path), [part.crcs[chunk] for chunk in range(output.chunks)]))]
            digest, missing = yield None
            if not missing:
                part.publish()
                return str(digest)
            for chunk in missing:
                del part.crcs[chunk]
        raise FastdrawError(f"{self.store}: expected this disk to keep what was written to it; it did not")

    def clean(self, category: str) -> None:
        discard(self.store.folder, category)


class Uploads:
    """A category is drawn as a whole on one machine, and uploaded. One that is not finished starts again."""

    saving = 0.0

    def __init__(self, store: RemoteStore) -> None:
        self.store: Store = store

    def resume(self, output: Output) -> int:
        return 0

    def write(self, output: Output, report: Report) -> Work[str]:
        yield [Call(draw_and_upload, (output, str(self.store.folder)))]
        return str((yield None))

    def clean(self, category: str) -> None:
        pass


def open_target(store: LocalStore | RemoteStore) -> Target:
    """The way to write to a folder."""
    return InPlace(store) if isinstance(store, LocalStore) else Uploads(store)
