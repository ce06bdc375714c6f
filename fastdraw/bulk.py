"""From ``.bin`` files to a folder of rasters, in one run or in as many as it takes.

The folder holds ``<category>.npy`` for each finished category and ``dataset.json``, which lists the finished categories
and, as pending, those that a run has begun or has yet to begin. A category is written to ``.<category>.npy.part``,
which is renamed when it is whole, while ``.<category>.npy.crc`` takes a checksum of each chunk in it. A run that was
stopped, however hard, is picked up behind the last chunk that is as it should be.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import zlib
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO, Literal

import filelock
import numpy as np
import numpy.typing as npt

from fastdraw.drawings import Drawings, open_drawings
from fastdraw.errors import FastdrawError
from fastdraw.files import make_folder, replacing
from fastdraw.index import find_bin_files
from fastdraw.raster import Settings, default_size
from fastdraw.rasters import MANIFEST, VERSION, Rasters, load_images, open_rasters, read_manifest

CHUNK = 1 << 24  # bytes of images that are drawn, then written, at a time: all that is in memory twice over

Progress = Callable[[str, int, int], None]


def rasterize_files(
    sources: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    folder: str | os.PathLike[str],
    *,
    style: str = "pillow",
    size: int | None = None,
    line_width: int = 2,
    invert: bool = False,
    packed: bool = False,
    flat: bool = False,
    threads: int | None = None,
    overwrite: bool = False,
    errors: Literal["raise", "salvage"] = "raise",
    progress: Progress | None = None,
) -> Rasters:
    """Draw every drawing of some ``.bin`` files and write ``<category>.npy`` files.

    The same call again goes on where a stopped one was, and skips categories that are finished; other sources are added
    to the folder. The labels in ``dataset.json`` number its categories in alphabetical order.

    Parameters
    ----------
    sources : path or sequence of paths
        Files, or folders of ``*.bin``.
    folder : path
        Made where it does not exist.
    style, size, line_width, invert, packed, threads
        As for `Drawings.rasterize`.
    flat : bool
        Write (N, size * size) instead of (N, size, size), as Google's ``numpy_bitmap`` files are.
    overwrite : bool
        Replace the rasters of a folder that were made with other settings, or files that are not ours.
    errors : {"raise", "salvage"}
        As for `open_drawings`.
    progress : callable, optional
        Called with a category, the number of its drawings finished and the number it has: for every category before the
        first is begun, then after each chunk.

    Returns
    -------
    Rasters
        All of the folder.

    Raises
    ------
    FastdrawError
        If two sources are of the same category, the folder holds something else under a name that is needed, was made
        with other settings, or is being written by another run; or a source is damaged or missing.
    OSError
        If the folder cannot be written, or the disk is full. The same call goes on later.
    """
    if size is None:
        size = default_size(style)
    settings = Settings(style=style, size=size, line_width=line_width, invert=invert, packed=packed, flat=flat)
    files = _files_by_category(find_bin_files(sources if isinstance(sources, (str, os.PathLike)) else list(sources)))
    folder = make_folder(Path(folder))
    try:
        with filelock.FileLock(folder / ".lock", timeout=0):
            _run(files, folder, settings, threads, overwrite, errors, progress or (lambda category, done, count: None))
    except filelock.Timeout:
        raise FastdrawError(f"{folder}: another run is writing to this folder; wait for it or choose another") from None
    return open_rasters(folder)


def _files_by_category(files: list[Path]) -> dict[str, Path]:
    categories: dict[str, Path] = {}
    for path in files:
        other = categories.setdefault(path.stem, path)
        if other is not path:
            raise FastdrawError(f"expected one file a category, received two of {path.stem!r}: {other} and {path}")
    return dict(sorted(categories.items()))


def _run(
    files: dict[str, Path],
    folder: Path,
    settings: Settings,
    threads: int | None,
    overwrite: bool,
    errors: Literal["raise", "salvage"],
    progress: Progress,
) -> None:
    manifest = _begin(folder, settings, overwrite)
    finished, pending = manifest["categories"], manifest["pending"]
    for path in folder.glob(".*.tmp"):  # of a run that was killed while it saved the manifest
        path.unlink()
    for category in set(pending) - set(files):  # of a run that was to do more than this one
        _discard(folder, category)
        (folder / f"{category}.npy").unlink(missing_ok=True)  # of its source as it was before it changed
        del pending[category]
    opened: dict[str, Drawings] = {}
    # Everything is looked at before anything is written: a damaged source is found at once, not after an hour.
    for category, path in files.items():
        drawings = open_drawings(path, errors=errors)
        old = finished.get(category) or pending.get(category)
        source = _source(path, len(drawings), old and old["source"])
        same = old is not None and old["source"]["sha256"] == source["sha256"]
        if category in finished and same and _is_there(folder, finished[category], settings):
            finished[category]["source"] = source
            continue
        if old is None and (folder / f"{category}.npy").exists() and not overwrite:
            raise FastdrawError(
                f"{folder / category}.npy: is in the way and was not written by a run in this folder; "
                "move it, choose another folder, or ask to overwrite"
            )
        if not same:
            _discard(folder, category)
        finished.pop(category, None)
        pending[category] = {"source": source}
        opened[category] = drawings
    _save(folder, manifest)
    for category in files:
        count = len(opened[category]) if category in opened else finished[category]["count"]
        progress(category, 0 if category in opened else count, count)
    for category in list(opened):
        drawings = opened.pop(category)
        digest = _write_category(folder, category, drawings, settings, threads, progress)
        finished[category] = {
            "count": len(drawings),
            "file": f"{category}.npy",
            "sha256": digest,
            "source": pending.pop(category)["source"],
        }
        _save(folder, manifest)


def _begin(folder: Path, settings: Settings, overwrite: bool) -> dict[str, Any]:
    """The manifest to go on with; where that is one of other settings, a new one, if we may."""
    fresh: dict[str, Any] = {"version": VERSION, "settings": asdict(settings), "categories": {}, "pending": {}}
    if not (folder / MANIFEST).exists():
        return fresh
    try:
        manifest = read_manifest(folder)
    except FastdrawError:
        if not overwrite:
            raise
        return fresh
    if manifest["settings"] == asdict(settings):
        return manifest
    if not overwrite:
        changes = ", ".join(
            f"{name} {manifest['settings'].get(name)!r}, now {value!r}"
            for name, value in asdict(settings).items()
            if manifest["settings"].get(name) != value
        )
        raise FastdrawError(
            f"{folder}: holds rasters made with other settings ({changes}); choose another folder, or ask to overwrite"
        )
    for category in [*manifest["categories"], *manifest["pending"]]:
        _discard(folder, category)
        (folder / f"{category}.npy").unlink(missing_ok=True)
    return fresh


def _save(folder: Path, manifest: dict[str, Any]) -> None:
    finished = sorted(manifest["categories"].items())
    numbered = {category: entry | {"label": label} for label, (category, entry) in enumerate(finished)}
    with replacing(folder / MANIFEST) as file:
        file.write(json.dumps(manifest | {"categories": numbered}, indent=1, ensure_ascii=False).encode() + b"\n")


def _source(path: Path, count: int, known: dict[str, Any] | None) -> dict[str, Any]:
    """Description of a source file; its checksum is not computed again while its size and time stand."""
    status = path.stat()
    source = {"path": str(path.resolve()), "size": status.st_size, "mtime_ns": status.st_mtime_ns, "count": count}
    if known and all(known[field] == source[field] for field in ("size", "mtime_ns", "count")):
        return source | {"sha256": known["sha256"]}
    with open(path, "rb") as file:
        return source | {"sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _is_there(folder: Path, entry: dict[str, Any], settings: Settings) -> bool:
    """Whether a finished file still has its shape; its checksum would take reading it."""
    with contextlib.suppress(FastdrawError):
        load_images(folder, entry, settings)
        return True
    return False


def _parts(folder: Path, category: str) -> tuple[Path, Path]:
    return folder / f".{category}.npy.part", folder / f".{category}.npy.crc"


def _discard(folder: Path, category: str) -> None:
    for path in _parts(folder, category):
        path.unlink(missing_ok=True)


def _write_category(
    folder: Path, category: str, drawings: Drawings, settings: Settings, threads: int | None, progress: Progress
) -> str:
    """Write the file of a category, from where its part is good, and return the SHA-256 of the whole."""
    part, checksums = _parts(folder, category)
    shape = (len(drawings), *settings.shape)
    arguments = {name: value for name, value in asdict(settings).items() if name != "flat"}
    step = max(1, CHUNK // math.prod(settings.shape))
    digest = hashlib.sha256()
    part.touch()
    checksums.touch()
    with open(part, "r+b") as file, open(checksums, "r+b") as crcs:
        done = _resume(file, crcs, shape, step, digest)

        def save(images: npt.NDArray[np.uint8]) -> None:
            digest.update(images.data)
            file.write(images.data)
            file.flush()
            crcs.write(zlib.crc32(images.data).to_bytes(4, "little"))
            crcs.flush()

        # The next chunk is drawn while the last one is written. NumPy and hashlib let go of the GIL for that.
        with ThreadPoolExecutor(1) as writer:
            writing: Future[None] | None = None
            for start in range(done, len(drawings), step):
                stop = min(start + step, len(drawings))
                images = drawings.rasterize(slice(start, stop), threads=threads, **arguments)
                if writing is not None:
                    writing.result()
                    progress(category, start, len(drawings))
                writing = writer.submit(save, images)
            if writing is not None:
                writing.result()
        os.fsync(file.fileno())
    os.replace(part, folder / f"{category}.npy")
    checksums.unlink()
    progress(category, len(drawings), len(drawings))
    return digest.hexdigest()


def _resume(file: BinaryIO, crcs: BinaryIO, shape: tuple[int, ...], step: int, digest: Any) -> int:
    """Keep the leading chunks of a part that are as they were written, digest them, and return their images' number.

    The process may have been killed in the middle of a write, or the machine may have lost what it had not yet put on
    the disk.
    """
    np.lib.format.write_array_header_1_0(file, {"descr": "|u1", "fortran_order": False, "shape": shape})
    end = file.tell()
    file.seek(0)
    digest.update(file.read(end))
    chunks = 0
    image = math.prod(shape[1:])
    while (crc := crcs.read(4)) and (chunk := file.read(min(step, shape[0] - chunks * step) * image)):
        if zlib.crc32(chunk).to_bytes(4, "little") != crc:
            break
        digest.update(chunk)
        end += len(chunk)
        chunks += 1
    file.truncate(end)
    file.seek(end)
    crcs.truncate(4 * chunks)
    crcs.seek(4 * chunks)
    return min(chunks * step, shape[0])
