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
from fastdraw.quickdraw.streams import LONGEST_LINE, text_lines


def read_csv(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | FormatError]:
    """The drawings of a CSV file whose first row names its columns.

    The columns are those of ndjson, in any order; only ``drawing`` must be there.

    Yields
    ------
    Item, or FormatError for a row that is no drawing
    """
    csv.field_size_limit(LONGEST_LINE)
    number = 0
    columns: list[str] = []
    with text_lines(stream, encoding(head), "") as lines:
        rows = csv.reader(lines, strict=True, skipinitialspace=True)
        while True:
            number += 1
            try:
                row = next(rows, None)
                if row is None:
                    return
                if not columns:
                    columns = _names(row)
                elif row:
                    yield _item(path, columns, row, f"row {number}")
            except csv.Error as error:  # of one row
                yield FormatError(path, None, f"row {number}: {error}")
            except ValueError as error:  # of text, of a line without end, or of the names
                yield FormatError(path, None, f"row {number}: {error}")
                return


def _names(row: list[str]) -> list[str]:
    columns = [name.strip() for name in row]
    names = [name for name in columns if name]  # indices of tables may have none
    if len(set(names)) < len(names):
        raise ValueError(f"expected each column once, received {', '.join(names)}")
    return columns


def _item(path: Path, columns: list[str], row: list[str], place: str) -> Item | FormatError:
    try:
        if len(row) != len(columns):
            raise ValueError(f"expected {len(columns)} fields, {', '.join(columns)}; received {len(row)}")
        fields = dict(zip(columns, row, strict=True))
        if any("\udc80" <= letter <= "\udcff" for letter in fields.get("word", "")):
            raise ValueError(f"expected word to be UTF-8, received {fields['word']!r}")
        record = encode_fields(fields, "e" not in fields.get("drawing", ""))
        return Item(word_of(fields), record, 0, place)
    except ValueError as error:
        return FormatError(path, None, f"{place}: {error}")
