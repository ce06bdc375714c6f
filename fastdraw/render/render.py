"""From records to images: allocates, and runs the kernels on threads."""

from __future__ import annotations

import dataclasses
import itertools
import math
import pkgutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.pixels import to_unit_interval
from fastdraw.settings import STYLES, Settings
from fastdraw.threads import choose_threads

CHUNK = 1 << 24  # bytes of images that one kernel call draws: few calls, so that threads seldom meet at the GIL
_SOME = 1 << 19  # bytes of grey levels that are still in the processor's cache when they are scaled

Images = npt.NDArray[Any]  # uint8, or float32
Kernel = Callable[[npt.NDArray[np.uint8], npt.NDArray[np.int64], Images], None]
Records = Callable[[int, int], tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]


def render(
    records: Records,
    count: int,
    settings: Settings,
    *,
    threads: int | None = None,
    out: Images | None = None,
    chunk: int | None = None,
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
    chunk : int
        Bytes of images that one kernel call draws, about.

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
    threads = choose_threads(threads)
    chunk = CHUNK if chunk is None else chunk
    draw = _kernel(settings, out.dtype)

    def work(start: int, stop: int) -> None:
        draw(*records(start, stop), out[start:stop])

    rounds = max(1, -(-count // (threads * max(1, chunk // settings.size**2))))
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
    """What draws records on images: the kernel of the style, or one made of that for plainer images."""
    style = STYLES[settings.style]
    kernel: Kernel | None = pkgutil.resolve_name(style.kernel)(settings, dtype)
    if kernel is not None:
        return kernel
    # Not greys of float32: 1 - grey is rounded otherwise than (255 - grey) / 255.
    if settings.invert and (dtype == np.uint8 or style.bilevel):
        return _inverting(_kernel(dataclasses.replace(settings, invert=False), dtype), 255 if dtype == np.uint8 else 1)
    if dtype == np.float32:
        return _scaling(_kernel(settings, np.uint8))
    if settings.packed:
        return _packing(_kernel(dataclasses.replace(settings, packed=False), dtype))
    raise TypeError(f"{style.kernel}: expected a kernel for plain uint8 images, received None")


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
