"""A kernel that simplifies raw drawings as Google did; `fastdraw.quickdraw.simplify` says what is known of that.

Straight strokes along an axis have many samples at equal distance from their chord, and the last bit of a coordinate
decides which one is kept. So the result depends on the order of the floating-point operations below.
"""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.jit import allocating, inlined, jit

LARGEST = 255.0  # pixels, larger side of a simplified drawing
TOLERANCE = 2.0  # pixels, epsilon of Ramer-Douglas-Peucker
ONE = np.uint64(1)  # unsigned indices need no check whether they count from the end; that took a fifth of the time
NEARLY = 1.0 - 2.0**-50  # a smaller share of the largest number cannot have a quotient that rounds to the same


@inlined
def _from_line(x, y, start, dx, dy, i):
    """The distance of a point from the line through the point ``start``, times the length of the chord (dx, dy)."""
    return abs(dx * (y[i] - y[start]) - dy * (x[i] - x[start]))


@inlined
def _from_point(x, y, start, i):
    """The squared distance of a point from the point ``start``."""
    right, down = x[i] - x[start], y[i] - y[start]
    return right * right + down * down


@inlined
def _farthest(x, y, start, end):
    """The first of the inner points of a span that are farthest from its chord; -1 if they are within the tolerance."""
    dx, dy = x[end] - x[start], y[end] - y[start]
    length = np.sqrt(dx * dx + dy * dy)
    first, stop = np.uint64(start) + ONE, np.uint64(end)
    # The numbers are not negative, so their bits as integers have the same order, and LLVM vectorizes the maximum.
    bits = np.int64(0)
    if length > 0.0:
        for i in range(first, stop):
            bits = max(bits, np.float64(_from_line(x, y, start, dx, dy, i)).view(np.int64))
        largest = np.int64(bits).view(np.float64)
        distance = largest / length
        if distance > TOLERANCE:
            for i in range(first, stop):  # rounding can make quotients of different numbers equal
                number = _from_line(x, y, start, dx, dy, i)
                if number >= largest * NEARLY and number / length == distance:
                    return np.int64(i)
        return -1
    # A closed stroke has no line.
    for i in range(first, stop):
        bits = max(bits, np.float64(_from_point(x, y, start, i)).view(np.int64))
    largest = np.int64(bits).view(np.float64)
    distance = np.sqrt(largest)
    if distance > TOLERANCE:
        for i in range(first, stop):
            number = _from_point(x, y, start, i)
            if number >= largest * NEARLY and np.sqrt(number) == distance:
                return np.int64(i)
    return -1


@allocating
def simplified(x, y, ends):
    """Simplify a drawing.

    Parameters
    ----------
    x, y : (n,) float64
        Finite coordinates of all points.
    ends : (s,) int64
        Where each stroke ends. Each has a point.

    Returns
    -------
    points : (2, m) uint8
        x and y of all points.
    ends : (s,) int64
        Where each stroke ends.
    extent : float
        The larger side of the drawing. If it is too large to be scaled, the other results are meaningless.
    """
    low_x, high_x, low_y, high_y = x[0], x[0], y[0], y[0]
    for i in range(len(x)):
        low_x, high_x = min(low_x, x[i]), max(high_x, x[i])
        low_y, high_y = min(low_y, y[i]), max(high_y, y[i])
    extent = max(high_x - low_x, high_y - low_y)
    new_ends = np.zeros(len(ends), np.int64)
    if not np.isfinite(extent * LARGEST):
        return np.empty((2, 0), np.uint8), new_ends, extent
    scale = extent if extent > 0.0 else 1.0
    x, y = (x - low_x) * LARGEST / scale, (y - low_y) * LARGEST / scale

    reached = np.empty(len(x))  # length of the stroke up to each point
    begin = samples = most = 0
    for stroke in range(len(ends)):
        px, py, length = x[begin : ends[stroke]], y[begin : ends[stroke]], reached[begin : ends[stroke]]
        length[0] = 0.0
        for i in range(1, len(px)):
            dx, dy = px[i] - px[i - 1], py[i] - py[i - 1]
            length[i] = length[i - 1] + np.sqrt(dx * dx + dy * dy)
        count = np.int64(np.ceil(length[-1])) + 1
        samples += count
        most = max(most, count)
        begin = ends[stroke]

    points = np.empty((2, samples + len(ends)), np.uint8)  # a dot is one sample and two points
    sample_x, sample_y = np.empty(most), np.empty(most)
    spans, steps = np.empty(most, np.int64), np.empty(most, np.uint64)
    begin = size = 0
    for stroke in range(len(ends)):
        px, py, length = x[begin : ends[stroke]], y[begin : ends[stroke]], reached[begin : ends[stroke]]
        begin = ends[stroke]
        count = np.int64(np.ceil(length[-1]))
        steps[:count] = 0  # segments that a sample is further than the one before
        for i in range(1, len(px) - 1):
            steps[np.uint64(np.ceil(length[i]))] += ONE
        i = np.uint64(0)
        for at in range(count):
            i += steps[at]
            share = (at - length[i]) / (length[i + ONE] - length[i])
            sample_x[at] = px[i] * (1.0 - share) + px[i + ONE] * share
            sample_y[at] = py[i] * (1.0 - share) + py[i + ONE] * share
        sample_x[count], sample_y[count] = px[-1], py[-1]

        points[0, size], points[1, size] = np.rint(sample_x[0]), np.rint(sample_y[0])
        size += 1
        start, depth = 0, 1
        spans[0] = count
        while depth > 0:  # spans[:depth] are the ends of those that are left, the next one last
            end = spans[depth - 1]
            middle = _farthest(sample_x, sample_y, start, end) if end - start > 1 else -1
            if middle < 0:
                points[0, size], points[1, size] = np.rint(sample_x[end]), np.rint(sample_y[end])
                size += 1
                start = end
                depth -= 1
            else:
                spans[depth] = middle
                depth += 1
        new_ends[stroke] = size
    return points[:, :size], new_ends, extent


@jit
def simplify(x, y, ends):
    """The same as a kernel."""
    return simplified(x, y, ends)
