"""Convert ``.ndjson`` files, with one JSON object per line, to ``.bin`` files and back."""

from __future__ import annotations

import codecs
import io
import json
import os
import re
import reprlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal

import numpy as np
import numpy.typing as npt
import orjson

from fastdraw.errors import NdjsonFormatError
from fastdraw.quickdraw.binary import LIMIT, Item
from fastdraw.quickdraw.fields import encode_fields, word_of
from fastdraw.quickdraw.identify import encoding
from fastdraw.quickdraw.streams import LONGEST_LINE, line_blocks, open_stream
from fastdraw.storage import replacing

if TYPE_CHECKING:
    from fastdraw.quickdraw.drawings import Drawings

_BLOCK = 1024  # drawings that are written at a time
_PIECE = 1 << 20  # bytes
_NEXT = re.compile(r'[]}]\s*(?=,\s*(?:\{\s*"|\[\s*\[\s*\[))')  # the end of a drawing in an array, before another
_BETWEEN = 256  # characters of that, at most
_LONGEST_TOKEN = 400  # characters of a number; json gives the position where a token begins that is cut
_SPACE = re.compile(r"\s*")
_RAW = re.compile(rb'"drawing": *\[\[\[[^][]*\], *\[[^][]*\], *\[')
_POINT = len("0,0,0,")  # bytes of a raw point, at least
_CUT = "expected a bracket at the end: the file is truncated"
_TOO_DEEP = "expected strokes of points, received lists nested too deeply"


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
    with open_stream(Path(source)) as (head, stream), replacing(Path(target)) as file:
        for item in read_lines(Path(source), head, stream):
            if isinstance(item, NdjsonFormatError):
                raise item
            if count and item.word != word:
                raise NdjsonFormatError(
                    source,
                    item.offset,
                    f"{item.place}: expected the word of the first line, {word!r}, received {item.word!r}: a .bin file "
                    "holds one category; fastdraw.open_drawings separates them",
                )
            word = item.word
            file.write(item.records)
            count += item.drawings
    return count, word


def bin_to_ndjson(
    source: str | os.PathLike[str], target: str | os.PathLike[str], *, errors: Literal["raise", "salvage"] = "raise"
) -> int:
    """Convert binary drawings to simplified ndjson. The category is the name of the source file.

    Parameters
    ----------
    source : path
        The ``.bin`` file to read.
    target : path
        The ``.ndjson`` file to write; it appears once it is complete.
    errors : {"raise", "salvage"}
        As for `open_drawings`.

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
    from fastdraw.quickdraw.opening import open_drawings  # which imports this module

    drawings = open_drawings(source, errors=errors)
    with replacing(Path(target)) as file:
        write_ndjson(drawings, file)
    return len(drawings)


def write_ndjson(drawings: Drawings, file: BinaryIO) -> None:
    """Write drawings as the lines of the simplified files, one category after the other."""
    from fastdraw.kernels.write import FIXED, WIDEN, write_lines
    from fastdraw.quickdraw.selection import places_by_category

    escapes, lengths = _escapes()
    for category, places in places_by_category(drawings.labels, drawings.categories).items():
        word = json.dumps(category, ensure_ascii=False).encode(errors="backslashreplace")  # may be no UTF-8
        prefix = np.frombuffer(b'{"word":' + word + b',"countrycode":"', np.uint8)
        some = drawings[places]
        for start in range(0, len(some), _BLOCK):
            records, starts = some[start : start + _BLOCK].records(copy=False)
            text = np.empty(WIDEN * len(records) + (len(starts) - 1) * (len(prefix) + FIXED), np.uint8)
            size = write_lines(records, starts, prefix, escapes, lengths, text)
            file.write(text[:size].tobytes())


def _escapes() -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Each byte, a Latin-1 character, as it stands in a JSON string: (256, 6) uint8; and how long that is."""
    texts = [json.dumps(chr(byte), ensure_ascii=False)[1:-1].encode() for byte in range(256)]
    padded = b"".join(text.ljust(6, b"\0") for text in texts)
    return np.frombuffer(padded, np.uint8).reshape(256, 6), np.array([len(text) for text in texts])


def read_lines(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | NdjsonFormatError]:
    """The drawings of a file with one on each line: an object with the field ``drawing``, or its strokes alone.

    Yields
    ------
    Item, or NdjsonFormatError for a line that is no drawing
    """
    from fastdraw.kernels.parse import parse_lines  # needs numba, which arrays do not

    offset = number = 0
    word = np.empty(2, np.int64)
    try:
        for block in line_blocks(head, stream):
            text = np.frombuffer(b"".join((*block, b"\n")), np.uint8)
            records = np.empty(len(text), np.uint8)
            at = done = 0
            while done < len(block):
                count, end, size = parse_lines(text, at, len(block) - done, records, word)
                if not count and _RAW.search(block[done]):
                    raw = np.empty((3, len(text) // _POINT)), np.empty(LIMIT, np.int64)
                    count, end, size = parse_lines(text, at, len(block) - done, records, word, raw)
                place = f"line {number + done + 1}"
                if count:
                    name = text[word[0] : word[1]].tobytes().decode() or None
                    yield Item(name, records[:size].tobytes(), offset + at, place, count)
                else:
                    line = block[done]
                    count, end = 1, at + len(line)
                    if stripped := line.strip():
                        yield _read(path, stripped, offset + at, place)
                at, done = end, done + count
            offset, number = offset + at, number + done
    except ValueError as error:  # of a line that has no end, or of UTF-16
        yield NdjsonFormatError(path, offset, f"line {number + 1}: {error}")


def _read(path: Path, line: bytes, offset: int, place: str) -> Item | NdjsonFormatError:
    try:
        return _parse(line, offset, place)
    except RecursionError:
        return NdjsonFormatError(path, offset, f"{place}: {_TOO_DEEP}")
    except ValueError as error:  # errors of json and of decoding are ValueErrors
        return NdjsonFormatError(path, offset, f"{place}: {error}")


def read_array(path: Path, head: bytes, stream: io.BufferedReader) -> Iterator[Item | NdjsonFormatError]:
    """The drawings of a file with one JSON array of them; as `read_lines`."""
    decoder = codecs.getincrementaldecoder(encoding(head))()
    text, at, number = "", 0, 0
    ended = False

    def more() -> bool:
        """Read a piece, and forget what was parsed."""
        nonlocal text, at, ended
        piece = stream.read1(_PIECE)
        ended = not piece
        text, at = text[at:] + decoder.decode(piece, final=ended), 0
        if len(text) > LONGEST_LINE:
            raise ValueError(f"expected drawings of at most {LONGEST_LINE:,} characters")
        return not ended

    def go_on() -> bool:
        """Move behind a drawing that is not sound, where the next one seems to begin."""
        nonlocal at
        while (found := _NEXT.search(text, at + 1)) is None:
            at = max(at, len(text) - _BETWEEN)
            if not more():
                return False
        at = found.end()
        return True

    try:
        while not (text := text.lstrip()) and more():
            pass
        at = 1  # behind the bracket
        while True:
            at = _SPACE.match(text, at).end()  # type: ignore[union-attr]
            if at == len(text):
                if not more():
                    raise ValueError(_CUT)
                continue
            if text[at] == "]":
                if text[at + 1 :].strip() or (more() and text.strip("] \r\n\t")):
                    raise ValueError("expected the end of the file after the array, received more")
                return
            try:
                if number and text[at] != ",":
                    raise ValueError(f"expected a comma after drawing {number}, received {text[at : at + 20]!r}")
                start = _SPACE.match(text, at + (number > 0)).end()  # type: ignore[union-attr]
                item, end = _DECODER.raw_decode(text, start)
            except (ValueError, RecursionError) as error:
                fault = _TOO_DEEP if isinstance(error, RecursionError) else str(error)
                if isinstance(error, json.JSONDecodeError):
                    rest, is_open = text[error.pos :].strip(), error.msg.startswith("Unterminated")
                    if (is_open or len(rest) < _LONGEST_TOKEN) and more():
                        continue
                    fault = _CUT if is_open or not rest else f"{error.msg}, received {rest[:20]!r}"
                number += 1
                yield NdjsonFormatError(path, None, f"drawing {number}: {fault}")
                if not go_on():
                    return
                continue
            number += 1
            at = end
            try:
                yield _item(item, False, 0, f"drawing {number}")
            except ValueError as error:
                yield NdjsonFormatError(path, None, f"drawing {number}: {error}")
            except RecursionError:
                yield NdjsonFormatError(path, None, f"drawing {number}: {_TOO_DEEP}")
    except ValueError as error:  # of the array itself
        yield NdjsonFormatError(path, None, f"drawing {number + 1}: {error}")


def _parse(line: bytes, offset: int, place: str) -> Item:
    try:
        item = orjson.loads(line)
    except orjson.JSONDecodeError:  # json has better words, and reads names that are no Unicode
        return _item(_DECODER.decode(line.decode()), False, offset, place)
    # orjson takes the last of fields that stand twice, and JSON's booleans are numbers to Python: look again.
    colons, words = line.count(b'":'), line.count(b"true") + line.count(b"false")
    if type(item) is list:
        regular = words == 0
    elif type(item) is dict:
        regular = colons == len(item) and words == (type(item.get("recognized")) is bool)
    else:
        regular = False
    if not regular:
        item = _DECODER.decode(line.decode())
    return _item(item, regular, offset, place)


def _item(item: Any, regular: bool, offset: int, place: str) -> Item:
    if isinstance(item, list):
        item = {"drawing": item}
    if not isinstance(item, dict):
        raise ValueError(
            f"expected a JSON object with a field drawing, or a list of strokes, received {reprlib.repr(item)}"
        )
    return Item(word_of(item), encode_fields(item, regular), offset, place)


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    item = dict(pairs)
    if len(item) < len(pairs):
        raise ValueError(f"expected each field once, received {', '.join(name for name, _ in pairs)}")
    return item


def _constant(name: str) -> float:
    raise ValueError(f"expected finite numbers, received {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_constant)
