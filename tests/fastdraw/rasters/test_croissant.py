"""``croissant.json`` describes what is in the folder."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import pytest

import fastdraw


def described(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """The files, and the sets of records, of a description, by name."""
    content = json.loads((folder / "croissant.json").read_text())
    assert content["conformsTo"] == "http://mlcommons.org/croissant/1.0"
    files = {entry["name"]: entry for entry in content["distribution"]}
    return files, {entry["name"]: entry for entry in content["recordSet"]}


@pytest.mark.parametrize(
    ("options", "records"),
    [
        ({}, {"categories"}),
        ({"metadata": "csv"}, {"categories", "metadata"}),
        ({"metadata": "parquet"}, {"categories", "metadata"}),
        ({"format": "tfrecord"}, {"categories"}),
        ({"format": "webdataset"}, {"categories"}),
        ({"format": "parquet"}, {"categories", "images"}),
    ],
)
def test_describes_all_files(sample: Path, tmp_path: Path, options: Any, records: set[str]) -> None:
    fastdraw.bulk.run(sample, tmp_path, **options)
    files, sets = described(tmp_path)
    for path in tmp_path.iterdir():
        if path.name[0] != "." and path.suffix != ".json":
            entry = files.pop(path.name)
            content = path.read_bytes()
            assert (entry["contentSize"], entry["sha256"]) == (f"{len(content)} B", hashlib.sha256(content).hexdigest())
    assert set(sets) == records
    assert sets["categories"]["data"] == [
        {"categories/name": name, "categories/label": label, "categories/count": 200}
        for label, name in enumerate(("face", "house", "star"))
    ]
    for name in records - {"categories"}:
        columns = {field["name"] for field in sets[name]["field"]}
        assert columns >= {"key_id", "country", "timestamp", "recognized", "category"}
        (file_set,) = files.values()
        assert {field["source"]["fileSet"]["@id"] for field in sets[name]["field"]} == {file_set["@id"]}
        assert len(list(tmp_path.glob(file_set["includes"]))) in (1, 3)


ORIGIN = {"license", "creator", "url", "datePublished", "citeAs"}


def test_says_where_drawings_of_published_categories_are_from(sample: Path, tmp_path: Path) -> None:
    shutil.copy(sample / "star.bin", tmp_path / "hot air balloon.bin")
    fastdraw.bulk.run([sample, tmp_path / "hot air balloon.bin"], tmp_path / "published")
    content = json.loads((tmp_path / "published/croissant.json").read_text())
    assert content.keys() >= ORIGIN
    assert content["license"] == "https://creativecommons.org/licenses/by/4.0/"
    assert content["creator"]["name"] == "Google LLC"
    assert "of 4 categories of Quick, Draw! by Google as images of 32x32 pixels" in content["description"]
    assert not [entry["@id"] for entry in content["distribution"] if " " in entry["@id"]]  # mlcroissant allows none
    assert len({entry["@id"] for entry in content["distribution"]}) == 4

    shutil.copy(sample / "star.bin", tmp_path / "my stars.bin")
    fastdraw.bulk.run([sample, tmp_path / "my stars.bin"], tmp_path / "own")
    content = json.loads((tmp_path / "own/croissant.json").read_text())
    assert not content.keys() & ORIGIN
    assert "Google" not in content["description"]


@pytest.mark.parametrize("options", [{"metadata": "csv"}, {"format": "webdataset"}, {"format": "parquet"}])
def test_mlcroissant_finds_nothing_to_complain_of(sample: Path, tmp_path: Path, options: Any) -> None:
    mlcroissant = pytest.importorskip("mlcroissant")
    shutil.copy(sample / "star.bin", tmp_path / "hot air balloon.bin")
    fastdraw.bulk.run([sample, tmp_path / "hot air balloon.bin"], tmp_path / "made", **options)
    issues = mlcroissant.Dataset(jsonld=tmp_path / "made/croissant.json").metadata.ctx.issues
    assert not issues.errors
    assert not issues.warnings


def test_an_unfinished_folder_has_none(sample: Path, tmp_path: Path) -> None:
    def stop(category: str, done: int, count: int) -> None:
        if done:
            raise KeyboardInterrupt

    fastdraw.bulk.run(sample / "star.bin", tmp_path)
    assert (tmp_path / "croissant.json").exists()
    with pytest.raises(KeyboardInterrupt):
        fastdraw.bulk.run(sample, tmp_path, size=28, overwrite=True, progress=stop)
    assert not (tmp_path / "croissant.json").exists()
