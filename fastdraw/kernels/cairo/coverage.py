"""From the coverage of a pixel to its grey level.

Cairo 1.16.0: ``GRID_AREA_TO_ALPHA`` in ``src/cairo-tor-scan-converter.c`` rounds the coverage, and
``_fill_xrgb32_lerp_opaque_spans`` in ``src/cairo-image-compositor.c`` blends, with the rounding of ``lerp8x4``.
"""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.cairo.edges import Bytes, Cells
from fastdraw.kernels.jit import inlined

_u = np.uint32  # see `edges`


@inlined
def blend(image: Bytes, at: int, coverage: int) -> None:
    """Blend white over a pixel, of which ``coverage`` of 15 * 512 is covered.

    The coverage is rounded to ``alpha`` of 255. The new grey level is ``alpha`` plus 1 - alpha / 255 of the old one.
    """
    alpha = (coverage * 17 + 256) >> 9
    rest = np.int64(image[_u(at)]) * (255 - alpha) + 127
    image[_u(at)] = alpha + ((rest + (rest >> 8)) >> 8)


@inlined
def blend_cells(cells: Cells, first: int, end: int, image: Bytes, to: int) -> None:
    """Blend white over the pixels of a row from ``first`` up to ``end``, and clear their cells.

    See `edges.add_areas` for the cells; ``image[to]`` is the first pixel of the row.
    """
    lines = np.int64(0)  # inside, behind the edges so far
    for x in range(first, end):
        cell = np.int64(cells[_u(x)])
        cells[_u(x)] = 0
        outside = np.int64(np.int16(cell))
        lines += (cell - outside) >> 16
        blend(image, to + x, 512 * lines - outside)
