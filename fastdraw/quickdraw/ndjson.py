"""Convert ``.ndjson`` files, with one JSON object per line, to ``.bin`` files and back."""

from __future__ import annotations

import datetime
import json
import os
import reprlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from fastdraw.errors import FastdrawError, NdjsonFormatError
from fastdraw.quickdraw.binary import METADATA, encode
from fastdraw.quickdraw.simplify import simplify
from fastdraw.storage import replacing

_FIELDS = ("word", "countrycode", "timestamp", "recognized", "key_id", "drawing")
_UTC = datetime.UTC


def ndjson_to_bin(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> tuple[int, str | None]:
    """Convert ndjson to the binary format. Raw drawings are simplified as in the official dataset.

    The binary format has no fractions of seconds, and no category but the name of the file.

    Parameters
    ----------
    source : path
        The ``.ndjson`` file to read.
    target : path
        The ``.bin`` file to write; it appears once it is complete.

    Returns
    -------
    count : int
        Number of drawings.
    word : str or None
        Their category; None if there are no drawings.

    Raises
    ------
    NdjsonFormatError
        If a line is not a drawing, or has another category than the first.

    Examples
    --------
    >>> fastdraw.bin_to_ndjson("quickdraw/face.bin", "face.ndjson")
    200
    >>> fastdraw.ndjson_to_bin("face.ndjson", "face.bin")
    (200, 'face')
    """
    count, word = 0, None
    with replacing(Path(target)) as file:
        for word, record in _records(Path(source)):  # noqa: B007
            file.write(record)
            count += 1
    return count, word


def bin_to_ndjson(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> int:
    """Convert binary drawings to simplified ndjson. The category is the name of the source file.

    Parameters
    ----------
    source : path
        The ``.bin`` file to read.
    target : path
        The ``.ndjson`` file to write; it appears once it is complete.

    Returns
    -------
    int
        Number of drawings.

    Raises
    ------
    BinFormatError
        If the source is damaged.

    Examples
    --------
    >>> import json
    >>> fastdraw.bin_to_ndjson("quickdraw/face.bin", "face.ndjson")
    200
    >>> with open("face.ndjson") as lines:
    ...     list(json.loads(next(lines)))
    ['word', 'countrycode', 'timestamp', 'recognized', 'key_id', 'drawing']
    """
    from fastdraw.quickdraw.drawings import open_drawings  # needs numba, which reading ndjson does not

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
    """Convert a file; the suffixes of the names tell the formats.

    Parameters
    ----------
    source : path
        An ``.ndjson`` or ``.bin`` file.
    target : path
        A file of the other format, or a folder for a file with the name of the source.

    Returns
    -------
    pathlib.Path
        The file written.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastdraw.quickdraw.ndjson import convert_file
    >>> convert_file(Path("quickdraw/face.bin"), Path(".")).name
    'face.ndjson'
    """
    kinds = {".ndjson": ".bin", ".bin": ".ndjson"}
    if source.suffix not in kinds:
        raise FastdrawError(f"{source}: expected an .ndjson or .bin file, received a name ending in {source.suffix!r}")
    if target.is_dir():
        target = target / f"{source.stem}{kinds[source.suffix]}"
    if target.suffix != kinds[source.suffix]:
        raise FastdrawError(
            f"{target}: expected the name of a {kinds[source.suffix]} file, or an existing folder, "
            f"received a name ending in {target.suffix!r}"
        )
    if source.suffix == ".bin":
        bin_to_ndjson(source, target)
    else:
        _, word = ndjson_to_bin(source, target)
        if word is not None and word != target.stem:
            warnings.warn(
                f"{target}: these are drawings of {word!r}, but the name of the file makes them {target.stem!r}",
                stacklevel=2,
            )
    return target


def _records(path: Path) -> Iterator[tuple[str, bytes]]:
    """Category and binary record of each line."""
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
                            f"expected the word of the first line, {first_word!r}, received {item['word']!r}: "
                            "a .bin file holds one category"
                        )
                    yield first_word, record
            except (ValueError, RecursionError) as error:  # errors of json and of decoding are ValueErrors
                raise NdjsonFormatError(path, offset, f"line {number}: {error}") from None
            offset += len(line)


def _record(item: Any) -> bytes:
    if not isinstance(item, dict) or (missing := [field for field in _FIELDS if field not in item]):
        what = f"one without {', '.join(missing)}" if isinstance(item, dict) else reprlib.repr(item)
        raise ValueError(f"expected a JSON object with {', '.join(_FIELDS)}, received {what}")
    if not isinstance(item["word"], str):
        raise ValueError(f"expected word to be a string, received {item['word']!r}")
    if not isinstance(item["recognized"], bool):
        raise ValueError(f"expected recognized to be true or false, received {item['recognized']!r}")
    country = str(item["countrycode"]).encode("latin-1")
    if len(country) > 2:
        raise ValueError(f"expected countrycode to be two letters, received {item['countrycode']!r}")
    try:
        key_id = int(item["key_id"])
    except (TypeError, ValueError, OverflowError):
        key_id = -1
    if not 0 <= key_id < 2**64:
        raise ValueError(f"expected key_id to be an integer from 0 to 2**64 - 1, received {item['key_id']!r}")
    strokes = item["drawing"]
    if not isinstance(strokes, list) or not all(isinstance(stroke, list) for stroke in strokes):
        raise ValueError(
            f"expected drawing to be a list of strokes, each [[x, ...], [y, ...]], received {reprlib.repr(strokes)}"
        )
    if any(len(stroke) == 3 for stroke in strokes):  # raw: times besides x and y
        strokes = simplify(strokes)
    row = np.array((key_id, country, item["recognized"], _seconds(item["timestamp"])), METADATA)
    return encode(strokes, row[()])


def _seconds(text: Any) -> int:
    """Seconds since 1970, rounded down, of a timestamp like ``2017-03-26 23:57:14.63954 UTC``."""
    try:
        time = datetime.datetime.fromisoformat(str(text).removesuffix(" UTC"))
    except ValueError:
        raise ValueError(f"expected timestamp to be like '2017-03-26 23:57:14.63954 UTC', received {text!r}") from None
    seconds = int(time.replace(tzinfo=time.tzinfo or _UTC).timestamp())
    if not 0 <= seconds < 2**32:
        raise ValueError(f"expected timestamp to be from 1970 to 2106, received {text!r}")
    return seconds
