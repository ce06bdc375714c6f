"""The records of a ``.bin`` file: little-endian and packed; no magic number, no count, no checksum.

========  ==========================================
bytes     field
========  ==========================================
8         key_id
2         country, two ASCII letters
1         recognized, 0 or 1
4         timestamp, seconds since 1970 in UTC
2         number of strokes
========  ==========================================

A head of zero bytes is damage: files that are preallocated, sparse or half downloaded consist of them.

Then, for each stroke, the number of its points (2 bytes), all x and all y (1 byte each).
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdraw.storage import replacing

METADATA = np.dtype([("key_id", "<u8"), ("country", "S2"), ("recognized", "?"), ("timestamp", "<u4")])
LIMIT = 65_535  # strokes of a drawing and points of a stroke: both counts have 16 bits
FLAG = METADATA["key_id"].itemsize + METADATA["country"].itemsize  # offset of the recognized flag in a record
WITH_TEXT = np.dtype([(name, "U2" if name == "country" else METADATA[name]) for name in METADATA.names or ()])

Stroke = npt.NDArray[np.uint8]


class Item(NamedTuple):
    """A drawing that was read from a file of any format, or several of one category in a row."""

    word: str | None  # their category; None if the file does not say it
    records: bytes
    offset: int  # of the first one's line in the decompressed file, bytes
    place: str  # where that is, such as "line 1"
    drawings: int = 1


def decode(record: npt.NDArray[np.uint8]) -> list[Stroke]:
    """Strokes of one complete, checked record, each a (2, n) uint8 view: x above y."""
    strokes = []
    position = METADATA.itemsize + 2
    while position < len(record):
        start = position + 2
        position = start + 2 * int(record[start - 2 : start].view("<u2")[0])
        strokes.append(record[start:position].reshape(2, -1))
    return strokes


def encode(strokes: Sequence[npt.ArrayLike], metadata: Any) -> bytes:
    """Encode a drawing as one record.

    Parameters
    ----------
    strokes : sequence of (2, n) array_like
        Integers from 0 to 255, x above y.
    metadata : METADATA scalar

    Raises
    ------
    ValueError
        If the drawing does not fit the format.
    """
    body = encode_strokes(strokes)
    record: bytes = metadata.tobytes() + len(strokes).to_bytes(2, "little") + body
    if not strokes and not any(record):
        raise ValueError(
            "expected metadata or strokes, received neither: the record would be zero bytes, which are damage"
        )
    return record


def encode_strokes(strokes: Sequence[npt.ArrayLike]) -> bytes:
    """The part of a record that follows the number of strokes; raises as `encode`."""
    if len(strokes) > LIMIT:
        raise ValueError(f"expected at most {LIMIT} strokes in a drawing, received {len(strokes)}")
    parts = []
    for number, stroke in enumerate(strokes):
        points = _as_points(stroke, number)
        parts += [points.shape[1].to_bytes(2, "little"), points.tobytes()]
    return b"".join(parts)


def _as_points(stroke: npt.ArrayLike, number: int) -> Stroke:
    try:
        points = np.asarray(stroke)
    except ValueError:
        raise ValueError(f"stroke {number}: expected as many x as y, received rows of unequal length") from None
    if points.ndim != 2 or points.shape[0] != 2:
        raise ValueError(f"stroke {number}: expected shape (2, n), x above y, received {points.shape}")
    if points.shape[1] > LIMIT:
        raise ValueError(f"stroke {number}: expected at most {LIMIT} points, received {points.shape[1]}")
    if points.size == 0:
        return np.empty((2, 0), np.uint8)
    if points.dtype == np.uint8:
        return points
    if points.dtype.kind not in "iuf":
        raise ValueError(f"stroke {number}: expected integers from 0 to 255, received {points.dtype} values")
    wrong = points[(points != np.floor(points)) | (points < 0) | (points > 255)]
    if wrong.size:
        raise ValueError(f"stroke {number}: expected integers from 0 to 255, received {wrong[0]}")
    return points.astype(np.uint8)


class Rows(np.ndarray[Any, Any]):
    """Rows of metadata, or a field of them, with the dtype WITH_TEXT.

    ``==`` and ``!=`` also take bytes: in version 0.1 country codes were bytes, and NumPy finds text and bytes unequal.
    """

    __hash__ = None

    def __eq__(self, other: Any) -> Any:
        return super().__eq__(_with_text(other))

    def __ne__(self, other: Any) -> Any:
        return super().__ne__(_with_text(other))


def with_text(rows: npt.NDArray[np.void]) -> Rows:
    """Rows with the dtype METADATA as rows with the dtype WITH_TEXT."""
    result = np.empty(len(rows), WITH_TEXT)
    for name in METADATA.names or ():
        # Bytes are Latin-1: damaged codes must not be an error.
        result[name] = _latin1(rows[name]) if name == "country" else rows[name]
    return result.view(Rows)


def _with_text(other: Any) -> Any:
    if isinstance(other, bytes):
        return other.decode("latin-1")
    if isinstance(other, np.ndarray) and other.dtype == METADATA and other.ndim == 1:
        return with_text(other)
    if isinstance(other, (np.ndarray, list, tuple)) and (values := np.asarray(other)).dtype.kind == "S":
        return np.char.decode(values, "latin-1")
    return other


def _latin1(codes: npt.NDArray[np.bytes_]) -> npt.NDArray[np.str_]:
    """Text of two-byte codes; much faster than `numpy.char.decode`."""
    points = np.ascontiguousarray(codes).view(np.uint8).reshape(-1, 2).astype("=u4")
    text: npt.NDArray[np.str_] = points.view("U2").reshape(-1)
    return text


def as_metadata(rows: npt.ArrayLike) -> npt.NDArray[np.void]:
    """Rows of metadata with the dtype METADATA.

    Raises
    ------
    ValueError
        If a field is missing, or a value does not fit.
    """
    given: npt.NDArray[np.void] = np.asarray(rows)
    if given.dtype == METADATA:
        return given
    if given.dtype.names is None or set(METADATA.names or ()) - set(given.dtype.names):
        raise ValueError(f"expected metadata with the fields {METADATA.names}, received {given.dtype}")
    result = np.empty(len(given), METADATA)
    for name in METADATA.names or ():
        values = np.asarray(given[name])
        if name == "country" and values.dtype.kind in "UO":
            values = np.char.encode(values.astype("U"), "latin-1")
        result[name] = values
        if len(wrong := values[result[name] != values]):
            raise ValueError(f"metadata: expected {name} to fit in {METADATA[name]}, received {wrong[0]!r}")
    return result


def write_drawings(
    path: str | os.PathLike[str], drawings: Iterable[Sequence[npt.ArrayLike]], metadata: npt.ArrayLike | None = None
) -> int:
    """Write drawings to a ``.bin`` file. The file appears under its name once it is complete.

    Parameters
    ----------
    path : path
        File to write or replace.
    drawings : iterable of drawings
        Each a sequence of strokes; a stroke is a (2, n) array of integers from 0 to 255, x above y.
    metadata : structured array, optional
        One row per drawing with the fields ``key_id``, ``country`` (text or bytes), ``recognized`` and ``timestamp``.
        Default: the
        metadata of a `Drawings`; for other drawings, ``key_id`` 0, 1, 2, ..., ``country`` ZZ, ``recognized`` True and
        ``timestamp`` 0.

    Returns
    -------
    int
        Number of drawings written.

    Raises
    ------
    ValueError
        If a drawing does not fit the format, or the number of rows is not the number of drawings.

    Examples
    --------
    >>> square = [np.array([[0, 255, 255, 0, 0], [0, 0, 255, 255, 0]])]
    >>> fastdraw.write_drawings("square.bin", [square])
    1
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> fastdraw.write_drawings("recognized.bin", drawings.filter(recognized=True)) < len(drawings)
    True
    """
    if metadata is None:
        metadata = getattr(drawings, "metadata", None)
    rows = None if metadata is None else as_metadata(metadata)
    number = -1
    if not isinstance(drawings, Iterable):
        raise TypeError(f"expected drawings to be lists of strokes, received {drawings!r}")
    with replacing(Path(path)) as file:
        for number, strokes in enumerate(drawings):
            if not hasattr(strokes, "__len__"):
                raise TypeError(f"drawing {number}: expected a list of strokes, received {strokes!r}")
            if rows is None:
                row = np.array((number, b"ZZ", True, 0), METADATA)[()]
            elif number < len(rows):
                row = rows[number]
            else:
                raise ValueError(f"expected a row of metadata per drawing, received {len(rows)} rows, more drawings")
            try:
                file.write(encode(strokes, row))
            except ValueError as error:
                raise ValueError(f"drawing {number}: {error}") from None
        if rows is not None and number + 1 < len(rows):
            raise ValueError(
                f"expected a row of metadata per drawing, received {len(rows)} rows, {number + 1} drawings"
            )
    return number + 1
