"""Compiles all kernels, by drawing doodles in every way."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numba.core import event

from fastdraw.kernels.records import scan
from fastdraw.loader.arrays import batches
from fastdraw.quickdraw.doodles import write_sample
from fastdraw.quickdraw.ndjson import bin_to_ndjson, ndjson_to_bin
from fastdraw.quickdraw.opening import open_drawings
from fastdraw.quickdraw.scan import scan_records
from fastdraw.render.augment import Augment
from fastdraw.render.buffers import Buffers
from fastdraw.render.styles import pillow
from fastdraw.settings import STYLES, Settings

_SIZES = 32, 128  # kernels are compiled anew for large images


class Warmup(NamedTuple):
    """What was compiled."""

    kernels: int
    seconds: float
    folder: str | None  # that keeps them


def warm_up() -> Warmup:
    """Compile all kernels that are not in the cache.

    Returns
    -------
    Warmup

    Examples
    --------
    >>> from fastdraw.cli.warmup import warm_up
    >>> warm_up().kernels >= 0
    True
    >>> warm_up().kernels
    0
    """
    began = time.monotonic()
    with event.install_recorder("numba:compile") as compiled, tempfile.TemporaryDirectory() as folder:
        _draw_in_every_way(Path(folder))
    # Functions that are inlined in a kernel are compiled in its time, and not kept themselves.
    kernels = sum(entry.is_start and _folder(entry.data["dispatcher"]) is not None for _, entry in compiled.buffer)
    return Warmup(kernels, time.monotonic() - began, _folder(scan))


def _draw_in_every_way(folder: Path) -> None:
    path, _ = write_sample(folder, 2, 20)
    bin_to_ndjson(path, folder / "lines")
    ndjson_to_bin(folder / "lines", path)
    (folder / "raw").write_text('{"key_id":1,"drawing":[[[0,0.5],[0,1],[0,1]],[[2],[2],[2]]]}')
    ndjson_to_bin(folder / "raw", folder / "raw.bin")
    scan_records(np.empty(0, np.uint8))  # an empty file is not mapped
    drawings = open_drawings(folder)
    records, starts = drawings.records(copy=False)
    for style in STYLES.values():
        for size in _SIZES:
            options: dict[str, Any] = {"style": style.name, "size": size}
            shape = (len(drawings), size, size)
            for dtype in (np.uint8, np.float32):
                drawings.rasterize(out=np.empty(shape, dtype), **options)
                if style.name == "pillow":
                    aligned = Buffers(0).empty(shape, dtype)  # images past the caches are
                    pillow(records, starts, Settings.of(**options), aligned, large=0)
            if style.bilevel:
                drawings.rasterize(packed=True, **options)
            if style.planes:
                drawings.rasterize(channels=3, **options)
    augment = Augment(rotate=15, jitter=1, drop_strokes=0.5)
    next(iter(batches(drawings, 10, shuffle=True, augment=augment)))


def _folder(kernel: Any) -> str | None:
    path = kernel._cache.cache_path
    return None if path is None else str(path)
