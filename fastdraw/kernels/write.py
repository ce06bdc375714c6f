"""A kernel that writes records as lines of ndjson, in the form of the simplified Quick, Draw! files."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.calendar import DAY, date_of
from fastdraw.kernels.jit import inlined, jit
from fastdraw.kernels.layout import FLAG, HEAD

FIXED = 160  # bytes of a line, at most, besides what comes before the country and the strokes
WIDEN = 4  # bytes of text, at most, for each byte of strokes: a coordinate is three digits and a comma

DIGITS = np.array([list(str(value).ljust(3).encode()) for value in range(256)], np.uint8)
LENGTHS = np.array([len(str(value)) for value in range(256)])
ZERO, COMMA, OPEN, CLOSE = (ord(sign) for sign in "0,[]")


@inlined
def _text(out, at, letters):
    """Write text; return where it ends."""
    for i in range(len(letters)):
        out[at + i] = letters[i]
    return at + len(letters)


@inlined
def _number(out, at, value, width):
    """Write the last ``width`` digits of a number; return where they end."""
    for i in range(at + width - 1, at - 1, -1):
        out[i] = np.uint64(ZERO) + value % np.uint64(10)
        value //= np.uint64(10)
    return at + width


@inlined
def _time(out, at, seconds):
    """Write ``2017-03-26 23:57:14``; return where it ends."""
    year, month, day = date_of(seconds // DAY)
    at = _number(out, at, np.uint64(year), 4)
    out[at] = ord("-")
    at = _number(out, at + 1, np.uint64(month), 2)
    out[at] = ord("-")
    at = _number(out, at + 1, np.uint64(day), 2)
    out[at] = ord(" ")
    at = _number(out, at + 1, np.uint64(seconds % DAY // 3600), 2)
    out[at] = ord(":")
    at = _number(out, at + 1, np.uint64(seconds % 3600 // 60), 2)
    out[at] = ord(":")
    return _number(out, at + 1, np.uint64(seconds % 60), 2)


@inlined
def _row(out, at, records, begin, end):
    """Write an array of coordinates; return where it ends."""
    out[at] = OPEN
    at += 1
    for i in range(begin, end):
        value = records[i]
        for digit in range(3):  # those too many are overwritten
            out[at + digit] = DIGITS[value, digit]
        at += LENGTHS[value]
        out[at] = COMMA
        at += 1
    at -= end > begin
    out[at] = CLOSE
    return at + 1


@jit
def write_lines(records, starts, prefix, escapes, escape_lengths, out):
    """Write records as lines. Any bytes are written within ``out``, even if they are no records.

    Parameters
    ----------
    records : (b,) uint8
    starts : (n + 1,) int64
        Where each record begins, then the end.
    prefix : (p,) uint8
        What each line begins with, up to the country code.
    escapes : (256, 6) uint8
    escape_lengths : (256,) int64
        The text of each byte of a country code, 0 to 6 bytes.
    out : (n * (p + FIXED) + b * WIDEN,) uint8, out

    Returns
    -------
    size : int
        Number of bytes written.
    """
    at = 0
    for i in range(len(starts) - 1):
        begin, end = starts[i], starts[i + 1]
        if end < begin + HEAD:
            continue
        at = _text(out, at, prefix)
        letters = 2
        while letters > 0 and records[begin + 7 + letters] == 0:  # as NumPy ends its text
            letters -= 1
        for j in range(letters):
            letter = records[begin + 8 + j]
            at = _text(out, at, escapes[letter, : escape_lengths[letter]])
        at = _text(out, at, b'","timestamp":"')
        seconds = 0
        for j in range(4):
            seconds |= np.int64(records[begin + 11 + j]) << 8 * j
        at = _time(out, at, seconds)
        at = _text(out, at, b'.000000 UTC","recognized":')
        at = _text(out, at, b"true") if records[begin + FLAG] else _text(out, at, b"false")
        at = _text(out, at, b',"key_id":"')
        key = np.uint64(0)
        for j in range(8):
            key |= np.uint64(records[begin + j]) << np.uint64(8 * j)
        width = 1
        rest = key // np.uint64(10)
        while rest > 0:
            rest //= np.uint64(10)
            width += 1
        at = _number(out, at, key, width)
        at = _text(out, at, b'","drawing":[')
        position = begin + HEAD
        strokes = np.int64(records[begin + 15]) | np.int64(records[begin + 16]) << 8
        for stroke in range(strokes):
            if position + 2 > end:
                break
            points = np.int64(records[position]) | np.int64(records[position + 1]) << 8
            position += 2
            if position + 2 * points > end:
                break
            if stroke > 0:
                out[at] = COMMA
                at += 1
            out[at] = OPEN
            at = _row(out, at + 1, records, position, position + points)
            out[at] = COMMA
            at = _row(out, at + 1, records, position + points, position + 2 * points)
            out[at] = CLOSE
            at += 1
            position += 2 * points
        at = _text(out, at, b"]}\n")
    return at
