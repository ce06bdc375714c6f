"""Parquet files as people have them, and those that hold something else."""

from __future__ import annotations

import datetime
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from fresh import fresh_process

import fastdraw

pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

STROKES = [[[0, 255], [0, 10]], [[5], [6]]]


def test_only_strokes_are_needed_and_metadata_has_many_forms(tmp_path: Path) -> None:
    pq.write_table(pa.table({"drawing": [STROKES, STROKES]}), tmp_path / "cat.parquet")
    drawings = fastdraw.open_drawings(tmp_path / "cat.parquet")
    assert drawings.categories == ("cat",)
    assert [stroke.tolist() for stroke in drawings[1]] == STROKES
    table = {
        "word": ["dog", "cat"],
        "key_id": ["7", None],
        "timestamp": [datetime.datetime(2017, 3, 26, 23, 57, 14), None],
        "recognized": ["True", "false"],
        "drawing": [STROKES, STROKES],
        "more": [1, 2],
    }
    pq.write_table(pa.table(table), tmp_path / "b.parquet")
    (tmp_path / "c.parquet").write_bytes(gzip.compress((tmp_path / "b.parquet").read_bytes()))
    for name in ("b.parquet", "c.parquet"):
        drawings = fastdraw.open_drawings(tmp_path / name)
        assert drawings.categories == ("cat", "dog")
        assert drawings.metadata["timestamp"].tolist() == [0, 1490572634]
        assert drawings.metadata["recognized"].tolist() == [False, True]
        assert drawings.metadata["key_id"][1] == 7


def test_drawings_of_hugging_face(tmp_path: Path) -> None:
    names = json.dumps({"info": {"features": {"word": {"names": ["ant", "cat"], "_type": "ClassLabel"}}}})
    table = pa.table({"word": [1], "drawing": [{"x": [[0, 255], [5]], "y": [[0, 10], [6]]}]})
    pq.write_table(table.replace_schema_metadata({"huggingface": names}), tmp_path / "a.parquet")
    drawings = fastdraw.open_drawings(tmp_path / "a.parquet")
    assert drawings.categories == ("cat",)
    assert [stroke.tolist() for stroke in drawings[0]] == STROKES
    pq.write_table(table.replace_schema_metadata({"huggingface": "["}), tmp_path / "b.parquet")
    with pytest.raises(fastdraw.FormatError, match="row 1: expected word to be a string, received 1"):
        fastdraw.open_drawings(tmp_path / "b.parquet")


def test_times_in_nanoseconds_lose_them(tmp_path: Path) -> None:
    times = pa.array([1490572634_639540001], pa.timestamp("ns", "Europe/Berlin"))
    pq.write_table(pa.table({"drawing": [STROKES], "timestamp": times}), tmp_path / "cat.parquet")
    assert fastdraw.open_drawings(tmp_path / "cat.parquet").metadata["timestamp"].tolist() == [1490572634]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"PAR1" + bytes(100), "a.parquet"),
        ({"picture": [b"x"]}, "expected a column drawing, received picture"),
        ({"drawing": ["abc"]}, "row 1: expected"),
        ({"word": [["cat"]], "drawing": [STROKES]}, "row 1: expected word to be a string"),
        ({"drawing": [None]}, "row 1: expected"),
        ({"drawing": [STROKES, [[[300], [0]]]]}, "row 2: stroke 0: expected"),
    ],
)
def test_faults_are_one_error(tmp_path: Path, content: object, message: str) -> None:
    path = tmp_path / "a.parquet"
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        pq.write_table(pa.table(content), path)
    with pytest.raises(fastdraw.FormatError, match=message):
        fastdraw.open_drawings(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.parquet"]


def test_any_cut_is_an_error(sample: Path, tmp_path: Path) -> None:
    fastdraw.export_drawings(fastdraw.open_drawings(sample), tmp_path / "a.parquet")
    content = (tmp_path / "a.parquet").read_bytes()
    for size in np.linspace(5, len(content) - 1, 20).astype(int):
        (tmp_path / "a.parquet").write_bytes(content[:size])
        with pytest.raises(fastdraw.FormatError):
            fastdraw.open_drawings(tmp_path / "a.parquet")


def test_without_pyarrow_one_line_names_the_extra(tmp_path: Path) -> None:
    pq.write_table(pa.table({"drawing": [STROKES]}), tmp_path / "a.parquet")
    program = f"""
import sys
sys.modules["pyarrow"] = None
import fastdraw
try:
    fastdraw.open_drawings({str(tmp_path / "a.parquet")!r})
except fastdraw.FastdrawError as error:
    print(error)
"""
    assert fresh_process(program).endswith(
        'expected pyarrow, which is not installed: pip install "fastdraw-vaekit[parquet]"\n'
    )
