"""Images in shards for other programs: what they read is what was drawn."""

from __future__ import annotations

import io
import json
import tarfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from command import run
from folders import visible
from PIL import Image

import fastdraw

FORMATS = ["webdataset", "parquet"]


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastdraw.rasters.shards.SHARD", 250)
    monkeypatch.setattr("fastdraw.rasters.shards._BLOCK", 64)


def samples(folder: Path) -> list[dict[str, Any]]:
    """All samples of a folder: image, label, category, key_id, country, timestamp, recognized."""
    found: list[dict[str, Any]] = []
    for path in sorted(folder.glob("0*")):
        if path.suffix == ".parquet":
            parquet = pytest.importorskip("pyarrow.parquet")
            for row in parquet.read_table(path).to_pylist():
                found.append(row | {"image": row["image"]["bytes"], "timestamp": int(row["timestamp"].timestamp())})
            continue
        by_key: dict[str, dict[str, bytes]] = {}
        with tarfile.open(path) as tar:
            for member in tar:
                name, _, field = member.name.partition(".")
                by_key.setdefault(name, {})[field] = tar.extractfile(member).read()
        for name, sample in by_key.items():
            row = json.loads(sample["json"])
            assert name == f"{len(found):09d}-{row['key_id']}"
            found.append(row | {"image": sample["png"], "label": int(sample["cls"]), "key_id": int(row["key_id"])})
    return found


@pytest.mark.parametrize("format", FORMATS)
def test_samples_are_the_drawings_mixed(sample: Path, tmp_path: Path, format: str) -> None:
    drawings = fastdraw.open_drawings(sample)
    steps: list[tuple[str, int, int]] = []
    assert fastdraw.bulk.run(sample, tmp_path, format=format, size=28, progress=lambda *step: steps.append(step)) == 600
    assert sorted(steps)[1::2] == [(name, count, count) for name, _, count in sorted(steps)[::2]]
    found = samples(tmp_path)
    assert len(found) == 600
    assert 0 < np.mean([row["label"] for row in found[:60]]) < 2
    place = {key_id: at for at, key_id in enumerate(drawings.metadata["key_id"].tolist())}
    order = [place[row["key_id"]] for row in found]
    assert sorted(order) == list(range(600))
    view = drawings[order]
    images = np.stack([np.asarray(Image.open(io.BytesIO(row["image"]))) for row in found])
    assert (images == view.rasterize(size=28)).all()
    assert [row["label"] for row in found] == view.labels.tolist()
    assert [row["category"] for row in found] == [drawings.categories[label] for label in view.labels]
    for name in ("country", "timestamp", "recognized"):
        assert [row[name] for row in found] == view.metadata[name].tolist()
    assert fastdraw.verify_rasters(tmp_path) == []


@pytest.mark.parametrize("format", FORMATS)
def test_a_stopped_run_goes_on(sample: Path, tmp_path: Path, format: str) -> None:
    def stop(shard: str, done: int, count: int) -> None:
        if done:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fastdraw.bulk.run(sample, tmp_path / "a", format=format, threads=1, progress=stop)
    made = {path: path.stat().st_mtime_ns for path in (tmp_path / "a").glob("0*")}
    assert len(made) == 1
    assert "2 shards are not finished" in fastdraw.verify_rasters(tmp_path / "a")[0]
    fastdraw.bulk.run(sample, tmp_path / "a", format=format)
    assert made.items() <= {path: path.stat().st_mtime_ns for path in (tmp_path / "a").glob("0*")}.items()
    fastdraw.bulk.run(sample, tmp_path / "b", format=format, threads=2)
    for path in (tmp_path / "b").glob("0*"):
        assert (tmp_path / "a" / path.name).read_bytes() == path.read_bytes()
    shard = next((tmp_path / "b").glob("00001*"))
    shard.write_bytes(shard.read_bytes()[:-1] + b"?")
    assert f"{shard.name}: expected SHA-256" in fastdraw.verify_rasters(tmp_path / "b")[0]
    shard.unlink()
    assert f"{shard.name}: No such file" in fastdraw.verify_rasters(tmp_path / "b")[0]
    fastdraw.bulk.run(sample, tmp_path / "b", format=format)
    assert fastdraw.verify_rasters(tmp_path / "b") == []


def test_other_settings_and_kinds(sample: Path, tmp_path: Path) -> None:
    fastdraw.bulk.run(sample, tmp_path, format="webdataset")
    with pytest.raises(fastdraw.FastdrawError, match="holds shards of other drawings or settings"):
        fastdraw.bulk.run(sample, tmp_path, format="webdataset", size=28)
    with pytest.raises(fastdraw.FastdrawError, match="holds rasters in a format of another kind"):
        fastdraw.bulk.run(sample, tmp_path, overwrite=True)
    with pytest.raises(fastdraw.FastdrawError, match="found shards in the format 'webdataset'"):
        fastdraw.open_rasters(tmp_path)
    fastdraw.bulk.run(sample / "star.bin", tmp_path, format="parquet", overwrite=True)
    assert visible(tmp_path) == {"00000.parquet", "croissant.json", "dataset.json"}


@pytest.mark.parametrize("option", ["packed", "flat", "metadata", "client"])
def test_options_that_do_not_fit(sample: Path, tmp_path: Path, option: str) -> None:
    options: Any = {option: "csv" if option == "metadata" else True}
    with pytest.raises(ValueError, match=f"expected no {option} with format='webdataset'"):
        fastdraw.bulk.run(sample, tmp_path / "out", format="webdataset", **options)
    with pytest.raises(ValueError, match="expected a format that open_rasters reads"):
        fastdraw.rasterize_files(sample, tmp_path / "out", format="webdataset")
    assert not (tmp_path / "out").exists()


def test_a_cluster_is_not_waited_for(sample: Path, tmp_path: Path) -> None:
    options = ("--format", "parquet", "--scheduler", "tcp://127.0.0.1:1")
    result = run("rasterize", sample, "--out", tmp_path / "out", *options)
    assert result.stderr.endswith("expected no --scheduler with --format parquet: threads write shards\n")
    assert not (tmp_path / "out").exists()


def test_files_in_the_way(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "00001.tar").write_bytes(b"mine")
    with pytest.raises(fastdraw.FastdrawError, match=r"00001\.tar: is in the way"):
        fastdraw.bulk.run(sample, tmp_path, format="webdataset")
    assert (tmp_path / "00001.tar").read_bytes() == b"mine"


def test_the_command(sample: Path, tmp_path: Path) -> None:
    result = run("rasterize", sample, "--out", tmp_path, "--format", "webdataset", "--style", "google")
    assert result.output.strip().endswith("600 rasters of 28x28 pixels")
    assert run("verify", tmp_path).exit_code == 0


def test_damage(sample: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "face.bin"
    damaged.write_bytes((sample / "face.bin").read_bytes()[:-5])
    with pytest.raises(fastdraw.BinFormatError, match=r"face\.bin"):
        fastdraw.bulk.run(damaged, tmp_path / "out", format="webdataset")
    with pytest.warns(fastdraw.DamagedFileWarning, match="left out"):
        assert fastdraw.bulk.run(damaged, tmp_path / "out", format="webdataset", errors="salvage") == 199
