"""Bitmaps without a ``dataset.json``."""

from __future__ import annotations

import pickle
from pathlib import Path

import numpy as np
import pytest

import fastdraw

IMAGES = np.random.default_rng(0).integers(0, 256, (10, 28, 28)).astype(np.uint8)


@pytest.mark.parametrize("shape", [(10, 784), (10, 28, 28), (10, 1, 784)])
def test_files_of_google(shape: tuple[int, ...], tmp_path: Path) -> None:
    np.save(tmp_path / "cat.npy", IMAGES.reshape(shape))
    np.save(tmp_path / "ant.npy", IMAGES[:3].reshape(3, *shape[1:]))
    expected = IMAGES if shape[1:] == (28, 28) else IMAGES.reshape(10, 784)
    for path, count in ((tmp_path / "cat.npy", 10), (tmp_path, 13)):
        rasters = fastdraw.open_rasters(path)
        assert len(rasters) == count
        assert (rasters["cat"] == expected).all()
        assert (pickle.loads(pickle.dumps(rasters))[-10:] == expected).all()
        assert len(pickle.dumps(rasters)) < 5000  # the path, not the images
        assert len(list(fastdraw.batches(rasters, 4, labels="int"))) == -(-count // 4)
    assert rasters.categories == ("ant", "cat")
    assert rasters.settings == fastdraw.settings.Settings.of(style="google", flat=shape[1:] != (28, 28))


def test_raw_bytes(tmp_path: Path) -> None:
    for path in (tmp_path / "cat.bin", tmp_path):
        (tmp_path / "cat.bin").write_bytes(IMAGES.tobytes())
        assert (fastdraw.open_rasters(path)[:] == IMAGES.reshape(10, 784)).all()


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (IMAGES.astype(np.float32), "expected uint8 bitmaps"),
        (IMAGES.transpose(1, 2, 0), "expected square bitmaps"),
        (np.asfortranarray(IMAGES), "expected uint8 bitmaps"),
        (IMAGES[:, :27], "expected square bitmaps"),
        (IMAGES.ravel(), "expected uint8 bitmaps"),
        (np.array([None]), "expected uint8 bitmaps"),
    ],
)
def test_other_arrays(array: np.ndarray, message: str, tmp_path: Path) -> None:
    np.save(tmp_path / "cat.npy", array)
    with pytest.raises(fastdraw.FastdrawError, match=f"cat.npy: {message}"):
        fastdraw.open_rasters(tmp_path)


def test_what_is_no_bitmap(tmp_path: Path) -> None:
    np.save(tmp_path / "cat.npy", IMAGES)
    content = (tmp_path / "cat.npy").read_bytes()
    for bad, message in (
        (content[:-1], "bytes of images"),
        (content[:20], "sound"),
        (b"bytes" + bytes(9), "received 14 bytes"),
    ):
        (tmp_path / "cat.npy").write_bytes(bad)
        with pytest.raises(fastdraw.FastdrawError, match=message):
            fastdraw.open_rasters(tmp_path / "cat.npy")
    np.save(tmp_path / "cat.npy", IMAGES)
    np.save(tmp_path / "dog.npy", IMAGES.reshape(10, 784))
    with pytest.raises(fastdraw.FastdrawError, match="images of one shape"):
        fastdraw.open_rasters(tmp_path)
    with pytest.raises(fastdraw.FastdrawError, match="missing: no such file"):
        fastdraw.open_rasters(tmp_path / "missing")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"<html>".ljust(784), "a web page; get the file again"),  # as long as an image
        (b"version https://git-lfs.github.com/spec/v1\n", "a Git LFS pointer; fetch"),
        (b'{"drawing": []}', "a drawing on each line, as JSON; open drawings with fastdraw.open_drawings"),
        (b"", "an empty file"),
    ],
)
def test_what_it_is_instead(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "cat.npy").write_bytes(content)
    for path in (tmp_path / "cat.npy", tmp_path):
        with pytest.raises(fastdraw.FastdrawError, match=f"cat.npy: expected images, received {message}"):
            fastdraw.open_rasters(path)


def test_real_bitmaps(real: Path) -> None:
    rasters = fastdraw.open_rasters(real / "quickdraw/numpy_bitmap")
    assert (len(rasters), rasters.settings.size) == (100, 28)
    drawn = fastdraw.open_drawings(real / "quickdraw/bin/cat.bin").rasterize(style="google")
    assert (rasters["cat"].reshape(-1, 28, 28) == drawn).all()
    assert len(fastdraw.open_rasters(real / "wild/bitmaps_n1_784.npy")) == 10
    assert len(fastdraw.open_rasters(real / "wild/bitmaps_named.bin")) == 25
    with pytest.raises(fastdraw.FastdrawError, match=r"page_named\.npy: expected images, received a web page"):
        fastdraw.open_rasters(real / "wild")
