"""Random changes of strokes, in place. The random numbers depend only on the key and the index of the drawing."""

from __future__ import annotations

import math

import numpy as np

from fastdraw.kernels import hashing
from fastdraw.kernels.jit import inlined, jit
from fastdraw.kernels.layout import HEAD
from fastdraw.kernels.records import points_at

MAX_COORDINATE = 255.0

# Which random number of a drawing is for what. Those of strokes and points are numbered from these on.
ANGLE, SCALE, SHEAR, SHIFT_X, SHIFT_Y, FLIP, KEPT = range(7)
STROKES = 1 << 16
POINTS = 1 << 32

_mix = inlined(hashing.mix)


@inlined
def _uniform(key, number):
    """Random number ``number`` of a drawing, uniform in [0, 1)."""
    return np.float64(_mix(key + np.uint64(number)) >> np.uint64(11)) * 2.0**-53


@inlined
def _uniform_signed(key, number):
    """The same, uniform in [-1, 1)."""
    return 2.0 * _uniform(key, number) - 1.0


@jit
def drop_strokes(records, starts, indices, key, share):
    """Drop each stroke with probability ``share``, but keep at least one of each drawing, and close the gaps.

    Parameters
    ----------
    records : (b,) uint8, in place
        Whole, valid records, back to back.
    starts : (n + 1,) int64, in place
        Record i is ``records[starts[i]:starts[i + 1]]``.
    indices : (n,) int64
        Indices of the drawings in the dataset.
    key : uint64
    share : float
        0 to 1.
    """
    to = at = starts[0]
    for i in range(len(indices)):
        drawing = _mix(key ^ np.uint64(indices[i]))
        end = starts[i + 1]
        starts[i] = head = to
        for _ in range(HEAD):
            records[to] = records[at]
            to += 1
            at += 1
        strokes = np.int64(records[head + 15]) | np.int64(records[head + 16]) << 8
        kept = int(_uniform(drawing, KEPT) * strokes)
        left = 0
        for stroke in range(strokes):
            if at + 2 > end:
                break
            length = 2 + 2 * points_at(records, at, end)
            if stroke == kept or _uniform(drawing, STROKES + stroke) >= share:
                for _ in range(length):
                    records[to] = records[at]
                    to += 1
                    at += 1
                left += 1
            else:
                at += length
        records[head + 15], records[head + 16] = left & 255, left >> 8
        at = end
    starts[len(indices)] = to


@jit
def move_points(records, starts, indices, key, rotate, shrink, enlarge, shear, translate, jitter, flip):
    """Rotate, shear, scale, flip and shift drawings about the centres of their bounding boxes, and jitter points.

    Parameters
    ----------
    records, starts, indices, key
        As for `drop_strokes`.
    rotate, shear : float
        Largest angles in radians.
    shrink, enlarge : float
        Smallest and largest scale.
    translate, jitter : float
        Largest shift of the drawing, and of each point, in x and in y: coordinates.
    flip : bool
        Flip half of the drawings horizontally.
    """
    longest = 0
    for i in range(len(indices)):
        longest = max(longest, starts[i + 1] - starts[i])
    xs, ys = np.empty(longest // 2, np.float64), np.empty(longest // 2, np.float64)
    for i in range(len(indices)):
        first, end = starts[i] + HEAD, starts[i + 1]
        left, right, top, bottom = 255, 0, 255, 0
        at = first
        while at + 2 <= end:
            points = points_at(records, at, end)
            for p in range(at + 2, at + 2 + points):
                column, row = np.int64(records[p]), np.int64(records[p + points])
                left, right, top, bottom = min(left, column), max(right, column), min(top, row), max(bottom, row)
            at += 2 + 2 * points
        if left > right:
            continue  # no points

        drawing = _mix(key ^ np.uint64(indices[i]))
        angle, slant = rotate * _uniform_signed(drawing, ANGLE), math.tan(shear * _uniform_signed(drawing, SHEAR))
        factor = shrink + (enlarge - shrink) * _uniform(drawing, SCALE)
        sine, cosine = factor * math.sin(angle), factor * math.cos(angle)
        mirror = -1.0 if flip and _uniform(drawing, FLIP) < 0.5 else 1.0
        middle_x, middle_y = (left + right) / 2.0, (top + bottom) / 2.0
        to_x = middle_x + translate * _uniform_signed(drawing, SHIFT_X)
        to_y = middle_y + translate * _uniform_signed(drawing, SHIFT_Y)

        count = 0
        low_x = low_y = np.inf
        high_x = high_y = -np.inf
        at = first
        while at + 2 <= end:
            points = points_at(records, at, end)
            for p in range(at + 2, at + 2 + points):
                y = records[p + points] - middle_y
                x = mirror * (records[p] - middle_x) + slant * y
                x, y = to_x + cosine * x - sine * y, to_y + sine * x + cosine * y
                if jitter > 0.0:
                    x += jitter * _uniform_signed(drawing, POINTS + 2 * count)
                    y += jitter * _uniform_signed(drawing, POINTS + 2 * count + 1)
                xs[count], ys[count] = x, y
                low_x, high_x, low_y, high_y = min(low_x, x), max(high_x, x), min(low_y, y), max(high_y, y)
                count += 1
            at += 2 + 2 * points

        # A drawing too large for the canvas is shrunk to fit, then shifted inside.
        fit = MAX_COORDINATE / max(MAX_COORDINATE, high_x - low_x, high_y - low_y)
        go_x = min(max((low_x + high_x) / 2, fit * (high_x - low_x) / 2), MAX_COORDINATE - fit * (high_x - low_x) / 2)
        go_y = min(max((low_y + high_y) / 2, fit * (high_y - low_y) / 2), MAX_COORDINATE - fit * (high_y - low_y) / 2)
        count = 0
        at = first
        while at + 2 <= end:
            points = points_at(records, at, end)
            for p in range(at + 2, at + 2 + points):
                x = go_x + fit * (xs[count] - (low_x + high_x) / 2)
                y = go_y + fit * (ys[count] - (low_y + high_y) / 2)
                records[p] = int(min(max(math.floor(x + 0.5), 0.0), MAX_COORDINATE))
                records[p + points] = int(min(max(math.floor(y + 0.5), 0.0), MAX_COORDINATE))
                count += 1
            at += 2 + 2 * points
