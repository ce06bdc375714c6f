"""Sequences of offsets: the rows that sketch-rnn's own conversion makes, and the way back to the strokes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import sound_records

import fastdraw

points = st.tuples(st.integers(0, 255), st.integers(0, 255))
drawings = st.lists(st.lists(points, min_size=1, max_size=9), min_size=1, max_size=5)


def stroke_3(strokes: list) -> np.ndarray:
    """The rows of a drawing, in plain Python: offsets of all points, 1 after the last point of a stroke."""
    rows, before = [], (0, 0)
    for xs, ys in strokes:
        for number, (x, y) in enumerate(zip(xs, ys, strict=True), 1):
            rows.append((x - before[0], y - before[1], number == len(xs)))
            before = x, y
    return np.array(rows, int).reshape(-1, 3)


def stroke_5(strokes: list, length: int) -> np.ndarray:
    small = stroke_3(strokes)[:length]
    big = np.zeros((length, 5), int)
    big[: len(small), :2] = small[:, :2]
    big[: len(small), 3] = small[:, 2]
    big[: len(small), 2] = 1 - small[:, 2]
    big[len(small) :, 4] = 1
    return big


@given(st.lists(drawings, min_size=1, max_size=4), st.integers(1, 40))
def test_rows_are_those_of_plain_python(tmp_path_factory: pytest.TempPathFactory, made: list, length: int) -> None:
    path = tmp_path_factory.mktemp("made") / "made.bin"
    fastdraw.write_drawings(path, ([np.array(stroke).T for stroke in drawing] for drawing in made))
    opened = fastdraw.open_drawings(path)
    strokes = [record[4] for record in sound_records(path.read_bytes())[0]]
    rows, lengths = opened.strokes()
    assert rows.dtype == np.int16
    assert lengths.tolist() == [sum(map(len, drawing)) for drawing in made]
    assert rows.shape == (len(made), lengths.max(), 3)
    for got, count, drawing in zip(rows, lengths, strokes, strict=True):
        assert np.array_equal(got[:count], stroke_3(drawing))
        assert not got[count:].any()
    rows, again = opened.strokes("stroke-5", length)
    assert np.array_equal(again, lengths)
    for got, drawing in zip(rows, strokes, strict=True):
        assert np.array_equal(got, stroke_5(drawing, length))


def test_views_and_drawings_without_strokes(sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    rows, lengths = drawings.strokes()
    some, their_lengths = drawings[::-7].strokes(max_length=rows.shape[1])
    assert np.array_equal(some, rows[::-7])
    assert np.array_equal(their_lengths, lengths[::-7])
    assert drawings[:0].strokes()[0].shape == (0, 0, 3)
    fastdraw.write_drawings(tmp_path / "empty.bin", [[], [np.array([[1], [2]])]])
    rows, lengths = fastdraw.open_drawings(tmp_path / "empty.bin").strokes("stroke-5", 2)
    assert lengths.tolist() == [0, 1]
    assert rows.tolist() == [[[0, 0, 0, 0, 1]] * 2, [[1, 2, 0, 1, 0], [0, 0, 0, 0, 1]]]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"format": "stroke-4"}, "format to be one of ('stroke-3', 'stroke-5'), received 'stroke-4'"),
        ({"max_length": 0}, "max_length to be 1 or more, received 0"),
        ({"max_length": 2.5}, "max_length to be an integer, received 2.5"),
    ],
)
def test_wrong_arguments(sample: Path, arguments: dict[str, Any], message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        fastdraw.open_drawings(sample).strokes(**arguments)
