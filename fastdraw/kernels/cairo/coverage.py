"""From how much of a pixel is covered to its grey level."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.cairo.edges import Bytes, Cells
from fastdraw.kernels.jit import inlined

_u = np.uint32  # see `edges`


@inlined
def blend(image: Bytes, at: int, coverage: int) -> None:
    """Blend white over a pixel, of whose 15 lines of 512 each ``coverage`` is covered.

    Coverage is rounded to 255ths; white over v is then the coverage plus v times the rest, divided by 255 with Cairo's
    rounding.
    """
    alpha = (coverage * 17 + 256) >> 9
    rest = np.int64(image[_u(at)]) * (255 - alpha) + 127
    image[_u(at)] = alpha + ((rest + (rest >> 8)) >> 8)


@inlined
def blend_cells(cells: Cells, first: int, end: int, image: Bytes, to: int) -> None:
    """Blend white over the pixels of a row from ``first`` up to ``end``, and empty their cells.

    Cells are those of `edges.add_areas`; ``image[to]`` is the first pixel of the row.
    """
    lines = np.int64(0)  # on which the pixel before is in an enclosed part
    for x in range(first, end):
        cell = np.int64(cells[_u(x)])
        cells[_u(x)] = 0
        outside = np.int64(np.int16(cell))
        lines += (cell - outside) >> 16
        blend(image, to + x, 512 * lines - outside)
