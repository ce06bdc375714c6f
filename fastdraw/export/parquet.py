"""Drawings as Parquet: strokes and metadata in columns, as the fields of ndjson are named."""

from __future__ import annotations

from typing import BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet

from fastdraw.kernels.columns import count_parts, split_parts
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.rasters.metadata import as_utf8

_ROWS = 1 << 16  # in a row group

SCHEMA = pa.schema(
    [
        ("key_id", pa.uint64()),
        ("word", pa.dictionary(pa.int32(), pa.string())),
        ("countrycode", pa.string()),
        ("timestamp", pa.timestamp("s", tz="UTC")),
        ("recognized", pa.bool_()),
        ("drawing", pa.list_(pa.list_(pa.list_(pa.uint8())))),  # strokes of x and y, as in ndjson
    ]
)


def write(drawings: Drawings, file: BinaryIO) -> None:
    """Write all drawings, 65,536 in a row group."""
    words = pa.array([as_utf8(category) for category in drawings.categories], pa.string())
    with pyarrow.parquet.ParquetWriter(file, SCHEMA, compression="zstd") as writer:
        for start in range(0, len(drawings), _ROWS):
            block = drawings[start : start + _ROWS]
            metadata = block.metadata
            columns = {
                "key_id": pa.array(metadata["key_id"]),
                "word": pa.DictionaryArray.from_arrays(pa.array(block.labels.astype(np.int32)), words),
                "countrycode": pa.array(metadata["country"].tolist(), pa.string()),
                "timestamp": pa.array(metadata["timestamp"].astype(np.int64)).cast(pa.timestamp("s", tz="UTC")),
                "recognized": pa.array(metadata["recognized"]),
                "drawing": _strokes(block),
            }
            writer.write_table(pa.table(columns, SCHEMA))


def _strokes(drawings: Drawings) -> pa.Array:
    records, starts = drawings.records(copy=False)
    strokes, coordinates = count_parts(records, starts)
    of_drawings = np.empty(len(starts), np.int32)
    of_strokes = np.empty(strokes + 1, np.int32)
    of_rows = np.empty(2 * strokes + 1, np.int32)
    values = np.empty(coordinates, np.uint8)
    split_parts(records, starts, of_drawings, of_strokes, of_rows, values)
    rows = pa.ListArray.from_arrays(pa.array(of_rows), pa.array(values))
    return pa.ListArray.from_arrays(pa.array(of_drawings), pa.ListArray.from_arrays(pa.array(of_strokes), rows))
