"""Drawings as rows of offsets, as sketch-rnn has them (Ha, Eck 2017)."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.jit import jit
from fastdraw.kernels.layout import HEAD
from fastdraw.kernels.records import points_at


@jit
def count_points(records, starts, lengths):
    """Count the points of each drawing.

    Parameters
    ----------
    records : (b,) uint8
        Back to back.
    starts : (n + 1,) int64
        Record i is ``records[starts[i]:starts[i + 1]]``.
    lengths : (n,) int64, out
    """
    for i in range(len(lengths)):
        at, end = starts[i] + HEAD, starts[i + 1]
        lengths[i] = 0
        while at + 2 <= end:
            points = points_at(records, at, end)
            lengths[i] += points
            at += 2 + 2 * points


@jit
def offsets(records, starts, rows):
    """Write a row for each point: the offset from the point before, and the state of the pen after it.

    The first offset is from the origin. Points after the last row are left out. Rows after the last point are
    padding: zeros, and in the format of five columns the pen's end.

    Parameters
    ----------
    records, starts
        As for `count_points`.
    rows : (n, longest, 3 or 5) of any dtype, out
        Of three columns: dx, dy, 1 where the pen is lifted. Of five: dx, dy, and one of 1 for a pen that is down, is
        lifted, or is at the end of the drawing.
    """
    longest, columns = rows.shape[1], rows.shape[2]
    for i in range(len(rows)):
        at, end = starts[i] + HEAD, starts[i + 1]
        row = 0
        before_x = before_y = np.int64(0)
        while at + 2 <= end and row < longest:
            points = points_at(records, at, end)
            for p in range(at + 2, at + 2 + min(points, longest - row)):
                x, y = np.int64(records[p]), np.int64(records[p + points])
                lifted = p == at + 1 + points
                rows[i, row, 0], rows[i, row, 1] = x - before_x, y - before_y
                if columns == 3:
                    rows[i, row, 2] = lifted
                else:
                    rows[i, row, 2], rows[i, row, 3], rows[i, row, 4] = not lifted, lifted, 0
                before_x, before_y = x, y
                row += 1
            at += 2 + 2 * points
        rows[i, row:] = 0
        if columns == 5:
            rows[i, row:, 4] = 1
