"""Files: the record format, the checking walk, the sidecar index."""

from __future__ import annotations

import os
import shutil
import struct
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import drawings as any_drawings
from strategies import metadata as any_metadata

import fastdraw
from fastdraw.kernels import records as kernels
from fastdraw.quickdraw import index
from fastdraw.quickdraw.binary import METADATA


def parse(data: bytes) -> list[tuple]:
    """An independent reader of the format, by ``struct``: (key_id, country, recognized, timestamp, strokes, offset)."""
    position, found = 0, []
    while position < len(data):
        start = position
        key_id, country, recognized, timestamp, count = struct.unpack_from("<Q2sBIH", data, position)
        position += struct.calcsize("<Q2sBIH")
        strokes = []
        for _ in range(count):
            (points,) = struct.unpack_from("<H", data, position)
            position += 2
            x, y = data[position : position + points], data[position + points : position + 2 * points]
            strokes.append((list(x), list(y)))
            position += 2 * points
        found.append((key_id, country, recognized, timestamp, strokes, start))
    return found


def as_lists(drawing: list[np.ndarray]) -> list[tuple]:
    return [(stroke[0].tolist(), stroke[1].tolist()) for stroke in drawing]


@given(st.data())
def test_write_then_read_is_the_identity(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    drawn = data.draw(st.lists(any_drawings(), max_size=5))
    rows = data.draw(any_metadata(len(drawn)))
    path = tmp_path_factory.mktemp("write") / "cat.bin"
    assert fastdraw.write_drawings(path, drawn, rows) == len(drawn)
    read = fastdraw.open_drawings(path)
    assert [as_lists(drawing) for drawing in read] == [as_lists(drawing) for drawing in drawn]
    assert (read.metadata == rows).all()
    records = parse(path.read_bytes())
    assert [as_lists(drawing) for drawing in drawn] == [record[4] for record in records]
    assert [record[0] for record in records] == rows["key_id"].tolist()


def test_every_real_file_reads_as_struct_reads_it(real: Path) -> None:
    for path in sorted((real / "quickdraw/bin").glob("*.bin")):
        expected = parse(path.read_bytes())
        drawings = fastdraw.open_drawings(path)
        assert [as_lists(drawing) for drawing in drawings] == [record[4] for record in expected]
        rows = [
            (int(r["key_id"]), bytes(r["country"]), int(r["recognized"]), int(r["timestamp"]))
            for r in drawings.metadata
        ]
        assert rows == [record[:4] for record in expected]


@pytest.fixture(params=["sample", "real"])
def some_file(request: pytest.FixtureRequest, sample: Path) -> Path:
    if request.param == "sample":
        return sorted(sample.glob("*.bin"))[0]
    return request.getfixturevalue("real") / "quickdraw/bin/cat.bin"


def test_every_cut_of_the_first_three_records_and_of_the_last(some_file: Path, tmp_path: Path) -> None:
    data = some_file.read_bytes()
    starts = [record[5] for record in parse(data)]
    path = tmp_path / "cut.bin"
    for cut in [*range(starts[3] + 1), *range(starts[-1], len(data))]:
        path.write_bytes(data[:cut])
        if cut in starts:
            assert len(fastdraw.open_drawings(path)) == starts.index(cut)
            continue
        start = max(s for s in starts if s < cut)
        with pytest.raises(fastdraw.BinFormatError) as caught:
            fastdraw.open_drawings(path)
        assert (caught.value.path, caught.value.offset) == (str(path), start)
        assert str(path) in str(caught.value)
        assert f"byte {start}" in str(caught.value)
        with pytest.warns(fastdraw.DamagedFileWarning, match=f"last {cut - start} bytes"):
            kept = fastdraw.open_drawings(path, errors="salvage")
        assert len(kept) == starts.index(start)
        kept.rasterize(threads=1)


def test_flag_that_is_neither_0_nor_1_is_damage(sample: Path, tmp_path: Path) -> None:
    data = bytearray(next(sample.glob("*.bin")).read_bytes())
    second = parse(bytes(data))[1][5]
    data[second + kernels.FLAG] = 7
    (tmp_path / "bad.bin").write_bytes(data)
    with pytest.raises(fastdraw.BinFormatError, match="recognized flag") as caught:
        fastdraw.open_drawings(tmp_path / "bad.bin")
    assert caught.value.offset == second


@settings(max_examples=300)
@given(st.binary(max_size=400))
def test_random_bytes_never_crash(tmp_path_factory: pytest.TempPathFactory, data: bytes) -> None:
    path = tmp_path_factory.mktemp("random") / "random.bin"
    path.write_bytes(data)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        drawings = fastdraw.open_drawings(path, errors="salvage")
    assert drawings.rasterize(threads=1).shape == (len(drawings), 32, 32)
    assert len(drawings.metadata) == len(list(drawings))


@settings(max_examples=50)
@given(st.data())
def test_flipped_bytes_never_crash(sample: Path, tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    content = bytearray(next(sample.glob("*.bin")).read_bytes()[:5000])
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=8)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("flip") / "flip.bin"
    path.write_bytes(content)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fastdraw.open_drawings(path, errors="salvage").rasterize(threads=1)


def test_empty_file_holds_no_drawings(tmp_path: Path) -> None:
    (tmp_path / "cat.bin").touch()
    drawings = fastdraw.open_drawings(tmp_path / "cat.bin")
    assert len(drawings) == 0
    assert drawings.rasterize().shape == (0, 32, 32)
    assert len(drawings.metadata) == 0
    assert [len(part) for part in drawings.split()] == [0, 0, 0]


def test_missing_and_empty_paths(tmp_path: Path) -> None:
    for paths in (tmp_path / "no.bin", tmp_path, []):
        with pytest.raises(fastdraw.FastdrawError, match="expected"):
            fastdraw.open_drawings(paths)
    with pytest.raises(ValueError, match="'ignore'"):
        fastdraw.open_drawings(tmp_path, errors="ignore")


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The files that are walked over, in order."""
    walked: list[Path] = []
    scan = index.IndexedFile._scan
    monkeypatch.setattr(index.IndexedFile, "_scan", lambda self: (walked.append(self.path), scan(self))[1])
    return walked


@pytest.fixture
def file(sample: Path, tmp_path: Path) -> Path:
    return Path(shutil.copy(next(sample.glob("*.bin")), tmp_path / "doodle.bin"))


def test_second_opening_does_not_scan(file: Path, scans: list[Path]) -> None:
    first = fastdraw.open_drawings(file)
    again = fastdraw.open_drawings(file)
    assert scans == [file]
    assert (first.rasterize() == again.rasterize()).all()
    assert scans == [file]


@pytest.mark.parametrize("place", [0, 20, 60, -30, -1])
def test_damaged_sidecar_is_rebuilt(file: Path, scans: list[Path], place: int) -> None:
    expected = fastdraw.open_drawings(file).rasterize()
    sidecar = file.with_name(file.name + index.SUFFIX)
    data = bytearray(sidecar.read_bytes())
    data[place] ^= 0x55
    for damaged in (bytes(data), bytes(data[:50]), b"", bytes(data) + b"more"):
        sidecar.write_bytes(damaged)
        scans.clear()
        assert (fastdraw.open_drawings(file).rasterize(threads=1) == expected).all()
        assert scans == [file]


def test_stale_and_foreign_sidecars_are_rebuilt(file: Path, sample: Path, scans: list[Path]) -> None:
    expected = fastdraw.open_drawings(file)
    sidecar = file.with_name(file.name + index.SUFFIX)
    other = sorted(sample.glob("*.bin"))[1]
    fastdraw.open_drawings(other)
    shutil.copy(other.with_name(other.name + index.SUFFIX), sidecar)
    assert len(fastdraw.open_drawings(file)) == len(expected)
    file.write_bytes(file.read_bytes() + other.read_bytes())
    assert len(fastdraw.open_drawings(file)) == len(expected) + len(fastdraw.open_drawings(other))
    assert scans.count(file) == 3


def test_same_size_and_time_but_other_content(tmp_path: Path) -> None:
    path = tmp_path / "cat.bin"
    fastdraw.write_drawings(path, [[np.zeros((2, 3), int)]])
    fastdraw.open_drawings(path)
    before = path.stat()
    # As many bytes, in two records instead of one.
    first = METADATA.itemsize + 2 + 2 + 6
    path.write_bytes(path.read_bytes()[: METADATA.itemsize] + b"\0\0" + bytes(first - METADATA.itemsize - 2))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert path.stat().st_size == before.st_size
    with pytest.raises(fastdraw.BinFormatError):
        fastdraw.open_drawings(path)


def test_sidecar_that_cannot_be_written_is_no_error(file: Path, scans: list[Path]) -> None:
    sidecar = file.with_name(file.name + index.SUFFIX)
    sidecar.mkdir()  # permissions would not stop root
    for _ in range(2):
        assert len(fastdraw.open_drawings(file).rasterize()) > 0
    assert scans == [file, file]
    assert sorted(file.parent.iterdir()) == [file, sidecar]


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ([[[1, 2], [3]]], "as many x as y"),
        ([np.zeros((3, 2))], r"shape \(2, n\)"),
        ([[[0, 256], [0, 0]]], "received 0 to 256"),
        ([[[0, -1], [0, 0]]], "received -1 to 0"),
        ([[[0.5], [0]]], "whole numbers"),
        ([[[float("nan")], [0]]], "whole numbers"),
        ([np.zeros((2, 65536), np.uint8)], "65536"),
        ([np.zeros((2, 0), np.uint8)] * 65536, "65536"),
    ],
)
def test_what_the_format_cannot_hold(tmp_path: Path, drawing: list, message: str) -> None:
    path = tmp_path / "cat.bin"
    with pytest.raises(ValueError, match=f"drawing 1: .*{message}"):
        fastdraw.write_drawings(path, [[], drawing])
    assert list(tmp_path.iterdir()) == []


def test_metadata_must_fit(tmp_path: Path) -> None:
    for rows, drawn in ((1, 2), (2, 1)):
        with pytest.raises(ValueError, match="metadata"):
            fastdraw.write_drawings(tmp_path / "cat.bin", [[]] * drawn, np.zeros(rows, METADATA))
    with pytest.raises(ValueError, match="key_id"):
        fastdraw.write_drawings(tmp_path / "cat.bin", [[]], np.zeros(1, [("timestamp", "<u4")]))
    assert list(tmp_path.iterdir()) == []


def test_largest_record(tmp_path: Path) -> None:
    drawing = [np.full((2, 65535), 255, np.uint8), *[np.zeros((2, 0), np.uint8)] * 65534]
    fastdraw.write_drawings(tmp_path / "cat.bin", [drawing])
    read = fastdraw.open_drawings(tmp_path / "cat.bin")
    assert [stroke.shape[1] for stroke in read[0]] == [65535] + [0] * 65534
    assert (read.rasterize()[0] > 0).sum() == 1


def test_many_small_scan_blocks_join(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = fastdraw.open_drawings(file).rasterize()
    file.with_name(file.name + index.SUFFIX).unlink()
    monkeypatch.setattr(index, "_BLOCK", 7)
    assert (fastdraw.open_drawings(file).rasterize() == expected).all()


def test_categories_of_a_folder_are_in_the_order_of_their_names(sample: Path, tmp_path: Path) -> None:
    """So that drawings and rasters number them alike; the names of the files sort "house plant.bin" first."""
    content = next(sample.glob("*.bin")).read_bytes()
    for name in ("house plant", "house", "The Mona Lisa", "houseboat"):
        (tmp_path / f"{name}.bin").write_bytes(content)
    names = ("The Mona Lisa", "house", "house plant", "houseboat")
    assert fastdraw.open_drawings(tmp_path).categories == names
    assert fastdraw.rasterize_files(tmp_path, tmp_path / "out").categories == names
