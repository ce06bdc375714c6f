"""The fill of a pixel row that is sampled: its edges' crossings with 15 lines, one line in each lane of a vector.

Gives the coverage that Cairo 1.16.0 adds up cell by cell (``sub_row`` and ``cell_list_add_subspan`` in
``src/cairo-tor-scan-converter.c``).

The crossings of a row are sorted into slots: slot k holds the k-th from the left on every line. Eight slots are in
registers, which is enough for most rows; the others are in an array.

Up to some x, a span from a to b covers min(b, x) - min(a, x). Taken at the right ends of two neighbouring pixels, the
difference is what the span covers of the right one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdraw.kernels.cairo.edges import LINES, Bytes, Edges, Ids, end_line, first_line, x_at
from fastdraw.kernels.cairo.simd import PIXELS, blend_pixels, bounds, cross_lines, right_ends, twice, wind
from fastdraw.kernels.jit import inlined
from fastdraw.kernels.simd import (
    LANES,
    add,
    any_ne,
    broadcast,
    load,
    maximum,
    minimum,
    reduce_max,
    reduce_min,
    store,
    sub,
)

_u = np.uint32  # see `edges`


@inlined
def fill_row(active: Ids, n: int, edges: Edges, line: int, spill: Any, image: Bytes, to: int) -> tuple[int, bool]:
    """Fill a sampled pixel row by the non-zero rule, drop the edges that end in it, and return as `edges.drop_ended`.

    Parameters
    ----------
    active, n, edges
        The edges that cross the row are ``active[:n]``, in any order.
    line
        The first sample line of the row.
    spill
        ``LANES * n`` integers of a type that can hold twice the width of the row in 1/256 pixel.
    image, to
        ``image[to]`` is the first pixel of the row. Up to PIXELS pixels behind the row are stored again, unchanged.
    """
    never = cross_lines(spill, 0, 0, 0, 0)
    a = b = c = d = e = f = g = h = never
    used = kept = np.int64(0)
    whole = True
    for k in range(n):
        edge = active[_u(k)]
        top, bottom = first_line(edges, edge) - line, end_line(edges, edge) - line
        active[_u(kept)] = edge
        kept += bottom > LINES
        whole &= (bottom <= LINES) | (bottom >= 2 * LINES)
        rest = cross_lines(spill, x_at(edges, edge, line), edges.step[edge], top, bottom)
        a, rest = minimum(a, rest), maximum(a, rest)
        b, rest = minimum(b, rest), maximum(b, rest)
        c, rest = minimum(c, rest), maximum(c, rest)
        d, rest = minimum(d, rest), maximum(d, rest)
        e, rest = minimum(e, rest), maximum(e, rest)
        f, rest = minimum(f, rest), maximum(f, rest)
        g, rest = minimum(g, rest), maximum(g, rest)
        h, rest = minimum(h, rest), maximum(h, rest)
        store(spill, used, rest)
        used += LANES * any_ne(rest, never)  # a branch would often be mispredicted
    for k in range(LANES, used, LANES):
        rest = load(spill, k)
        for i in range(0, k, LANES):
            slot = load(spill, i)
            store(spill, i, minimum(slot, rest))
            rest = maximum(slot, rest)
        store(spill, k, rest)

    # Each line is crossed as often upward as downward, so spans begin in even slots and end in odd ones.
    first = reduce_min(a) >> 9
    outside = broadcast(spill, 0)
    w = wind(outside, a)
    x = wind(w, b)
    a, b = bounds(a, outside), bounds(b, x)
    w = wind(x, c)
    c, x = bounds(c, x), wind(w, d)
    d = bounds(d, x)
    w = wind(x, e)
    e, x = bounds(e, x), wind(w, f)
    f = bounds(f, x)
    w = wind(x, g)
    g, x = bounds(g, x), wind(w, h)
    h = bounds(h, x)
    last_end = maximum(maximum(b, d), maximum(f, h))
    store(spill, used, never)  # so that there is an end to each beginning
    for i in range(0, used, 2 * LANES):
        begin, end = load(spill, i), load(spill, i + LANES)
        w = wind(x, begin)
        begin, x = bounds(begin, x), wind(w, end)
        end = bounds(end, x)
        last_end = maximum(last_end, end)
        store(spill, i, begin)
        store(spill, i + LANES, end)

    spans = (twice(a), twice(b), twice(c), twice(d), twice(e), twice(f), twice(g), twice(h))
    before = np.int64(0)
    for pixel in range(first, (reduce_max(last_end) + 255) >> 8, PIXELS):
        start = pixel << 8
        p = _inside(spans, spill, used, right_ends(spill, start, 0))
        q = _inside(spans, spill, used, right_ends(spill, start, 2))
        r = _inside(spans, spill, used, right_ends(spill, start, 4))
        s = _inside(spans, spill, used, right_ends(spill, start, 6))
        before = blend_pixels(image, to + pixel, p, q, r, s, before)
    return kept, whole


@inlined
def _inside(spans: Any, spill: Any, used: int, x: Any) -> Any:
    """The length up to x of all spans: those in registers, from a to b and so on, then those in ``spill``."""
    a, b, c, d, e, f, g, h = spans
    begins = add(add(minimum(a, x), minimum(c, x)), add(minimum(e, x), minimum(g, x)))
    ends = add(add(minimum(b, x), minimum(d, x)), add(minimum(f, x), minimum(h, x)))
    for i in range(0, used, 2 * LANES):
        begins = add(begins, minimum(twice(load(spill, i)), x))
        ends = add(ends, minimum(twice(load(spill, i + LANES)), x))
    return sub(ends, begins)
