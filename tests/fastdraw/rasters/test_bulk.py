"""The bulk run: what it writes, what it skips and refuses, and that it survives anything."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import filelock
import numpy as np
import pytest
from folders import Drawn, Watched, checksums, run_in_chunks, sha256, visible

import fastdraw
from fastdraw.rasters.formats import FORMATS, Npy, register_format
from fastdraw.rasters.tasks import draw


def test_files_equal_rasterize(sources: Path, tmp_path: Path) -> None:
    assert run_in_chunks(sources, tmp_path / "out", size=28, line_width=3, invert=True) == 600
    rasters = fastdraw.open_rasters(tmp_path / "out")
    drawings = fastdraw.open_drawings(sources)
    expected = drawings.rasterize(size=28, line_width=3, invert=True)
    assert rasters.categories == drawings.categories
    assert rasters.labels.tolist() == drawings.labels.tolist()
    assert (rasters[:] == expected).all()
    for label, name in enumerate(drawings.categories):
        images = np.load(tmp_path / "out" / f"{name}.npy", mmap_mode="r")
        assert isinstance(images, np.memmap)
        assert images.dtype == np.uint8
        assert (images == expected[drawings.labels == label]).all()
        assert (rasters[name] == images).all()
    assert visible(tmp_path / "out") == {
        "dataset.json",
        "croissant.json",
        *(f"{name}.npy" for name in drawings.categories),
    }


def test_manifest_says_what_is_there(sources: Path, tmp_path: Path) -> None:
    fastdraw.rasterize_files(sources, tmp_path / "out")
    manifest = json.loads((tmp_path / "out/dataset.json").read_text())
    assert manifest["version"] == 1
    assert manifest["settings"] == {
        "style": "pillow",
        "size": 32,
        "line_width": 2,
        "invert": False,
        "packed": False,
        "flat": False,
    }
    assert manifest["pending"] == {}
    assert list(manifest["categories"]) == sorted(path.stem for path in sources.glob("*.bin"))
    for label, (name, entry) in enumerate(manifest["categories"].items()):
        source = sources / f"{name}.bin"
        assert (entry["label"], entry["count"], entry["file"]) == (label, 200, f"{name}.npy")
        assert entry["sha256"] == sha256(tmp_path / "out" / entry["file"])
        assert entry["source"]["size"] == source.stat().st_size
        assert entry["source"]["sha256"] == sha256(source)


@pytest.mark.parametrize("layout", [{"packed": True}, {"flat": True, "style": "google"}])
def test_packed_and_flat_files(sources: Path, tmp_path: Path, layout: dict) -> None:
    run_in_chunks(sources, tmp_path / "out", chunk_bytes=5000, **layout)
    rasters = fastdraw.open_rasters(tmp_path / "out")
    drawings = fastdraw.open_drawings(sources)
    expected = drawings.rasterize(style=layout.get("style", "pillow")).reshape(600, -1)
    if "packed" in layout:
        expected = np.packbits(expected, axis=1)
    assert rasters.shape == expected.shape
    assert (rasters[:] == expected).all()
    assert np.load(tmp_path / f"out/{rasters.categories[0]}.npy").shape == (200, expected.shape[1])


def test_other_settings_need_overwrite(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    before = checksums(out)
    with pytest.raises(fastdraw.FastdrawError, match=r"other settings \(size 32, now 28\);") as caught:
        fastdraw.rasterize_files(sources, out, size=28)
    assert "overwrite" in str(caught.value)
    assert checksums(out) == before
    assert fastdraw.rasterize_files(sources, out, size=28, overwrite=True).shape == (600, 28, 28)


def test_refusals(sources: Path, tmp_path: Path) -> None:
    first = sorted(sources.glob("*.bin"))[0]
    copy = tmp_path / first.name
    shutil.copy(first, copy)
    with pytest.raises(fastdraw.FastdrawError) as caught:
        fastdraw.rasterize_files([sources, copy], tmp_path / "out")
    assert str(first) in str(caught.value)
    assert str(copy) in str(caught.value)

    out = tmp_path / "foreign"
    out.mkdir()
    (out / f"{first.stem}.npy").write_bytes(b"somebody's")
    with pytest.raises(fastdraw.FastdrawError, match="in the way"):
        fastdraw.rasterize_files(sources, out)
    assert (out / f"{first.stem}.npy").read_bytes() == b"somebody's"
    assert len(fastdraw.rasterize_files(sources, out, overwrite=True)) == 600

    copy.write_bytes(first.read_bytes()[:-1])
    with pytest.raises(fastdraw.BinFormatError):
        fastdraw.rasterize_files(copy, tmp_path / "damaged")
    with pytest.warns(fastdraw.DamagedFileWarning) as warnings:
        assert len(fastdraw.rasterize_files(copy, tmp_path / "damaged", errors="salvage")) == 199
    assert warnings[0].filename == __file__


def test_salvage_leaves_out_files_without_drawings(sources: Path, tmp_path: Path) -> None:
    first = min(sources.iterdir())
    sound = first.read_bytes()
    first.write_bytes(b"404: not found, please try again later")
    reported = []
    options = {"errors": "salvage", "progress": lambda category, *_: reported.append(category)}
    with pytest.warns(fastdraw.DamagedFileWarning, match="no drawing"):
        rasters = fastdraw.rasterize_files(sources, tmp_path / "out", **options)
    assert len(rasters) == 400
    assert first.stem not in [*rasters.categories, *reported]
    with pytest.warns(fastdraw.DamagedFileWarning), pytest.raises(fastdraw.FastdrawError, match="none of 1"):
        fastdraw.rasterize_files(first, tmp_path / "none", errors="salvage")
    first.write_bytes(sound)
    assert len(fastdraw.rasterize_files(sources, tmp_path / "out", errors="salvage")) == 600


def test_empty_category(tmp_path: Path) -> None:
    (tmp_path / "nothing.bin").touch()
    rasters = fastdraw.rasterize_files(tmp_path / "nothing.bin", tmp_path / "out")
    assert rasters["nothing"].shape == (0, 32, 32)
    assert np.load(tmp_path / "out/nothing.npy").shape == (0, 32, 32)


@pytest.mark.parametrize("form", ["npy", "webdataset"])
def test_a_finished_folder_may_be_read_only(
    sources: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    assert fastdraw.bulk.run(sources, tmp_path / "out", format=form) == 600

    def refuse(*_: object, **__: object) -> None:  # root may write to a folder whatever its mode
        raise OSError(errno.EROFS, "Read-only file system")

    for module, name in (os, "replace"), (os, "unlink"), (Path, "unlink"), (filelock.FileLock, "acquire"):
        monkeypatch.setattr(module, name, refuse)
    monkeypatch.setattr(os, "access", lambda *_: False)
    assert fastdraw.bulk.run(sources, tmp_path / "out", format=form) == 600
    with pytest.raises(OSError, match="Read-only"):
        fastdraw.bulk.run(sources, tmp_path / "out", format=form, size=16, overwrite=True)


def test_second_run_into_the_same_folder_stops(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"

    def progress(*_: object) -> None:
        with pytest.raises(fastdraw.FastdrawError, match="another run"):
            fastdraw.rasterize_files(sources, out)

    assert len(fastdraw.rasterize_files(sources, out, progress=progress)) == 600


def test_rasters_index_like_one_array(sources: Path, tmp_path: Path) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path / "out")
    array = fastdraw.open_drawings(sources).rasterize()
    order = np.random.default_rng(0).integers(-600, 600, 50)
    mask = np.arange(600) % 7 == 0
    lists = (order.tolist(), mask.tolist(), np.empty(0, int))
    for index in (0, -1, 599, slice(3, 500, 50), slice(None, None, -100), order, mask, *lists):
        expected = array[index]
        assert rasters[index].shape == expected.shape
        assert (rasters[index] == expected).all()
    assert rasters.shape == (600, 32, 32)
    assert len(rasters) == 600
    assert rasters[[]].shape == (0, 32, 32)
    for wrong, error in ((600, IndexError), ([-601], IndexError), ("dragon", KeyError), (1.5, TypeError)):
        with pytest.raises(error):
            rasters[wrong]


def test_folders_that_are_not_rasters(sources: Path, tmp_path: Path) -> None:
    with pytest.raises(fastdraw.FastdrawError, match=r"no dataset\.json"):
        fastdraw.open_rasters(tmp_path)
    out = tmp_path / "out"
    rasters = fastdraw.rasterize_files(sources, out)
    file = out / f"{rasters.categories[1]}.npy"
    content = file.read_bytes()
    for damaged in (content[:-1], content[:50], b""):
        file.write_bytes(damaged)
        with pytest.raises(fastdraw.FastdrawError, match=file.name):
            fastdraw.open_rasters(out)
    file.write_bytes(content)
    manifest = json.loads((out / "dataset.json").read_text())
    (out / "dataset.json").write_text(json.dumps(manifest | {"settings": {"colour": 1}}))
    for read in (fastdraw.open_rasters, lambda folder: fastdraw.rasterize_files(sources, folder)):
        with pytest.raises(fastdraw.FastdrawError, match=r"dataset\.json: expected"):
            read(out)
    (out / "dataset.json").write_text('{"version": 1}')
    with pytest.raises(fastdraw.FastdrawError, match="expected a description of rasters"):
        fastdraw.open_rasters(out)
    for text in ("{", "[" * 100_000):  # nested deeper than Python's stack
        (out / "dataset.json").write_text(text)
        with pytest.raises(fastdraw.FastdrawError, match="expected JSON"):
            fastdraw.open_rasters(out)
    with pytest.raises(fastdraw.FastdrawError, match="expected JSON"):
        fastdraw.rasterize_files(sources, out)
    assert len(fastdraw.rasterize_files(sources, out, overwrite=True)) == 600


def test_a_source_added_in_front_renumbers_the_labels(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    fastdraw.rasterize_files(sources, out)
    names = sorted(path.stem for path in sources.glob("*.bin"))
    kept = {path.name: (path.stat().st_ino, path.stat().st_mtime_ns) for path in out.glob("*.npy")}
    shutil.copy(sources / f"{names[-1]}.bin", sources / "aardvark.bin")
    rasters = fastdraw.rasterize_files(sources, out)
    entries = json.loads((out / "dataset.json").read_text())["categories"]
    assert {name: entry["label"] for name, entry in entries.items()} == {
        name: label for label, name in enumerate(["aardvark", *names])
    }
    assert rasters.labels.tolist() == np.repeat(np.arange(4), 200).tolist()
    assert kept == {name: ((out / name).stat().st_ino, (out / name).stat().st_mtime_ns) for name in kept}


def test_lock_of_another_process(sources: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    code = (
        "import sys, filelock; lock = filelock.FileLock(sys.argv[1]); lock.acquire();"
        "print('held', flush=True); sys.stdin.read()"
    )
    holder = subprocess.Popen(
        [sys.executable, "-c", code, out / ".lock"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(fastdraw.FastdrawError, match="another run"):
            fastdraw.rasterize_files(sources, out)
        assert visible(out) == set()
    finally:
        holder.kill()
        holder.communicate()
    assert len(fastdraw.rasterize_files(sources, out)) == 600  # the lock does not outlive the one who held it


def test_all_threads_draw_ranges_of_the_same_file(sources: Path, tmp_path: Path) -> None:
    together = threading.Barrier(3, timeout=20)
    order: list[tuple[str, int]] = []

    def meet(function: object, output: object, *arguments: object) -> object:
        if function is draw:
            chunk = arguments[1]
            if chunk < 3:
                together.wait()  # passes when three chunks are being drawn at the same time
            order.append((output.category, chunk))
        return function(output, *arguments)

    run_in_chunks(sorted(sources.glob("*.bin"))[0], tmp_path / "out", Watched(meet, threads=3), at_a_time=3)
    assert sorted(order) == [(order[0][0], chunk) for chunk in range(6)]


def test_finished_categories_are_skipped(sources: Path, tmp_path: Path) -> None:
    (sources / "nothing.bin").touch()
    for drawings in (600, 0):
        drawn = Drawn()
        assert run_in_chunks(sources, tmp_path / "out", drawn) == 600
        assert drawn.drawings == drawings


def test_overwrite_replaces_a_finished_file_of_another_shape(sources: Path, tmp_path: Path) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path / "out")
    np.save(tmp_path / "out" / f"{rasters.categories[0]}.npy", np.zeros((200, 5, 5), np.uint8))
    assert len(fastdraw.rasterize_files(sources, tmp_path / "out", overwrite=True)) == 600


class Raw(Npy):
    """A format without a header."""

    name = "raw"
    suffix = ".raw"

    def header(self, shape: tuple[int, ...]) -> bytes:
        return b""


@pytest.fixture
def raw() -> Iterator[None]:
    register_format(Raw())
    yield
    del FORMATS["raw"]


def test_a_format_is_registered_in_one_place(raw: None, sources: Path, tmp_path: Path) -> None:
    rasters = fastdraw.rasterize_files(sources, tmp_path, format="raw", style="google")
    expected = fastdraw.open_drawings(sources).rasterize(style="google")
    assert (rasters[:] == expected).all()
    content = b"".join((tmp_path / f"{name}.raw").read_bytes() for name in rasters.categories)
    assert content == expected.tobytes()
    assert fastdraw.verify_rasters(tmp_path) == []
    assert fastdraw.bulk.run(sources, tmp_path, format="raw", style="google") == 600
    with pytest.raises(fastdraw.FastdrawError, match="format 'raw', now 'npy'"):
        fastdraw.bulk.run(sources, tmp_path, style="google")


def test_options_that_cannot_be(sources: Path, tmp_path: Path) -> None:
    for options, message in (
        (
            {"format": "png"},
            r"expected format to be one of \('npy', 'tfrecord', 'webdataset', 'parquet'\), received 'png'",
        ),
        ({"format": "npy", "tfrecord": True}, "expected format='tfrecord' or none with tfrecord=True, received 'npy'"),
        ({"errors": "ignore"}, r"expected errors to be one of \('raise', 'salvage'\), received 'ignore'"),
        ({"size": 7}, "expected size to be from 8 to 1024, received 7"),
    ):
        with pytest.raises(ValueError, match=message):
            fastdraw.rasterize_files(sources, tmp_path / "out", **options)
    with pytest.raises(TypeError, match=r"expected options among .*; received 'colour'"):
        fastdraw.rasterize_files(sources, tmp_path / "out", colour=1)
    assert not (tmp_path / "out").exists()


def test_rasters_at_an_address_cannot_be_opened(sources: Path) -> None:
    pytest.importorskip("s3fs")
    with pytest.raises(ValueError, match="expected a folder on this machine"):
        fastdraw.rasterize_files(sources, "s3://bucket/out")
    with pytest.raises(ValueError, match="expected a folder on this machine"):
        fastdraw.open_rasters("s3://bucket/out")


def test_none_is_not_given(sources: Path, tmp_path: Path) -> None:
    options = dict.fromkeys(("style", "size", "invert", "format", "tfrecord", "threads", "overwrite", "errors"))
    assert fastdraw.rasterize_files(sources, tmp_path / "out", **options).shape == (600, 32, 32)
