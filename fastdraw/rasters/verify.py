"""Checking finished folders of rasters: against their own manifest, and against what Google publishes."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.catalog import categories
from fastdraw.rasters.formats import FORMS
from fastdraw.rasters.manifest import read_manifest
from fastdraw.settings import Settings
from fastdraw.storage import Address, as_path, reaching
from fastdraw.threads import default_threads

_BLOCK = 1 << 22
_OFFICIAL = Settings(style="google", size=28, flat=True)

Progress = Callable[[str, int, int], None]
_Check = Callable[[str, dict[str, Any]], str | None]


def verify_rasters(folder: Address, *, progress: Progress | None = None) -> list[str]:
    """Compare every file of a folder of rasters with its ``dataset.json``: size, shape, count and SHA-256.

    Parameters
    ----------
    folder : path
    progress : callable, optional
        Called with a category, the bytes of it that are checked and the bytes it has.

    Returns
    -------
    list of str
        What is wrong, a line for each category; empty if all is well.

    Raises
    ------
    FastdrawError
        If there is no ``dataset.json`` to compare with.
    """
    target = as_path(folder)
    manifest = read_manifest(target)
    report = _Reporter(target, manifest, progress)

    def check(category: str, entry: dict[str, Any]) -> str | None:
        if problem := report.problem(category, entry):
            return problem
        digest = hashlib.sha256()
        for block in report.blocks(category, entry):
            digest.update(block)
        if digest.hexdigest() != entry["sha256"]:
            return f"{target / entry['file']}: expected SHA-256 {entry['sha256']}, found {digest.hexdigest()}"
        return None

    problems = _check_all(target, manifest, check)
    if pending := sorted(manifest["pending"]):
        problems.append(f"{target}: {len(pending)} categories are not finished ({', '.join(pending[:3])}, ...)")
    return problems


def verify_official(folder: Address, *, progress: Progress | None = None) -> list[str]:
    """Compare rasters of the style ``google``, size 28 and flat, with the checksums of Google's ``numpy_bitmap`` files.

    Parameters
    ----------
    folder : path
    progress : callable, optional
        As for `verify_rasters`.

    Returns
    -------
    list of str
        A line for each category that is not, to the byte, what Google publishes, or cannot be compared.

    Raises
    ------
    FastdrawError
        If there is no ``dataset.json``, or the rasters were made with other settings.
    """
    target = as_path(folder)
    manifest = read_manifest(target)
    check_official_settings(Settings(**manifest["settings"]), manifest["form"])
    report = _Reporter(target, manifest, progress)

    def check(category: str, entry: dict[str, Any]) -> str | None:
        path = target / entry["file"]
        published = categories().get(category)
        if published is None:
            return f"{path}: not compared: {category!r} is not one of the {len(categories())} published categories"
        if entry["count"] != published.drawings:
            return (
                f"{path}: not compared: its source is not the whole official file: it has {entry['count']:,} drawings, "
                f"Google's {published.drawings:,}"
            )
        if problem := report.problem(category, entry):
            return problem
        digest = hashlib.sha256(official_header(entry["count"]))
        skip = entry["size"] - 784 * entry["count"]  # our header, which is longer
        for block in report.blocks(category, entry):
            digest.update(block[skip:])
            skip = 0
        if digest.hexdigest() == published.npy_sha256:
            return None
        found = f"{path}: not what Google publishes: SHA-256 {digest.hexdigest()} for {published.npy_sha256}"
        same_source = entry["source"]["sha256"] == published.bin_sha256
        return found if same_source else f"{found}; its source is not Google's .bin file"

    return _check_all(target, manifest, check)


def check_official_settings(settings: Settings, form: str) -> None:
    """Raise `FastdrawError` unless rasters of these settings and this form can be Google's."""
    if (settings, form) != (_OFFICIAL, "npy"):
        raise FastdrawError(
            "expected rasters as Google's numpy_bitmap files are to compare with them: style google, size 28, flat, "
            f"not inverted; found {settings} in {form} files"
        )


def official_header(count: int) -> bytes:
    """The header of a ``numpy_bitmap`` file: NumPy's version 1.0, padded to 16 bytes as NumPy did before 1.14."""
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': ({count}, 784), }}".encode()
    before = 10  # magic, version, and the length of what follows
    text += b" " * (16 - (before + len(text) + 1) % 16) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def _check_all(folder: Path, manifest: dict[str, Any], check: _Check) -> list[str]:
    entries = manifest["categories"]
    with reaching(folder), ThreadPoolExecutor(default_threads()) as pool:  # reading and hashing let go of the GIL
        return [problem for problem in pool.map(check, entries, entries.values()) if problem]


class _Reporter:
    """Reads the files of a folder and says how far it is, one call at a time."""

    def __init__(self, folder: Path, manifest: dict[str, Any], progress: Progress | None) -> None:
        self._folder = folder
        self._manifest = manifest
        self._progress = progress or (lambda category, done, count: None)
        self._reporting = threading.Lock()
        for category, entry in manifest["categories"].items():
            self._progress(category, 0, entry["size"])

    def problem(self, category: str, entry: dict[str, Any]) -> str | None:
        """What is wrong with a file as far as its length and its beginning show, or None."""
        path = self._folder / entry["file"]
        form = FORMS[self._manifest["form"]]
        shape = (entry["count"], *Settings(**self._manifest["settings"]).shape)
        header = form.header(shape)
        size = len(header) + entry["count"] * form.row_bytes(shape, category)
        if entry["size"] != size:
            return (
                f"{path}: expected {size:,} bytes for {entry['count']:,} drawings, the manifest has {entry['size']:,}"
            )
        try:
            found = path.stat().st_size
            with path.open("rb") as file:
                beginning = file.read(len(header))
        except OSError as error:
            return f"{path}: {error.strerror or error}; make it again"
        if found != size:
            return f"{path}: expected {size:,} bytes, found {found:,}; make it again"
        if beginning != header:
            return f"{path}: expected an array of shape {shape}, it begins with something else; make it again"
        return None

    def blocks(self, category: str, entry: dict[str, Any]) -> Iterator[bytes]:
        done = 0
        with (self._folder / entry["file"]).open("rb") as file:
            while block := file.read(_BLOCK):
                yield block
                done += len(block)
                with self._reporting:
                    self._progress(category, done, entry["size"])
