"""The fill of an outline line by line, with the edges in Cairo's order.

Where different edges touch at the start of a pixel row that is filled by areas, the areas depend on the order of the
edges in Cairo's active list, which depends on all lines above. This concerns one stroke in thousands, so it need not be
fast. Reproduces ``src/cairo-tor-scan-converter.c`` of Cairo 1.16.0: ``sub_row``, ``full_row``, ``can_do_full_row``,
``sort_edges`` and ``merge_sorted_edges``.
"""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.cairo.coverage import blend_cells
from fastdraw.kernels.cairo.edges import (
    LINES,
    Bytes,
    Cells,
    Edges,
    Ids,
    add_areas,
    are_sorted,
    bucket_edges,
    drop_ended,
    end_line,
    sort,
    x_at,
)
from fastdraw.kernels.jit import inlined, noinline


@inlined
def _merge(active: Ids, low: int, middle: int, high: int, edges: Edges, line: int) -> None:
    """Merge the sorted edges active[middle:high] into the sorted active[low:middle].

    Among edges with equal x, an edge of the second list comes after those of the first, except right behind another
    edge of the second list: Cairo takes edges from one list as long as it can, then from the other.
    """
    behind = high  # the index after the edge that was moved last
    for k in range(middle, high):
        e = active[k]
        x = x_at(edges, e, line) >> 40
        to = k
        if behind < k and x_at(edges, active[behind], line) >> 40 >= x:
            while to > behind:
                active[to] = active[to - 1]
                to -= 1
        elif behind != k:
            while to > low and x_at(edges, active[to - 1], line) >> 40 > x:
                active[to] = active[to - 1]
                to -= 1
        active[to] = e
        behind = to + 1


@inlined
def _enter(active: Ids, n: int, m: int, edges: Edges, line: int) -> None:
    """Sort the edges active[n:m] by merging, and merge them into the sorted active[:n]."""
    width = 1
    while width < m - n:
        for k in range(n, m - width, 2 * width):
            _merge(active, k, k + width, min(k + 2 * width, m), edges, line)
        width *= 2
    _merge(active, 0, n, m, edges, line)


@inlined
def _add_spans(active: Ids, n: int, edges: Edges, line: int, cells: Cells) -> None:
    """Add the spans that edges enclose on one line to the cells."""
    winding = 0
    for k in range(n):
        x = x_at(edges, active[k], line)
        before = winding
        winding += 1 - 2 * (x & 1)
        if before == 0 or winding == 0:
            weight = (1 << 16) + ((x >> 39) & 510)
            cells[x >> 48] += weight if before == 0 else -weight


@noinline
def sweep(
    edges: Edges,
    end: int,
    heads: Ids,
    active: Ids,
    cells: Cells,
    rows: tuple[int, int],
    start: int,
    image: Bytes,
    size: int,
) -> None:
    """Fill an outline in the pixel rows from ``start`` on.

    Parameters as in `google._fill`, but ``heads`` has a bucket for each sample line, and holds zeros.
    """
    bucket_edges(edges, end, 1, heads)
    n = 0
    for row in range(rows[0], rows[1]):
        first, after = row * LINES, (row + 1) * LINES
        for line in range(first, after):
            sort(active, n, edges, line)
            m = n
            e = heads[line]
            heads[line] = 0
            while e != 0:
                active[m] = e
                m += 1
                e = edges.following[e]
            _enter(active, n, m, edges, line)
            n = m
            if line == first:
                starting = np.uint32(0)
                for later in range(first + 1, after):
                    starting |= heads[later]
                whole = starting == 0 and are_sorted(active, n, edges, after)
                for k in range(n):
                    whole &= end_line(edges, active[k]) >= after
                if whole:
                    add_areas(active, n, edges, first, cells)
                    n, _ = drop_ended(active, n, edges, after)
                    break
            _add_spans(active, n, edges, line, cells)
            n, _ = drop_ended(active, n, edges, line + 1)
        if row < start:
            for x in range(len(cells)):
                cells[x] = 0
            continue
        blend_cells(cells, 0, size, image, row * size)
