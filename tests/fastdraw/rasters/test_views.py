"""Views of rasters, which are those of drawings as far as the metadata allow it."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import fastdraw


@pytest.fixture(scope="module")
def opened(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[fastdraw.Drawings, fastdraw.Rasters]:
    return fastdraw.open_drawings(sample), fastdraw.rasterize_files(sample, tmp_path_factory.mktemp("rasters"))


@pytest.mark.parametrize(
    "choose",
    [
        lambda data: data.select(slice(5, 500, 7)),
        lambda data: data.select(slice(None, None, -1)),
        lambda data: data.select([-1, 3, 3, 599]),
        lambda data: data.select(data.labels == 1),
        lambda data: data.select([]),
        lambda data: data.filter(categories=["star", "face"]),
        lambda data: data.filter(categories=["star", "face"]).select(slice(None, 250)).filter(categories="face"),
        lambda data: data.select(slice(150, None)).balanced(seed=3),
        lambda data: data.balanced(300),
        lambda data: data.sample(50, seed=1),
        lambda data: data.sample(50, {"face": 3}, seed=1),
    ],
)
def test_views_are_those_of_drawings(opened: tuple[fastdraw.Drawings, fastdraw.Rasters], choose: Any) -> None:
    drawings, rasters = (choose(data) for data in opened)
    expected = drawings.rasterize()
    assert isinstance(rasters, fastdraw.Rasters)
    assert rasters.shape == expected.shape
    assert (rasters[:] == expected).all()
    assert rasters.categories == drawings.categories
    assert rasters.labels.tolist() == drawings.labels.tolist()
    for label, name in enumerate(rasters.categories):
        assert (rasters[name] == expected[drawings.labels == label]).all()
    if len(rasters):
        assert (rasters[-1] == expected[-1]).all()
        again = pickle.loads(pickle.dumps(rasters))
        assert (again[:] == expected).all()
        options: Any = {"batch_size": 16, "labels": "int", "shuffle": True, "seed": 2, "dtype": "uint8"}
        for ours, others in zip(
            fastdraw.batches(rasters, **options), fastdraw.batches(drawings, **options), strict=True
        ):
            assert (ours[0] == others[0]).all()
            assert (ours[1] == others[1]).all()


def test_views_copy_no_images(opened: tuple[fastdraw.Drawings, fastdraw.Rasters]) -> None:
    rasters = opened[1]
    view = rasters.filter(categories=["star"])
    assert np.shares_memory(view["star"], rasters["star"])
    assert not rasters["star"].flags.writeable


def test_wrong_indices(opened: tuple[fastdraw.Drawings, fastdraw.Rasters]) -> None:
    with pytest.raises(IndexError, match="expected indices of <600 rasters of 32x32 pixels in 3 files>, received 600"):
        opened[1].select([600])
    with pytest.raises(TypeError, match="expected an int, a slice"):
        opened[1].select([[1]])
    with pytest.raises(ValueError, match="expected categories among"):
        opened[1].filter(categories="cat")


def test_split_without_metadata_stays_when_files_are_added(sample: Path, tmp_path: Path) -> None:
    all_three = fastdraw.rasterize_files(sample, tmp_path / "three")
    alone = fastdraw.rasterize_files(sample / "star.bin", tmp_path / "one")
    for ours, others in zip(alone.split(0.2, 0.3, seed=1), all_three.split(0.2, 0.3, seed=1), strict=True):
        assert (ours["star"] == others["star"]).all()
    parts = all_three.split(0.2, 0.3)
    assert sum(map(len, parts)) == 600
    assert 80 < len(parts[1]) < 160 < len(parts[2]) < 220


def test_filter_needs_metadata(opened: tuple[fastdraw.Drawings, fastdraw.Rasters]) -> None:
    with pytest.raises(fastdraw.FastdrawError, match="expected metadata beside the rasters"):
        opened[1].filter(recognized=True)
