"""Images compared with Pillow and scikit-image; memory, threads and processes."""

from __future__ import annotations

import concurrent.futures
import multiprocessing
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from skimage_reference import skimage_raster
from strategies import drawings as any_drawings

import fastdraw
from fastdraw.render import styles
from fastdraw.render.render import render
from fastdraw.settings import STYLES, Settings
from fastdraw.sheet import pillow_loop

SIZES = [28, 32, 64, 128, 256]
LARGE = [257, 300, 512, 1024]


def rasterize(drawn: list, folder: Path, **arguments: object) -> np.ndarray:
    fastdraw.write_drawings(folder / "drawn.bin", drawn)
    return fastdraw.open_drawings(folder / "drawn.bin").rasterize(**arguments)


@settings(max_examples=150, deadline=None)
@given(
    drawn=st.lists(any_drawings(), min_size=1, max_size=6),
    size=st.sampled_from([*SIZES, *LARGE, 8, 9, 50, 255]),
    width=st.sampled_from([1, 2, 3, 4, 7, 16, 32]),
)
@example(drawn=[[np.array([[9], [9]])], [np.array([[9, 9], [9, 9]])]], size=32, width=2)
# A segment whose pixels depend on its position in Pillow: (dx, dy) = (13, 22) in 32x32.
@example(drawn=[[np.array([[x, x + 8 * 13], [0, 8 * 22]])] for x in range(0, 150, 8)], size=32, width=2)
def test_pillow_style_on_random_strokes(
    tmp_path_factory: pytest.TempPathFactory, drawn: list, size: int, width: int
) -> None:
    images = rasterize(drawn, tmp_path_factory.mktemp("random"), size=size, line_width=width)
    np.testing.assert_array_equal(images, pillow_loop(drawn, size, width))


@pytest.mark.parametrize("width", [1, 2, 3])
@pytest.mark.parametrize("size", SIZES)
def test_pillow_style_on_all_real_drawings(real: Path, size: int, width: int) -> None:
    drawings = fastdraw.open_drawings(real / "quickdraw/bin")
    assert len(drawings) == 7500
    for start in range(0, 7500, 500):  # 32 MB of images at a time
        some = drawings[start : start + 500]
        images = some.rasterize(size=size, line_width=width)
        np.testing.assert_array_equal(images, pillow_loop(some, size, width))
        assert images.any(axis=(1, 2)).all()


@pytest.mark.parametrize(("size", "width"), [(32, 1), (32, 2), (32, 3), (28, 2)])
def test_every_segment_of_a_small_canvas(tmp_path: Path, size: int, width: int) -> None:
    """Random segments of all lengths: in the table, too long for it, and with pixels that depend on the position."""
    pixels = -(-np.arange(size) * 256 // size)  # the lowest coordinate of each pixel
    assert (pixels * size // 256 == np.arange(size)).all()
    rng = np.random.default_rng(0)
    x0, x1, y0, y1 = rng.integers(0, size, (4, 12_000))
    drawn = [[pixels[np.array([[a, b], [c, d]])]] for a, b, c, d in zip(x0, x1, y0, y1, strict=True)]
    images = rasterize(drawn, tmp_path, size=size, line_width=width)
    np.testing.assert_array_equal(images, pillow_loop(drawn, size, width))


@settings(max_examples=150)
@given(
    drawn=st.lists(any_drawings(), min_size=1, max_size=6),
    size=st.sampled_from([*SIZES, *LARGE, 8, 9, 255]),
    antialias=st.booleans(),
)
def test_line_styles_on_random_strokes(
    tmp_path_factory: pytest.TempPathFactory, drawn: list, size: int, antialias: bool
) -> None:
    style = "line-aa" if antialias else "line"
    images = rasterize(drawn, tmp_path_factory.mktemp("random"), size=size, style=style)
    for image, drawing in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(image, skimage_raster(drawing, size, antialias))


@pytest.mark.parametrize("style", ["line", "line-aa"])
@pytest.mark.parametrize("size", [28, 64])
def test_line_styles_on_all_real_drawings(real: Path, size: int, style: str) -> None:
    drawings = fastdraw.open_drawings(real / "quickdraw/bin")
    images = drawings.rasterize(size=size, style=style)
    for image, drawing in zip(images, drawings, strict=True):
        np.testing.assert_array_equal(image, skimage_raster(drawing, size, style == "line-aa"))
    assert images.any(axis=(1, 2)).all()


def test_invert_and_dtype(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    images = drawings.rasterize()
    assert images.dtype == np.uint8
    assert images.shape == (600, 32, 32)
    assert set(np.unique(images)) == {0, 255}
    assert (drawings.rasterize(invert=True) == 255 - images).all()


@pytest.mark.parametrize("invert", [False, True])
@pytest.mark.parametrize("style", ["pillow", "line"])
@pytest.mark.parametrize("size", [8, 28, 32, 36, 48, 64, 256, 300, 512])
def test_packed_is_packbits(sample: Path, size: int, style: str, invert: bool) -> None:
    drawings = fastdraw.open_drawings(sample)
    images = drawings.rasterize(style=style, size=size, invert=invert)
    packed = drawings.rasterize(style=style, size=size, invert=invert, packed=True, threads=3)
    np.testing.assert_array_equal(packed, np.packbits(images.reshape(len(images), -1), axis=1))


@pytest.mark.parametrize("size", [16, 32, 48, 64, 80, 256])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_what_is_written_past_the_caches_is_the_same(sample: Path, size: int, dtype: type) -> None:
    drawings = fastdraw.open_drawings(sample)
    levels = drawings.rasterize(size=size)
    expected = levels if dtype == np.uint8 else levels / np.float32(255)
    memory = np.zeros(expected.size + 32, dtype)
    aligned = -memory.ctypes.data // memory.itemsize % 16
    for start in (aligned, aligned + 1):
        out = memory[start : start + expected.size].reshape(expected.shape)
        records, starts = drawings.records(copy=False)
        styles.pillow(records, starts, Settings.of(size=size), out, large=0)
        np.testing.assert_array_equal(out, expected)
        assert not memory[:start].any()
        assert not memory[start + expected.size :].any()
        memory[:] = 0


@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("size", [28, 32, 100])
@pytest.mark.parametrize("invert", [False, True])
def test_float_images_are_the_grey_levels_divided_by_255(sample: Path, style: str, size: int, invert: bool) -> None:
    drawings = fastdraw.open_drawings(sample)
    levels = drawings.rasterize(style=style, size=size, invert=invert)
    out = np.full(levels.shape, np.nan, np.float32)
    assert drawings.rasterize(style=style, size=size, invert=invert, out=out) is out
    np.testing.assert_array_equal(out, levels / np.float32(255))


def in_small_chunks(drawings: fastdraw.Drawings, threads: int | None = None, size: int = 32) -> np.ndarray:
    """As `rasterize`, with 37 images for each kernel call, so that few drawings keep several threads busy."""
    return render(
        lambda start, stop: drawings[start:stop].records(copy=False),
        len(drawings),
        Settings.of(size=size),
        threads=threads,
        chunk=37 * size**2,
    )


@pytest.mark.parametrize("size", [28, 32, 50, 100])
def test_threads_and_indices_do_not_change_the_images(sample: Path, size: int) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = drawings.rasterize(size=size, threads=1)
    order = np.random.default_rng(0).permutation(len(drawings))
    for threads in (2, 3, 8, None):
        assert (in_small_chunks(drawings, threads, size) == expected).all()
        assert (in_small_chunks(drawings[order], threads, size) == expected[order]).all()
    assert (drawings.rasterize(order, size=size) == expected[order]).all()
    assert (drawings.rasterize(slice(5, 500, 3), size=size) == expected[5:500:3]).all()


def test_out_is_filled_whatever_was_in_it(sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    out = np.full((600, 32, 32), 77, np.uint8)
    assert drawings.rasterize(out=out) is out
    assert (out == drawings.rasterize()).all()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"style": "crayon"}, "'crayon'"),
        ({"size": 7}, "8 to 1024, received 7"),
        ({"size": 1025}, "8 to 1024, received 1025"),
        ({"size": 721, "style": "google"}, "the size of style 'google' to be from 8 to 720, received 721"),
        ({"size": 32.0}, "integer, received 32.0"),
        ({"packed": True, "style": "google"}, "without greys to pack, .*; received 'google'"),
        ({"packed": True, "size": 30}, "multiple of 4 to pack, received 30"),
        ({"line_width": 0}, "1 to 32, received 0"),
        ({"line_width": True}, "integer, received True"),
        ({"threads": 0}, "1 or more, received 0"),
        ({"out": np.empty((600, 32, 31), np.uint8)}, r"\(600, 32, 31\)"),
        ({"out": np.empty((600, 32, 32), np.float64)}, "uint8 or float32 and shape .*, received float64"),
        ({"out": np.empty((600, 128), np.float32), "packed": True}, "array of uint8 and shape .*, received float32"),
        ({"out": np.empty((600, 32, 64), np.uint8)[:, :, ::2]}, "contiguous"),
        ({"indices": 5}, "slice or an array"),
        ({"stile": "line"}, "threads, out, style, size, line_width, invert, packed, channels; received 'stile'"),
        ({"sise": None}, "received 'sise'"),
        ({"flat": True}, "received 'flat'"),
    ],
)
def test_wrong_arguments(sample: Path, arguments: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError), match=message):
        fastdraw.open_drawings(sample).rasterize(**arguments)


def test_many_threads_at_once(sample: Path) -> None:
    expected = fastdraw.open_drawings(sample).rasterize()
    for _ in range(5):  # the first use of newly opened drawings
        drawings = fastdraw.open_drawings(sample)
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            for images in pool.map(lambda _, d=drawings: in_small_chunks(d, threads=4), range(16)):
                assert (images == expected).all()


def _checksum(drawings: fastdraw.Drawings) -> int:
    return int(in_small_chunks(drawings, threads=4).sum())


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_after_a_fork_and_in_a_new_process(sample: Path, method: str) -> None:
    drawings = fastdraw.open_drawings(sample)
    expected = _checksum(drawings)  # threads have run in this process
    with multiprocessing.get_context(method).Pool(2) as pool:
        assert pool.map(_checksum, [drawings] * 4) == [expected] * 4
