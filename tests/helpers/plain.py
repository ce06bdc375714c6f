"""What the kernels of conversion do, in plain Python and NumPy: references for tests and benchmarks."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable
from typing import Any

import numpy as np
import orjson
from records import HEAD

import fastdraw


def ndjson_line(word: str, strokes: list[np.ndarray], row: Any) -> bytes:
    """A drawing as a line of simplified ndjson, with a row of ``drawings.metadata``."""
    time = datetime.datetime.fromtimestamp(int(row["timestamp"]), datetime.UTC)
    item = {
        "word": word,
        "countrycode": str(row["country"]),
        "timestamp": time.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
        "recognized": bool(row["recognized"]),
        "key_id": str(row["key_id"]),
        "drawing": [stroke.tolist() for stroke in strokes],
    }
    line = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
    return line.encode(errors="backslashreplace") + b"\n"


def ndjson(drawings: fastdraw.Drawings) -> bytes:
    """Drawings of one category as lines."""
    (word,) = drawings.categories
    return b"".join(ndjson_line(word, *pair) for pair in zip(drawings, drawings.metadata, strict=True))


def read_ndjson(lines: Iterable[bytes]) -> bytes:
    """Lines of simplified ndjson as records."""
    parts = []
    for line in lines:
        item = orjson.loads(line)
        time = datetime.datetime.strptime(item["timestamp"], "%Y-%m-%d %H:%M:%S.%f UTC").replace(tzinfo=datetime.UTC)
        strokes = item["drawing"]
        key, country = int(item["key_id"]), item["countrycode"].encode()
        parts.append(HEAD.pack(key, country, item["recognized"], int(time.timestamp()), len(strokes)))
        for x, y in strokes:
            parts += [len(x).to_bytes(2, "little"), bytes(x), bytes(y)]
    return b"".join(parts)


def simplify(strokes: list[Any]) -> list[np.ndarray]:
    """As `fastdraw.simplify`, for strokes that are known to be right."""
    drawing = [np.array([x, y], np.float64) for x, y, *_ in strokes]
    return [np.rint(_corners(_resample(stroke))).astype(np.uint8) for stroke in _fit(drawing)]


def _fit(strokes: list[np.ndarray]) -> list[np.ndarray]:
    """Move a drawing to the origin and scale its larger side to 0..255."""
    low = np.min([stroke.min(axis=1) for stroke in strokes], axis=0)[:, None]
    high = np.max([stroke.max(axis=1) for stroke in strokes], axis=0)[:, None]
    extent = float((high - low).max())
    return [(stroke - low) * 255.0 / (extent or 1.0) for stroke in strokes]


def _resample(points: np.ndarray) -> np.ndarray:
    """The points at 0, 1, 2, ... pixels along a stroke, and its last point."""
    step = np.diff(points)
    reached = np.concatenate([[0.0], np.cumsum(np.sqrt(step[0] * step[0] + step[1] * step[1]))])
    at = np.arange(0.0, reached[-1])
    segment = np.searchsorted(reached, at, side="right") - 1  # never a segment of length 0
    share = (at - reached[segment]) / (reached[segment + 1] - reached[segment])
    inner = points[:, segment] * (1.0 - share) + points[:, segment + 1] * share
    return np.concatenate([inner, points[:, -1:]], axis=1)


def _corners(points: np.ndarray) -> np.ndarray:
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
        if distance[farthest] > 2.0:
            middle = start + 1 + farthest
            kept.append(middle)
            spans += [(start, middle), (middle, end)]
    return points[:, sorted(kept)]
