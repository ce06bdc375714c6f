"""Kernels that separate records into columns: the values of all coordinates, and where rows and strokes begin."""

from __future__ import annotations

from fastdraw.kernels.jit import jit
from fastdraw.kernels.layout import HEAD
from fastdraw.kernels.records import points_at


@jit
def count_parts(records, starts):
    """Count strokes and coordinates.

    Parameters
    ----------
    records : (b,) uint8
        Back to back.
    starts : (n + 1,) int64
        Record i is ``records[starts[i]:starts[i + 1]]``.

    Returns
    -------
    strokes, coordinates : int
    """
    strokes = coordinates = 0
    for i in range(len(starts) - 1):
        at, end = starts[i] + HEAD, starts[i + 1]
        while at + 2 <= end:
            points = points_at(records, at, end)
            strokes += 1
            coordinates += 2 * points
            at += 2 + 2 * points
    return strokes, coordinates


@jit
def split_parts(records, starts, of_drawings, of_strokes, of_rows, values):
    """Copy the coordinates, and say where the strokes of each drawing, and the rows of each stroke, begin.

    If the records changed since `count_parts`, what does not fit is left out.

    Parameters
    ----------
    records, starts
        As for `count_parts`.
    of_drawings : (n + 1,) int32, out
        Number of the first stroke of each drawing, then the number of strokes.
    of_strokes : (strokes + 1,) int32, out
        Number of the first row of each stroke, then the number of rows. A stroke has two, x and y.
    of_rows : (2 * strokes + 1,) int32, out
        Number of the first value of each row, then the number of values.
    values : (coordinates,) uint8, out
    """
    stroke = value = 0
    for i in range(len(starts) - 1):
        of_drawings[i] = stroke
        at, end = starts[i] + HEAD, starts[i + 1]
        while at + 2 <= end and stroke + 1 < len(of_strokes):
            points = min(points_at(records, at, end), (len(values) - value) // 2)
            of_strokes[stroke] = 2 * stroke
            of_rows[2 * stroke], of_rows[2 * stroke + 1] = value, value + points
            for p in range(2 * points):
                values[value + p] = records[at + 2 + p]
            value += 2 * points
            stroke += 1
            at += 2 + 2 * points
    of_drawings[len(starts) - 1] = stroke
    while stroke + 1 < len(of_strokes):
        of_strokes[stroke] = 2 * stroke
        of_rows[2 * stroke] = of_rows[2 * stroke + 1] = value
        stroke += 1
    of_strokes[stroke] = 2 * stroke
    of_rows[2 * stroke] = value
