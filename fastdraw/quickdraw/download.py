"""Published files: which ones, where they go, and what they must be. `fastdraw.quickdraw.transfer` fetches them."""

from __future__ import annotations

import base64
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from fastdraw.errors import FastdrawError
from fastdraw.progress import show_progress
from fastdraw.quickdraw.catalog import Category, find_categories
from fastdraw.quickdraw.network import is_address
from fastdraw.quickdraw.transfer import (
    DEFAULT_OPTIONS,
    Progress,
    RemoteFile,
    TransferOptions,
    Transfers,
    present_bytes,
)
from fastdraw.storage import cache_folder, locking, make_folder

if TYPE_CHECKING:  # drawings need numba, downloads do not
    from fastdraw.quickdraw.drawings import Drawings

BASE_URL = "https://storage.googleapis.com/quickdraw_dataset/full"
FORMATS = {"bin": ("binary", "bin"), "numpy_bitmap": ("numpy_bitmap", "npy"), "simplified": ("simplified", "ndjson")}


def load(names: str | Sequence[str], *, cache: str | os.PathLike[str] | None = None) -> Drawings:
    """Open published categories; those not in the cache yet are downloaded first.

    Parameters
    ----------
    names : str or sequence of str
        Categories, in any capitalization, with any characters between words.
    cache : path, optional
        Folder that keeps the files. Default: ``fastdraw/bin`` in the cache folder of the user.

    Returns
    -------
    Drawings

    Raises
    ------
    ValueError
        If a name is not a category; the message suggests the closest three.
    FastdrawError
        If a file cannot be downloaded.

    Examples
    --------
    >>> drawings = fastdraw.load(["cat", "the eiffel tower"])  # doctest: +SKIP
    >>> drawings.categories  # doctest: +SKIP
    ('cat', 'The Eiffel Tower')
    >>> fastdraw.load("kat")
    Traceback (most recent call last):
    ...
    ValueError: expected one of the 345 published categories, received 'kat'; closest: 'hat', 'cat', 'bat'
    """
    folder = cache_folder() / "bin" if cache is None else Path(cache)
    return open_cached(find_categories(names), folder)


def open_cached(
    chosen: Sequence[Category],
    folder: Path,
    *,
    base_url: str = BASE_URL,
    options: TransferOptions = DEFAULT_OPTIONS,
) -> Drawings:
    """Open the ``.bin`` files of categories in a folder, after downloading those that are missing."""
    from fastdraw.quickdraw.opening import open_drawings

    paths = [folder / f"{category.name}.bin" for category in chosen]
    # Files get their names only after they are verified, so the size is enough to check.
    missing = [
        category for category, path in zip(chosen, paths, strict=True) if present_bytes(path) != category.bin_bytes
    ]
    if missing:
        with show_progress("bytes") as progress:
            download_categories(missing, folder, base_url=base_url, progress=progress, options=options)
    return open_drawings(list(paths))


def download_files(
    names: str | Sequence[str] | None,
    folder: str | os.PathLike[str],
    *,
    format: str = "bin",
    parallel: int = 4,
    base_url: str = BASE_URL,
    progress: Progress | None = None,
) -> list[Path]:
    """Download published files of categories.

    Files that are there already are verified and not downloaded again; interrupted downloads resume. A file gets its
    name only after its size and checksum are verified: SHA-256 for ``bin`` and ``numpy_bitmap``. The checksums of
    ``simplified`` are not known beforehand; those files are verified with the MD5 that the server sends, if it does.

    Parameters
    ----------
    names : str or sequence of str, optional
        Categories, in any capitalization, with any characters between words; None for all 345.
    folder : path
        Created if it does not exist.
    format : {"bin", "numpy_bitmap", "simplified"}
        Strokes in the binary format, bitmaps of 28x28 pixels, or strokes as ndjson.
    parallel : int
        Files to download at the same time.
    base_url : str
        Address of the folder that holds ``binary/``, ``numpy_bitmap/`` and ``simplified/``.
    progress : callable, optional
        Called with the name of a file, the bytes present and its size: first for every file, then as bytes arrive.
        One call at a time.

    Returns
    -------
    list of Path
        One file per category.

    Raises
    ------
    ValueError
        If a name is not a category, or another argument is not one of the above.
    FastdrawError
        If there is not enough disk space, or files could not be downloaded after several attempts; the others are
        complete.
    OSError
        If the folder cannot be written.

    Examples
    --------
    >>> fastdraw.download_files(["cat", "hot air balloon"], "quickdraw")  # doctest: +SKIP
    [PosixPath('quickdraw/cat.bin'), PosixPath('quickdraw/hot air balloon.bin')]
    >>> fastdraw.download_files("cat", "bitmaps", format="numpy_bitmap")  # doctest: +SKIP
    [PosixPath('bitmaps/cat.npy')]
    """
    return download_categories(
        find_categories(names), folder, format=format, parallel=parallel, base_url=base_url, progress=progress
    )


def download_categories(
    chosen: Sequence[Category],
    folder: str | os.PathLike[str],
    *,
    format: str = "bin",
    parallel: int = 4,
    base_url: str = BASE_URL,
    progress: Progress | None = None,
    options: TransferOptions = DEFAULT_OPTIONS,
) -> list[Path]:
    """Do what `download_files` does, for any categories and with any transfer options."""
    if format not in FORMATS:
        raise ValueError(f"expected format to be one of {tuple(FORMATS)}, received {format!r}")
    if parallel < 1:
        raise ValueError(f"expected parallel to be 1 or more, received {parallel}")
    if not is_address(base_url):
        raise ValueError(f"expected base_url to begin with http:// or https:// and a host, received {base_url!r}")
    folder = make_folder(Path(folder))
    # Processes that want the same files take turns; the second finds them finished.
    with locking(folder / ".lock"), Transfers(base_url, parallel, options, progress) as transfers:
        files = transfers.map(
            lambda category: _describe(category, folder, format, base_url.rstrip("/"), transfers), chosen
        )
        for file in files:
            transfers.report(file, 0 if file.path.exists() else present_bytes(file.part))
        sound = transfers.map(transfers.verify, files)
        wanted = [file for file, is_sound in zip(files, sound, strict=True) if not is_sound]
        for file in wanted:
            if file.path.exists():  # incomplete or wrong: it loses its name until it is right
                os.replace(file.path, file.part)
        _check_space(folder, wanted)
        failures = [error for error in transfers.map(transfers.fetch, wanted) if error]
    if failures:
        missing = sum(not file.path.exists() for file in files)
        more = f" ({missing} of {len(files)} files are missing)" if len(files) > 1 else ""
        raise FastdrawError(f"{failures[0]}{more}; run it again to resume")
    return [file.path for file in files]


def _describe(category: Category, folder: Path, format: str, base_url: str, transfers: Transfers) -> RemoteFile:
    """The file of a category; only of ``simplified`` files the server has to be asked for size and checksum."""
    subfolder, suffix = FORMATS[format]
    url = f"{base_url}/{subfolder}/{quote(category.name)}.{suffix}"
    path = folder / f"{category.name}.{suffix}"
    if format == "bin":
        return RemoteFile(url, path, category.bin_bytes, ("sha256", category.bin_sha256))
    if format == "numpy_bitmap":
        return RemoteFile(url, path, category.npy_bytes, ("sha256", category.npy_sha256))
    headers = transfers.head(url)
    if "Content-Length" not in headers:
        raise FastdrawError(f"{url}: expected the server to send the size of the file, received no Content-Length")
    hashes = dict(part.strip().split("=", 1) for part in headers.get("x-goog-hash", "").split(",") if part)
    checksum = ("md5", base64.b64decode(hashes["md5"]).hex()) if "md5" in hashes else None
    return RemoteFile(url, path, int(headers["Content-Length"]), checksum)


def _check_space(folder: Path, wanted: list[RemoteFile]) -> None:
    need = sum(file.size - min(file.size, present_bytes(file.part)) for file in wanted)
    free = shutil.disk_usage(folder).free
    if need > free:
        raise FastdrawError(
            f"{folder}: expected {need:,} bytes of free disk space, the disk has {free:,}; free some or choose another"
        )
