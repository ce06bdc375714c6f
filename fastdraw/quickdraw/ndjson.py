"""Convert ``.ndjson`` files, with one JSON object per line, to ``.bin`` files and back."""

from __future__ import annotations

import datetime
import itertools
import json
import math
import os
import re
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

    Strokes are ``[[x, ...], [y, ...]]``, or raw ``[[x, ...], [y, ...], [t, ...]]`` with times that do not decrease; all
    strokes of a drawing have the same form. Where each row of a drawing has two numbers, three rows might also be
    three points. They are read as x, y and t only if t starts at 0 and never decreases from stroke to stroke.

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
                "countrycode": str(row["country"]),
                "timestamp": seconds.strftime("%Y-%m-%d %H:%M:%S.%f UTC"),
                "recognized": bool(row["recognized"]),
                "key_id": str(row["key_id"]),
                "drawing": [stroke.tolist() for stroke in strokes],
            }
            line = json.dumps(item, separators=(",", ":"), ensure_ascii=False)
            file.write(line.encode(errors="backslashreplace") + b"\n")  # the name may be no UTF-8
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
    if source.is_dir():
        raise FastdrawError(f"{source}: expected a file, received a folder")
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
                    item = _DECODER.decode(line.decode("utf-8-sig" if number == 1 else "utf-8"))
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


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    item = dict(pairs)
    if len(item) < len(pairs):
        raise ValueError(f"expected each field once, received {', '.join(name for name, _ in pairs)}")
    return item


def _constant(name: str) -> float:
    raise ValueError(f"expected finite numbers, received {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)


def _record(item: Any) -> bytes:
    if not isinstance(item, dict) or (missing := [field for field in _FIELDS if field not in item]):
        what = f"one without {', '.join(missing)}" if isinstance(item, dict) else reprlib.repr(item)
        raise ValueError(f"expected a JSON object with {', '.join(_FIELDS)}, received {what}")
    if not isinstance(item["word"], str):
        raise ValueError(f"expected word to be a string, received {item['word']!r}")
    if not isinstance(item["recognized"], bool):
        raise ValueError(f"expected recognized to be true or false, received {item['recognized']!r}")
    country = item["countrycode"]
    if not (isinstance(country, str) and len(country) == 2 and country.isascii() and country.isalpha()):
        raise ValueError(f"expected countrycode to be two letters, received {country!r}")
    row = (_key(item["key_id"]), country.encode(), item["recognized"], _seconds(item["timestamp"]))
    return encode(_strokes(item["drawing"]), np.array(row, METADATA)[()])


def _key(value: Any) -> int:
    digits = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not re.fullmatch("0|[1-9][0-9]{0,19}", digits) or int(digits) >= 2**64:
        raise ValueError(
            f"expected key_id to be an integer from 0 to 2**64 - 1, or a string of its digits, received {value!r}"
        )
    return int(digits)


def _strokes(drawing: Any) -> list[Any]:
    """Strokes with integer coordinates; raw ones are simplified.

    All strokes of a drawing have two rows, x and y, or all have three: x, y and t, milliseconds since the first point.
    Times never decrease in a stroke. If all rows have two numbers, three rows may also be three points (x, y); these
    are read as x, y and t only if the times start at 0 and never decrease in the whole drawing.
    """
    if not isinstance(drawing, list) or not all(isinstance(stroke, list) for stroke in drawing):
        raise ValueError(
            f"expected drawing to be a list of strokes, each [[x, ...], [y, ...]], received {reprlib.repr(drawing)}"
        )
    counts = {len(stroke) for stroke in drawing}
    for number, stroke in enumerate(drawing):
        for row in stroke:
            if not isinstance(row, list) or not {int, float}.issuperset(map(type, row)):
                raise ValueError(f"stroke {number}: expected rows of numbers, received {reprlib.repr(row)}")
        if len(stroke) not in (2, 3):
            raise ValueError(
                f"stroke {number}: expected [[x, ...], [y, ...]] or [[x, ...], [y, ...], [t, ...]], "
                f"received {len(stroke)} rows"
            )
    if len(counts) > 1:
        raise ValueError("expected all strokes with times or none, received strokes of 2 and of 3 rows")
    if counts != {3}:
        return drawing
    for number, (x, y, times) in enumerate(drawing):
        if not len(x) == len(y) == len(times):
            raise ValueError(
                f"stroke {number}: expected as many x as y and times, received {len(x)}, {len(y)} and {len(times)}"
            )
        if not _is_sorted(times) or math.inf in times or -math.inf in times:
            raise ValueError(
                f"stroke {number}: expected three rows to be x, y and finite times that do not decrease, "
                f"received times {reprlib.repr(times)}"
            )
    if all(len(stroke[0]) == 2 for stroke in drawing):
        times = [time for stroke in drawing for time in stroke[2]]
        if times[0] != 0 or not _is_sorted(times):
            raise ValueError(
                "expected [[x, ...], [y, ...], [t, ...]] with t from 0 on in the first stroke and never decreasing, "
                f"received strokes that may be three points (x, y) each: {reprlib.repr(drawing)}"
            )
    return list(simplify(drawing))


def _is_sorted(numbers: list[float]) -> bool:
    return all(earlier <= later for earlier, later in itertools.pairwise(numbers))


def _seconds(text: Any) -> int:
    """Seconds since 1970, rounded down, of a timestamp like ``2017-03-26 23:57:14.63954 UTC``."""
    try:
        if not isinstance(text, str):
            raise ValueError
        time = datetime.datetime.fromisoformat(text.removesuffix(" UTC"))
        if text.endswith(" UTC") and time.tzinfo is not None:
            raise ValueError
    except ValueError:
        raise ValueError(f"expected timestamp to be like '2017-03-26 23:57:14.63954 UTC', received {text!r}") from None
    seconds = math.floor(time.replace(tzinfo=time.tzinfo or _UTC).timestamp())
    if not 0 <= seconds < 2**32:
        raise ValueError(f"expected timestamp to be from 1970 to 2106, received {text!r}")
    return seconds
