"""Batches whose categories have the shares that weights say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw.kernels.hashing import key
from fastdraw.loader.weighted import WeightedChoice


@pytest.mark.parametrize("mixed", [False, True])
def test_shares_and_drawings_are_as_likely_as_expected(mixed: bool) -> None:
    labels = np.repeat([0, 1, 2, 3], [10, 1000, 40, 7])
    if mixed:
        labels = np.random.default_rng(0).permutation(labels)
    choice = WeightedChoice({"a": 2, "b": 0.5, "d": 0}, tuple("abcd"), labels)
    indices = choice.indices(key(1), np.arange(700_000))
    found = np.bincount(labels[indices], minlength=4)
    expected = np.array([400_000, 100_000, 200_000, 0])
    assert (abs(found - expected) <= 5 * np.sqrt(expected)).all()
    for category, each in ((0, 40_000), (1, 100), (2, 5_000)):
        times = np.bincount(indices, minlength=len(labels))[labels == category]
        assert (abs(times - each) < 6 * np.sqrt(each)).all()


def test_any_number_of_shards_gives_the_same_stream(sample: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(sample, tmp_path)
    drawings = fastdraw.open_drawings(sample)
    options = {"weights": {"star": 5}, "seed": 2, "epochs": 2, "labels": "int", "dtype": "uint8"}
    whole = list(fastdraw.batches(drawings, 120, **options))
    labels = np.concatenate([labels for _, labels in whole])
    assert len(labels) == 1200
    assert np.bincount(labels)[2] == pytest.approx(1200 * 5 / 7, abs=80)
    shards = [list(fastdraw.batches(drawings, 40, shard=(i, 3), **options)) for i in range(3)]
    for number, (images, _) in enumerate(whole):
        for i in range(3):
            assert np.array_equal(images[i::3], shards[i][number][0])
    rasters = list(fastdraw.batches(fastdraw.open_rasters(tmp_path), 120, **options))
    assert all(np.array_equal(one[0], other[0]) for one, other in zip(whole, rasters, strict=True))

    loader = fastdraw.batches(drawings, 120, **options)
    iterator = iter(loader)
    for _ in range(7):
        next(iterator)
    rest = fastdraw.batches(drawings, 120, **options)
    rest.load_state_dict(loader.state_dict())
    assert np.array_equal(np.concatenate([labels for _, labels in rest]), labels[7 * 120 :])


def test_drawings_that_repeat_are_changed_each_time(sample: Path) -> None:
    few = fastdraw.open_drawings(sample).filter(categories=["face", "star"]).select([0] + [399] * 7)
    options = {"weights": {"star": 0}, "seed": 2, "augment": fastdraw.Augment(rotate=180)}
    whole = np.concatenate(list(fastdraw.batches(few, 8, **options)))
    assert len({image.tobytes() for image in whole}) > 4  # of one face, eight times
    shards = [np.concatenate(list(fastdraw.batches(few, 4, shard=(i, 2), **options))) for i in range(2)]
    assert all(np.array_equal(whole[i::2], shards[i]) for i in range(2))


def test_wrong_weights(sample: Path) -> None:
    with pytest.raises(ValueError, match="expected weights of categories among"):
        fastdraw.batches(fastdraw.open_drawings(sample), 8, weights={"dog": 1})
