"""Sheets and files: what is where, and whole."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sheets import assert_shows, cells, on_paper

from vaekit import pictures
from vaekit.pictures import GAP

RNG = np.random.default_rng(0)


def test_a_sheet_shows_ink_on_paper_or_bright_on_black_and_colours_as_they_are() -> None:
    grey = RNG.random((2, 3, 8, 8, 1)).astype(np.float32)
    assert_shows(pictures.sheet(grey), grey)
    np.testing.assert_array_equal(cells(pictures.sheet(grey, invert=False), 2, 3, 8), 255 - on_paper(grey))
    colours = RNG.integers(0, 256, (2, 3, 8, 8, 3)).astype(np.uint8)
    np.testing.assert_array_equal(cells(pictures.sheet(colours), 2, 3, 8), colours)
    assert (pictures.sheet(grey)[:GAP] == 255).all()


def test_names_are_beside_their_rows() -> None:
    blank = np.zeros((3, 2, 20, 20), np.uint8)
    picture = pictures.sheet(blank, names=["", "Wide name", ""])
    inked = np.flatnonzero((picture < 128).any(axis=1))
    assert inked.min() >= GAP + 20
    assert inked.max() < GAP + 2 * (20 + GAP)
    assert picture.shape[1] > pictures.sheet(blank).shape[1]
    with pytest.raises(ValueError, match="a name for each of 3 rows, received 1"):
        pictures.sheet(blank, names=["a"])


def test_files_have_the_pixels_and_appear_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = RNG.integers(0, 256, (6, 5)).astype(np.uint8)
    pictures.save(picture, tmp_path / "a.png", zoom=3)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), np.kron(picture, np.ones((3, 3), np.uint8)))
    frames = np.stack([picture, 255 - picture, picture])
    pictures.save_animation(frames, tmp_path / "a.gif", zoom=1, seconds=0.2)
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (3, 200, 0)
        image.seek(1)
        np.testing.assert_array_equal(np.asarray(image.convert("L")), frames[1])

    before = (tmp_path / "a.png").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*a\.png"):
        pictures.save(picture, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.png"]


def test_wrong_arguments_are_named(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"images \(rows, columns, height, width.*received shape \(2, 2\)"):
        pictures.sheet(np.zeros((2, 2)))
    with pytest.raises(ValueError, match=r"name of a picture, such as a\.png"):
        pictures.save(np.zeros((2, 2), np.uint8), tmp_path / "a.txt")
    with pytest.raises(ValueError, match="of uint8, received"):
        pictures.save(np.zeros((2, 2)), tmp_path / "a.png")
    with pytest.raises(ValueError, match="zoom to be 1 or more, received 0"):
        pictures.save(np.zeros((2, 2), np.uint8), tmp_path / "a.png", zoom=0)
    with pytest.raises(FileNotFoundError, match=r"none.a\.png"):
        pictures.save(np.zeros((2, 2), np.uint8), tmp_path / "none" / "a.png")


def test_images_as_models_return_them_are_a_row() -> None:
    images = np.random.default_rng(0).random((5, 8, 8, 1))
    for given in (images, images[..., 0]):
        assert_shows(pictures.sheet(given), images[None])
    assert pictures.sheet(np.zeros((5, 8, 8, 3))).shape == (12, 52, 3)
