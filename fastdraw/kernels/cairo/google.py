"""The style ``google``: the official 28 x 28 bitmaps of Quick, Draw!, byte for byte.

The official ``numpy_bitmap`` files have the bytes that Cairo 1.16.0 draws on an image surface, by this recipe: a round
pen of 16 units, a field of 304 x 304 units scaled to the image, ``CAIRO_ANTIALIAS_BEST``, each stroke in white over
black. The kernel gets them in these steps:

1. make the outline of a stroke (`outline`);
2. make the edges of the outline, with their x on 15 sample lines a pixel row (`edges`);
3. row by row, compute the coverage of what the edges enclose by the non-zero rule (`crossings`, `edges.add_areas`);
4. round the coverage to 255ths, and blend white over the strokes before (`coverage`).

Cairo carries one sorted list of edges from line to line (``glitter_scan_converter_render`` in
``src/cairo-tor-scan-converter.c``). Here each pixel row sorts its crossings anew, on all its lines at once. The pixels
are the same, except where different edges touch at the start of a row that is filled by areas: such a stroke is filled
in Cairo's order (`sweep`).
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt

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
    bucket_edges,
    drop_ended,
    end_line,
    first_line,
    sort,
    x_at,
)
from fastdraw.kernels.cairo.outline import fixed_path, fixed_points, outline
from fastdraw.kernels.cairo.pen import VERTICES, Ints, Pen, Points, pen_polygon
from fastdraw.kernels.cairo.simd import PIXELS
from fastdraw.kernels.cairo.sweep import sweep
from fastdraw.kernels.jit import inlined, jit, noinline
from fastdraw.kernels.layout import HEAD
from fastdraw.kernels.records import points_at
from fastdraw.kernels.simd import LANES

_u = np.uint32  # see `edges`


@inlined
def _has_ties(active: Ids, n: int, edges: Edges, line: int) -> bool:
    """Tell whether different edges have the same x, so that x does not decide their order."""
    for k in range(1, n):
        a, b = active[_u(k - 1)], active[_u(k)]
        x, y = x_at(edges, a, line), x_at(edges, b, line)
        if x >> 40 == y >> 40 and (x >> 1 != y >> 1 or edges.step[a] != edges.step[b]):
            return True
    return False


@noinline
def _fill(
    edges: Edges,
    heads: Ids,
    active: Ids,
    spill: Any,
    cells: Cells,
    rows: tuple[int, int],
    image: Bytes,
    size: int,
) -> int:
    """Fill an outline in the pixel rows from ``rows[0]`` up to ``rows[1]``.

    Returns -1, or the first row that needs Cairo's order of edges: it and the rows below it are not filled.

    ``heads`` holds buckets of one pixel row (`edges.bucket_edges`) and is cleared; ``active`` has room for all edges;
    ``spill`` is as in `crossings.fill_row`; ``cells`` holds zeros.
    """
    n = 0
    whole = True  # whether all edges cross the whole row
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
            if _has_ties(active, n, edges, line):
                for later in range(row + 1, rows[1]):
                    heads[_u(later)] = 0
                return row
            whole = are_sorted(active, n, edges, line + LINES)
        if whole:
            left, right = add_areas(active, n, edges, line, cells)
            blend_cells(cells, left, right, image, row * size)
            n, whole = drop_ended(active, n, edges, line + LINES)
        else:
            n, whole = fill_row(active, n, edges, line, spill, image, row * size)
    return -1


def draw(records: Bytes, starts: Ints, size: int, out: Bytes) -> None:
    """Draw records like the official bitmaps.

    Parameters
    ----------
    records : (b,) uint8
        Whole, valid records, back to back.
    starts : (n + 1,) int64
        Record i is ``records[starts[i]:starts[i + 1]]``.
    size : int
        Side of an image in pixels, 8 to 720. The official bitmaps have 28; other sizes scale the recipe.
    out : (n, size, size) uint8, out
        The images: 0 is background, 255 full ink. Every byte is written.
    """
    # Up to 64 pixels, twice x in 1/256 pixel is below 2**15, as the recipe has a margin.
    integer = np.int16 if size <= 64 else np.int32
    _draw(records, starts, size, out.reshape(len(out), size * size), *_constants(size), integer)


@functools.cache
def _constants(size: int) -> tuple[int, Ints, npt.NDArray[np.int32], Ints]:
    """What `pen_polygon` and `fixed_points` return for a size."""
    scale = size / 304.0
    return *pen_polygon(8 * scale), fixed_points(scale)


@jit
def _draw(
    records: Bytes,
    starts: Ints,
    size: int,
    out: Bytes,
    count: int,
    vertices: Ints,
    sides: npt.NDArray[np.int32],
    fixed: Ints,
    integer: Any,
) -> None:
    """Do what `draw` does, with images as rows, the `_constants` of the size, and crossings of the type ``integer``.

    Memory is allocated here, so that LLVM knows that arrays do not overlap.
    """
    reach = 8 * (size / 304.0) * 256.0  # half the width of the line in fixed point
    margin = np.int64(reach) + 2
    pen = Pen(count, Points(vertices[0], vertices[1]), Points(vertices[2], vertices[3]), (sides[0], sides[1]))

    largest = np.int64(2)
    for d in range(len(starts) - 1):
        largest = max(largest, starts[d + 1] - starts[d])
    # A file may change while it is open, so a record is copied: all that is made of it must be of the same bytes.
    record = np.empty(largest, np.uint8)
    longest = np.int64(largest // 2)  # points of a stroke
    # A join adds at most a fan (half the pen and two vertices) and five points to the outline.
    room = longest * (pen.count // 2 + 8) + 2 * pen.count + 16 + VERTICES
    path = Points(np.empty(longest, np.int64), np.empty(longest, np.int64))
    right = Points(np.empty(room, np.int64), np.empty(room, np.int64))
    left = Points(np.empty(room, np.int64), np.empty(room, np.int64))
    start_room = pen.count + 8 + VERTICES
    start = Points(np.empty(start_room, np.int64), np.empty(start_room, np.int64))
    edges = Edges(
        np.empty(room + 1, np.int64),
        np.empty(room + 1, np.int64),
        np.empty(room + 1, np.int64),
        np.empty(room + 1, np.uint32),
    )
    heads = np.empty(size + 1, np.uint32)
    line_heads = np.empty(size * LINES + 1, np.uint32)
    for bucket in range(size + 1):
        heads[bucket] = 0
    for bucket in range(size * LINES + 1):
        line_heads[bucket] = 0
    active = np.empty(room, np.uint32)
    spill = np.empty(LANES * room, integer)
    cells = np.empty(size + 2, np.int32)
    for cell in range(size + 2):
        cells[cell] = 0
    image = np.empty(size * size + PIXELS, np.uint8)

    for d in range(len(starts) - 1):
        for pixel in range(size * size):
            image[_u(pixel)] = 0
        last = starts[d + 1] - starts[d]
        for i in range(last):
            record[_u(i)] = records[starts[d] + i]
        # The recipe centres a drawing by its largest coordinates alone.
        at = np.int64(HEAD)
        x_max = y_max = np.int64(0)
        while at + 2 <= last:
            points = points_at(record, at, last)
            at += 2
            for i in range(at, at + points):
                x_max = max(x_max, np.int64(record[i]))
                y_max = max(y_max, np.int64(record[i + points]))
            at += 2 * points

        at = np.int64(HEAD)
        while at + 2 <= last:
            given = points_at(record, at, last)
            at += 2
            if given == 0:
                continue
            points = fixed_path(record, at, given, fixed, 256 - x_max, 256 - y_max, path)
            at += 2 * given
            n_right, n_left, n_start = outline(path, points, pen, reach, right, left, start)
            end = add_edges(left, n_left, 1, edges, np.int64(1))
            end = add_edges(start, n_start, 1, edges, end)
            end = add_edges(right, n_right, 0, edges, end)
            bucket_edges(edges, end, LINES, heads)
            top = bottom = path.y[0]
            for i in range(1, points):
                top, bottom = min(top, path.y[i]), max(bottom, path.y[i])
            rows = max((top - margin) >> 8, 0), min(((bottom + margin) >> 8) + 1, size)
            unfilled = _fill(edges, heads, active, spill, cells, rows, image, size)
            if unfilled >= 0:
                sweep(edges, end, line_heads, active, cells, rows, unfilled, image, size)
        for pixel in range(size * size):  # faster than assigning a slice
            out[d, pixel] = image[_u(pixel)]
