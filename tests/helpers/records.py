"""An independent reader of the ``.bin`` format."""

from __future__ import annotations

import struct

import numpy as np

HEAD = "<Q2sBIH"  # key_id, country, recognized, timestamp, number of strokes


def parse(data: bytes) -> list[tuple]:
    """Records as (key_id, country, recognized, timestamp, strokes, byte offset)."""
    position, records = 0, []
    while position < len(data):
        start = position
        key_id, country, recognized, timestamp, count = struct.unpack_from(HEAD, data, position)
        position += struct.calcsize(HEAD)
        strokes = []
        for _ in range(count):
            (points,) = struct.unpack_from("<H", data, position)
            position += 2
            x, y = data[position : position + points], data[position + points : position + 2 * points]
            strokes.append((list(x), list(y)))
            position += 2 * points
        records.append((key_id, country, recognized, timestamp, strokes, start))
    return records


def as_lists(drawing: list[np.ndarray]) -> list[tuple]:
    """The strokes of a drawing in the form that `parse` gives them."""
    return [(stroke[0].tolist(), stroke[1].tolist()) for stroke in drawing]
