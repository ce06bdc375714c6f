"""Metadata beside rasters: row i is of drawing i."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from folders import visible
from hypothesis import given
from hypothesis import strategies as st

import fastdraw
from fastdraw.cli import main
from fastdraw.quickdraw.binary import METADATA
from fastdraw.rasters import metadata
from fastdraw.rasters.metadata import MetadataFile, encode_metadata

ROWS = st.lists(
    st.tuples(
        st.integers(0, 2**64 - 1), st.binary(max_size=2).map(lambda code: code.rstrip(b"\0")), st.booleans(),
        st.integers(0, 2**32 - 1),
    ),
    max_size=20,
)  # fmt: skip


@given(rows=ROWS, form=st.sampled_from(["csv", "parquet"]), category=st.text("cat,\"\n'\udcff é", min_size=1))
def test_round_trip(tmp_path_factory: pytest.TempPathFactory, rows: Any, form: str, category: str) -> None:
    rows = np.array(rows, METADATA)
    path = tmp_path_factory.mktemp("rows") / f"x.{form}"
    path.write_bytes(encode_metadata(rows, category, form))
    assert (MetadataFile(path, form, len(rows)).rows == rows).all()


@pytest.mark.parametrize("form", ["csv", "parquet"])
@pytest.mark.parametrize("format", ["npy", "tfrecord"])
def test_rows_are_those_of_the_drawings(sample: Path, tmp_path: Path, form: Any, format: str) -> None:
    drawings = fastdraw.open_drawings(sample)
    rasters = fastdraw.rasterize_files(sample, tmp_path, metadata=form, format=format)
    assert (rasters.metadata == drawings.metadata).all()
    assert fastdraw.verify_rasters(tmp_path) == []
    some = {"recognized": True, "countries": ["US", "DE"], "after": "2017-02-01", "categories": ["star", "face"]}
    assert (rasters.filter(**some)[:] == drawings.filter(**some).rasterize()).all()
    for ours, others in zip(rasters.split(0.2, 0.2, 5), drawings.split(0.2, 0.2, 5), strict=True):
        assert (ours[:] == others.rasterize()).all()


def test_csv_is_what_it_says(sample: Path, tmp_path: Path) -> None:
    result = CliRunner().invoke(main, ["rasterize", str(sample), "--out", str(tmp_path), "--metadata", "csv"])
    assert result.exit_code == 0, result.output
    with open(tmp_path / "star.metadata.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    drawings = fastdraw.open_drawings(sample / "star.bin")
    assert list(rows[0]) == ["key_id", "country", "timestamp", "recognized", "category"]
    assert [int(row["key_id"]) for row in rows] == drawings.metadata["key_id"].tolist()
    assert {row["category"] for row in rows} == {"star"}


def test_parquet_is_what_others_read(sample: Path, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    fastdraw.rasterize_files(sample, tmp_path, metadata="parquet")
    table = parquet.read_table(tmp_path / "star.metadata.parquet").to_pylist()
    expected = fastdraw.open_drawings(sample / "star.bin").metadata
    assert [row["timestamp"].timestamp() for row in table] == expected["timestamp"].tolist()
    assert table[0]["category"] == "star"


def test_is_added_to_finished_rasters_and_kept_by_later_runs(sample: Path, tmp_path: Path) -> None:
    fastdraw.bulk.run(sample / "star.bin", tmp_path)
    before = (tmp_path / "star.npy").stat().st_mtime_ns
    assert "metadata" not in json.loads((tmp_path / "dataset.json").read_text())
    fastdraw.bulk.run(sample / "star.bin", tmp_path, metadata="csv")
    fastdraw.bulk.run(sample, tmp_path)  # as the folder has it
    assert (tmp_path / "star.npy").stat().st_mtime_ns == before
    assert sorted(path.name for path in tmp_path.glob("*.csv")) == [
        f"{name}.metadata.csv" for name in ("face", "house", "star")
    ]
    fastdraw.bulk.run(sample, tmp_path, metadata="parquet")
    assert not list(tmp_path.glob("*.csv"))
    assert fastdraw.verify_rasters(tmp_path) == []
    assert (fastdraw.open_rasters(tmp_path).metadata == fastdraw.open_drawings(sample).metadata).all()
    (tmp_path / "star.metadata.parquet").unlink()
    assert "star.metadata.parquet: No such file" in fastdraw.verify_rasters(tmp_path)[0]
    fastdraw.bulk.run(sample, tmp_path)
    assert fastdraw.verify_rasters(tmp_path) == []
    fastdraw.bulk.run(sample / "face.bin", tmp_path, size=28, overwrite=True)
    assert visible(tmp_path) == {"croissant.json", "dataset.json", "face.npy"}


def test_a_stopped_run_goes_on(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fastdraw.rasters.tasks.encode_metadata", stop)
        with pytest.raises(KeyboardInterrupt):
            fastdraw.bulk.run(sample, tmp_path, metadata="csv")
    assert not list(tmp_path.glob("*.csv"))
    fastdraw.bulk.run(sample, tmp_path)
    assert fastdraw.verify_rasters(tmp_path) == []
    assert len(list(tmp_path.glob("*.csv"))) == 3


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "expected the columns"),
        (b"key_id,country,timestamp,recognized,category\r\n", "expected 200 rows, found 0"),
        (
            b"key_id,country,timestamp,recognized,category\r\nx,US,1,true,star\n",
            "expected metadata of rasters: invalid",
        ),
        (b"key_id,country,timestamp,recognized,category\r\n1,US,1\n", "expected metadata of rasters: not enough"),
    ],
)
def test_damage_is_an_error(sample: Path, tmp_path: Path, content: bytes, said: str) -> None:
    rasters = fastdraw.rasterize_files(sample / "star.bin", tmp_path, metadata="csv")
    (tmp_path / "star.metadata.csv").write_bytes(content)
    with pytest.raises(fastdraw.FastdrawError, match=f"star.metadata.csv: .*{said}"):
        rasters.split()
    assert "star.metadata.csv: expected SHA-256" in fastdraw.verify_rasters(tmp_path)[0]


def test_wrong_form(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    options: Any = {"metadata": "json"}
    with pytest.raises(ValueError, match="expected metadata to be one of"):
        fastdraw.bulk.run(sample, tmp_path / "out", **options)
    monkeypatch.setitem(__import__("sys").modules, "pyarrow.parquet", None)
    with pytest.raises(fastdraw.FastdrawError, match=r"fastdraw-vaekit\[parquet\]"):
        metadata.choose_metadata("parquet")
