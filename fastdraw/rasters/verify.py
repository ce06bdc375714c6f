"""Checking folders of rasters: against their own ``dataset.json``, and against what Google publishes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.catalog import Category, categories
from fastdraw.rasters.manifest import Entry, Manifest, Sidecar, read_manifest
from fastdraw.rasters.reader import find_problem
from fastdraw.rasters.shardlist import holds_shards, read_shards
from fastdraw.settings import Settings
from fastdraw.storage import Address, Progress, Store, open_store, reaching
from fastdraw.threads import default_threads

_BLOCK = 1 << 22  # bytes
_OFFICIAL = Settings(style="google", size=28, flat=True)

_File = TypeVar("_File", Entry, Sidecar)


def verify_rasters(folder: Address, *, progress: Progress | None = None) -> list[str]:
    """Compare every file of a folder of rasters with its ``dataset.json``: size, shape, count and SHA-256.

    Parameters
    ----------
    folder : path
        On this machine, or an address.
    progress : callable, optional
        Called with a category, its bytes that are checked, and all its bytes.

    Returns
    -------
    list of str
        What is wrong, a line for each category, and one if categories are not finished; empty if all is well.

    Raises
    ------
    FastdrawError
        If there is no ``dataset.json``.

    Examples
    --------
    >>> fastdraw.bulk.run("quickdraw", "rasters")
    600
    >>> fastdraw.verify_rasters("rasters")
    []
    >>> with open("rasters/star.npy", "ab") as file:
    ...     file.write(b"?")
    1
    >>> fastdraw.verify_rasters("rasters")
    ['rasters/star.npy: expected 204,928 bytes, found 204,929; make it again']
    """
    store = open_store(folder)
    if holds_shards(store):
        return _shard_problems(store, progress)
    manifest = read_manifest(store)
    files = _Files(store, manifest.categories, progress)

    def check(category: str, entry: Entry) -> str | None:
        if problem := find_problem(store, manifest, category):
            return problem
        digest = hashlib.sha256()
        for block in files.blocks(category, entry):
            digest.update(block)
        if digest.hexdigest() != entry.sha256:
            return f"{store / entry.file}: expected SHA-256 {entry.sha256}, found {digest.hexdigest()}"
        return _problem_of(store, entry.metadata, map(store.read, [entry.metadata.file])) if entry.metadata else None

    problems = _check_all(store, manifest.categories, check)
    if pending := sorted(manifest.pending):
        problems.append(f"{store}: {len(pending)} categories are not finished ({', '.join(pending[:3])}, ...)")
    return problems


def verify_official(folder: Address, *, progress: Progress | None = None) -> list[str]:
    """Compare rasters of the style ``google``, size 28 and flat, with the checksums of Google's ``numpy_bitmap`` files.

    Parameters
    ----------
    folder : path
        On this machine, or an address.
    progress : callable, optional
        As for `verify_rasters`.

    Returns
    -------
    list of str
        A line for each category whose images are not, bit for bit, what Google publishes, or cannot be compared.

    Raises
    ------
    FastdrawError
        If there is no ``dataset.json``, or the rasters were made with other settings.

    Examples
    --------
    >>> fastdraw.bulk.run("quickdraw/star.bin", "rasters", style="google", flat=True)
    200
    >>> print(*fastdraw.verify_official("rasters"))
    rasters/star.npy: not compared: its source is not the whole official file: it has 200 drawings, Google's 137,619
    """
    return compare_with(categories(), folder, progress=progress)


def compare_with(published: Mapping[str, Category], folder: Address, *, progress: Progress | None = None) -> list[str]:
    """Compare rasters with the checksums of published files, as `verify_official`."""
    store = open_store(folder)
    manifest = read_manifest(store)
    check_official_settings(manifest.settings, manifest.format)
    files = _Files(store, manifest.categories, progress)

    def check(category: str, entry: Entry) -> str | None:
        path = store / entry.file
        if category not in published:
            return f"{path}: not compared: {category!r} is not one of the {len(published)} published categories"
        official = published[category]
        if entry.count != official.drawings:
            return (
                f"{path}: not compared: its source is not the whole official file: it has {entry.count:,} drawings, "
                f"Google's {official.drawings:,}"
            )
        if problem := find_problem(store, manifest, category):
            return problem
        digest = hashlib.sha256(official_header(entry.count))
        skip = entry.size - 784 * entry.count  # our header, which is longer
        for block in files.blocks(category, entry):
            digest.update(block[skip:])
            skip = 0
        if digest.hexdigest() == official.npy_sha256:
            return None
        found = f"{path}: not what Google publishes: expected SHA-256 {official.npy_sha256}, found {digest.hexdigest()}"
        same_source = entry.source.sha256 == official.bin_sha256
        return found if same_source else f"{found}; its source is not Google's .bin file"

    return _check_all(store, manifest.categories, check)


def check_official_settings(settings: Settings, format: str) -> None:
    """Raise `FastdrawError` unless rasters with these settings, in this format, can be Google's."""
    changes = Manifest(format, settings).changes("npy", _OFFICIAL)
    if changes:
        raise FastdrawError(
            "expected rasters like Google's numpy_bitmap files, to compare with them: style='google', flat=True, and "
            f"nothing else; received {', '.join(f'{name} {value!r}' for name, (value, _) in changes.items())}"
        )


def official_header(count: int) -> bytes:
    """The header of a ``numpy_bitmap`` file: NumPy's version 1.0, padded to 16 bytes as NumPy did before 1.14."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, 784), }}".encode()
    before = 10  # bytes of magic, version, and length of the text
    text += b" " * (16 - (before + len(text) + 1) % 16) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _problem_of(store: Store, file: Sidecar, blocks: Iterable[bytes]) -> str | None:
    """What is wrong with a file that has this content, in words, or None."""
    digest = hashlib.sha256()
    try:
        for block in blocks:
            digest.update(block)
    except OSError as error:
        return f"{store / file.file}: {error.strerror or error}; make it again"
    if digest.hexdigest() == file.sha256:
        return None
    found = digest.hexdigest()
    return f"{store / file.file}: expected SHA-256 {file.sha256}, found {found}; delete it, and make it again"


def _shard_problems(store: Store, progress: Progress | None) -> list[str]:
    """As `verify_rasters`, for a folder of shards."""
    shards = read_shards(store)
    finished = {name: shard for name, shard in shards.shards.items() if shard}
    files = _Files(store, finished, progress)

    problems = _check_all(store, finished, lambda name, shard: _problem_of(store, shard, files.blocks(name, shard)))
    if pending := shards.pending:
        problems.append(f"{store}: {len(pending)} shards are not finished ({', '.join(pending[:3])}, ...)")
    return problems


def _check_all(store: Store, entries: Mapping[str, _File], check: Callable[[str, _File], str | None]) -> list[str]:
    with reaching(store.folder), ThreadPoolExecutor(default_threads()) as pool:  # reading and hashing release the GIL
        return [problem for problem in pool.map(check, entries, entries.values()) if problem]


class _Files:
    """Reads the files of a folder in several threads, and reports progress in one at a time."""

    def __init__(self, store: Store, entries: Mapping[str, Entry | Sidecar], progress: Progress | None) -> None:
        self._store = store
        self._progress = progress or (lambda category, done, count: None)
        self._reporting = threading.Lock()
        for category, entry in entries.items():
            self._progress(category, 0, entry.size)

    def blocks(self, category: str, entry: Entry | Sidecar) -> Iterator[bytes]:
        done = 0
        with (self._store / entry.file).open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
                done += len(block)
                with self._reporting:
                    self._progress(category, done, entry.size)
