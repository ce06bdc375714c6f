"""From the fields of a drawing, as JSON and CSV files hold them, to a record.

Only strokes are needed. Metadata that is not there is unknown: no country, time 0, recognized, and a key_id that is a
hash of the strokes.
"""

from __future__ import annotations

import datetime
import hashlib
import itertools
import math
import operator
import os
import re
import reprlib
import struct
from collections.abc import Mapping
from typing import Any

import numpy as np
import orjson

from fastdraw.kernels.layout import LONGEST_WORD
from fastdraw.quickdraw.binary import LIMIT, encode_strokes
from fastdraw.quickdraw.simplify import simplify, simplify_points

_HEAD = struct.Struct("<Q2s?IH")
_COUNTRY = re.compile("[A-Za-z]{2}")
_BOOLS = {"true": True, "false": False, "1": True, "0": False}
_UNKNOWN_COUNTRY = b"\0\0"
_MILLENNIUM = 946_684_800  # seconds of 2000-01-01: smaller numbers may be dates, such as 20170326
_UTC = datetime.UTC


def encode_fields(fields: Mapping[str, Any], regular: bool = False) -> bytes:
    """The record of a drawing.

    Parameters
    ----------
    fields : mapping
        ``drawing``, which may be its JSON; and ``key_id``, ``countrycode``, ``recognized`` and ``timestamp`` where they
        are known. Others are ignored.
    regular : bool
        Whether ``drawing`` is known to hold no booleans.

    Raises
    ------
    ValueError
        If a field is not what its name says.
    """
    try:
        drawing = fields["drawing"]
    except KeyError:
        raise ValueError(f"expected a field drawing, received {', '.join(fields) or 'none'}") from None
    if isinstance(drawing, str):  # in CSV, and in what others made of it
        try:
            drawing = orjson.loads(drawing)
        except orjson.JSONDecodeError as error:
            raise ValueError(
                f"expected drawing to be a list of strokes, or its JSON ({error.msg}), received {reprlib.repr(drawing)}"
            ) from None
    strokes = _regular_strokes(drawing) if regular else None
    if strokes is None:
        drawing = _as_rows(drawing)
        strokes = encode_strokes(_strokes(drawing))
    key = _key(fields.get("key_id"))
    if key is None:
        key = int.from_bytes(hashlib.blake2b(strokes, digest_size=8).digest(), "little")
    return (
        _HEAD.pack(
            key,
            _country(fields.get("countrycode")),
            _recognized(fields.get("recognized")),
            _seconds(fields.get("timestamp")),
            len(drawing),
        )
        + strokes
    )


def word_of(fields: Mapping[str, Any]) -> str | None:
    """The category of a drawing; None if it is unknown.

    Raises
    ------
    ValueError
        If it is no text, or cannot be the name of a file.
    """
    word = fields.get("word")
    if word is None or word == "":
        return None
    if not isinstance(word, str):
        raise ValueError(f"expected word to be a string, received {word!r}")
    if "/" in word or "\0" in word or word.startswith("."):
        raise ValueError(f"expected word to be a name for a file, received {word!r}")
    try:
        length = len(os.fsencode(word))
    except UnicodeEncodeError:
        raise ValueError(f"expected word to be text, received {word!r}") from None
    if length > LONGEST_WORD:
        raise ValueError(f"expected word to be a name for a file, of up to {LONGEST_WORD} bytes, received {length}")
    return word


def _regular_strokes(drawing: Any) -> bytes | None:
    """Encode strokes of two rows of integers from 0 to 255; None for anything else."""
    parts: list[bytes] = []
    try:
        for x, y in drawing:
            count = len(x)
            if not (type(x) is type(y) is list and count == len(y) <= LIMIT):
                return None
            parts += (count.to_bytes(2, "little"), bytes(x), bytes(y))
    except (TypeError, ValueError):
        return None
    return b"".join(parts) if type(drawing) is list and 0 < len(parts) <= 3 * LIMIT else None


def _key(value: Any) -> int | None:
    if value is None or value == "":
        return None
    digits = str(value) if isinstance(value, (int, str)) and not isinstance(value, bool) else ""
    if not (digits.isascii() and digits.isdigit()) or (digits[0] == "0" and digits != "0") or int(digits) >= 2**64:
        raise ValueError(
            f"expected key_id to be an integer from 0 to 2**64 - 1, or a string of its digits, received {value!r}"
        )
    return int(digits)


def _country(value: Any) -> bytes:
    if value is None or value == "":
        return _UNKNOWN_COUNTRY
    if not (isinstance(value, str) and _COUNTRY.fullmatch(value)):
        raise ValueError(f"expected countrycode to be two letters, received {value!r}")
    return value.encode()


def _recognized(value: Any) -> bool:
    if value is None or value == "":
        return True
    if isinstance(value, bool):
        return value
    text = str(value).lower() if isinstance(value, (str, int)) else ""
    if text not in _BOOLS:
        raise ValueError(f"expected recognized to be true or false, received {value!r}")
    return _BOOLS[text]


def _seconds(value: Any) -> int:
    """Seconds since 1970, rounded down, of ``2017-03-26 23:57:14.63954 UTC`` and its like, or of a number of them."""
    if value is None or value == "":
        return 0
    try:
        if isinstance(value, str) and not re.fullmatch(r"\d+(\.\d*)?", value):
            time = datetime.datetime.fromisoformat(value.removesuffix(" UTC"))
            if value.endswith(" UTC") and time.tzinfo is not None:
                raise ValueError
            seconds = math.floor(time.replace(tzinfo=time.tzinfo or _UTC).timestamp())
        elif isinstance(value, (str, int, float)) and not isinstance(value, bool):
            seconds = math.floor(float(value))
            if 0 < seconds < _MILLENNIUM:
                raise ValueError
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise ValueError(
            f"expected timestamp to be like '2017-03-26 23:57:14.63954 UTC', or seconds since 1970, received {value!r}"
        ) from None
    if not 0 <= seconds < 2**32:
        raise ValueError(f"expected timestamp to be from 1970 to 2106, received {value!r}")
    return seconds


def _rows(stroke: Any) -> Any:
    """The rows of an object that names them; all else as it is."""
    if isinstance(stroke, dict) and {"x", "y"} <= stroke.keys() <= {"x", "y", "t"}:
        return [stroke[name] for name in ("x", "y", "t") if name in stroke]
    return stroke


def _as_rows(drawing: Any) -> Any:
    """A list of strokes of rows, also where rows have names: in one object, as Hugging Face stores them, or in each."""
    rows = _rows(drawing)
    if rows is not drawing and all(isinstance(row, list) and len(row) == len(rows[0]) for row in rows):
        return [list(stroke) for stroke in zip(*rows, strict=True)]
    return [_rows(stroke) for stroke in drawing] if isinstance(drawing, list) else drawing


def _strokes(drawing: Any) -> list[Any]:
    """Strokes with integer coordinates; raw ones are simplified.

    All strokes of a drawing have two rows, x and y, or all have three. A third row that is constant in each stroke is
    a label, and is dropped. Other third rows are times, in milliseconds, which never decrease in a stroke; the drawing
    is raw, unless its coordinates are those of a simplified one: integers from exactly 0 to exactly 255. If all rows
    have two numbers, three rows may also be three points (x, y); these are times only if they start at 0 and never
    decrease in the whole drawing.
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
        raise ValueError("expected all strokes with a third row or none, received strokes of 2 and of 3 rows")
    if counts != {3}:
        return drawing
    for number, (x, y, third) in enumerate(drawing):
        if not len(x) == len(y) == len(third):
            raise ValueError(
                f"stroke {number}: expected as many x as y and times, received {len(x)}, {len(y)} and {len(third)}"
            )
    lengths = [len(x) for x, *_ in drawing]
    try:
        x, y = (np.fromiter(itertools.chain.from_iterable(s[axis] for s in drawing), np.float64) for axis in (0, 1))
    except OverflowError:
        return simplify(drawing)  # which says where
    if 0 in lengths:
        return simplify(drawing)
    in_pixels = all(row.min() >= 0 and row.max() <= 255 and (row == np.floor(row)).all() for row in (x, y))
    if in_pixels and all(len(set(third)) == 1 for *_, third in drawing) and len(x) > len(drawing):
        return [stroke[:2] for stroke in drawing]
    _check_times([stroke[2] for stroke in drawing])
    if set(lengths) == {2}:
        times = [time for stroke in drawing for time in stroke[2]]
        if times[0] != 0 or not _is_sorted(times):
            raise ValueError(
                "expected [[x, ...], [y, ...], [t, ...]] with t from 0 on in the first stroke and never decreasing, "
                f"received strokes that may be three points (x, y) each: {reprlib.repr(drawing)}"
            )
    if in_pixels and x.min() == y.min() == 0 and max(x.max(), y.max()) == 255:
        return [stroke[:2] for stroke in drawing]
    return simplify_points(x, y, np.cumsum(lengths))


def _check_times(rows: list[list[float]]) -> None:
    for number, times in enumerate(rows):
        if not _is_sorted(times) or math.inf in times[-1:] or -math.inf in times[:1]:
            raise ValueError(
                f"stroke {number}: expected a third row to be a label, or finite times that do not decrease, "
                f"received {reprlib.repr(times)}"
            )


def _is_sorted(numbers: list[float]) -> bool:
    return all(map(operator.le, numbers, numbers[1:]))
