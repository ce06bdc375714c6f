"""Random changes to strokes: records stay valid, bounds hold, and only key and index matter."""

from __future__ import annotations

import itertools
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from strategies import drawings as any_drawings

import fastdraw
from fastdraw import Augment
from fastdraw.kernels import hashing
from fastdraw.quickdraw.binary import decode

KEY = np.uint64(7)
BRANCH = [np.array([[100, 140, 120], [100, 130, 160]])]  # small, in the middle, not symmetric
STRONG = Augment(rotate=180, scale=(0.5, 2), shear=40, translate=100, jitter=20, drop_strokes=0.5, flip=True)


def augmented(
    folder: Path, drawn: list, augment: Augment, key: np.uint64 = KEY, indices: list[int] | None = None
) -> list[list[np.ndarray]]:
    fastdraw.write_drawings(folder / "drawn.bin", drawn)
    records, starts = fastdraw.open_drawings(folder / "drawn.bin").records()
    numbers = np.arange(len(drawn)) if indices is None else np.array(indices)
    augment.apply(records, starts, numbers, key)
    changed = []
    for start, stop in itertools.pairwise(starts):
        record = records[start:stop]
        strokes = decode(record)
        assert len(strokes) == int(record[15:17].view("<u2")[0])
        assert sum(2 + stroke.size for stroke in strokes) + 17 == len(record)
        changed.append(strokes)
    return changed


def points(strokes: list[np.ndarray]) -> np.ndarray:
    return np.concatenate(strokes, axis=1).astype(float)


def test_random_numbers_are_splitmix64() -> None:
    state = np.array([1234567, 1234567 + 0x9E3779B97F4A7C15], np.uint64)
    assert hashing.mix(state).tolist() == [6457827717110365317, 3203168211198807973]


@given(drawn=st.lists(any_drawings(), min_size=1, max_size=5), key=st.integers(0, 2**64 - 1))
def test_no_change_by_default(tmp_path_factory: pytest.TempPathFactory, drawn: list, key: int) -> None:
    folder = tmp_path_factory.mktemp("same")
    for augment in (Augment(), Augment(flip=False, scale=(1, 1), drop_strokes=0.0, jitter=1e-9)):
        for strokes, expected in zip(augmented(folder, drawn, augment, np.uint64(key)), drawn, strict=True):
            assert [stroke.tolist() for stroke in strokes] == [stroke.tolist() for stroke in expected]


@given(drawn=st.lists(any_drawings(), min_size=1, max_size=5), key=st.integers(0, 2**64 - 1))
def test_records_stay_valid(tmp_path_factory: pytest.TempPathFactory, drawn: list, key: int) -> None:
    """`augmented` checks each record. Strokes keep their numbers of points, and one stroke stays."""
    folder = tmp_path_factory.mktemp("whole")
    for strokes, before in zip(augmented(folder, drawn, STRONG, np.uint64(key)), drawn, strict=True):
        assert min(1, len(before)) <= len(strokes) <= len(before)
        left = iter(stroke.shape for stroke in before)
        assert all(stroke.shape in left for stroke in strokes)  # in their order


def test_only_key_and_index_matter(tmp_path: Path, sample: Path) -> None:
    drawn = list(fastdraw.open_drawings(sample)[:50])
    whole = augmented(tmp_path, drawn, STRONG)
    some = augmented(tmp_path, [drawn[30], drawn[4]], STRONG, indices=[30, 4])
    for strokes, expected in zip(some, [whole[30], whole[4]], strict=True):
        assert [stroke.tolist() for stroke in strokes] == [stroke.tolist() for stroke in expected]
    others = augmented(tmp_path, drawn, STRONG, np.uint64(8))
    differing = [points(a).tolist() != points(b).tolist() for a, b in zip(whole, others, strict=True)]
    assert np.mean(differing) > 0.9
    same_drawing = augmented(tmp_path, [BRANCH] * 50, Augment(rotate=90))
    assert len({points(strokes).tobytes() for strokes in same_drawing}) > 40


def test_drop_strokes(tmp_path: Path) -> None:
    drawn = [[np.full((2, 2), number) for number in range(10)]] * 1000
    dropped = augmented(tmp_path, drawn, Augment(drop_strokes=0.3))
    counts = np.array([len(strokes) for strokes in dropped])
    assert counts.mean() == pytest.approx(1 + 9 * 0.7, abs=0.15)
    only = augmented(tmp_path, drawn, Augment(drop_strokes=1.0))
    kept = np.bincount([int(strokes[0][0, 0]) for strokes in only], minlength=10)
    assert {len(strokes) for strokes in only} == {1}
    assert kept.min() > 60  # any of the ten


def test_flip_mirrors_half(tmp_path: Path) -> None:
    flipped = [points(strokes) for strokes in augmented(tmp_path, [BRANCH] * 400, Augment(flip=True))]
    mirrored = points(BRANCH) * [[-1], [1]] + [[240], [0]]
    same = np.array([(strokes == points(BRANCH)).all() for strokes in flipped])
    assert ((np.array([(strokes == mirrored).all() for strokes in flipped])) ^ same).all()
    assert 150 < same.sum() < 250


def test_scale_about_the_middle(tmp_path: Path) -> None:
    for factor in (0.5, 2.0):
        for strokes in augmented(tmp_path, [BRANCH] * 3, Augment(scale=(factor, factor))):
            expected = [[120], [130]] + factor * (points(BRANCH) - [[120], [130]])
            np.testing.assert_allclose(points(strokes), expected, atol=0.5)
    sizes = [np.ptp(points(strokes)[1]) for strokes in augmented(tmp_path, [BRANCH] * 300, Augment(scale=(0.5, 2)))]
    assert (min(sizes), max(sizes)) == pytest.approx((30, 120), abs=2)


def test_rotate_and_shear(tmp_path: Path) -> None:
    upright = [np.array([[128, 128], [78, 178]])]
    for augment, lengthens in ((Augment(rotate=30), False), (Augment(shear=30), True)):
        strokes = [points(changed) for changed in augmented(tmp_path, [upright] * 300, augment)]
        across, down = np.array([np.diff(stroke, axis=1).ravel() for stroke in strokes]).T
        angles = np.degrees(np.arctan2(across, down))
        assert (angles.min(), angles.max()) == pytest.approx((-30, 30), abs=1.5)
        assert abs(angles.mean()) < 3
        np.testing.assert_allclose(down if lengthens else np.hypot(across, down), 100, atol=1.5)


def test_translate_and_jitter(tmp_path: Path) -> None:
    moves = np.array(
        [points(strokes) - points(BRANCH) for strokes in augmented(tmp_path, [BRANCH] * 500, Augment(translate=30))]
    )
    assert (moves == moves[:, :, :1]).all()  # as a whole
    assert (moves.min(axis=(0, 2)), moves.max(axis=(0, 2))) == (
        pytest.approx([-30] * 2, abs=1),
        pytest.approx([30] * 2, abs=1),
    )
    moves = np.array(
        [points(strokes) - points(BRANCH) for strokes in augmented(tmp_path, [BRANCH] * 500, Augment(jitter=5))]
    )
    assert (moves.min(axis=0) == -5).all()
    assert (moves.max(axis=0) == 5).all()
    assert np.abs(np.corrcoef(moves.reshape(500, -1).T) - np.eye(6)).max() < 0.2  # each point on its own


def test_drawings_stay_on_the_canvas_in_their_shape(tmp_path: Path) -> None:
    square = [np.array([[0, 255, 255, 0, 0], [0, 0, 255, 255, 0]])]
    for strokes in augmented(tmp_path, [square] * 100, Augment(rotate=180, scale=(1, 3), translate=50)):
        corners = points(strokes)
        sides = np.hypot(*np.diff(corners, axis=1))
        np.testing.assert_allclose(sides, sides[0], atol=1.5)
        np.testing.assert_allclose(np.ptp(corners, axis=1), 255, atol=1)


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"rotate": -1}, "expected rotate to be from 0 to 180, received -1"),
        ({"rotate": float("nan")}, "rotate"),
        ({"rotate": "10"}, "expected rotate to be a number"),
        ({"scale": 1.2}, "expected scale to be a pair"),
        ({"scale": (1.2, 0.8)}, "smaller and a larger"),
        ({"scale": (0, 1)}, "smaller and a larger"),
        ({"shear": 90}, "shear"),
        ({"translate": 256}, "translate"),
        ({"jitter": float("inf")}, "jitter"),
        ({"drop_strokes": 1.1}, "drop_strokes"),
        ({"flip": 0.5}, "flip"),
    ],
)
def test_bad_arguments(arguments: dict, error: str) -> None:
    with pytest.raises((ValueError, TypeError), match=error):
        Augment(**arguments)
