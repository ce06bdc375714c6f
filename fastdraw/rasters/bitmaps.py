"""Bitmaps that fastdraw did not write: Google's ``numpy_bitmap`` files and their like, without a ``dataset.json``."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from fastdraw.errors import FastdrawError, OtherFormatError
from fastdraw.maps import FileMap
from fastdraw.quickdraw.identify import Kind, identify

_RAW = 28 * 28  # bytes of an image in files without a header


def find_bitmaps(path: Path) -> list[Path]:
    """The ``.npy`` files of a folder, where there are none the ``.bin`` files, or the file itself."""
    if not path.is_dir():
        return [path]
    found = (sorted(file for file in path.glob(kind) if not file.name.startswith(".")) for kind in ("*.npy", "*.bin"))
    return next(filter(None, found), [])


def map_bitmaps(path: Path) -> tuple[FileMap, int, tuple[int, ...]]:
    """A mapped file, the byte offset of its first image, and their shape: (N, side, side) or (N, side * side).

    Raises
    ------
    FastdrawError
        If the file holds no square uint8 images.
    """
    file = FileMap(path)
    content = file.bytes
    if content[:6].tobytes() != b"\x93NUMPY":
        _expect_pixels(path, content[: 1 << 16].tobytes())
        if len(content) == 0 or len(content) % _RAW:
            raise FastdrawError(
                f"{path}: expected a .npy file, or bitmaps of {_RAW} bytes each; received {len(content):,} bytes; open "
                "drawings with fastdraw.open_drawings"
            )
        return file, 0, (len(content) // _RAW, _RAW)
    with open(path, "rb") as stream:
        try:
            version = np.lib.format.read_magic(stream)
            read = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
            shape, columns_first, dtype = read(stream)
        except (ValueError, EOFError) as error:
            raise FastdrawError(f"{path}: expected a sound .npy file: {error}") from None
        offset = stream.tell()
    if dtype != np.uint8 or columns_first or len(shape) not in (2, 3):
        raise FastdrawError(
            f"{path}: expected uint8 bitmaps, (N, 784) or (N, 28, 28); received {dtype} of shape {shape}"
        )
    if len(shape) == 3 and shape[1] == 1:
        shape = (shape[0], shape[2])
    side = math.isqrt(shape[1]) if len(shape) == 2 else shape[1]
    if shape[1:] not in ((side * side,), (side, side)):
        raise FastdrawError(f"{path}: expected square bitmaps, received shape {shape}")
    if len(content) - offset != math.prod(shape):
        raise FastdrawError(
            f"{path}: expected {math.prod(shape):,} bytes of images, received {len(content) - offset:,}"
        )
    return file, offset, shape


def _expect_pixels(path: Path, head: bytes) -> None:
    """Name what a file without a header holds, if that is known to be something else."""
    try:
        kind = identify(head)
    except ValueError as error:
        raise OtherFormatError(path, 0, str(error).replace("expected drawings", "expected images", 1)) from None
    if kind is not Kind.BIN:  # whose bytes may be pixels, too
        reason = f"expected images, received {kind.value}; open drawings with fastdraw.open_drawings"
        raise OtherFormatError(path, 0, reason)
