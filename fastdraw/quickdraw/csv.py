"""CSV files with a column ``drawing`` of JSON, as those of Kaggle's Doodle Recognition Challenge."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

import orjson

from fastdraw.errors import FormatError
from fastdraw.quickdraw.binary import Item
from fastdraw.quickdraw.fields import encode_fields, word_of
from fastdraw.quickdraw.identify import encoding

_LARGEST = 1 << 26  # characters of a field


def read_csv(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | FormatError]:
    """The drawings of a CSV file whose first row names its columns.

    The columns are those of ndjson, in any order; only ``drawing`` must be there.

    Yields
    ------
    Item, or FormatError for a row that is no drawing
    """
    csv.field_size_limit(_LARGEST)
    rows = csv.reader(io.TextIOWrapper(stream, encoding(head), newline=""), strict=True)
    number = 1
    try:
        columns = next(rows)
        for number, row in enumerate(rows, 2):
            if not row:
                continue
            try:
                if len(row) != len(columns):
                    raise ValueError(f"expected {len(columns)} fields, {', '.join(columns)}; received {len(row)}")
                fields = dict(zip(columns, row, strict=True))
                drawing = orjson.loads(fields["drawing"])
                record = encode_fields(fields | {"drawing": drawing}, "e" not in fields["drawing"])
                yield Item(word_of(fields), record, 0, f"row {number}")
            except ValueError as error:
                yield FormatError(path, None, f"row {number}: {error}")
    except (csv.Error, UnicodeDecodeError) as error:
        yield FormatError(path, None, f"row {number + 1}: {error}")
