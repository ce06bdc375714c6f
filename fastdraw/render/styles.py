"""The kernels of the built-in styles, with the interface of `fastdraw.render.render.Kernel`."""

from __future__ import annotations

import functools
import importlib.resources

import numpy as np
import numpy.typing as npt

from fastdraw.kernels import bitmap
from fastdraw.kernels import line as line_kernels
from fastdraw.kernels import pillow as pillow_kernels
from fastdraw.kernels.cairo import google as google_kernels
from fastdraw.render.buffers import Buffers
from fastdraw.render.render import Images, Records, Starts
from fastdraw.settings import Settings

Words = npt.NDArray[np.uint64]

_LARGE = 1 << 22  # bytes of images in a call; more would not be in the caches any more when they are read
_LARGEST_TABLE = 256  # pixels; to make a table for more takes seconds, and would save little of the time of such images


def pillow(records: Records, starts: Starts, settings: Settings, images: Images, large: int = _LARGE) -> None:
    """Draw the style ``pillow``; images of ``large`` bytes and more are written past the caches."""
    size = settings.size
    aligned = size % 16 == 0 and images.ctypes.data % (16 * images.itemsize) == 0
    past_caches = aligned and images.nbytes >= large and not settings.packed
    kernel = bitmap.kernel(size > pillow_kernels.SHORT, settings.packed, past_caches)
    table = _segment_table(max(size, pillow_kernels.SHORT), settings.line_width)
    kernel(records, starts, size, settings.line_width, *table, images.reshape(-1))


def line(records: Records, starts: Starts, settings: Settings, images: Images) -> None:
    """Draw the style ``line``."""
    line_kernels.draw(records, starts, settings.size, False, images)


def line_aa(records: Records, starts: Starts, settings: Settings, images: Images) -> None:
    """Draw the style ``line-aa``."""
    line_kernels.draw(records, starts, settings.size, True, images)


def google(records: Records, starts: Starts, settings: Settings, images: Images) -> None:
    """Draw the style ``google``."""
    google_kernels.draw(records, starts, settings.size, images)


@functools.cache
def _segment_table(size: int, line_width: int) -> tuple[Words, Words]:
    """Ready-made segments for the kernel of ``pillow``, see `fastdraw.kernels.pillow.segment_table`.

    Those of the default width come with the package: to compile the kernel that makes them would take seconds.
    """
    if (size, line_width) == (pillow_kernels.SHORT, Settings.line_width):
        with importlib.resources.files(__package__).joinpath("segments.npz").open("rb") as file:
            made = np.load(file)
            segments, blocks = made["segments"], made["blocks"]
    else:
        segments, blocks = make_segment_table(size, line_width)
    aligned = Buffers(0).empty(blocks.shape, np.uint64)  # each block is in one cache line
    aligned[:] = blocks
    return segments, aligned


def make_segment_table(size: int, line_width: int) -> tuple[Words, Words]:
    """The same, made by the kernel."""
    segments = np.zeros(pillow_kernels.SIDE**2, np.uint64)
    if size > _LARGEST_TABLE:
        segments[:] = pillow_kernels.BY_PLACE << 32  # no segment is in the table
        return segments, np.zeros((1, pillow_kernels.BLOCK), np.uint64)
    blocks = np.empty((0, pillow_kernels.BLOCK), np.uint64)
    count = pillow_kernels.segment_table(size, line_width, segments, blocks)
    blocks = np.empty((count, pillow_kernels.BLOCK), np.uint64)
    pillow_kernels.segment_table(size, line_width, segments, blocks)
    return segments, blocks
