"""The record format: written, and read by an independent reader."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from records import as_lists, parse
from strategies import drawings as any_drawings
from strategies import metadata as any_metadata

import fastdraw
from fastdraw.quickdraw.binary import METADATA


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
            (int(r["key_id"]), r["country"].encode(), int(r["recognized"]), int(r["timestamp"]))
            for r in drawings.metadata
        ]
        assert rows == [record[:4] for record in expected]


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        ([[[1, 2], [3]]], "as many x as y"),
        ([np.zeros((3, 2))], r"shape \(2, n\).*received \(3, 2\)"),
        ([[[0, 256], [0, 0]]], "integers from 0 to 255, received 256"),
        ([[[0, -1], [0, 0]]], "received -1"),
        ([[[0.5], [0]]], r"received 0\.5"),
        ([[[float("nan")], [0]]], "received nan"),
        ([[[float("inf")], [0]]], "received inf"),
        ([[["a"], ["b"]]], "received <U1 values"),
        ([np.zeros((2, 65536), np.uint8)], "at most 65535 points, received 65536"),
        ([np.zeros((2, 0), np.uint8)] * 65536, "at most 65535 strokes in a drawing, received 65536"),
    ],
)
def test_what_the_format_cannot_hold(tmp_path: Path, drawing: list, message: str) -> None:
    with pytest.raises(ValueError, match=f"drawing 1: .*{message}"):
        fastdraw.write_drawings(tmp_path / "cat.bin", [[], drawing])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("rows", "drawn"), [(1, 2), (2, 1)])
def test_one_row_of_metadata_per_drawing(tmp_path: Path, rows: int, drawn: int) -> None:
    with pytest.raises(ValueError, match=f"expected a row of metadata per drawing, received {rows} rows"):
        fastdraw.write_drawings(tmp_path / "cat.bin", [[]] * drawn, np.ones(rows, METADATA))
    assert list(tmp_path.iterdir()) == []


def test_metadata_must_fit(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected metadata with the fields \('key_id'"):
        fastdraw.write_drawings(tmp_path / "cat.bin", [[]], np.zeros(1, [("timestamp", "<u4")]))
    late = np.zeros(1, [("key_id", "<u8"), ("country", "S2"), ("recognized", "?"), ("timestamp", "<i8")])
    late["timestamp"] = 2**32 + 5
    with pytest.raises(ValueError, match=r"expected timestamp to fit in uint32, received .*4294967301"):
        fastdraw.write_drawings(tmp_path / "cat.bin", [[]], late)
    assert list(tmp_path.iterdir()) == []


def test_a_record_of_zero_bytes_is_not_written(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="drawing 0: expected metadata or strokes, received neither"):
        fastdraw.write_drawings(tmp_path / "cat.bin", [[]], np.zeros(1, METADATA))
    stroke = np.zeros((2, 1), np.uint8)
    fastdraw.write_drawings(tmp_path / "cat.bin", [[stroke]], np.zeros(1, METADATA))
    assert len(fastdraw.open_drawings(tmp_path / "cat.bin")) == 1


def test_largest_record(tmp_path: Path) -> None:
    drawing = [np.full((2, 65535), 255, np.uint8), *[np.zeros((2, 0), np.uint8)] * 65534]
    fastdraw.write_drawings(tmp_path / "cat.bin", [drawing])
    read = fastdraw.open_drawings(tmp_path / "cat.bin")
    assert [stroke.shape[1] for stroke in read[0]] == [65535] + [0] * 65534
    assert (read.rasterize()[0] > 0).sum() == 1
