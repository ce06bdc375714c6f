"""From records to images: allocates memory, and runs the kernel of a style on threads."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import math
import pkgutil
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from fastdraw.settings import STYLES, Settings
from fastdraw.threads import choose_threads

CHUNK = 1 << 24  # pixels that one kernel call draws: few calls, so that threads seldom wait for the GIL
_IN_CACHE = 1 << 19  # pixels that are still in the processor's cache when they are converted to float32

Images = npt.NDArray[Any]  # uint8 or float32
Records = npt.NDArray[np.uint8]
Starts = npt.NDArray[np.int64]


class Kernel(Protocol):
    """The function that a style registers.

    It is called without a lock from several threads, and should release the GIL.
    """

    def __call__(self, records: Records, starts: Starts, settings: Settings, images: Images) -> None:
        """Draw records.

        Parameters
        ----------
        records : (b,) uint8
            Valid records, back to back. Read-only, whether they are copies or a memory map, so that Numba compiles
            a kernel for one type of array.
        starts : (n + 1,) int64
            Record ``i`` is ``records[starts[i] : starts[i + 1]]``.
        settings : Settings
            The kernel ignores ``invert`` and ``flat``.
        images : (n, size, size) uint8, or (n, size, size, 3) for `Style.planes`
            Every byte is to be written: 255 for ink, 0 for background. If the style lists it in ``Style.native``, also
            float32, 1 for ink; or packed (n, size * size / 8) uint8, for sizes that are multiples of 8.
        """


def render(
    records: Callable[[int, int], tuple[Records, Starts]],
    count: int,
    settings: Settings,
    *,
    threads: int | None = None,
    out: Images | None = None,
    chunk: int = CHUNK,
) -> Images:
    """Draw ``count`` drawings.

    Parameters
    ----------
    records : callable
        ``records(start, stop)`` returns the records of drawings ``start`` to ``stop`` and where each begins, see
        `Kernel`. It is called from several threads.
    count : int
    settings : Settings
    threads, out
        See `Drawings.rasterize`.
    chunk : int
        Pixels that one kernel call draws, about.

    Returns
    -------
    (count, *settings.shape) uint8 or float32
    """
    shape = (count, *settings.shape)
    if out is None:
        out = np.empty(shape, np.uint8)
    dtypes = ("uint8",) if settings.packed else ("uint8", "float32")
    if not isinstance(out, np.ndarray):
        raise TypeError(f"expected out to be an array, received {out!r}")
    if out.shape != shape or out.dtype not in dtypes or not out.flags.c_contiguous or not out.flags.writeable:
        raise ValueError(
            f"expected out to be a contiguous, writeable array of {' or '.join(dtypes)} and shape {shape}, "
            f"received {out.dtype} of shape {out.shape}"
        )
    threads = choose_threads(threads)

    def work(start: int, stop: int) -> None:
        data, starts = records(start, stop)
        data = data.view()
        data.flags.writeable = False
        _draw(data, starts, settings, out[start:stop])

    rounds = max(1, -(-count // (threads * max(1, chunk // (settings.size**2 * settings.channels)))))
    step = max(1, -(-count // (threads * rounds)))  # as much for each thread in each round
    bounds = [*range(0, count, step), count]
    if threads == 1 or len(bounds) <= 2:
        for start, stop in itertools.pairwise(bounds):
            work(start, stop)
    else:
        # A pool for each call: no state is shared with other threads, or inherited by a forked process.
        with ThreadPoolExecutor(min(threads, len(bounds) - 1)) as pool:
            for _ in pool.map(work, bounds[:-1], bounds[1:]):
                pass
    return out


@functools.cache
def _kernel(name: str) -> Kernel:
    kernel: Kernel = pkgutil.resolve_name(name)
    return kernel


def _draw(records: Records, starts: Starts, settings: Settings, images: Images) -> None:
    """Draw with the kernel of the style where it can draw such images, else convert its uint8 images."""
    style = STYLES[settings.style]
    kernel = style.kernel if settings.channels == 1 else style.planes or ""
    shape = (-1, settings.size, settings.size, settings.channels)[: 3 if settings.channels == 1 else 4]
    if settings.packed:
        native = "packed" in style.native and settings.size % 8 == 0
    else:
        native = images.dtype == np.uint8 or ("float32" in style.native and settings.channels == 1)
    if native:
        _kernel(kernel)(records, starts, settings, images if settings.packed else images.reshape(shape))
        if settings.invert:
            np.subtract(255 if images.dtype == np.uint8 else 1, images, out=images)
    elif settings.packed:
        pixels = np.empty((len(images), settings.size**2), np.uint8)
        _draw(records, starts, dataclasses.replace(settings, packed=False), pixels)
        images[:] = np.packbits(pixels, axis=1)
    else:
        from fastdraw.kernels.pixels import to_unit_interval  # needs numba, which opening drawings does not

        pixels_each = math.prod(settings.shape)
        count = max(1, _IN_CACHE // pixels_each)
        levels = np.empty((min(count, len(images)), pixels_each), np.uint8)
        for start in range(0, len(images), count):
            block = images[start : start + count]
            _draw(records, starts[start : start + len(block) + 1], settings, levels[: len(block)])
            to_unit_interval(levels[: len(block)].reshape(-1), block.reshape(-1))
