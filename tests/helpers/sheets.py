"""Sheets of images taken apart."""

from __future__ import annotations

import numpy as np

from vaekit.pictures import GAP


def cells(picture: np.ndarray, rows: int, columns: int, size: int) -> np.ndarray:
    """The images (rows, columns, size, size[, 3]) of a sheet; names may stand to the left of the columns."""
    side = size + GAP
    assert picture.shape[0] == rows * side + GAP
    left = picture.shape[1] - (columns * side + GAP)
    assert left >= 0
    cuts = [
        [picture[GAP + r * side :, left + GAP + c * side :][:size, :size] for c in range(columns)] for r in range(rows)
    ]
    return np.array(cuts)


def on_paper(images: np.ndarray) -> np.ndarray:
    """Grey images (..., height, width, 1) in 0..1 as dark ink on white: (..., height, width) uint8."""
    return 255 - np.rint(np.asarray(images)[..., 0] * 255).astype(np.uint8)


def assert_same_to_a_grey_level(a: np.ndarray, b: np.ndarray) -> None:
    assert np.abs(a.astype(int) - b).max() <= 1


def assert_shows(picture: np.ndarray, images: np.ndarray) -> None:
    """A sheet shows these images (rows, columns, size, size, 1), which are not all the same."""
    found = cells(picture, *images.shape[:3])
    assert_same_to_a_grey_level(found, on_paper(images))
    assert len({cell.tobytes() for cell in found.reshape(-1, *found.shape[2:])}) > 1, "all cells are the same"
