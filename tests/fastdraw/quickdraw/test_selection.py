"""Choosing drawings at random: as many of each category, or by weights."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import fastdraw
from fastdraw.quickdraw.selection import random_places, weighted_counts


@given(
    labels=st.lists(st.integers(0, 3), min_size=1, max_size=200),
    takes=st.lists(st.integers(0, 300), min_size=4, max_size=4),
    seed=st.integers(0, 2**64 - 1),
)
def test_each_drawing_repeats_as_often_as_others_or_once_more(labels: list[int], takes: list[int], seed: int) -> None:
    found = np.bincount(labels, minlength=4)
    wanted = np.where(found > 0, takes, 0)
    places = random_places(np.array(labels), wanted, seed)
    assert (np.diff(places) >= 0).all()
    times = np.bincount(places, minlength=len(labels))
    for category in range(4):
        of_category = times[np.array(labels) == category]
        assert of_category.sum() == wanted[category]
        assert not of_category.size or np.ptp(of_category) <= 1


@given(number=st.integers(0, 10**6), weights=st.lists(st.floats(0, 10), min_size=1, max_size=9), seed=st.integers(0, 9))
def test_counts_are_the_shares_rounded(number: int, weights: list[float], seed: int) -> None:
    if sum(weights) == 0:
        return
    shares = np.cumsum(weights) / np.sum(weights)
    shares[-1] = 1
    counts = weighted_counts(number, shares, seed)
    assert counts.sum() == number
    assert (abs(counts - number * np.diff(shares, prepend=0)) < 1 + 1e-6).all()


def test_balanced(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)[130:]
    balanced = drawings.balanced()
    assert np.bincount(balanced.labels).tolist() == [70, 70, 70]
    ids = balanced.metadata["key_id"]
    assert len(np.unique(ids)) == 210
    assert np.array_equal(ids, drawings.balanced().metadata["key_id"])
    assert not np.array_equal(ids, drawings.balanced(seed=1).metadata["key_id"])
    assert np.bincount(drawings.balanced(150).labels).tolist() == [150, 150, 150]
    assert balanced.rasterize().shape == (210, 32, 32)
    training, *_ = balanced.split()
    assert len(training) < 210


def test_sample(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    some = drawings.sample(100, seed=3)
    assert len(np.unique(some.metadata["key_id"])) == 100
    assert set(some.labels) == {0, 1, 2}
    assert len(drawings.sample(600)) == 600
    assert len(drawings.sample(0)) == 0
    first, second, _ = drawings.categories
    many = drawings.sample(1000, weights={first: 6, second: 3})
    assert np.bincount(many.labels).tolist() == [600, 300, 100]
    assert np.bincount(many[many.labels == 0].metadata["key_id"].argsort()).max() == 1


@pytest.mark.parametrize(
    ("method", "arguments", "message"),
    [
        ("balanced", {"per_category": 0}, "per_category to be 1 or more, received 0"),
        ("balanced", {"seed": 1.5}, "seed to be an integer, received 1.5"),
        ("sample", {"n": 601}, "n to be from 0 to 600, received 601"),
        ("sample", {"n": 1, "weights": {"dog": 1}}, "received ['dog']"),
        ("sample", {"n": 1, "weights": {"face": -1}}, "weight of 'face' to be from 0 to 1e+300, received -1"),
        ("sample", {"n": 1, "weights": {"face": float("nan")}}, "from 0 to 1e+300, received nan"),
        ("sample", {"n": 1, "weights": {"face": 1e308, "star": 1e308}}, "weight of 'face' to be from 0 to 1e+300"),
        ("sample", {"n": 1, "weights": {"face": 10**400}}, "weight of 'face' to be from 0 to 1e+300"),
        ("sample", {"n": 1, "weights": {"face": np.complex64(2)}}, "weight of 'face' to be a number"),
        ("sample", {"n": 1, "weights": {"face": "2"}}, "weight of 'face' to be a number, received '2'"),
        ("sample", {"n": 1, "weights": [1, 2, 3]}, "a dict of category to number, received [1, 2, 3]"),
        ("sample", {"n": 1, "weights": {"face": 0, "house": 0, "star": 0}}, "expected a weight above 0"),
    ],
)
def test_wrong_arguments(sample: Path, method: str, arguments: dict[str, Any], message: str) -> None:
    drawings = fastdraw.open_drawings(sample)
    with pytest.raises((ValueError, TypeError), match=re.escape(message)):
        getattr(drawings, method)(**arguments)


def test_categories_without_drawings_are_named(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)[:200]
    for choose in (drawings.balanced, lambda: drawings.sample(5, weights={})):
        with pytest.raises(ValueError, match=r"none of \['house', 'star'\]; use filter\(categories=\['face'\]\)"):
            choose()
    assert len(drawings.filter(categories=["face"]).balanced()) == 200
