"""Raw drawings come out as the official simplified ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import plain
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fastdraw import simplify

Stroke = tuple[list[float], list[float]]

coordinates = st.integers(-2000, 2000).map(float)
points = st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=12)
drawings = st.lists(points.map(lambda stroke: tuple(map(list, zip(*stroke, strict=True)))), min_size=1, max_size=3)


def simplified(strokes: Any) -> list[list[list[int]]]:
    return [stroke.tolist() for stroke in simplify(strokes)]


def test_straight_line_keeps_its_ends() -> None:
    steps = np.linspace(0.0, 1.0, 400)
    assert simplified([(10.0 + 70.0 * steps, -5.0 + 30.0 * steps)]) == [[[0, 255], [0, 109]]]


def test_square_keeps_its_corners() -> None:
    side = np.arange(100.0)
    x = np.concatenate([side, np.full(100, 100.0), 100.0 - side, np.zeros(100), [0.0]])
    y = np.concatenate([np.zeros(100), side, np.full(100, 100.0), 100.0 - side, [0.0]])
    assert simplified([(x, y)]) == [[[0, 255, 255, 0, 0], [0, 0, 255, 255, 0]]]


def test_distance_is_to_the_line_not_to_the_segment() -> None:
    # The stroke overshoots its end by 55 pixels and comes back: the turning point lies on the line.
    assert simplified([([0.0, 255.0, 200.0], [0.0, 0.0, 0.0])]) == [[[0, 200], [0, 0]]]


@pytest.mark.parametrize(("height", "expected"), [(2.0, 2), (2.5, 3)])
def test_tolerance_is_two_pixels_and_exclusive(height: float, expected: int) -> None:
    (stroke,) = simplify([([0.0, 100.0, 255.0], [0.0, height, 0.0])])
    assert stroke.shape == (2, expected)


def test_halves_round_to_even() -> None:
    assert simplified([([0.0, 255.0], [0.0, 0.0]), ([0.5, 1.5], [2.5, 3.5])])[1] == [[0, 2], [2, 4]]


def test_larger_side_sets_the_scale_and_times_are_ignored() -> None:
    strokes = [([3, 13], [7, 7], [0, 100]), ([3, 3], [7, 27], [200, 300])]
    assert simplified(strokes) == [[[0, 128], [0, 0]], [[0, 0], [0, 255]]]


def test_dots_are_two_equal_points() -> None:
    assert simplified([([0.0, 255.0], [0.0, 255.0]), ([51.0], [17.0]), ([9.0] * 3, [8.0] * 3)])[1:] == [
        [[51, 51], [17, 17]],
        [[9, 9], [8, 8]],
    ]
    assert simplified([([42.0], [-3.5])]) == [[[0, 0], [0, 0]]]  # no extent to scale


def test_takes_arrays_and_leaves_them_alone() -> None:
    stroke = np.array([[5.0, 6.0, 9.0], [1.0, 4.0, 2.0], [0.0, 16.0, 33.0]])
    before = stroke.copy()
    (result,) = simplify([stroke])
    assert result.dtype == np.uint8
    assert result.tolist() == simplified([stroke.tolist()])[0]
    assert np.array_equal(stroke, before)


@given(drawings, st.integers(-5000, 5000), st.integers(-5000, 5000), st.sampled_from([0.25, 0.5, 2.0, 64.0]))
def test_shift_and_scale_change_nothing(strokes: list[Stroke], right: int, down: int, scale: float) -> None:
    moved = [([(v + right) * scale for v in x], [(v + down) * scale for v in y]) for x, y in strokes]
    assert simplified(moved) == simplified(strokes)


def lines_along_an_axis(draw: st.DrawFn) -> list[Stroke]:
    """Many samples are equally far from a chord of these, up to the last bit."""
    corners = draw(st.lists(st.lists(st.integers(0, 5), min_size=1, max_size=9), min_size=1, max_size=3))
    size = draw(st.sampled_from([1.0, 0.1, 1 / 3, 97.0, 1e-300, 1e300, 5e-324]))
    turned = [([size * (i // 2 + c) for i, c in enumerate(row)], [size * c for c in row[::-1]]) for row in corners]
    return [(y, x) for x, y in turned] if draw(st.booleans()) else turned


floats = st.floats(-1e6, 1e6) | st.floats(0, 1e-290) | st.sampled_from([0.0, -0.0, 1.0, 255.0, 1e-9, 5e-324])
rows = st.integers(1, 40).flatmap(lambda n: st.tuples(*[st.lists(floats, min_size=n, max_size=n)] * 2))


@settings(max_examples=300)
@given(drawings | st.composite(lines_along_an_axis)() | st.lists(rows, min_size=1, max_size=4))
@example([([0.0, 1e-200, 255.0, 0.0], [0.0, 0.0, 255.0, 0.0])])  # a chord whose squares are too small for float64
@example([([0.0, 100.0] * 3000, [0.0, 255.0] * 3000)])
def test_the_same_bits_as_plain_numpy(strokes: list[Stroke]) -> None:
    assert simplified(strokes) == [stroke.tolist() for stroke in plain.simplify(strokes)]


@given(drawings)
def test_ends_stay_and_points_are_on_the_stroke(strokes: list[Stroke]) -> None:
    low = np.min([[min(x), min(y)] for x, y in strokes], axis=0)
    extent = float((np.max([[max(x), max(y)] for x, y in strokes], axis=0) - low).max()) or 1.0
    results = simplify(strokes)
    assert len(results) == len(strokes)
    for stroke, result in zip(strokes, results, strict=True):
        scaled = (np.array(stroke).T - low) * 255.0 / extent
        assert result.shape[0] == 2
        assert result.shape[1] >= 2
        assert np.array_equal(result[:, [0, -1]].T, np.rint(scaled[[0, -1]]))
        start, step = scaled[:-1], np.diff(scaled, axis=0)
        for point in result.T:
            along = ((point - start) * step).sum(1) / np.maximum((step * step).sum(1), 1e-300)
            on_path = np.vstack([start + np.clip(along, 0.0, 1.0)[:, None] * step, scaled[-1:]])
            assert np.hypot(*(point - on_path).T).min() <= 0.71  # half a pixel each way


@given(st.integers(1, 255), st.integers(1, 255))
def test_simplified_polygons_stay_as_they_are(width: int, height: int) -> None:
    box = [[0, 255, 255, 0, 0], [0, 0, height, height, 0]]
    hook = [[0, width, width], [0, 0, 255]]
    for stroke in (box, hook):
        once = simplified([stroke])
        assert simplified(once) == once


@pytest.mark.parametrize(
    ("strokes", "message"),
    [
        ([], "at least one stroke, received none"),
        ([([], [])], "stroke 0: expected at least one point, received none"),
        (
            [([1.0], [1.0]), ([1.0, 2.0], [1.0])],
            r"stroke 1: expected as many x as y, received shapes \(2,\) and \(1,\)",
        ),
        ([([[1.0]], [[1.0]])], r"as many x as y, received shapes \(1, 1\)"),
        ([([1.0],)], r"expected 2 or 3 rows \(x, y, times\), received 1"),
        ([([0.0, 1.0], [2.0, float("nan")])], r"finite numbers, received \(1.0, nan\) at point 1"),
        ([([float("inf")], [2.0])], r"finite numbers, received \(inf, 2.0\) at point 0"),
        ([(["left"], [2.0])], "sequences of numbers: could not convert"),
        ([([None, 1.0], ["a", {}])], "sequences of numbers"),
        ([([-1e308, 1e308], [0.0, 0.0])], "received an extent of inf"),
    ],
)
def test_bad_input_says_what_was_expected(strokes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        simplify(strokes)


def read(path: Path) -> dict[str, list[list[list[float]]]]:
    lines = path.read_text(encoding="utf-8").splitlines()
    return {drawing["key_id"]: drawing["drawing"] for drawing in map(json.loads, lines)}


def test_real_drawings_are_identical(real: Path) -> None:
    folder = real / "quickdraw"
    compared = 0
    for path in sorted((folder / "raw").glob("*.ndjson")):
        raw, official = read(path), read(folder / "simplified" / path.name)
        for key in raw.keys() & official.keys():
            assert simplified(raw[key]) == official[key], f"{path.name} {key}"
            compared += 1
    assert compared > 0
