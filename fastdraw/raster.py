"""From records to images: checks the settings, allocates, and runs the kernels on threads."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.buffers import Buffers
from fastdraw.kernels import bitmap, google, line, pillow
from fastdraw.kernels.pixels import to_unit_interval
from fastdraw.kernels.vectors import BLOCK

STYLES = ("pillow", "line", "line-aa", "google")
BILEVEL = ("pillow", "line")
SIZES = range(8, 257)
LINE_WIDTHS = range(1, pillow.WORD - pillow.SHORT + 1)

_CHUNK = 1 << 24  # bytes of images that one kernel call draws: few calls, so that threads seldom meet at the GIL
_LARGE = 1 << 22  # bytes of images of a kernel call that caches would hardly keep until they are looked at

_SOME = 1 << 19  # bytes of grey levels that are still in the processor's cache when they are scaled

Images = npt.NDArray[Any]  # uint8, or float32
Kernel = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.int64], Images], None]
Records = Callable[[int, int], tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to draw: the arguments of `Drawings.rasterize`, and whether the rows of an image stand in one line.

    Raises
    ------
    ValueError, TypeError
        If a field is not one of the allowed values.
    """

    style: str = "pillow"
    size: int = 32
    line_width: int = 2
    invert: bool = False
    packed: bool = False
    flat: bool = False

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        if self.packed:
            return (self.size**2 // 8,)
        return (self.size**2,) if self.flat else (self.size, self.size)

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"expected style to be one of {STYLES}, received {self.style!r}")
        for name, allowed in (("size", SIZES), ("line_width", LINE_WIDTHS)):
            value = getattr(self, name)
            if not isinstance(value, (int, np.integer)) or isinstance(value, bool):
                raise TypeError(f"expected {name} to be a whole number, received {value!r}")
            if value not in allowed:
                raise ValueError(f"expected {name} to be from {allowed[0]} to {allowed[-1]}, received {value}")
        if self.packed and self.style not in BILEVEL:
            raise ValueError(
                f"expected one of the styles {BILEVEL} to pack, which have no greys; received {self.style!r}"
            )
        if self.packed and self.size % 4:
            raise ValueError(f"expected a size that is a multiple of 4 to pack, received {self.size}")
        if self.packed and self.flat:
            raise ValueError("expected packed or flat, received both: packed images are flat")


def default_size(style: str) -> int:
    """Side of the images of a style where none is asked for, in pixels."""
    return 28 if style == "google" else 32


def default_threads() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def render(
    records: Records, count: int, settings: Settings, *, threads: int | None = None, out: Images | None = None
) -> Images:
    """Draw ``count`` drawings.

    Parameters
    ----------
    records : callable
        ``records(start, stop)`` gives the records of drawings ``start`` to ``stop`` back to back, (b,) uint8, and where
        each begins, (stop - start + 1,) int64. It is called from several threads.
    count : int
    settings : Settings
    threads, out
        As for `Drawings.rasterize`.

    Returns
    -------
    (count, *settings.shape) uint8 or float32
    """
    shape = (count, *settings.shape)
    if out is None:
        out = np.empty(shape, np.uint8)
    dtypes = ("uint8",) if settings.packed else ("uint8", "float32")
    if out.shape != shape or out.dtype not in dtypes or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(
            f"expected out to be a contiguous, writeable array of {' or '.join(dtypes)} and shape {shape}, "
            f"received {out.dtype} of shape {out.shape}"
        )
    if threads is None:
        threads = default_threads()
    elif threads < 1:
        raise ValueError(f"expected threads to be 1 or more, received {threads}")
    draw = _kernel(settings, out.dtype)

    def work(start: int, stop: int) -> None:
        draw(*records(start, stop), out[start:stop])

    rounds = max(1, -(-count // (threads * max(1, _CHUNK // settings.size**2))))
    step = max(1, -(-count // (threads * rounds)))  # as much for each thread in each round
    bounds = [*range(0, count, step), count]
    if threads == 1 or len(bounds) <= 2:
        for start, stop in itertools.pairwise(bounds):
            work(start, stop)
    else:
        # A pool of this call's own: nothing is shared with other threads, and nothing is left to break in a fork.
        with ThreadPoolExecutor(min(threads, len(bounds) - 1)) as pool:
            for _ in pool.map(work, bounds[:-1], bounds[1:]):
                pass
    return out


def _kernel(settings: Settings, dtype: npt.DTypeLike) -> Kernel:
    """What draws records on images."""
    size, style = settings.size, settings.style
    if dtype == np.float32 and style != "pillow":
        return _scaling(_kernel(settings, np.uint8))
    if settings.invert:
        return _inverting(_kernel(dataclasses.replace(settings, invert=False), dtype), 255 if dtype == np.uint8 else 1)
    if style == "pillow" and not (settings.packed and size % 8):
        return _pillow_kernel(size, settings.line_width, settings.packed)
    if settings.packed:
        return _packing(_kernel(dataclasses.replace(settings, packed=False), dtype))
    if style == "google":
        return lambda records, starts, images: google.draw(records, starts, size, images.reshape(-1, size, size))
    antialias = style == "line-aa"
    return lambda records, starts, images: line.draw(records, starts, size, antialias, images.reshape(-1, size, size))


def _inverting(draw: Kernel, white: int) -> Kernel:
    """A kernel for ink on white, from one for ink on black."""

    def invert(records: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], images: Images) -> None:
        draw(records, starts, images)
        np.subtract(white, images, out=images)

    return invert


def _packing(draw: Kernel) -> Kernel:
    """A kernel for bits, from one for bytes."""

    def pack(records: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], images: Images) -> None:
        pixels = np.empty((len(images), 8 * images.shape[1]), np.uint8)
        draw(records, starts, pixels)
        images[:] = np.packbits(pixels, axis=1)

    return pack


def _scaling(draw: Kernel) -> Kernel:
    """A kernel for numbers from 0 to 1, from one for grey levels."""

    def scale(records: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], images: Images) -> None:
        count = max(1, _SOME // math.prod(images.shape[1:]))
        levels = np.empty((min(count, len(images)), *images.shape[1:]), np.uint8)
        for start in range(0, len(images), count):
            part = images[start : start + count]
            draw(records, starts[start : start + len(part) + 1], levels[: len(part)])
            to_unit_interval(levels[: len(part)].reshape(-1), part.reshape(-1))

    return scale


@functools.cache
def _pillow_kernel(size: int, line_width: int, packed: bool) -> Kernel:
    """The kernel of the ``pillow`` style with its tables."""
    short = min(size, pillow.SHORT)
    segments = np.empty((2 * short - 1) ** 2, np.uint64)
    blocks = np.empty((0, BLOCK), np.uint64)
    # Aligned, so that a block is in one line of a cache.
    blocks = Buffers(0).empty((pillow.segment_table(size, line_width, segments, blocks), BLOCK), np.uint64)
    pillow.segment_table(size, line_width, segments, blocks)

    def draw(records: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], images: Images) -> None:
        aligned = size % 16 == 0 and images.ctypes.data % (16 * images.itemsize) == 0
        kernel = bitmap.kernel(size > pillow.SHORT, packed, aligned and images.nbytes >= _LARGE and not packed)
        kernel(records, starts, size, line_width, segments, blocks, images.reshape(-1))

    return draw
