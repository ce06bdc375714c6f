"""The style ``google`` against Google's own files and against Cairo."""

from __future__ import annotations

import platform
from pathlib import Path

import numpy as np
import pytest
from fresh import fresh_process
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import drawings as any_drawings

import fastdraw

GOLDEN = Path(__file__).parents[2] / "golden/google.npz"  # made by cairo_reference.py


@pytest.mark.parametrize("category", ["apple", "bicycle", "cat", "train"])
def test_googles_own_bitmaps(real: Path, category: str) -> None:
    official = np.load(real / f"quickdraw/numpy_bitmap/{category}.npy").reshape(-1, 28, 28)
    images = fastdraw.open_drawings(real / f"quickdraw/bin/{category}.bin").rasterize(style="google")
    assert len(official) == 25
    np.testing.assert_array_equal(images, official)


@pytest.mark.parametrize("size", [28, 32, 64])
def test_golden_images(tmp_path: Path, size: int) -> None:
    golden = np.load(GOLDEN)
    golden["records"].tofile(tmp_path / "golden.bin")
    images = fastdraw.open_drawings(tmp_path / "golden.bin").rasterize(style="google", size=size)
    assert (golden[f"size_{size}"] == 255).any()
    np.testing.assert_array_equal(images, golden[f"size_{size}"])


@settings(max_examples=100)
@given(
    drawn=st.lists(any_drawings(), min_size=1, max_size=6),
    size=st.sampled_from([8, 28, 32, 64, 128, 256, 300, 512, 720]),
)
def test_cairo_on_random_strokes(tmp_path_factory: pytest.TempPathFactory, drawn: list, size: int) -> None:
    reference = pytest.importorskip("cairo_reference", reason="pycairo is not installed", exc_type=ImportError)
    path = tmp_path_factory.mktemp("random") / "drawn.bin"
    fastdraw.write_drawings(path, drawn)
    images = fastdraw.open_drawings(path).rasterize(style="google", size=size)
    for image, drawing in zip(images, drawn, strict=True):
        np.testing.assert_array_equal(image, reference.cairo_raster(drawing, size))


@pytest.mark.parametrize("size", [28, 64])
def test_cairo_on_all_real_drawings(real: Path, size: int) -> None:
    reference = pytest.importorskip("cairo_reference", reason="pycairo is not installed", exc_type=ImportError)
    drawings = fastdraw.open_drawings(real / "quickdraw/bin")
    images = drawings.rasterize(style="google", size=size)
    for image, drawing in zip(images, drawings, strict=True):
        np.testing.assert_array_equal(image, reference.cairo_raster(drawing, size))


@pytest.mark.slow
@pytest.mark.skipif(platform.machine() not in ("x86_64", "AMD64"), reason="the processors are those of x86-64")
@pytest.mark.parametrize("processor", ["x86-64", "x86-64-v3"])
def test_images_do_not_depend_on_the_instructions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, processor: str
) -> None:
    rng = np.random.default_rng(0)
    drawn = [[rng.integers(0, 256, (2, rng.integers(1, 30)), np.uint8) for _ in range(5)] for _ in range(500)]
    path = tmp_path / "random.bin"
    fastdraw.write_drawings(path, drawn)
    monkeypatch.setenv("NUMBA_CPU_NAME", processor)
    monkeypatch.setenv("NUMBA_CPU_FEATURES", "")
    fresh_process(
        "import numpy as np, fastdraw\n"
        f"images = fastdraw.open_drawings({str(path)!r}).rasterize(style='google', size=64)\n"
        f"np.save({str(tmp_path / 'images.npy')!r}, images)"
    )
    images = fastdraw.open_drawings(path).rasterize(style="google", size=64)
    np.testing.assert_array_equal(np.load(tmp_path / "images.npy"), images)
