"""The kernel that reads ndjson gives what the complete parser gives, or leaves the line to it."""

from __future__ import annotations

import io
import itertools
import json
from pathlib import Path

import numba
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from records import HEAD, parse

from fastdraw.errors import NdjsonFormatError
from fastdraw.kernels import tokens
from fastdraw.kernels.layout import LIMIT
from fastdraw.kernels.parse import parse_lines
from fastdraw.quickdraw import ndjson

LINE = {
    "word": "cat",
    "countrycode": "US",
    "timestamp": "2017-03-26 23:57:14.63954 UTC",
    "recognized": True,
    "key_id": "4819728134569984",
    "drawing": [[[0, 126, 255], [7, 1, 10]], [[9, 8], [255, 100]]],
}

# For each field, values as the kernel knows them; then others, of which some are drawings and some are not.
USUAL = {
    "word": ['"cat"', '"The Eiffel Tower"', '"t-shirt"', '"c:,{}[]"', '"~!"'],
    "countrycode": ['"US"', '"de"', '"Zz"'],
    "timestamp": [
        f'"{time} UTC"'
        for time in (
            "1970-01-01 00:00:00",
            "2016-02-29 23:59:59.999999",
            "2017-03-26 23:57:14.63954",
            "2100-02-28 12:00:00.0",
            "2105-12-31 23:59:59.999999",
        )
    ],
    "recognized": ["true", "false"],
    "key_id": ['"4819728134569984"', '"0"', "7", "9999999999999999999", '"1234567890123456789"'],
    "drawing": [
        "[[[0,255],[1,2]]]",
        "[[[],[]]]",
        "[[[1],[99]],[[10, 100],[200,  249]]]",
        "[ [ [0 ".replace(" [0 ", "[0]") + ", [0]]]",
    ],
}
ODD = {
    "word": [
        '""',
        "null",
        "5",
        '"a/b"',
        '".a"',
        '"a\\u0062"',
        '"\\"cat"',
        '"kätzchen"',
        '"\x7f"',
        '"a\tb"',
        '"cat',
        '"\\ud800"',
    ],
    "countrycode": ['""', "null", '"U"', '"USA"', '"U1"', '"\\u0055S"', '"Ü"', "12"],
    "timestamp": [
        *(
            "null",
            '""',
            "1490572634",
            "1490572634.5",
            '"1490572634"',
            '"2017-03-26T23:57:14Z"',
            "true",
            '"yesterday UTC"',
        ),
        *(
            f'"{time}"'
            for time in (
                "2017-02-29 00:00:00 UTC",
                "2100-02-29 00:00:00 UTC",
                "2017-13-01 00:00:00 UTC",
                "2017-00-01 00:00:00 UTC",
                "2017-01-00 00:00:00 UTC",
                "2017-04-31 00:00:00 UTC",
                "2017-04-30 24:00:00 UTC",
                "2017-04-30 23:60:00 UTC",
                "2017-04-30 23:59:60 UTC",
                "2017-04-30 23:59:59. UTC",
                "2017-04-30 23:59:59.1234567 UTC",
                "2017-04-30 23:59:59.5",
                "2017-04-30 23:59:59+02:00",
                "1969-12-31 23:59:59.9 UTC",
                "2106-02-07 06:28:15 UTC",
                "2106-02-07 06:28:16 UTC",
                "17-04-30 23:59:59 UTC",
                "2017-4-30 23:59:59 UTC",
            )
        ),
    ],
    "recognized": ["null", '"True"', "1", "0", '"false"', "truex", "tru", "2"],
    "key_id": [
        "null",
        '""',
        "-1",
        "01",
        '"007"',
        "1e3",
        "1.0",
        '"99999999999999999999"',
        "18446744073709551615",
        "18446744073709551616",
        "-0",
    ],
    "drawing": [
        *(
            "[]",
            "[[]]",
            "[[[]]]",
            "[[[1,2],[3]]]",
            "[[[1,2],[3,4]],]",
            "[[[1,2,],[3,4]]]",
            "[[[1],[2],[3]]]",
            "{}",
            "null",
        ),
        *(
            f"[[[{number}],[0]]]"
            for number in (
                "256",
                "300",
                "007",
                "00",
                "01",
                "-0",
                "-1",
                "1e2",
                "1.0",
                "1000",
                "true",
                '"1"',
                "",
                "+1",
                "1 2",
                "NaN",
            )
        ),
        *(
            "[[[0,255,9],[0,255,3],[0,5,9]]]",
            "[[[0,1]],[[2,3]]]",
            "[[[0]] ,[[1]]]",
            "[[[0] ,[1]]]",
            "[[[0 ],[1]]]",
            "[[\t[0],[1]]]",
        ),
    ],
    "more": ["1", '"drawing"', "[]"],
}


def outcomes(content: bytes) -> list[tuple]:
    """Each line as the complete parser reads it: a word and a record, or an error; and where it is."""
    result: list[tuple] = []
    lines = content.split(b"\n")
    offsets = itertools.accumulate((len(line) + 1 for line in lines), initial=0)
    for number, (line, offset) in enumerate(zip(lines, offsets, strict=False), 1):
        if line.strip():
            item = ndjson._read(Path("a.ndjson"), line.strip(), offset, f"line {number}")
            error = isinstance(item, NdjsonFormatError)
            what = str(item) if error else (item.word, item.records)  # type: ignore[union-attr]
            result.append((item.offset, None if error else item.place, what))  # type: ignore[union-attr]
    return result


def check(content: bytes) -> None:
    """Compare all lines of a file, read in blocks, with each alone."""
    expected = outcomes(content)
    at = 0
    for item in ndjson.read_lines(Path("a.ndjson"), content, io.BufferedReader(io.BytesIO(content))):  # type: ignore[arg-type]
        if isinstance(item, NdjsonFormatError):
            assert expected[at] == (item.offset, None, str(item))
            at += 1
            continue
        assert expected[at][:2] == (item.offset, item.place)
        some = expected[at : at + item.drawings]
        assert [item.word] * item.drawings == [what[0] for *_, what in some]
        assert item.records == b"".join(what[1] for *_, what in some)
        at += item.drawings
    assert at == len(expected)


def understood(content: bytes, raw: bool = False) -> int:
    """How many lines the kernel reads itself."""
    text = np.frombuffer(content + b"\n", np.uint8)
    memory = (np.empty((3, len(text))), np.empty(LIMIT, np.int64)) if raw else None
    out, word = np.empty(len(text), np.uint8), np.empty(2, np.int64)
    return parse_lines(text, 0, content.count(b"\n") + 1, out, word, memory)[0]


@st.composite
def lines(draw: st.DrawFn, odd: bool) -> str:
    """A line of fields in any order, with usual values, or now and then others."""
    fields = draw(st.permutations(sorted(USUAL)))
    if draw(st.booleans()):
        keep = {"drawing", "key_id"} if not odd else set()
        fields = [field for field in fields if field in keep or draw(st.booleans())]
    values = [draw(st.sampled_from(USUAL[field])) for field in fields]
    if odd and draw(st.booleans()):
        field = draw(st.sampled_from(sorted(ODD)))
        value = draw(st.sampled_from(ODD[field]))
        if field in fields:
            values[fields.index(field)] = value
        else:
            fields, values = [*fields, field], [*values, value]
    if odd and draw(st.integers(0, 5)) == 0 and fields:  # twice
        fields, values = [*fields, fields[0]], [*values, values[0]]
    space = draw(st.sampled_from(["", " ", "  "]))
    inner = ("," + space).join(f'"{field}":{space}{value}' for field, value in zip(fields, values, strict=True))
    return "{" + space + inner + "}" + draw(st.sampled_from(["", "", "\r", " ", "\t"]))


@given(st.lists(lines(odd=False), min_size=1, max_size=6), st.booleans())
def test_usual_lines_are_read_by_the_kernel(some: list[str], ended: bool) -> None:
    for line in some:
        assert understood(line.encode()) == 1, line
    check("\n".join(some).encode() + b"\n" * ended)


@settings(max_examples=300)
@given(st.lists(lines(odd=True) | st.sampled_from(["", " ", "\r", "[[[1],[2]]]", "[1]", "x"]), max_size=6))
def test_odd_lines_are_read_by_the_complete_parser(some: list[str]) -> None:
    check("\n".join(some).encode())


@settings(max_examples=400)
@given(data=st.data())
def test_mutated_lines(data: st.DataObject) -> None:
    content = bytearray("\n".join(data.draw(st.lists(lines(odd=True), min_size=1, max_size=3))).encode())
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(content)))
        length = data.draw(st.integers(0, 3))
        new = data.draw(
            st.binary(max_size=2) | st.sampled_from([b"\n", b'"', b"[", b"]", b"0", b",", b" ", b"{", b"}", b"\xff"])
        )
        content[at : at + length] = new
    if content.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")):  # of other encodings
        return
    check(bytes(content))


@given(line=lines(odd=True), cut=st.integers(0, 400), room=st.integers(0, 120))
@example(line='{"drawing":[[[1,1,1,1],[1,1,1,1]]],"key_id":"1"}', cut=16, room=19)
def test_nothing_is_written_past_the_end(line: str, cut: int, room: int) -> None:
    text = np.frombuffer(line.encode()[:cut] + b"\n", np.uint8)
    memory = np.full(room + 64, 7, np.uint8)
    count, at, size = parse_lines(text, 0, 9, memory[:room], np.empty(2, np.int64))
    assert (memory[room:] == 7).all()
    assert size <= room
    assert at <= len(text)
    assert count == (at > 0)


@pytest.mark.parametrize(("points", "strokes"), [(65_535, 1), (65_536, 1), (1, 65_535), (1, 65_536)])
def test_the_counts_of_a_record_are_limited(points: int, strokes: int) -> None:
    content = json.dumps(LINE | {"drawing": [[[3] * points, [5] * points]] * strokes}).encode()
    assert understood(content) == (points * strokes == 65_535)
    check(content)


RAW_NUMBERS = (
    st.integers(-(10**6), 10**18).map(str)
    | st.floats(-1e6, 1e6, width=32).map(repr)
    | st.floats(0, 1000).map(repr)
    | st.decimals(0, 1000, places=3).map(str)
    | st.sampled_from(["-0", "0.0", "0", "255", "-0.5", "9999999999999999999", "0.1234567890123456789", "1000000"])
)


@st.composite
def raw_lines(draw: st.DrawFn) -> str:
    """A line with a raw drawing, whose numbers are written in any way."""
    space = draw(st.sampled_from(["", " "]))

    def row(values: list[str]) -> str:
        return "[" + ("," + space).join(values) + "]"

    strokes = []
    for _ in range(draw(st.integers(1, 4))):
        x, y, times = (draw(st.lists(RAW_NUMBERS, min_size=2, max_size=5)) for _ in range(3))
        points = min(map(len, (x, y, times))) - draw(st.integers(0, 1))
        strokes.append(row([row(x[:points]), row(y[:points]), row(sorted(times[:points], key=float))]))
    return f'{{"word":"cat","key_id":"5",{space}"drawing":{space}{row(strokes)}}}'


@given(st.lists(lines(odd=False) | raw_lines(), min_size=1, max_size=6))
def test_raw_drawings(some: list[str]) -> None:
    check("\n".join(some).encode())


@given(st.data())
def test_mutated_raw_drawings(data: st.DataObject) -> None:
    content = bytearray(data.draw(raw_lines()).encode())
    first = content.index(b"[[")
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(first, len(content)))
        new = data.draw(st.sampled_from([b"[", b"]", b"0", b",", b".", b"-", b"e5", b" ", b"],[", b"\n", b"NaN", b""]))
        content[at : at + data.draw(st.integers(0, 3))] = new
    check(bytes(content))


@pytest.mark.parametrize(
    ("drawing", "known"),
    [
        ("[[[16,33.507999420166016,44.75699996948242],[5,9.5,-1],[0,17,33]]]", True),
        ("[[[300],[5],[0]],[[1, 2.5],[3,4],[0, 9]]]", True),
        ("[[[300,1],[5,3],[0,9]],[[1,2],[3,4],[0,9]]]", False),  # points, or rows
        ("[[[3,1,9],[5,3,9],[0,9,9]]]", False),  # may be a simplified drawing
        ("[[[1.5,2,3],[1,2,3],[5,4,9]]]", False),  # times that decrease
        ("[[[1.5,2,3],[1,2,3]]]", False),
        ("[[[1.5,2,3],[1,2],[0,9]]]", False),
        ("[[[],[],[]],[[1.5],[1],[0]]]", False),
        ("[[[1e3,2,3],[1,2,3],[5,6,9]]]", False),
        ("[[[01,2.5,3],[1,2,3],[5,6,9]]]", False),
        ("[[[1.,2.5,3],[1,2,3],[5,6,9]]]", False),
    ],
)
def test_raw_drawings_that_the_kernel_reads(drawing: str, known: bool) -> None:
    content = f'{{"key_id":5,"drawing":{drawing}}}'.encode()
    assert understood(content, raw=True) == known
    check(content)


@given(RAW_NUMBERS)
@example("16777217.00000000001")  # next to a tie, with digits behind it
def test_numbers_are_rounded_to_the_nearest(text: str) -> None:
    text = text.partition("e")[0]  # the callers do not take what follows
    value, end = _number(np.frombuffer(text.encode() + b"\n", np.uint8))
    if end != tokens.UNKNOWN:
        assert (value, end) == (float(text), len(text))
    else:
        assert len(text.strip("-").replace(".", "")) > tokens.DIGITS


def test_halves_between_two_numbers() -> None:
    assert _number(np.frombuffer(b"9007199254740993\n", np.uint8))[0] == 9007199254740992.0  # half way, to even
    assert _number(np.frombuffer(b"4503599627370497.5\n", np.uint8))[1] in (tokens.UNKNOWN, 18)


@numba.njit
def _number(text):
    return tokens.number(text, 0)


def test_real_raw_files_are_read_by_the_kernel(real: Path) -> None:
    for path in (real / "quickdraw/raw").glob("*.ndjson"):
        content = path.read_bytes().rstrip()
        assert understood(content, raw=True) == content.count(b"\n") + 1
        check(content)


def test_what_a_line_holds() -> None:
    text = np.frombuffer(json.dumps(LINE).encode() + b"\n", np.uint8)
    out, word = np.empty(len(text), np.uint8), np.empty(2, np.int64)
    count, at, size = parse_lines(text, 0, 1, out, word)
    assert (count, at) == (1, len(text))
    assert text[word[0] : word[1]].tobytes() == b"cat"
    strokes = [tuple(stroke) for stroke in LINE["drawing"]]  # type: ignore[attr-defined]
    assert parse(out[:size].tobytes()) == [(4819728134569984, b"US", 1, 1490572634, strokes, 0)]
    assert size == HEAD.size + 2 * 2 + 2 * 5


def test_real_files_are_read_by_the_kernel(real: Path) -> None:
    for path in (real / "quickdraw/simplified").glob("*.ndjson"):
        assert understood(path.read_bytes().rstrip()) == 25
        check(path.read_bytes())
