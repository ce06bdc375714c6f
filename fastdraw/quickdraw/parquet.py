"""Parquet files with a column ``drawing``, and metadata in columns that are named as the fields of ndjson."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fastdraw.errors import FormatError, naming_the_extra
from fastdraw.quickdraw.binary import Item
from fastdraw.quickdraw.fields import encode_fields, word_of
from fastdraw.quickdraw.streams import seekable
from fastdraw.storage import parse_json

_COLUMNS = ("drawing", "word", "key_id", "countrycode", "timestamp", "recognized")
_ROWS = 4096  # in memory at a time


def _words(metadata: Any) -> dict[int, str]:
    """The names of words that are labels, as Hugging Face's ``datasets`` writes them beside the columns."""
    try:
        return dict(enumerate(parse_json(metadata[b"huggingface"])["info"]["features"]["word"]["names"]))
    except (TypeError, KeyError, ValueError):
        return {}


def read_parquet(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | FormatError]:
    """The drawings of a file, row by row.

    Yields
    ------
    Item, or FormatError for a row that is no drawing

    Raises
    ------
    MissingPackageError
        Without the package pyarrow.
    """
    with naming_the_extra():
        import pyarrow as pa
        import pyarrow.parquet

    row = 0
    try:
        with seekable(stream) as content, pyarrow.parquet.ParquetFile(content) as file:
            names = [name for name in _COLUMNS if name in file.schema_arrow.names]
            if "drawing" not in names:
                raise ValueError(f"expected a column drawing, received {', '.join(file.schema_arrow.names)}")
            words = _words(file.schema_arrow.metadata)
            for batch in file.iter_batches(_ROWS, columns=names):
                table = pa.Table.from_batches([batch])
                for name in names:  # times as text, which names their zone
                    at = table.schema.get_field_index(name)
                    if pa.types.is_timestamp(table.schema.field(at).type):
                        text = table[name].cast(pa.timestamp("us", tz="UTC"), safe=False).cast(pa.string())
                        table = table.set_column(at, name, text)
                for fields in table.to_pylist():
                    row += 1
                    known = {name: value for name, value in fields.items() if value is not None or name == "drawing"}
                    if isinstance(label := known.get("word"), int):
                        known["word"] = words.get(label, label)
                    try:
                        yield Item(word_of(known), encode_fields(known), 0, f"row {row}")
                    except ValueError as error:
                        yield FormatError(path, None, f"row {row}: {error}")
    except (ValueError, pa.ArrowException, OSError) as error:  # ArrowInvalid is a ValueError
        yield FormatError(path, None, f"expected sound Parquet after row {row}: {str(error).splitlines()[0]}")
