"""Google's bitmaps: the 28 x 28 images that Cairo draws of Quick, Draw! strokes, byte for byte.

The official ``numpy_bitmap`` files were drawn with Cairo (1.16's image backend): round pen 16 units wide, on a field of
304 units scaled to the image, every stroke in white over black with its best antialiasing. The same bytes are made in
these steps:

1. a stroke becomes its outline, as Cairo makes it (`outline`);
2. the outline's edges are found (`edges`), each with its x on 15 sample lines a pixel row;
3. row by row, what they enclose by the non-zero rule is measured in 1/256 of a pixel (`crossings`, `edges.add_areas`);
4. the coverage, in 255ths, blends white over what earlier strokes left (`coverage`).

Cairo keeps the edges of all lines in one order. Here the crossings of each row are sorted by themselves, all its lines
at once, which comes to the same, except where different edges touch at the start of a row that is measured as areas:
such a stroke is filled in Cairo's order (`sweep`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdraw.kernels.coverage import blend_cells
from fastdraw.kernels.crossings import fill_row
from fastdraw.kernels.edges import (
    EDGE,
    LINES,
    Bytes,
    Cells,
    Ids,
    Ints,
    add_areas,
    add_edges,
    are_sorted,
    drop_ended,
    place,
    sort,
)
from fastdraw.kernels.jit import jit, part
from fastdraw.kernels.lanes import LANES
from fastdraw.kernels.outline import fixed_path, outline, pen_polygon
from fastdraw.kernels.records import HEAD
from fastdraw.kernels.sweep import sweep

_u = np.uint32  # see `edges`


@part
def _is_undecided(active: Ids, n: int, edges: Ints, line: int) -> bool:
    """Tell whether different edges are at the same place, so that their order is not that of x."""
    for k in range(1, n):
        a, b = active[_u(k - 1)], active[_u(k)]
        x, y = place(edges, a, line), place(edges, b, line)
        if x >> 40 == y >> 40 and (x >> 1 != y >> 1 or edges[a + 1] != edges[b + 1]):
            return True
    return False


@part
def _fill(
    edges: Ints,
    heads: Ids,
    active: Ids,
    crossings: Any,
    cells: Cells,
    box: tuple[int, int, int, int],
    image: Bytes,
    size: int,
) -> int:
    """Fill an outline in the pixels of ``box`` (left, top, right, bottom), row by row.

    Returns the first row that needs Cairo's order of edges, from which on nothing is filled, or -1.

    ``heads`` is emptied; ``active`` has room for all edges, ``crossings`` is as in `fill_row`, ``cells`` holds zeros.
    """
    n = 0
    whole = True  # whether all edges cross all of the row
    for row in range(box[1], box[3]):
        line = row * LINES
        e = heads[_u(row)]
        heads[_u(row)] = 0
        while e != 0:
            active[_u(n)] = e
            n += 1
            whole &= (edges[e + 2] == line) & (edges[e + 3] >= line + LINES)
            e = _u(edges[e + 4])
        if whole:
            sort(active, n, edges, line)
            if _is_undecided(active, n, edges, line):
                for later in range(row + 1, box[3]):
                    heads[_u(later)] = 0
                return row
            whole = are_sorted(active, n, edges, line + LINES)
        if whole:
            add_areas(active, n, edges, line, cells)
            blend_cells(cells, box[0], box[2], image, row * size)
            n, whole = drop_ended(active, n, edges, line + LINES)
        else:
            n, whole = fill_row(active, n, edges, line, crossings, image, row * size)
    return -1


@part
def _count(records: Bytes, at: int, end: int) -> int:
    """Return the number of points of the stroke at ``at``, no more than there are bytes for."""
    return min(np.int64(records[at]) | np.int64(records[at + 1]) << 8, (end - at - 2) // 2)


def draw(records: Bytes, starts: Ints, size: int, out: Bytes) -> None:
    """Draw records as Google's bitmaps.

    Parameters
    ----------
    records
        (B,) bytes: whole, valid records of the binary format, back to back.
    starts
        (n + 1,) offsets: record i is ``records[starts[i]:starts[i + 1]]``.
    size
        The side of an image in pixels, from 8 to 256. Google's own bitmaps have 28; other sizes are the
        same recipe, scaled.
    out
        (n, size, size) bytes, all of them written: 0 is the background, 255 full ink.
    """
    # Up to 64 pixels, twice x in 1/256 pixel is less than 2**15: Google's recipe has a margin.
    _draw(records, starts, size, out, np.int16 if size <= 64 else np.int32)


@jit
def _draw(records: Bytes, starts: Ints, size: int, out: Bytes, number: Any) -> None:
    """Do what `draw` does, with crossings that are ``number``, a type."""
    scale = size / 304.0
    reach = 8 * scale * 256.0  # half the line's width in fixed point
    margin = int(reach) + 2
    pen = pen_polygon(8 * scale)

    longest = np.int64(1)
    for d in range(len(starts) - 1):
        at, end = starts[d] + HEAD, starts[d + 1]
        while at + 2 <= end:
            count = _count(records, at, end)
            longest = max(longest, count)
            at += 2 + 2 * count
    # A join adds at most a fan (half the pen and two vertices) and five points to the outline.
    room = longest * (len(pen) // 2 + 8) + 2 * len(pen) + 16
    path = np.empty((longest, 2), np.int64)
    right = np.empty((room, 2), np.int64)
    left = np.empty((room, 2), np.int64)
    start = np.empty((len(pen) + 8, 2), np.int64)
    edges = np.empty(EDGE * (room + 1), np.int64)
    heads = np.zeros(size + 1, np.uint32)
    active = np.empty(room, np.uint32)
    crossings = np.empty(LANES * room, number)
    cells = np.zeros(size + 2, np.int32)
    image = np.empty(size * size, np.uint8)
    pixels = out.reshape(len(out), -1)

    for d in range(len(starts) - 1):
        image[:] = 0
        # The drawing is centred by its largest coordinates alone: that is Google's recipe.
        at, last = starts[d] + HEAD, starts[d + 1]
        x_max = y_max = np.int64(0)
        while at + 2 <= last:
            count = _count(records, at, last)
            at += 2
            for i in range(at, at + count):
                x_max = max(x_max, np.int64(records[i]))
                y_max = max(y_max, np.int64(records[i + count]))
            at += 2 * count
        shift = ((256 - x_max) / 2.0, (256 - y_max) / 2.0)

        at = starts[d] + HEAD
        while at + 2 <= last:
            count = _count(records, at, last)
            at += 2
            if count == 0:
                continue
            points = fixed_path(records, at, count, scale, shift, path)
            at += 2 * count
            n_right, n_left, n_start = outline(path, points, pen, reach, right, left, start)
            end = np.int64(EDGE)  # the last line first: see `add_edges`
            if points > 1:
                end = add_edges(right, n_right, 0, edges, end, heads)
                end = add_edges(start, n_start, 1, edges, end, heads)
            end = add_edges(left, n_left, 1, edges, end, heads)
            x1 = x2 = path[0, 0]
            y1 = y2 = path[0, 1]
            for i in range(1, points):
                x1, x2 = min(x1, path[i, 0]), max(x2, path[i, 0])
                y1, y2 = min(y1, path[i, 1]), max(y2, path[i, 1])
            # One column more on both sides: `_add_area` may go half a line beyond the ends of an edge.
            box = (
                max(((x1 - margin) >> 8) - 1, 0),
                max((y1 - margin) >> 8, 0),
                min(((x2 + margin) >> 8) + 2, size),
                min(((y2 + margin) >> 8) + 1, size),
            )
            undecided = _fill(edges, heads, active, crossings, cells, box, image, size)
            if undecided >= 0:
                sweep(edges, end, box, undecided, cells, image, size)
        pixels[d] = image
