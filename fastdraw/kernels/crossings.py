"""The fill of a pixel row that is sampled: where edges cross its 15 sample lines, a line to a lane.

The crossings of a row stand in slots: slot k has the k-th from the left of every line. Six slots are in registers, as
most rows need no more; the others are in an array.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdraw.kernels.coverage import blend
from fastdraw.kernels.edges import LINES, Bytes, Ids, Ints, place
from fastdraw.kernels.jit import part
from fastdraw.kernels.lanes import (
    LANES,
    bounds,
    cross,
    differ,
    larger,
    largest,
    left,
    load,
    minus,
    plus,
    smaller,
    smallest,
    spread,
    store,
    total,
    wind,
)

_u = np.uint32  # see `edges`


@part
def fill_row(active: Ids, n: int, edges: Ints, line: int, more: Any, image: Bytes, to: int) -> tuple[int, bool]:
    """Fill by the non-zero rule what edges enclose on the lines of the pixel row that begins with ``line``.

    Drops the edges that end there, and returns what `edges.drop_ended` does.

    ``image[to]`` is the first pixel of the row. ``more`` has LANES places for every edge, of numbers that can hold
    twice the width of the row in 1/256 pixel.
    """
    never = cross(more, 0, 0, 0, 0)
    a = b = c = d = e = f = never
    used = kept = np.int64(0)
    far = True
    for k in range(n):
        edge = active[_u(k)]
        top, bottom = edges[edge + 2] - line, edges[edge + 3] - line
        active[_u(kept)] = edge
        kept += bottom > LINES
        far &= (bottom <= LINES) | (bottom >= 2 * LINES)
        rest = cross(more, place(edges, edge, line), edges[edge + 1], max(top, 0), min(bottom, LINES))
        a, rest = smaller(a, rest), larger(a, rest)
        b, rest = smaller(b, rest), larger(b, rest)
        c, rest = smaller(c, rest), larger(c, rest)
        d, rest = smaller(d, rest), larger(d, rest)
        e, rest = smaller(e, rest), larger(e, rest)
        f, rest = smaller(f, rest), larger(f, rest)
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
    more_begin, last = larger(c, e), larger(larger(b, d), f)
    for i in range(0, used, LANES):
        there = load(more, i)
        w = wind(x, there)
        if i & LANES:
            there = bounds(there, w)
            last = larger(last, there)
        else:
            there = bounds(there, x)
            more_begin = larger(more_begin, there)
        store(more, i, there)
        x = w

    end = (largest(last) + 255) >> 8
    if not differ(more_begin, outside):  # one enclosed part on a line, or none
        for pixel in range(first, end):
            start = spread(more, pixel << 8)
            blend(image, to + pixel, 2 * total(minus(left(last, start), left(a, start))))
        return kept, far
    for pixel in range(first, end):
        start = spread(more, pixel << 8)
        covered = minus(left(b, start), left(a, start))
        covered = plus(covered, minus(left(d, start), left(c, start)))
        covered = plus(covered, minus(left(f, start), left(e, start)))
        for i in range(0, used, LANES):
            length = left(load(more, i), start)
            covered = plus(covered, length) if i & LANES else minus(covered, length)
        blend(image, to + pixel, 2 * total(covered))
    return kept, far
