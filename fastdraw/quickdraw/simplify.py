"""Raw drawings (timed, unscaled, real-valued) brought to the official simplified form.

The four steps are those of https://github.com/googlecreativelab/quickdraw-dataset#preprocessed-dataset. What
that text leaves open was settled by comparing with drawings published in both forms: one scale for x and y,
samples at whole arc lengths plus the last point, distances to the infinite line, and whole numbers (a half
goes to the even one) only at the very end.

Straight strokes along an axis have many samples equally far from their chord, and the last bit of a
coordinate decides which of them is kept. Hence the order of operations below is part of the result.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt

_Points = npt.NDArray[np.float64]  # (2, n): x, y

_LARGEST = 255.0  # pixels: the larger side of a simplified drawing
_TOLERANCE = 2.0  # pixels: the epsilon of Ramer-Douglas-Peucker


def _points(stroke: Iterable[npt.ArrayLike], where: str) -> _Points:
    """Return x and y of a raw stroke as (2, n) float64, or say what is wrong with it."""
    rows = list(stroke)
    if len(rows) < 2:
        raise ValueError(f"{where}: expected x and y (and perhaps times), got {len(rows)} sequence(s)")
    try:
        x, y = (np.asarray(row, dtype=np.float64) for row in rows[:2])
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: expected x and y to be sequences of numbers: {error}") from error
    if x.ndim != 1 or x.shape != y.shape:
        raise ValueError(f"{where}: expected as many x as y, got shapes {x.shape} and {y.shape}")
    if x.size == 0:
        raise ValueError(f"{where}: expected at least one point, got none")
    points = np.stack([x, y])
    finite = np.isfinite(points).all(axis=0)
    if not finite.all():
        index = int(finite.argmin())
        raise ValueError(f"{where}: expected finite numbers, got ({x[index]}, {y[index]}) at point {index}")
    return points


def _fit(strokes: list[_Points]) -> list[_Points]:
    """Move a drawing to the origin and scale it so that its larger side spans 0..255."""
    low = np.min([stroke.min(axis=1) for stroke in strokes], axis=0)[:, None]
    high = np.max([stroke.max(axis=1) for stroke in strokes], axis=0)[:, None]
    with np.errstate(over="ignore"):
        extent = float((high - low).max())
        if not np.isfinite(extent * _LARGEST):
            raise ValueError(f"expected coordinates that can be scaled, got an extent of {extent}")
    return [(stroke - low) * _LARGEST / (extent or 1.0) for stroke in strokes]


def _resample(points: _Points) -> _Points:
    """Return the points at 0, 1, 2, ... pixels along a stroke, and its last point."""
    step = np.diff(points)
    reached = np.concatenate([[0.0], np.cumsum(np.sqrt(step[0] * step[0] + step[1] * step[1]))])
    at = np.arange(0.0, reached[-1])
    segment = np.searchsorted(reached, at, side="right") - 1  # never one of length 0
    share = (at - reached[segment]) / (reached[segment + 1] - reached[segment])
    inner = points[:, segment] * (1.0 - share) + points[:, segment + 1] * share
    return np.concatenate([inner, points[:, -1:]], axis=1)


def _corners(points: _Points) -> _Points:
    """Thin out a stroke by Ramer-Douglas-Peucker, of equally far points keeping the first.

    The published drawings measure the distance to the infinite line through the two end points.
    `skimage.measure.approximate_polygon` measures it to the segment between them, which differs wherever a
    stroke turns back past its ends: one stroke in four then comes out otherwise.
    """
    last = points.shape[1] - 1
    kept = [0, last]  # twice the same if there is one point: the official drawings repeat a dot
    spans = [(0, last)]
    while spans:
        start, end = spans.pop()
        if end - start < 2:
            continue
        x, y = points[:, start + 1 : end] - points[:, start, None]
        dx, dy = points[:, end] - points[:, start]
        length = np.sqrt(dx * dx + dy * dy)
        # A stroke that ends where it began has no line: the distance is that to the point.
        distance = np.abs(dx * y - dy * x) / length if length > 0.0 else np.sqrt(x * x + y * y)
        farthest = int(distance.argmax())
        if distance[farthest] > _TOLERANCE:
            middle = start + 1 + farthest
            kept.append(middle)
            spans += [(start, middle), (middle, end)]
    return points[:, sorted(kept)]


def simplify(strokes: Iterable[Iterable[npt.ArrayLike]]) -> list[npt.NDArray[np.uint8]]:
    """Bring a raw drawing to the form of the official simplified Quick, Draw! data.

    Parameters
    ----------
    strokes : iterable of (x, y) or (x, y, t)
        The ``drawing`` of a line of a raw ndjson file. x and y are equally long sequences of n >= 1 finite
        numbers, in any unit, y downward. Times are ignored.

    Returns
    -------
    list of ndarray
        One uint8 array of shape (2, m), m >= 2, per stroke and in the same order: row 0 is x, row 1 is y, in
        pixels from 0 to 255. A dot is two equal points; a drawing that is nothing but one dot is all zero.

    Raises
    ------
    ValueError
        If there are no strokes, or one has no points, unequally many x and y, or numbers that are not
        finite; or if the drawing is too large to be scaled in float64.

    Notes
    -----
    Aligned to minimum values of 0, scaled to a maximum value of 255, resampled with 1 pixel spacing and
    simplified by Ramer-Douglas-Peucker with an epsilon of 2 pixels, as published in [1]_.

    References
    ----------
    .. [1] https://github.com/googlecreativelab/quickdraw-dataset#preprocessed-dataset
    """
    drawing = [_points(stroke, f"stroke {index}") for index, stroke in enumerate(strokes)]
    if not drawing:
        raise ValueError("expected at least one stroke, got none")
    return [np.rint(_corners(_resample(stroke))).astype(np.uint8) for stroke in _fit(drawing)]
