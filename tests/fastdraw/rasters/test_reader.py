"""Rasters whose files change while they are open or pickled."""

from __future__ import annotations

import os
import pickle
from pathlib import Path

import numpy as np
import pytest

import fastdraw


@pytest.fixture(params=["npy", "tfrecord"])
def folder(sample: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    fastdraw.rasterize_files(sample, tmp_path / "out", format=request.param)
    return tmp_path / "out"


def test_pickles_hold_paths_and_open_the_same_files(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder.parent)
    rasters = fastdraw.open_rasters(folder.name)
    expected = rasters[:]
    batches = fastdraw.batches(rasters, 50, shuffle=True, seed=1, labels="int")
    first = [labels.tolist() for _, labels in batches]
    pickled = pickle.dumps((rasters, batches))
    assert len(pickled) < 5000
    monkeypatch.chdir("/")
    again, batches_again = pickle.loads(pickled)
    assert (again[:] == expected).all()
    assert again.shape == rasters.shape
    assert again.labels.tolist() == rasters.labels.tolist()
    assert (again[rasters.categories[1]] == expected[200:400]).all()
    assert [labels.tolist() for _, labels in batches_again] != first  # the second epoch of the same seed
    path = next(path for path in folder.iterdir() if path.stem == rasters.categories[0])
    path.with_name("new").write_bytes(path.read_bytes())
    os.replace(path.with_name("new"), path)
    with pytest.raises(fastdraw.FastdrawError, match=f"{path}: was changed since it was pickled"):
        pickle.loads(pickled)
    path.unlink()
    with pytest.raises(fastdraw.FastdrawError, match=f"{path}: cannot be opened again: No such file"):
        pickle.loads(pickled)


def test_change_in_place_is_an_error_at_the_next_read(folder: Path) -> None:
    rasters = fastdraw.open_rasters(folder)
    name = rasters.categories[1]
    path = next(path for path in folder.iterdir() if path.stem == name)
    os.truncate(path, 200)
    for index in (name, 200, slice(None), np.arange(150, 250)):
        with pytest.raises(fastdraw.FastdrawError, match=f"{path}: was changed while it was open; open it again"):
            rasters[index]
    assert len(rasters[:200]) == 200
    with pytest.raises(fastdraw.FastdrawError, match="was changed while it was open"):
        list(fastdraw.batches(rasters, 64, shuffle=True))


def test_images_of_a_caller_are_pickled_by_value() -> None:
    images = np.arange(2 * 28 * 28, dtype=np.uint8).reshape(2, 28, 28)
    rasters = fastdraw.Rasters(("face",), [images], fastdraw.settings.Settings(style="google", size=28))
    assert (pickle.loads(pickle.dumps(rasters))[:] == images).all()
