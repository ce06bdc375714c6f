"""Drawings in the forms of other programs: what they read is what was written, and faults leave nothing behind."""

from __future__ import annotations

import errno
import io
import re
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from command import run
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

import fastdraw
from fastdraw.export.files import convert_files

stroke = st.lists(st.tuples(st.integers(0, 255), st.integers(0, 255)), min_size=1, max_size=8)
rows = st.fixed_dictionaries(
    {
        "key_id": st.integers(1, 2**64 - 1),
        "country": st.sampled_from(["US", "BR", ""]),
        "recognized": st.booleans(),
        "timestamp": st.integers(0, 2**32 - 1),
        "strokes": st.lists(stroke, min_size=1, max_size=4),
    }
)


def write(path: Path, made: list[dict[str, Any]]) -> fastdraw.Drawings:
    """A .bin file of these drawings, opened."""
    dtype = [("key_id", "u8"), ("country", "U2"), ("recognized", "?"), ("timestamp", "u4")]
    metadata = np.array([tuple(row[name] for name, _ in dtype) for row in made], dtype)
    fastdraw.write_drawings(path, ([np.array(s).T for s in row["strokes"]] for row in made), metadata)
    return fastdraw.open_drawings(path)


def same(one: fastdraw.Drawings, other: fastdraw.Drawings) -> bool:
    return all(np.array_equal(a, b) for a, b in zip(one.records(), other.records(), strict=True))


@pytest.mark.parametrize("to", ["ndjson", "parquet", "tar"])
@settings(max_examples=30)
@given(made=st.lists(rows, min_size=1, max_size=9))
def test_there_and_back_loses_nothing(tmp_path_factory: pytest.TempPathFactory, to: Any, made: list) -> None:
    folder = tmp_path_factory.mktemp("made")
    drawings = write(folder / "cat.bin", made)
    (path,) = fastdraw.export_drawings(drawings, folder / f"out.{to}")
    again = fastdraw.open_drawings(path)
    assert again.categories == ("cat",)
    assert same(again, drawings)


@settings(max_examples=20)
@given(st.lists(rows, min_size=1, max_size=40))
def test_npz_keeps_strokes_and_the_split(tmp_path_factory: pytest.TempPathFactory, made: list) -> None:
    folder = tmp_path_factory.mktemp("made")
    drawings = write(folder / "cat.bin", made)
    fastdraw.export_drawings(drawings, folder / "cat.npz")
    parts = np.load(folder / "cat.npz", allow_pickle=True, encoding="latin1")
    for name, part in zip(("train", "valid", "test"), drawings.split(), strict=True):
        sequences, lengths = part.strokes()
        assert len(parts[name]) == len(part)
        for got, expected, length in zip(parts[name], sequences, lengths, strict=True):
            assert got.dtype == np.int16
            assert np.array_equal(got, expected[:length])
    again = fastdraw.open_drawings(folder / "cat.npz")
    for part, other in zip(again.split(), drawings.split(), strict=True):
        for drawing, expected in zip(part, other, strict=True):
            assert all(np.array_equal(a, b) for a, b in zip(drawing, expected, strict=True))


def test_tables_of_many_categories(sample: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    drawings = fastdraw.open_drawings(sample)[::7]
    fastdraw.export_drawings(drawings, tmp_path / "all.parquet")
    fastdraw.export_drawings(drawings, tmp_path / "all.ndjson")
    for name in ("all.parquet", "all.ndjson"):
        again = fastdraw.open_drawings(tmp_path / name)
        assert again.categories == drawings.categories
        assert same(again, drawings)
    table = pq.read_table(tmp_path / "all.parquet")
    assert table.num_rows == len(drawings)
    assert table["word"].to_pylist() == [drawings.categories[label] for label in drawings.labels]
    assert table["drawing"][3].as_py() == [[xs, ys] for xs, ys in (s.tolist() for s in drawings[3])]
    files = fastdraw.export_drawings(drawings, tmp_path, "npz")
    assert [file.name for file in files] == ["face.npz", "house.npz", "star.npz"]
    with pytest.raises(fastdraw.FastdrawError, match=r"all\.npz: expected drawings of one category"):
        fastdraw.export_drawings(drawings, tmp_path / "all.npz")
    assert not list(tmp_path.glob("*all.npz*"))


def test_keras_reads_folders_of_png_files(sample: Path, tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    import keras

    drawings = fastdraw.open_drawings(sample)[::50]
    fastdraw.export_drawings(drawings, tmp_path / "pictures", "png", size=28)
    read = keras.utils.image_dataset_from_directory(
        tmp_path / "pictures", color_mode="grayscale", image_size=(28, 28), shuffle=False, verbose=False
    )
    images, labels = (np.concatenate(parts) for parts in zip(*read.as_numpy_iterator(), strict=True))
    assert tuple(read.class_names) == drawings.categories
    assert (labels == drawings.labels).all()
    assert (images[..., 0] == drawings.rasterize(size=28)).all()


def test_png_files_are_the_rasters_in_folders_of_classes(sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)[::9]
    folders = fastdraw.export_drawings(drawings, tmp_path / "pictures", "png", style="google", size=28)
    assert [folder.name for folder in folders] == list(drawings.categories)
    images, position = drawings.rasterize(style="google"), 0
    for folder in folders:
        for file in sorted(folder.iterdir()):
            assert np.array_equal(np.asarray(Image.open(file)), images[position])
            assert file.stem.split("-")[1] == str(drawings.metadata["key_id"][position])
            position += 1
    assert position == len(drawings)


def test_gif_files_grow_to_the_drawing(sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)[[0, 250, 590]]
    folders = fastdraw.export_drawings(drawings, tmp_path, "gif", size=64)
    expected = drawings.rasterize(size=64, invert=True)
    for image, folder in zip(expected, folders, strict=True):
        (file,) = folder.iterdir()
        gif = Image.open(file)
        ink = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            ink.append(int((np.asarray(gif.convert("L")) == 0).sum()))
        assert np.array_equal(np.asarray(gif.convert("L")), image)
        assert ink == sorted(ink)
        assert len(set(ink)) > 5


def test_svg_files_look_like_line_aa(sample: Path, tmp_path: Path) -> None:
    resvg = pytest.importorskip("resvg_py")
    drawings = fastdraw.open_drawings(sample)[::40]
    folders = fastdraw.export_drawings(drawings, tmp_path, "svg")
    files = [file for folder in folders for file in sorted(folder.iterdir())]
    size = 64
    for image, strokes, file in zip(drawings.rasterize(style="line-aa", size=size), drawings, files, strict=True):
        paths = ElementTree.parse(file).findall("{http://www.w3.org/2000/svg}path")
        for path, points in zip(paths, strokes, strict=True):
            found = np.array(re.findall(r"(\d+),(\d+)", path.attrib["d"]), int).T
            assert np.array_equal(found, points if points.shape[1] > 1 else np.repeat(points, 2, axis=1))
        png = resvg.svg_to_bytes(svg_path=str(file), background="white", width=264 * size // 256)
        whole = 255 - np.asarray(Image.open(io.BytesIO(bytes(png))).convert("L")).astype(int)
        difference = abs(whole[1 : size + 1, 1 : size + 1] - image).mean()
        assert difference < 0.6 * image.mean()  # of a blank picture it is 1
        shifted = abs(whole[1 : size + 1, 1 : size + 1] - np.roll(image, 2, axis=(0, 1))).mean()
        assert difference < 0.6 * shifted


def test_a_sheet_has_all_drawings_and_their_titles(sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)[::11]
    fastdraw.export_drawings(drawings, tmp_path / "sheet.svg")
    groups = ElementTree.parse(tmp_path / "sheet.svg").findall("{http://www.w3.org/2000/svg}g")
    assert [group[0].text for group in groups] == [drawings.categories[label] for label in drawings.labels]
    assert [len(group) - 1 for group in groups] == [len(drawing) for drawing in drawings]


@pytest.mark.parametrize(
    ("target", "options", "message"),
    [
        ("a.xyz", {}, "to to be one of"),
        ("a", {"to": "jpg"}, "to to be one of"),
        ("a", {"to": "svg", "size": 32}, "expected no size with to='svg'"),
        ("a", {"to": "png", "size": 7}, "8 to 1024"),
        ("a", {"to": "png", "packed": True}, "no packed pictures"),
        ("a.png", {}, "expected a folder, for a file for each drawing"),
        ("taken", {"to": "png"}, "exists already; name another folder"),
    ],
)
def test_errors_leave_nothing(sample: Path, tmp_path: Path, target: str, options: dict, message: str) -> None:
    (tmp_path / "taken/house").mkdir(parents=True)
    with pytest.raises((fastdraw.FastdrawError, ValueError), match=message):
        fastdraw.export_drawings(fastdraw.open_drawings(sample), tmp_path / target, **options)
    assert [path.name for path in tmp_path.rglob("*")] == ["taken", "house"]


def test_command(sample: Path, tmp_path: Path) -> None:
    result = run("convert", *sorted(sample.glob("*.bin")), tmp_path / "pictures", "--to", "png", "--size", 16)
    assert result.output.split() == [str(tmp_path / "pictures" / name) for name in ("face", "house", "star")]
    assert len(list((tmp_path / "pictures").rglob("*.png"))) == 600
    assert run("convert", sample, tmp_path / "all.parquet").exit_code == 0
    assert run("inspect", tmp_path / "all.parquet").exit_code == 0
    result = run("convert", sample / "face.bin", tmp_path / "a.ndjson", "--size", 16)
    assert result.exit_code == 2
    assert "expected --size with --to png or gif alone" in result.stderr
    result = run("convert", sample, tmp_path / "all.npz")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "all.npz: expected drawings of one category" in result.stderr


def test_rasters_are_no_drawings(sample: Path, tmp_path: Path) -> None:
    rasters = fastdraw.rasterize_files(sample, tmp_path / "rasters")
    with pytest.raises(TypeError, match="expected drawings, as from open_drawings; received <600 rasters"):
        fastdraw.export_drawings(rasters, tmp_path / "pictures", "png")
    assert not (tmp_path / "pictures").exists()


def test_names_that_are_no_text(sample: Path, tmp_path: Path) -> None:
    pq = pytest.importorskip("pyarrow.parquet")
    name = "a\x01&caf\udce9"  # of a file: bytes that are not UTF-8
    (tmp_path / f"{name}.bin").write_bytes((sample / "face.bin").read_bytes())
    drawings = fastdraw.open_drawings(tmp_path / f"{name}.bin")
    (table,) = fastdraw.export_drawings(drawings, tmp_path / "out.parquet")
    assert set(pq.read_table(table)["word"].to_pylist()) == {"a\x01&caf\ufffd"}
    (sheet,) = fastdraw.export_drawings(drawings[:1], tmp_path / "sheet.svg")
    assert ElementTree.parse(sheet).findtext(".//{http://www.w3.org/2000/svg}title") == "a\ufffd&caf\ufffd"
    rasters = fastdraw.rasterize_files(tmp_path / f"{name}.bin", tmp_path / "rasters", metadata="parquet")
    assert np.array_equal(rasters.metadata, drawings.metadata)


@pytest.mark.parametrize("options", [[], ["--to", "npz"]])
def test_a_source_is_not_written_over(sample: Path, tmp_path: Path, options: list[str]) -> None:
    copy = tmp_path / "face.bin"
    copy.write_bytes((sample / "face.bin").read_bytes())
    result = run("convert", sample / "star.bin", copy, tmp_path / "." / "face.bin", *options)
    assert result.exit_code == 2
    assert f"expected a TARGET that is no SOURCE, received {copy} as both" in result.stderr
    assert copy.read_bytes() == (sample / "face.bin").read_bytes()


@pytest.mark.parametrize("target", ["a.npz", "a.svg", "a.ndjson", "a.parquet"])
def test_no_drawings_are_an_error(sample: Path, tmp_path: Path, target: str) -> None:
    with pytest.raises(fastdraw.FastdrawError, match="expected drawings to write, received none"):
        fastdraw.export_drawings(fastdraw.open_drawings(sample)[:0], tmp_path / target)
    (tmp_path / "empty.bin").touch()
    result = run("convert", tmp_path / "empty.bin", tmp_path / "out", "--to", "png")
    assert result.exit_code == 1
    assert "out: expected drawings to write, received none" in result.stderr
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("target", ["pictures", "shards", "star.bin"])
def test_a_full_disk_names_the_target(
    target: str, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawings = fastdraw.open_drawings(sample / "star.bin")
    fastdraw.export_drawings(drawings, tmp_path / "star.ndjson")

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", full)
    monkeypatch.setattr("fastdraw.export.webdataset.write", full)
    monkeypatch.setattr("fastdraw.export.files.convert", full)
    write = {
        "pictures": lambda: fastdraw.export_drawings(drawings, tmp_path / target, "png"),
        "shards": lambda: fastdraw.export_drawings(drawings, tmp_path / target, "webdataset"),
        "star.bin": lambda: list(convert_files([tmp_path / "star.ndjson"], tmp_path / target)),
    }[target]
    with pytest.raises(OSError, match=f"No space left on device: .*{target}"):
        write()
    assert not [path for path in tmp_path.rglob("*") if path.name.startswith((".", "0", "star.bin"))]
