"""Simplify raw drawings (timed, unscaled, real-valued) as Google did.

The four steps are published at https://github.com/googlecreativelab/quickdraw-dataset#preprocessed-dataset. Details
that the text leaves open were determined from drawings published in both forms: one scale for x and y, samples at
integer arc lengths plus the last point, distances to the infinite line, rounding (half to even) only at the end.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt


def simplify(strokes: Iterable[Iterable[npt.ArrayLike]]) -> list[npt.NDArray[np.uint8]]:
    """Simplify a raw drawing as in the official simplified Quick, Draw! dataset.

    Parameters
    ----------
    strokes : iterable of (x, y) or (x, y, t)
        The ``drawing`` field of a raw ndjson line. x and y are sequences of n >= 1 finite numbers in any unit, y
        pointing down. Times are ignored.

    Returns
    -------
    list of ndarray
        One (2, m) uint8 array per stroke with m >= 2: x above y, in pixels from 0 to 255. A dot is two equal points;
        a drawing of a single dot is all zero.

    Raises
    ------
    ValueError
        If there are no strokes; if a stroke has no points, a different number of x and y, or numbers that are not
        finite; or if the drawing is too large to scale in float64.

    Notes
    -----
    Drawings are aligned to minimum values of 0, scaled to a maximum of 255, resampled with 1 pixel spacing and
    simplified by Ramer-Douglas-Peucker with an epsilon of 2 pixels [1]_.

    References
    ----------
    .. [1] https://github.com/googlecreativelab/quickdraw-dataset#preprocessed-dataset

    Examples
    --------
    >>> x, y, milliseconds = [10, 20, 30, 30], [7, 7, 7, 17], [0, 10, 20, 30]
    >>> [stroke.tolist() for stroke in fastdraw.simplify([(x, y, milliseconds)])]
    [[[0, 255, 255], [0, 0, 128]]]
    """
    if not isinstance(strokes, Iterable):
        raise TypeError(f"expected strokes to be a list of (x, y) or (x, y, times), received {strokes!r}")
    drawing = [_rows(stroke, f"stroke {index}") for index, stroke in enumerate(strokes)]
    if not drawing:
        raise ValueError("expected at least one stroke, received none")
    x, y = np.concatenate([x for x, _ in drawing]), np.concatenate([y for _, y in drawing])
    return simplify_points(x, y, np.array([len(x) for x, _ in drawing]).cumsum())


def simplify_points(
    x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], ends: npt.NDArray[np.int64]
) -> list[npt.NDArray[np.uint8]]:
    """The same of the points of all strokes, and where each stroke ends."""
    from fastdraw.kernels.simplify import simplify as kernel  # needs numba, which doodles do not to be imported

    if not (np.isfinite(x).all() and np.isfinite(y).all()):
        raise ValueError(_not_finite(x, y, ends))
    points, new_ends, extent = kernel(x, y, ends)
    if not math.isfinite(extent * 255.0):
        raise ValueError(f"expected coordinates that can be scaled, received an extent of {extent}")
    return [points[:, begin:end].copy() for begin, end in itertools.pairwise([0, *new_ends.tolist()])]


def _rows(stroke: Iterable[npt.ArrayLike], where: str) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Check a raw stroke and return its x and y."""
    rows = list(stroke) if isinstance(stroke, Iterable) else []
    if len(rows) < 2:
        raise ValueError(f"{where}: expected 2 or 3 rows (x, y, times), received {len(rows)}")
    try:
        x, y = np.asarray(rows[0], np.float64), np.asarray(rows[1], np.float64)
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}: expected x and y to be sequences of numbers: {error}") from None
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"{where}: expected as many x as y, received shapes {x.shape} and {y.shape}")
    if x.size == 0:
        raise ValueError(f"{where}: expected at least one point, received none")
    return x, y


def _not_finite(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64], ends: npt.NDArray[np.int64]) -> str:
    """Where the first number is that is not finite."""
    place = int((np.isfinite(x) & np.isfinite(y)).argmin())
    stroke = int(ends.searchsorted(place, side="right"))
    point = place - int(ends[stroke - 1]) if stroke else place
    return f"stroke {stroke}: expected finite numbers, received ({x[place]}, {y[place]}) at point {point}"
