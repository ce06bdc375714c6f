"""``dataset.json`` is read and written as by version 0.1."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import fastdraw
from fastdraw.rasters.manifest import MANIFEST, Source, read_finished, read_manifest
from fastdraw.storage import open_store

GOLDEN = Path(__file__).parents[2] / "golden" / "0.1"


@pytest.mark.parametrize("name", ["finished-npy", "finished-tfrecord", "stopped"])
def test_the_same_bytes(name: str, tmp_path: Path) -> None:
    read_manifest(open_store(GOLDEN / name)).save(open_store(tmp_path))
    assert (tmp_path / MANIFEST).read_bytes() == (GOLDEN / name / MANIFEST).read_bytes()


def test_labels_are_alphabetical(tmp_path: Path) -> None:
    manifest = read_manifest(open_store(GOLDEN / "finished-npy"))
    manifest.categories["ant"] = manifest.categories.pop("house")
    manifest.pending["zebra"] = Source("/quickdraw/zebra.bin", 0, 0, 0, "")
    manifest.save(open_store(tmp_path))
    categories = json.loads((tmp_path / MANIFEST).read_text())["categories"]
    assert {name: entry["label"] for name, entry in categories.items()} == {"ant": 0, "face": 1, "star": 2}
    assert read_manifest(open_store(tmp_path)).pending == manifest.pending
    with pytest.raises(fastdraw.FastdrawError, match=r"1 categories are missing \(zebra"):
        read_finished(open_store(tmp_path))


@pytest.mark.parametrize(
    ("keys", "value"),
    [
        (["version"], 2),
        (["form"], "png"),
        (["form"], []),
        (["settings"], None),
        (["settings"], {"colour": 1}),
        (["settings", "size"], 7),
        (["categories"], []),
        (["categories", "face"], {}),
        (["categories", "face", "count"], "40"),
        (["categories", "face", "sha256"], None),
        (["categories", "face", "source"], {}),
        (["categories", "face", "source", "mtime_ns"], 0.5),
        (["pending"], 3),
        (["pending"], {"dragon": {}}),
    ],
    ids=str,
)
def test_what_is_not_a_manifest(tmp_path: Path, keys: list[str], value: Any) -> None:
    content = json.loads((GOLDEN / "finished-npy" / MANIFEST).read_text())
    inside = content
    for key in keys[:-1]:
        inside = inside[key]
    inside[keys[-1]] = value
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    for read in (lambda: read_manifest(open_store(tmp_path)), lambda: fastdraw.verify_rasters(tmp_path)):
        with pytest.raises(fastdraw.FastdrawError, match=r"dataset\.json: expected"):
            read()


def test_unknown_keys_are_ignored(tmp_path: Path) -> None:
    content = json.loads((GOLDEN / "finished-npy" / MANIFEST).read_text())
    content["made by"] = content["categories"]["face"]["made by"] = "somebody"
    (tmp_path / MANIFEST).write_text(json.dumps(content))
    assert read_manifest(open_store(tmp_path)) == read_manifest(open_store(GOLDEN / "finished-npy"))
