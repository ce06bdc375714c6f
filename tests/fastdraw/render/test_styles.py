"""The registry of styles: a style that a test adds works everywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw.settings import STYLES, Settings, Style, register_style
from fastdraw.sheet import contact_sheet


def dots(records: np.ndarray, starts: np.ndarray, settings: Settings, images: np.ndarray) -> None:
    """As many pixels of ink as the record has bytes, as far as the image has room."""
    images[:] = 0
    for length, image in zip(np.diff(starts), images, strict=True):
        image.reshape(-1)[:length] = 255


@pytest.fixture
def dotted(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setitem(sys.modules, "dotted_style", sys.modules[__name__])  # tests are not importable by name
    register_style(Style("dots", "dotted_style:dots", bilevel=True, default_size=16))
    yield
    del STYLES["dots"]


def test_an_added_style_works_everywhere(dotted: None, sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = np.zeros((600, 16 * 16), np.uint8)
    for image, length in zip(expected, np.diff(drawings.records()[1]), strict=True):
        image[:length] = 255
    expected = expected.reshape(600, 16, 16)

    np.testing.assert_array_equal(drawings.rasterize(style="dots"), expected)
    np.testing.assert_array_equal(drawings.rasterize(style="dots", invert=True), 255 - expected)
    packed = drawings.rasterize(style="dots", packed=True, size=16, invert=True)
    np.testing.assert_array_equal(packed, np.packbits(255 - expected.reshape(600, -1), axis=1))
    batches = np.concatenate(list(fastdraw.batches(drawings, 100, style="dots", invert=True)))
    np.testing.assert_array_equal(batches[..., 0], (255 - expected) / np.float32(255))

    rasters = fastdraw.rasterize_files(sample, tmp_path / "rasters", style="dots")
    np.testing.assert_array_equal(rasters[:], expected)
    sheet = np.asarray(contact_sheet(drawings[:1], 1, style="dots", size=16))
    np.testing.assert_array_equal(sheet[4:20, -24:-8], 255 - expected[0])


def test_a_name_belongs_to_one_style() -> None:
    register_style(STYLES["line"])
    with pytest.raises(ValueError, match="no other style has, received 'line'"):
        register_style(Style("line", "fastdraw.render.styles:google"))
    with pytest.raises(ValueError, match="which has greys"):
        Style("grey", "fastdraw.render.styles:google", native=("float32",))
