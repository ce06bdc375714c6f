"""Between ``.ndjson`` files, a JSON object a line, and ``.bin`` files."""

from __future__ import annotations

import datetime
import json
import os
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastdraw.errors import FastdrawError, NdjsonFormatError
from fastdraw.quickdraw.binary import METADATA, encode
from fastdraw.quickdraw.drawings import open_drawings
from fastdraw.quickdraw.simplify import simplify
from fastdraw.storage import replacing

_FIELDS = ("word", "countrycode", "timestamp", "recognized", "key_id", "drawing")
_UTC = datetime.UTC


def ndjson_to_bin(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> tuple[int, str | None]:
    """Convert simplified or raw drawings to the binary format; raw ones are simplified as the official ones were.

    The binary format holds whole seconds, and the category only as the name of the file.

    Parameters
    ----------
    source, target : path
        The ``.ndjson`` file to read and the ``.bin`` file to write, which appears only when it is whole.

    Returns
    -------
    count : int
        Number of drawings.
    word : str or None
        Their category, None when there are no drawings.

    Raises
    ------
    NdjsonFormatError
        If a line is not a drawing, or is of another category than the first.
    """
    count, word = 0, None
    with replacing(Path(target)) as file:
        for word, record in _records(Path(source)):  # noqa: B007
            file.write(record)
            count += 1
    return count, word


def bin_to_ndjson(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Convert binary drawings to simplified ``.ndjson``, the category being the name of the file.

    Parameters
    ----------
    source, target : path
        The ``.bin`` file to read and the ``.ndjson`` file to write, which appears only when it is whole.

    Returns
    -------
    int
        Number of drawings.

    Raises
    ------
    BinFormatError
        If the source is damaged.
    """
    drawings = open_drawings(source)
    with replacing(Path(target)) as file:
        for strokes, row in zip(drawings, drawings.metadata, strict=True):
            seconds = datetime.datetime.fromtimestamp(int(row["timestamp"]), _UTC)
            item = {
                "word": drawings.categories[0],
                "countrycode": row["country"].decode("latin-1"),
                "timestamp": seconds.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
                "recognized": bool(row["recognized"]),
                "key_id": str(row["key_id"]),
                "drawing": [stroke.tolist() for stroke in strokes],
            }
            file.write(json.dumps(item, separators=(",", ":"), ensure_ascii=False).encode() + b"\n")
    return len(drawings)


def convert_file(source: Path, target: Path) -> Path:
    """Convert by the names of the files.

    Parameters
    ----------
    source : path
        An ``.ndjson`` or a ``.bin`` file.
    target : path
        A file of the other kind, or a folder for one that is named after the category.

    Returns
    -------
    pathlib.Path
        The file written.
    """
    kinds = {".ndjson": ".bin", ".bin": ".ndjson"}
    if source.suffix not in kinds:
        raise FastdrawError(f"{source}: expected the name of an .ndjson or a .bin file")
    if target.is_dir():
        target = target / f"{source.stem}{kinds[source.suffix]}"
    if target.suffix != kinds[source.suffix]:
        raise FastdrawError(f"{target}: expected the name of a {kinds[source.suffix]} file, or a folder that exists")
    if source.suffix == ".bin":
        bin_to_ndjson(source, target)
    else:
        _, word = ndjson_to_bin(source, target)
        if word is not None and word != target.stem:
            warnings.warn(
                f"{target}: holds drawings of {word!r}, but a .bin file says so only by its name", stacklevel=2
            )
    return target


def _records(path: Path) -> Iterator[tuple[str, bytes]]:
    """The category and the binary record of each line."""
    offset = 0
    first_word = None
    with open(path, "rb") as file:
        for number, line in enumerate(file, 1):
            try:
                if line.strip():
                    item = json.loads(line)
                    record = _record(item)
                    first_word = item["word"] if first_word is None else first_word
                    if item["word"] != first_word:
                        raise ValueError(
                            f"expected word {first_word!r} as in the lines before, received {item['word']!r}: "
                            "a .bin file holds one category"
                        )
                    yield first_word, record
            except (ValueError, RecursionError) as error:  # json's and Unicode's errors are ValueErrors too
                raise NdjsonFormatError(path, offset, f"line {number}: {error}") from None
            offset += len(line)


def _record(item: Any) -> bytes:
    if not isinstance(item, dict) or (missing := [field for field in _FIELDS if field not in item]):
        what = f"one without {', '.join(missing)}" if isinstance(item, dict) else type(item).__name__
        raise ValueError(f"expected a JSON object with {', '.join(_FIELDS)}, received {what}")
    if not isinstance(item["word"], str) or not isinstance(item["recognized"], bool):
        raise ValueError("expected a string as word and true or false as recognized")
    country = str(item["countrycode"]).encode("latin-1")
    if len(country) > 2:
        raise ValueError(f"expected a country code of two letters, received {item['countrycode']!r}")
    try:
        key_id = int(item["key_id"])
    except (TypeError, ValueError, OverflowError):
        key_id = -1
    if not 0 <= key_id < 2**64:
        raise ValueError(f"expected a key_id from 0 to 2**64 - 1, received {item['key_id']!r}")
    strokes = item["drawing"]
    if not isinstance(strokes, list) or not all(isinstance(stroke, list) for stroke in strokes):
        raise ValueError("expected the drawing to be a list of strokes, each a list of x and a list of y")
    if any(len(stroke) == 3 for stroke in strokes):  # raw: a stroke has times beside x and y
        strokes = simplify(strokes)
    row = np.array((key_id, country, item["recognized"], _seconds(item["timestamp"])), METADATA)
    return encode(strokes, row[()])


def _seconds(text: Any) -> int:
    """Whole seconds since 1970 of a timestamp like ``2017-03-26 23:57:14.63954 UTC``."""
    try:
        time = datetime.datetime.fromisoformat(str(text).removesuffix(" UTC"))
    except ValueError:
        raise ValueError(f"expected a timestamp like '2017-03-26 23:57:14.63954 UTC', received {text!r}") from None
    seconds = int(time.replace(tzinfo=time.tzinfo or _UTC).timestamp())
    if not 0 <= seconds < 2**32:
        raise ValueError(f"expected a timestamp from 1970 to 2106, received {text!r}")
    return seconds
