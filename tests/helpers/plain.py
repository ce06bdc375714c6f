"""What the kernels of conversion do, in plain Python and NumPy: references for tests and benchmarks."""

from __future__ import annotations

import datetime
import json
from typing import Any

import numpy as np

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
