"""Writing a folder of shards: images of all categories, mixed, in files that other programs read."""

from __future__ import annotations

import hashlib
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import as_completed
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fastdraw.errors import FastdrawError
from fastdraw.kernels.hashing import key
from fastdraw.kernels.order import permute
from fastdraw.quickdraw.binary import METADATA
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.quickdraw.opening import open_drawings
from fastdraw.quickdraw.png import pictures
from fastdraw.quickdraw.tar import SHARD, shard_name
from fastdraw.rasters.croissant import CROISSANT, describe_shards
from fastdraw.rasters.executors import Threads
from fastdraw.rasters.formats import SHARDS
from fastdraw.rasters.manifest import Sidecar
from fastdraw.rasters.metadata import need_parquet
from fastdraw.rasters.plan import Job
from fastdraw.rasters.samples import WRITERS, Block
from fastdraw.rasters.shardlist import ShardList, holds_shards, read_shards
from fastdraw.rasters.tasks import look
from fastdraw.settings import Settings
from fastdraw.storage import LocalStore, Progress, RemoteStore, replacing

_BLOCK = 4096  # drawings that are in memory as images at a time


def write_shards(
    job: Job, store: LocalStore | RemoteStore, threads: int, progress: Progress | None = None
) -> ShardList:
    """Write the shards that a folder lacks; each appears when it is complete.

    The drawings are shuffled once, so that each shard has images of all categories.

    Parameters
    ----------
    job : Job
    store : LocalStore or RemoteStore
    threads : int
    progress : callable, optional
        Called with the name of a shard, its finished images and all its images.

    Raises
    ------
    FastdrawError, OSError
        As for `fastdraw.bulk.run`.
    """
    if job.format == "parquet":
        need_parquet()
    report = progress or (lambda shard, done, count: None)
    stop = threading.Event()
    with store.locked(), Threads(threads) as pool:
        looks = pool.map(lambda path: look(str(path.absolute()), job.errors, None)[0], job.files.values())
        sources = {name: source for name, source in zip(job.files, looks, strict=True) if source and source.count}
        if not sources:
            raise FastdrawError(f"expected a file with drawings, received none of {len(job.files)}")
        drawings = open_drawings([source.path for source in sources.values()], errors=job.errors)
        names = [shard_name(number, SHARDS[job.format]) for number in range(-(-len(drawings) // SHARD))]
        shards = ShardList(job.format, job.settings, sources, dict.fromkeys(names))
        _go_on(shards, store, job.overwrite)
        shards.save(store)
        if shards.pending:
            store.remove(CROISSANT)
        sizes = {name: min(SHARD, len(drawings) - number * SHARD) for number, name in enumerate(names)}
        for name, count in sizes.items():
            report(name, count if shards.shards[name] else 0, count)
        made = [pool.submit(_write, drawings, names.index(name), shards, store, stop) for name in shards.pending]
        try:
            for done in as_completed(made):
                shard = done.result()
                shards.shards[shard.file] = shard
                shards.save(store)
                report(shard.file, sizes[shard.file], sizes[shard.file])
        except BaseException:
            stop.set()
            raise
        describe_shards(shards, store)
    return shards


def _go_on(shards: ShardList, store: LocalStore | RemoteStore, overwrite: bool) -> None:
    """Take over the shards that an earlier run has finished, or clear the folder, if that may be overwritten."""
    if holds_shards(store):
        before = read_shards(store)
        if before.identity == shards.identity:
            for name, shard in before.shards.items():
                if shard is not None and store.size(name) == shard.size:
                    shards.shards[name] = shard
            return
        if not overwrite:
            raise FastdrawError(
                f"{store}: holds shards of other drawings or settings; choose another folder, or pass overwrite=True"
            )
        for name in before.shards:
            store.remove(name)
    for name in shards.shards:
        if not overwrite and store.size(name) is not None:
            raise FastdrawError(
                f"{store / name}: is in the way and was not written by a run in this folder; move it, choose another "
                "folder, or pass overwrite=True"
            )


def _write(
    drawings: Drawings, number: int, shards: ShardList, store: LocalStore | RemoteStore, stop: threading.Event
) -> Sidecar:
    """Write a shard."""
    name = shard_name(number, SHARDS[shards.format])
    start = number * SHARD
    places = np.arange(start, min(start + SHARD, len(drawings)))
    order = np.empty(len(places), np.int64)
    permute(key(0), len(drawings), places, order)
    blocks = _blocks(drawings, order, start, shards.settings, stop)
    write = WRITERS[shards.format]
    if isinstance(store, LocalStore):
        path = store / name
        with replacing(path) as file:
            write(blocks, drawings.categories, file)
        return _described(path)
    with tempfile.TemporaryDirectory(prefix="fastdraw-") as scratch:
        path = Path(scratch) / name
        with open(path, "xb") as file:
            write(blocks, drawings.categories, file)
        store.upload(path, name)
        return _described(path)


def _blocks(
    drawings: Drawings, order: npt.NDArray[np.int64], first: int, settings: Settings, stop: threading.Event
) -> Iterator[Block]:
    for start in range(0, len(order), _BLOCK):
        if stop.is_set():
            raise FastdrawError("stopped")
        some = drawings.select(order[start : start + _BLOCK])
        rows = some.metadata.view(np.ndarray).astype(METADATA)
        yield Block(first + start, list(pictures(some, settings, threads=1)), some.labels, rows)


def _described(path: Path) -> Sidecar:
    with open(path, "rb") as file:
        return Sidecar(path.name, path.stat().st_size, hashlib.file_digest(file, "sha256").hexdigest())
