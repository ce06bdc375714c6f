"""The built-in styles: which kernel draws which images."""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt

from fastdraw.kernels import bitmap
from fastdraw.kernels import line as line_kernels
from fastdraw.kernels import pillow as pillow_kernels
from fastdraw.kernels.cairo import google as google_kernels
from fastdraw.kernels.vectors import BLOCK
from fastdraw.render.buffers import Buffers
from fastdraw.render.render import Images, Kernel
from fastdraw.settings import Settings

LARGE = 1 << 22  # bytes of images of a kernel call that caches would hardly keep until they are looked at


def line(settings: Settings, dtype: npt.DTypeLike) -> Kernel | None:
    """Draw the style ``line``."""
    return _line_kernel(settings, dtype, antialias=False)


def line_aa(settings: Settings, dtype: npt.DTypeLike) -> Kernel | None:
    """Draw the style ``line-aa``."""
    return _line_kernel(settings, dtype, antialias=True)


def google(settings: Settings, dtype: npt.DTypeLike) -> Kernel | None:
    """Draw the style ``google``."""
    if not _is_plain(settings, dtype):
        return None
    size = settings.size
    return lambda records, starts, images: google_kernels.draw(records, starts, size, images.reshape(-1, size, size))


def pillow(settings: Settings, dtype: npt.DTypeLike) -> Kernel | None:
    """Draw the style ``pillow``: packed and float32 images directly, too."""
    if settings.invert or (settings.packed and settings.size % 8):
        return None
    return _pillow_kernel(settings.size, settings.line_width, settings.packed)


def _is_plain(settings: Settings, dtype: npt.DTypeLike) -> bool:
    return not settings.invert and not settings.packed and dtype == np.uint8


def _line_kernel(settings: Settings, dtype: npt.DTypeLike, antialias: bool) -> Kernel | None:
    if not _is_plain(settings, dtype):
        return None
    size = settings.size
    return lambda records, starts, images: line_kernels.draw(
        records, starts, size, antialias, images.reshape(-1, size, size)
    )


@functools.cache
def _pillow_kernel(size: int, line_width: int, packed: bool) -> Kernel:
    """The kernel of the ``pillow`` style with its tables."""
    short = min(size, pillow_kernels.SHORT)
    segments = np.empty((2 * short - 1) ** 2, np.uint64)
    blocks = np.empty((0, BLOCK), np.uint64)
    # Aligned, so that a block is in one line of a cache.
    blocks = Buffers(0).empty((pillow_kernels.segment_table(size, line_width, segments, blocks), BLOCK), np.uint64)
    pillow_kernels.segment_table(size, line_width, segments, blocks)

    def draw(records: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], images: Images) -> None:
        aligned = size % 16 == 0 and images.ctypes.data % (16 * images.itemsize) == 0
        past_caches = aligned and images.nbytes >= LARGE and not packed
        kernel = bitmap.kernel(size > pillow_kernels.SHORT, packed, past_caches)
        kernel(records, starts, size, line_width, segments, blocks, images.reshape(-1))

    return draw
