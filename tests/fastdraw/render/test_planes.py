"""Images of three planes: compared with Pillow and scikit-image, and passed on by all that deliver images."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw
from skimage.draw import line, line_aa
from strategies import drawings as any_drawings

import fastdraw
from fastdraw.cli import main
from fastdraw.settings import STYLES


def reference(drawing: list[np.ndarray], size: int, style: str, width: int) -> np.ndarray:
    """A drawing in the colours of public code, segment by segment: (size, size, 3) uint8."""
    picture = Image.new("RGB", (size, size))
    pen = ImageDraw.Draw(picture)
    image = np.zeros((size, size, 3), np.uint8)
    for t, stroke in enumerate(drawing):
        x, y = stroke.astype(int) * size // 256
        for i in range(len(x) - 1):
            color = 255, 255 - min(t, 10) * 13, max(255 - 255 // (len(x) - 1) * i, 20)
            if style == "pillow":
                pen.line([(x[i], y[i]), (x[i + 1], y[i + 1])], color, width)
            elif style == "line":
                image[line(y[i], x[i], y[i + 1], x[i + 1])] = color
            else:
                rows, columns, values = line_aa(y[i], x[i], y[i + 1], x[i + 1])
                inside = (rows >= 0) & (rows < size) & (columns >= 0) & (columns < size)
                ink = np.zeros((size, size), np.uint8)
                np.maximum.at(ink, (rows[inside], columns[inside]), np.rint(255 * values[inside]).astype(np.uint8))
                changed = (ink > 0) & (ink >= image[..., 0])
                image[changed] = np.floor(ink[changed, None] * np.array(color) / 255 + 0.5)
    return np.asarray(picture) if style == "pillow" else image


@settings(max_examples=150, deadline=None)
@given(
    drawn=st.lists(any_drawings(), min_size=1, max_size=4),
    size=st.sampled_from([8, 28, 32, 50, 255, 300]),
    style=st.sampled_from(["pillow", "line", "line-aa"]),
    width=st.sampled_from([1, 2, 3, 32]),
)
def test_planes_of_random_strokes(
    tmp_path_factory: pytest.TempPathFactory, drawn: list, size: int, style: str, width: int
) -> None:
    path = tmp_path_factory.mktemp("random") / "drawn.bin"
    fastdraw.write_drawings(path, drawn)
    options: dict = {"size": size, "style": style} | ({"line_width": width} if style == "pillow" else {})
    drawings = fastdraw.open_drawings(path)
    images = drawings.rasterize(channels=3, **options)
    np.testing.assert_array_equal(images[..., 0], drawings.rasterize(**options))
    for image, drawing in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(image, reference(drawing, size, style, width))


@pytest.mark.parametrize("size", [512, 1024])
@pytest.mark.parametrize("style", ["pillow", "line"])
def test_planes_of_large_images(sample: Path, size: int, style: str) -> None:
    drawings = fastdraw.open_drawings(sample)[::60]
    images = drawings.rasterize(size=size, style=style, channels=3)
    for image, drawing in zip(images, drawings, strict=True):
        np.testing.assert_array_equal(image, reference(drawing, size, style, 2))


def test_levels_of_strokes_and_segments(tmp_path: Path) -> None:
    """Twelve strokes, below each other, each of four segments with equal extents."""
    x = np.arange(0, 250, 62, dtype=np.uint8)
    fastdraw.write_drawings(tmp_path / "rows.bin", [[np.array([x, np.full(5, 20 * t)]) for t in range(12)]])
    (image,) = fastdraw.open_drawings(tmp_path / "rows.bin").rasterize(size=256, style="line", channels=3)
    assert image[::20, 30][:12, 1].tolist() == [255, 242, 229, 216, 203, 190, 177, 164, 151, 138, 125, 125]
    assert image[0, [30, 90, 150, 210], 2].tolist() == [255, 192, 129, 66]


def test_dtype_invert_and_threads(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    levels = drawings.rasterize(channels=3, threads=3)
    assert levels.shape == (600, 32, 32, 3)
    np.testing.assert_array_equal(drawings.rasterize(channels=3, invert=True, threads=1), 255 - levels)
    out = np.full(levels.shape, np.nan, np.float32)
    np.testing.assert_array_equal(drawings.rasterize(channels=3, out=out), levels / np.float32(255))
    np.testing.assert_array_equal(drawings.rasterize(channels=1), levels[..., 0])


@pytest.mark.parametrize("channels", [1, 3])
def test_batches_of_drawings_and_rasters(sample: Path, tmp_path: Path, channels: int) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = drawings.rasterize(channels=channels).reshape(600, 32, 32, channels)
    rasters = fastdraw.rasterize_files(sample, tmp_path / "rasters", channels=channels)
    for data, option in ((drawings, channels), (rasters, None), (rasters, channels)):
        last = next(iter(fastdraw.batches(data, 50, channels=option, dtype="uint8")))
        np.testing.assert_array_equal(last, expected[:50])
        first = next(iter(fastdraw.batches(data, 50, channels=option, data_format="channels_first")))
        np.testing.assert_array_equal(first, np.moveaxis(expected[:50], 3, 1) / np.float32(255))
        tensors = fastdraw.to_tf_dataset(data, 50, channels=option, data_format="channels_first")
        assert tuple(tensors.element_spec.shape) == (50, channels, 32, 32)
        np.testing.assert_array_equal(next(iter(tensors)), first)
        of_keras = fastdraw.to_keras_dataset(data, 50, channels=option, data_format="channels_first")
        np.testing.assert_array_equal(of_keras[0][0], first)


def test_tensors_of_torch(sample: Path) -> None:
    torch = pytest.importorskip("torch")
    drawings = fastdraw.open_drawings(sample)
    images = next(iter(fastdraw.to_torch_dataset(drawings, 50, channels=3, data_format="channels_first")))
    assert images.shape == (50, 3, 32, 32)
    assert images.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_array_equal(images[:, 0], drawings[:50].rasterize() / np.float32(255))


def test_folders(sample: Path, tmp_path: Path) -> None:
    expected = fastdraw.open_drawings(sample).rasterize(channels=3)
    folder = tmp_path / "planes"
    command = ["rasterize", str(sample), "--out", str(folder)]
    result = CliRunner().invoke(main, [*command, "--channels", "3"])
    assert result.output.endswith(f"{folder}: 600 rasters of 32x32x3 pixels\n")
    assert json.loads((folder / "dataset.json").read_text())["settings"]["channels"] == 3
    rasters = fastdraw.open_rasters(folder)
    assert rasters.shape == (600, 32, 32, 3)
    assert "32x32x3 pixels" in repr(rasters)
    np.testing.assert_array_equal(rasters[:], expected)
    assert fastdraw.verify_rasters(folder) == []
    assert "channels 3, now 1" in CliRunner().invoke(main, command).output
    assert "one of (1, 3), received 2" in CliRunner().invoke(main, [*command, "--channels", "2"]).output

    fastdraw.bulk.run(sample, tmp_path / "records", channels=3, format="tfrecord")
    batch = next(iter(fastdraw.read_tfrecords(tmp_path / "records", 50, dtype="uint8")))
    np.testing.assert_array_equal(batch, expected[:50])

    (folder,) = fastdraw.export_drawings(fastdraw.open_drawings(sample)[:3], tmp_path / "pictures", "png", channels=3)
    np.testing.assert_array_equal([np.asarray(Image.open(path)) for path in sorted(folder.iterdir())], expected[:3])


def test_images_of_one_plane_are_described_as_before(sample: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(sample, tmp_path, channels=1)
    assert "channels" not in json.loads((tmp_path / "dataset.json").read_text())["settings"]


def test_what_cannot_take_planes_says_so(sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    able = tuple(name for name, style in STYLES.items() if style.planes)
    with pytest.raises(ValueError, match=r"one of .*; received 'google'$") as error:
        drawings.rasterize(style="google", channels=3)
    assert str(able) in str(error.value)
    for call in (
        lambda: drawings.rasterize(packed=True, channels=3),
        lambda: fastdraw.rasterize_files(sample, tmp_path, flat=True, channels=3),
        lambda: fastdraw.export_drawings(drawings, tmp_path / "gifs", "gif", channels=3),
    ):
        with pytest.raises(ValueError, match="expected channels=1 with"):
            call()
    with pytest.raises(ValueError, match=r"to be one of \(1, 3\), received 4"):
        drawings.rasterize(channels=4)
    for options in ({"packed": True}, {"strokes": "stroke-3"}):
        with pytest.raises(ValueError, match="no data_format with packed images or strokes"):
            fastdraw.batches(drawings, 50, data_format="channels_first", **options)
