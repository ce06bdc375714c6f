"""An independent reader of the ``.bin`` format."""

from __future__ import annotations

import struct

import numpy as np

HEAD = struct.Struct("<Q2sBIH")  # key_id, country, recognized, timestamp, number of strokes


def sound_records(data: bytes) -> tuple[list[tuple], int]:
    """Records before the first damage, and where they end.

    A record is (key_id, country, recognized, timestamp, strokes, byte offset).
    """
    records, position = [], 0
    while position < len(data):
        try:
            key_id, country, recognized, timestamp, count = HEAD.unpack_from(data, position)
        except struct.error:
            break
        if recognized > 1 or not any(data[position : position + HEAD.size]):
            break
        at, strokes = position + HEAD.size, []
        for _ in range(count):
            if at + 2 > len(data):
                break
            (points,) = struct.unpack_from("<H", data, at)
            if at + 2 + 2 * points > len(data):
                break
            x, y = data[at + 2 : at + 2 + points], data[at + 2 + points : at + 2 + 2 * points]
            strokes.append((list(x), list(y)))
            at += 2 + 2 * points
        if len(strokes) < count:
            break
        records.append((key_id, country, recognized, timestamp, strokes, position))
        position = at
    return records, position


def parse(data: bytes) -> list[tuple]:
    """The records of a sound file, as `sound_records` gives them."""
    records, end = sound_records(data)
    assert end == len(data)
    return records


def as_lists(drawing: list[np.ndarray]) -> list[tuple]:
    """The strokes of a drawing in the form that `parse` gives them."""
    return [(stroke[0].tolist(), stroke[1].tolist()) for stroke in drawing]
