"""A kernel that reads lines of ndjson in the form of Google's simplified or raw Quick, Draw! files.

It knows this form alone: a JSON object of some of the fields ``word``, ``countrycode``, ``timestamp``, ``recognized``,
``key_id`` and ``drawing``, in any order, each once; strings of ASCII without escapes; coordinates from 0 to 255, or raw
strokes. It stops at any other line, even if only one byte is unusual, so that a complete parser can read that.
"""

from __future__ import annotations

import numpy as np

from fastdraw.kernels.calendar import DAY, date_of, days_of
from fastdraw.kernels.jit import inlined, jit
from fastdraw.kernels.layout import HEAD, LIMIT, LONGEST_WORD
from fastdraw.kernels.parse_raw import raw_drawing
from fastdraw.kernels.tokens import (
    BEGIN,
    CLOSE,
    COLON,
    COMMA,
    DASH,
    DELETE,
    DIGITS,
    DOT,
    END,
    ESCAPE,
    LINE_END,
    OPEN,
    QUOTE,
    RETURN,
    SLASH,
    SPACE,
    TAB,
    UNKNOWN,
    ZERO,
    digit,
    integer,
    is_letter,
    matches,
    skip,
)

NAMES = (b'"word":', b'"countrycode":', b'"timestamp":', b'"recognized":', b'"key_id":', b'"drawing":')
WORD, COUNTRY, TIME, RECOGNIZED, KEY, DRAWING = range(6)
LONGEST = max(map(len, NAMES))
LETTERS = np.array([list(name.ljust(LONGEST, b"\0")) for name in NAMES], np.uint8)
LENGTHS = np.array([len(name) for name in NAMES])

LAST_YEAR = 2105  # the last that 32 bits of seconds hold whole


@inlined
def _field(text, at):
    """Which field's name is at a position; UNKNOWN for others."""
    for field in range(len(LENGTHS)):
        length = 0
        while length < LENGTHS[field] and text[at + length] == LETTERS[field, length]:
            length += 1
        if length == LENGTHS[field]:
            return field
    return UNKNOWN


@inlined
def _word(text, at):
    """Find the end of a string that can be the name of a file."""
    if text[at] != QUOTE or text[at + 1] == DOT or text[at + 1] == QUOTE:
        return UNKNOWN
    at += 1
    limit = at + LONGEST_WORD
    while text[at] != QUOTE:
        letter = text[at]
        if at == limit or letter < SPACE or letter >= DELETE or letter in (ESCAPE, SLASH):
            return UNKNOWN
        at += 1
    return at + 1


@inlined
def _two_digits(text, at):
    """A number of two digits; -1000 or less if they are none."""
    tens, ones = digit(text, at), 0
    if not 0 <= tens <= 9:
        return -1000
    ones = digit(text, at + 1)
    return 10 * tens + ones if 0 <= ones <= 9 else -1000


@inlined
def _seconds(text, at):
    """Parse ``"2017-03-26 23:57:14.63954 UTC"``: seconds since 1970, rounded down, and where it ends."""
    if text[at] != QUOTE:
        return 0, UNKNOWN
    # Each part is at its place only if all before it are digits, so that nothing is read past the end of the line.
    year = 100 * _two_digits(text, at + 1)
    if year < 0:
        return 0, UNKNOWN
    year += _two_digits(text, at + 3)
    if not 1970 <= year <= LAST_YEAR or text[at + 5] != DASH:
        return 0, UNKNOWN
    month = _two_digits(text, at + 6)
    if not 1 <= month <= 12 or text[at + 8] != DASH:
        return 0, UNKNOWN
    day = _two_digits(text, at + 9)
    if day < 1 or text[at + 11] != SPACE:
        return 0, UNKNOWN
    days = days_of(year, month, day)
    if date_of(days) != (year, month, day):  # no such day
        return 0, UNKNOWN
    hour = _two_digits(text, at + 12)
    if not 0 <= hour <= 23 or text[at + 14] != COLON:
        return 0, UNKNOWN
    minute = _two_digits(text, at + 15)
    if not 0 <= minute <= 59 or text[at + 17] != COLON:
        return 0, UNKNOWN
    second = _two_digits(text, at + 18)
    if not 0 <= second <= 59:
        return 0, UNKNOWN
    at += 20
    if text[at] == DOT:
        digits = at + 1
        at = digits
        while 0 <= digit(text, at) <= 9:
            at += 1
        if not 1 <= at - digits <= 6:
            return 0, UNKNOWN
    if not matches(text, at, b' UTC"'):
        return 0, UNKNOWN
    return days * DAY + 3600 * hour + 60 * minute + second, at + 5


@inlined
def _key(text, at):
    """Parse an integer, or a string of one: its value, and where it ends."""
    quoted = text[at] == QUOTE
    at += quoted
    begin = at
    value, at = integer(text, at, np.uint64(0))
    if not 1 <= at - begin <= DIGITS or (text[begin] == ZERO and at - begin > 1):
        return value, UNKNOWN
    if quoted:
        if text[at] != QUOTE:
            return value, UNKNOWN
        at += 1
    return value, at


@inlined
def _row(text, at, out, to):
    """Parse an array of integers from 0 to 255 into ``out[to:]``: their number, and where it ends."""
    if text[at] != OPEN:
        return 0, UNKNOWN
    at += 1
    if text[at] == CLOSE:
        return 0, at + 1
    room = min(LIMIT, len(out) - to)
    count = 0
    while count < room:
        at = skip(text, at)
        value = digit(text, at)
        if not 0 <= value <= 9:
            return 0, UNKNOWN
        at += 1
        following = digit(text, at)
        if 0 <= following <= 9:
            if value == 0:
                return 0, UNKNOWN
            value = 10 * value + following
            at += 1
            following = digit(text, at)
            if 0 <= following <= 9:
                value = 10 * value + following
                at += 1
                if value > 255:
                    return 0, UNKNOWN
        out[to + count] = value
        count += 1
        if text[at] == CLOSE:
            return count, at + 1
        if text[at] != COMMA:
            return 0, UNKNOWN
        at += 1
    return 0, UNKNOWN


@inlined
def _drawing(text, at, out, to):
    """Parse strokes into ``out[to:]``: their number, where they end in ``out``, and where in the text."""
    if text[at] != OPEN:
        return 0, to, UNKNOWN
    strokes = 0
    while strokes < LIMIT and to + 2 <= len(out):
        at = skip(text, at + 1)
        if text[at] != OPEN:
            return 0, to, UNKNOWN
        count, at = _row(text, at + 1, out, to + 2)
        if at == UNKNOWN or text[at] != COMMA:
            return 0, to, UNKNOWN
        out[to] = count & 255
        out[to + 1] = count >> 8
        to += 2 + count
        also, at = _row(text, skip(text, at + 1), out, to)
        if at == UNKNOWN or also != count or text[at] != CLOSE:
            return 0, to, UNKNOWN
        to += count
        strokes += 1
        at += 1
        if text[at] == CLOSE:
            return strokes, to, at + 1
        if text[at] != COMMA:
            return 0, to, UNKNOWN
    return 0, to, UNKNOWN


@jit
def parse_lines(text, at, lines, out, word, raw=None):
    """Parse lines to records, up to the first that is in another form or is a drawing of another word.

    Parameters
    ----------
    text : (b,) uint8
        Lines; the last byte is a line feed. Nothing past one is read, as no value holds any.
    at : int
        Where a line begins.
    lines : int
        Parse at most as many.
    out : (m,) uint8, out
        Records, back to back.
    word : (2,) int64, out
        Where the word of the first drawing begins and ends in the text, without quotes; equal if it has none.
    raw : ((3, p) float64, (s,) int64), optional
        Memory for the points, with their times, and strokes of a drawing. The drawings are raw, and are simplified.

    Returns
    -------
    count : int
        Number of lines, which is that of records.
    at : int
        Where the next line begins.
    size : int
        Number of bytes in ``out``.
    """
    size = count = 0
    word[:] = 0
    while count < lines and at < len(text) and size + HEAD <= len(out):
        position = at
        seen = 0
        first = last = 0  # of the word
        key = np.uint64(0)
        country = 0
        recognized = 1
        seconds = 0
        strokes = 0
        end = size + HEAD
        if text[position] != BEGIN:
            break
        while True:
            position = skip(text, position + 1)
            field = _field(text, position)
            if field == UNKNOWN or seen >> field & 1:
                position = UNKNOWN
                break
            seen |= 1 << field
            position = skip(text, position + LENGTHS[field])
            if field == WORD:
                first = position + 1
                position = _word(text, position)
                last = position - 1
            elif field == COUNTRY:
                known = text[position] == QUOTE and is_letter(text[position + 1]) and is_letter(text[position + 2])
                if known and text[position + 3] == QUOTE:
                    country = text[position + 1] | np.int64(text[position + 2]) << 8
                    position += 4
                else:
                    position = UNKNOWN
            elif field == TIME:
                seconds, position = _seconds(text, position)
            elif field == RECOGNIZED:
                if matches(text, position, b"true"):
                    position += 4
                elif matches(text, position, b"false"):
                    recognized = 0
                    position += 5
                else:
                    position = UNKNOWN
            elif field == KEY:
                key, position = _key(text, position)
            elif raw is None:
                strokes, end, position = _drawing(text, position, out, end)
            else:
                strokes, end, position = raw_drawing(text, position, raw[0], raw[1], out, end)
            if position == UNKNOWN:
                break
            if text[position] != COMMA:
                break
        needed = 1 << KEY | 1 << DRAWING  # without key_id, it is a hash
        if position == UNKNOWN or seen & needed != needed or text[position] != END:
            break
        position += 1
        while text[position] == SPACE or text[position] == TAB or text[position] == RETURN:
            position += 1
        if text[position] != LINE_END:
            break
        if count == 0:
            word[0] = first
            word[1] = last
        same = last - first == word[1] - word[0]
        i = 0
        while same and i < last - first:
            same = text[first + i] == text[word[0] + i]
            i += 1
        if not same:
            break
        for i in range(8):
            out[size + i] = key >> np.uint64(8 * i) & np.uint64(255)
        out[size + 8] = country & 255
        out[size + 9] = country >> 8
        out[size + 10] = recognized
        for i in range(4):
            out[size + 11 + i] = seconds >> 8 * i & 255
        out[size + 15] = strokes & 255
        out[size + 16] = strokes >> 8
        size = end
        at = position + 1
        count += 1
    return count, at, size
