"""CSV files with a column ``drawing`` of JSON, as those of Kaggle's Doodle Recognition Challenge."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

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
    text = io.TextIOWrapper(stream, encoding(head), newline="")
    rows = csv.reader(text, strict=True, skipinitialspace=True)
    number = 0
    try:
        columns = [name.strip() for name in next(rows)]
        names = [name for name in columns if name]  # indices of tables may have none
        if len(set(names)) < len(names):
            raise csv.Error(f"expected each column once, received {', '.join(names)}")
        number = 1
        for number, row in enumerate(rows, 2):
            if not row:
                continue
            try:
                if len(row) != len(columns):
                    raise ValueError(f"expected {len(columns)} fields, {', '.join(columns)}; received {len(row)}")
                fields = dict(zip(columns, row, strict=True))
                record = encode_fields(fields, "e" not in fields.get("drawing", ""))
                yield Item(word_of(fields), record, 0, f"row {number}")
            except ValueError as error:
                yield FormatError(path, None, f"row {number}: {error}")
    except (csv.Error, UnicodeDecodeError) as error:
        yield FormatError(path, None, f"row {number + 1}: {error}")
    finally:
        text.detach()  # or it would close the stream, which is its caller's
