"""The table of ready-made segments: that of the package, and segments whose pixels depend on their place."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import fastdraw
from fastdraw.kernels import pillow
from fastdraw.render import styles
from fastdraw.settings import Settings
from fastdraw.sheet import pillow_loop


def by_place(width: int) -> list[tuple[int, int]]:
    """(dx, dy) of the segments whose pixels depend on their place."""
    segments, _ = styles.make_segment_table(pillow.SHORT, width)
    numbers = np.flatnonzero(segments >> np.uint64(32) & np.uint64(pillow.BY_PLACE))
    return [(int(n % pillow.SIDE) - pillow.SHORT + 1, int(n // pillow.SIDE) - pillow.SHORT + 1) for n in numbers]


def test_the_packages_table_is_the_kernels() -> None:
    """It was made by `fastdraw.render.styles.make_segment_table`, see docs/dev/performance.md."""
    made = styles.make_segment_table(pillow.SHORT, Settings.line_width)
    with np.load(Path(styles.__file__).with_name("segments.npz")) as packaged:
        np.testing.assert_array_equal(packaged["segments"], made[0])
        np.testing.assert_array_equal(packaged["blocks"], made[1])


@pytest.mark.parametrize("size", [32, 31, 64])
@pytest.mark.parametrize("width", [2, 5])
def test_segments_that_depend_on_their_place(tmp_path: Path, size: int, width: int) -> None:
    """All of them in each column, and at the top and the bottom."""
    pixels = -(-np.arange(size) * 256 // size)  # the lowest coordinate of each pixel
    drawn = [
        [np.stack([pixels[[x, x + dx]], pixels[[y, y + dy]]])]
        for dx, dy in by_place(width)
        if max(abs(dx), abs(dy)) < size
        for x in range(max(0, -dx), size - max(0, dx))
        for y in (max(0, -dy), size - 1 - max(0, dy))
    ]
    assert len(drawn) > 300
    fastdraw.write_drawings(tmp_path / "drawn.bin", drawn)
    images = fastdraw.open_drawings(tmp_path / "drawn.bin").rasterize(size=size, line_width=width)
    np.testing.assert_array_equal(images, pillow_loop(drawn, size, width))
