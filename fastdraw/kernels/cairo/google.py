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

from fastdraw.kernels.cairo.coverage import blend_cells
from fastdraw.kernels.cairo.crossings import fill_row
from fastdraw.kernels.cairo.edges import (
    LINES,
    Bytes,
    Cells,
    Edges,
    Ids,
    add_areas,
    add_edges,
    are_sorted,
    drop_ended,
    end_line,
    first_line,
    list_edges,
    place,
    sort,
)
from fastdraw.kernels.cairo.lanes import LANES, PIXELS
from fastdraw.kernels.cairo.outline import fixed_path, fixed_points, outline
from fastdraw.kernels.cairo.pen import VERTICES, Ints, pen_polygon, room_for_points
from fastdraw.kernels.cairo.sweep import sweep
from fastdraw.kernels.jit import inlined, jit, noinline
from fastdraw.kernels.records import HEAD

_u = np.uint32  # see `edges`


@inlined
def _is_undecided(active: Ids, n: int, edges: Edges, line: int) -> bool:
    """Tell whether different edges are at the same place, so that their order is not that of x."""
    for k in range(1, n):
        a, b = active[_u(k - 1)], active[_u(k)]
        x, y = place(edges, a, line), place(edges, b, line)
        if x >> 40 == y >> 40 and (x >> 1 != y >> 1 or edges.step[a] != edges.step[b]):
            return True
    return False


@noinline
def _fill(
    edges: Edges,
    heads: Ids,
    active: Ids,
    crossings: Any,
    cells: Cells,
    rows: tuple[int, int],
    image: Bytes,
    size: int,
) -> int:
    """Fill an outline in the pixel rows from ``rows[0]`` up to ``rows[1]``, one by one.

    Returns the first row that needs Cairo's order of edges, from which on nothing is filled, or -1.

    ``heads`` is emptied; ``active`` has room for all edges, ``crossings`` is as in `fill_row`, ``cells`` holds zeros.
    """
    n = 0
    whole = True  # whether all edges cross all of the row
    for row in range(rows[0], rows[1]):
        line = row * LINES
        e = heads[_u(row)]
        heads[_u(row)] = 0
        while e != 0:
            active[_u(n)] = e
            n += 1
            whole &= (first_line(edges, e) == line) & (end_line(edges, e) >= line + LINES)
            e = edges.following[e]
        if whole:
            sort(active, n, edges, line)
            if _is_undecided(active, n, edges, line):
                for later in range(row + 1, rows[1]):
                    heads[_u(later)] = 0
                return row
            whole = are_sorted(active, n, edges, line + LINES)
        if whole:
            left, right = add_areas(active, n, edges, line, cells)
            blend_cells(cells, left, right, image, row * size)
            n, whole = drop_ended(active, n, edges, line + LINES)
        else:
            n, whole = fill_row(active, n, edges, line, crossings, image, row * size)
    return -1


@inlined
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
    fixed = fixed_points(scale)

    longest = np.int64(1)
    for d in range(len(starts) - 1):
        at, end = starts[d] + HEAD, starts[d + 1]
        while at + 2 <= end:
            count = _count(records, at, end)
            longest = max(longest, count)
            at += 2 + 2 * count
    # A join adds at most a fan (half the pen and two vertices) and five points to the outline.
    room = longest * (pen.count // 2 + 8) + 2 * pen.count + 16 + VERTICES
    path = room_for_points(longest)
    right, left = room_for_points(room), room_for_points(room)
    start = room_for_points(pen.count + 8 + VERTICES)
    edges = Edges(
        np.empty(room + 1, np.int64),
        np.empty(room + 1, np.int64),
        np.empty(room + 1, np.int64),
        np.empty(room + 1, np.uint32),
    )
    heads = np.zeros(size + 1, np.uint32)
    active = np.empty(room, np.uint32)
    crossings = np.empty(LANES * room, number)
    cells = np.zeros(size + 2, np.int32)
    image = np.empty(size * size + PIXELS, np.uint8)
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

        at = starts[d] + HEAD
        while at + 2 <= last:
            count = _count(records, at, last)
            at += 2
            if count == 0:
                continue
            points = fixed_path(records, at, count, fixed, 256 - x_max, 256 - y_max, path)
            at += 2 * count
            n_right, n_left, n_start = outline(path, points, pen, reach, right, left, start)
            end = add_edges(left, n_left, 1, edges, np.int64(1))
            end = add_edges(start, n_start, 1, edges, end)
            end = add_edges(right, n_right, 0, edges, end)
            list_edges(edges, end, LINES, heads)
            top = bottom = path.y[0]
            for i in range(1, points):
                top, bottom = min(top, path.y[i]), max(bottom, path.y[i])
            rows = max((top - margin) >> 8, 0), min(((bottom + margin) >> 8) + 1, size)
            undecided = _fill(edges, heads, active, crossings, cells, rows, image, size)
            if undecided >= 0:
                sweep(edges, end, rows, undecided, cells, image, size)
        for pixel in range(size * size):  # a slice of the image would take longer
            pixels[d, pixel] = image[_u(pixel)]
