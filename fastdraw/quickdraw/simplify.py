"""Simplify raw drawings (timed, unscaled, real-valued) as Google did.

The four steps are published at https://github.com/googlecreativelab/quickdraw-dataset#preprocessed-dataset. Details
that the text leaves open were determined from drawings published in both forms: one scale for x and y, samples at
integer arc lengths plus the last point, distances to the infinite line, rounding (half to even) only at the end.

Straight strokes along an axis have many samples at equal distance from their chord, and the last bit of a coordinate
decides which one is kept. So the result depends on the order of the floating-point operations below.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

_Points = npt.NDArray[np.float64]  # (2, n): x, y

_LARGEST = 255.0  # pixels, larger side of a simplified drawing
_TOLERANCE = 2.0  # pixels, epsilon of Ramer-Douglas-Peucker


def _points(stroke: Iterable[npt.ArrayLike], where: str) -> _Points:
    """Check a raw stroke and return its x and y as (2, n) float64."""
    rows = list(stroke)
    if len(rows) < 2:
        raise ValueError(f"{where}: expected 2 or 3 rows (x, y, times), received {len(rows)}")
    try:
        x, y = (np.asarray(row, dtype=np.float64) for row in rows[:2])
    except (TypeError, ValueError, OverflowError) as error:
        raise ValueError(f"{where}: expected x and y to be sequences of numbers: {error}") from None
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"{where}: expected as many x as y, received shapes {x.shape} and {y.shape}")
    if x.size == 0:
        raise ValueError(f"{where}: expected at least one point, received none")
    points = np.stack([x, y])
    finite = np.isfinite(points).all(axis=0)
    if not finite.all():
        index = int(finite.argmin())
        raise ValueError(f"{where}: expected finite numbers, received ({x[index]}, {y[index]}) at point {index}")
    return points


def _fit(strokes: list[_Points]) -> list[_Points]:
    """Move a drawing to the origin and scale its larger side to 0..255."""
    low = np.min([stroke.min(axis=1) for stroke in strokes], axis=0)[:, None]
    high = np.max([stroke.max(axis=1) for stroke in strokes], axis=0)[:, None]
    with np.errstate(over="ignore"):
        extent = float((high - low).max())
        if not np.isfinite(extent * _LARGEST):
            raise ValueError(f"expected coordinates that can be scaled, received an extent of {extent}")
    return [(stroke - low) * _LARGEST / (extent or 1.0) for stroke in strokes]


def _resample(points: _Points) -> _Points:
    """The points at 0, 1, 2, ... pixels along a stroke, and its last point."""
    step = np.diff(points)
    reached = np.concatenate([[0.0], np.cumsum(np.sqrt(step[0] * step[0] + step[1] * step[1]))])
    at = np.arange(0.0, reached[-1])
    segment = np.searchsorted(reached, at, side="right") - 1  # never a segment of length 0
    share = (at - reached[segment]) / (reached[segment + 1] - reached[segment])
    inner = points[:, segment] * (1.0 - share) + points[:, segment + 1] * share
    return np.concatenate([inner, points[:, -1:]], axis=1)


def _corners(points: _Points) -> _Points:
    """Simplify a stroke by Ramer-Douglas-Peucker; among equally distant points, the first is kept.

    As in the published drawings, distances are to the infinite line through the end points.
    `skimage.measure.approximate_polygon` measures to the segment between them, which differs where a stroke turns
    back past its ends: it simplifies one stroke in four differently.
    """
    last = points.shape[1] - 1
    kept = [0, last]  # equal if there is one point: the official drawings repeat a dot
    spans = [(0, last)]
    while spans:
        start, end = spans.pop()
        if end - start < 2:
            continue
        x, y = points[:, start + 1 : end] - points[:, start, None]
        dx, dy = points[:, end] - points[:, start]
        length = np.sqrt(dx * dx + dy * dy)
        # A closed stroke has no line: the distance is to its end point.
        distance = np.abs(dx * y - dy * x) / length if length > 0.0 else np.sqrt(x * x + y * y)
        farthest = int(distance.argmax())
        if distance[farthest] > _TOLERANCE:
            middle = start + 1 + farthest
            kept.append(middle)
            spans += [(start, middle), (middle, end)]
    return points[:, sorted(kept)]


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
    >>> from fastdraw.quickdraw.simplify import simplify
    >>> x, y, milliseconds = [10, 20, 30, 30], [7, 7, 7, 17], [0, 10, 20, 30]
    >>> [stroke.tolist() for stroke in simplify([(x, y, milliseconds)])]
    [[[0, 255, 255], [0, 0, 128]]]
    """
    drawing = [_points(stroke, f"stroke {index}") for index, stroke in enumerate(strokes)]
    if not drawing:
        raise ValueError("expected at least one stroke, received none")
    return [np.rint(_corners(_resample(stroke))).astype(np.uint8) for stroke in _fit(drawing)]
