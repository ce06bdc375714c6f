"""The fill of a pixel row that is sampled: where edges cross its 15 sample lines, a line to a lane.

The crossings of a row stand in slots: slot k has the k-th from the left of every line. Eight slots are in registers, as
most rows need no more; the others are in an array.

What is inside between two bounds is, up to the right end of a pixel, the smaller of the one bound and that end less the
smaller of the other and that end. What pixels have of it is the difference from one to the next.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdraw.kernels.cairo.edges import LINES, Bytes, Edges, Ids, end_line, first_line, place
from fastdraw.kernels.cairo.lanes import (
    LANES,
    PIXELS,
    blend_pixels,
    bounds,
    cross,
    differ,
    larger,
    largest,
    load,
    minus,
    plus,
    smaller,
    smallest,
    spread,
    store,
    up_to_ends,
    wind,
)
from fastdraw.kernels.jit import inlined

_u = np.uint32  # see `edges`


@inlined
def fill_row(active: Ids, n: int, edges: Edges, line: int, more: Any, image: Bytes, to: int) -> tuple[int, bool]:
    """Fill by the non-zero rule what edges enclose on the lines of the pixel row that begins with ``line``.

    Drops the edges that end there, and returns what `edges.drop_ended` does.

    ``image[to]`` is the first pixel of the row; PIXELS more than there are may be written, as they were. ``more`` has
    LANES places for every edge, of numbers that can hold twice the width of the row in 1/256 pixel.
    """
    never = cross(more, 0, 0, 0, 0)
    a = b = c = d = e = f = g = h = never
    used = kept = np.int64(0)
    far = True
    for k in range(n):
        edge = active[_u(k)]
        top, bottom = first_line(edges, edge) - line, end_line(edges, edge) - line
        active[_u(kept)] = edge
        kept += bottom > LINES
        far &= (bottom <= LINES) | (bottom >= 2 * LINES)
        rest = cross(more, place(edges, edge, line), edges.step[edge], max(top, 0), min(bottom, LINES))
        a, rest = smaller(a, rest), larger(a, rest)
        b, rest = smaller(b, rest), larger(b, rest)
        c, rest = smaller(c, rest), larger(c, rest)
        d, rest = smaller(d, rest), larger(d, rest)
        e, rest = smaller(e, rest), larger(e, rest)
        f, rest = smaller(f, rest), larger(f, rest)
        g, rest = smaller(g, rest), larger(g, rest)
        h, rest = smaller(h, rest), larger(h, rest)
        store(more, used, rest)
        used += LANES * differ(rest, never)  # no branch: it would often be mispredicted
    for k in range(LANES, used, LANES):
        rest = load(more, k)
        for i in range(0, k, LANES):
            there = load(more, i)
            store(more, i, smaller(there, rest))
            rest = larger(there, rest)
        store(more, k, rest)

    # Lines are crossed as often one way as the other: only even slots begin an enclosed part, only odd ones end it.
    first = smallest(a) >> 9
    outside = spread(more, 0)
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
    # Of a line's enclosed parts: where the last ends, and the sum of where all end; the same of where they begin but
    # for the first.
    last, ends = larger(larger(b, d), larger(f, h)), plus(plus(b, d), plus(f, h))
    most, begins = larger(larger(c, e), g), plus(plus(c, e), g)
    for i in range(0, used, LANES):
        there = load(more, i)
        w = wind(x, there)
        if i & LANES:
            there = bounds(there, w)
            last = larger(last, there)
            ends = plus(ends, there)
        else:
            there = bounds(there, x)
            most = larger(most, there)
            begins = plus(begins, there)
        store(more, i, there)
        x = w

    end = (largest(last) + 255) >> 8
    before = np.int64(0)
    if not differ(begins, most):  # two enclosed parts at most: what is no bound is 0, so that a sum is the other one
        ends = minus(ends, last)
        for pixel in range(first, end, PIXELS):
            start = pixel << 8
            inside = plus(up_to_ends(last, start), up_to_ends(ends, start))
            inside = minus(inside, plus(up_to_ends(a, start), up_to_ends(begins, start)))
            before = blend_pixels(image, to + pixel, inside, before)
        return kept, far
    for pixel in range(first, end, PIXELS):
        start = pixel << 8
        inside = minus(up_to_ends(b, start), up_to_ends(a, start))
        inside = plus(inside, minus(up_to_ends(d, start), up_to_ends(c, start)))
        inside = plus(inside, minus(up_to_ends(f, start), up_to_ends(e, start)))
        inside = plus(inside, minus(up_to_ends(h, start), up_to_ends(g, start)))
        for i in range(0, used, LANES):
            there = up_to_ends(load(more, i), start)
            inside = plus(inside, there) if i & LANES else minus(inside, there)
        before = blend_pixels(image, to + pixel, inside, before)
    return kept, far
