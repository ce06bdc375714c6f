"""Drawings as shards of WebDataset, and back."""

from __future__ import annotations

import gzip
import io
import json
import shutil
import tarfile
from pathlib import Path

import numpy as np
import pytest
from command import run

import fastdraw
from fastdraw.quickdraw.tar import add_member


def test_shards_of_the_same_categories(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They are opened as one, rasterized as one, and joined by `convert`."""
    monkeypatch.setattr("fastdraw.export.export.SHARD", 150)
    drawings = fastdraw.open_drawings(sample)[::2]
    shards = fastdraw.export_drawings(drawings, tmp_path / "shards", "webdataset")
    assert len(shards) == 2
    opened = fastdraw.open_drawings(tmp_path / "shards")
    assert (len(opened), opened.categories) == (300, drawings.categories)
    rasters = fastdraw.rasterize_files(tmp_path / "shards", tmp_path / "rasters")
    np.testing.assert_array_equal(rasters[:], drawings.rasterize())
    made = json.loads((tmp_path / "rasters/dataset.json").read_text())
    fastdraw.rasterize_files(tmp_path / "shards", tmp_path / "rasters")  # the joined files are not made again
    assert json.loads((tmp_path / "rasters/dataset.json").read_text()) == made
    (tmp_path / "joined").mkdir()
    written = run("convert", *shards, tmp_path / "joined").output.split()
    assert written == [str(tmp_path / f"joined/{name}.bin") for name in drawings.categories]
    again = fastdraw.open_drawings(tmp_path / "joined")
    np.testing.assert_array_equal(again.metadata, drawings.metadata)
    np.testing.assert_array_equal(again.rasterize(), drawings.rasterize())
    some = fastdraw.export_drawings(drawings[10:], shards[0], "webdataset")
    assert fastdraw.bulk.run([*some, shards[1]], tmp_path / "rasters") == 440
    with pytest.raises(fastdraw.FastdrawError, match=r"two of 'star': .*/star\.bin and .*/star\.bin"):
        fastdraw.bulk.run([sample / "star.bin", tmp_path / "shards"], tmp_path / "rasters")


def test_files_of_one_name_are_not_written_over_each_other(sample: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    shutil.copy(sample / "star.bin", tmp_path / "other/star.bin")
    (tmp_path / "out").mkdir()
    result = run("convert", sample / "star.bin", tmp_path / "other/star.bin", tmp_path / "out")
    assert result.exit_code == 1
    assert "star.ndjson: expected one source for it, received" in result.stderr
    assert fastdraw.open_drawings(tmp_path / "out/star.ndjson").metadata.tolist() == (
        fastdraw.open_drawings(sample / "star.bin").metadata.tolist()
    )


def tar(path: Path, members: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as file:
        for name, content in members.items():
            add_member(file, name, content)
    return path


def test_shards_keep_the_order_and_come_back(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastdraw.export.export.SHARD", 250)
    drawings = fastdraw.open_drawings(sample)
    mixed = drawings[np.random.default_rng(0).permutation(len(drawings))]
    shards = fastdraw.export_drawings(mixed, tmp_path / "new/shards", "webdataset")
    assert [path.name for path in shards] == ["00000.tar", "00001.tar", "00002.tar"]
    words, keys = [], []
    for shard in shards:
        with tarfile.open(shard) as file:
            for member in file:
                fields = json.load(file.extractfile(member))
                number, _, key_id = member.name.removesuffix(".json").partition("-")
                assert (int(number), key_id) == (len(keys), fields["key_id"])
                words.append(fields["word"])
                keys.append(int(key_id))
    assert keys == mixed.metadata["key_id"].tolist()
    assert words == [drawings.categories[label] for label in mixed.labels]
    again = fastdraw.open_drawings(tmp_path / "new/shards")
    assert again.categories == drawings.categories
    order = np.argsort(again.metadata["key_id"])
    expected = np.argsort(mixed.metadata["key_id"])
    assert (again[order].metadata == mixed[expected].metadata).all()
    assert (again[order].rasterize() == mixed[expected].rasterize()).all()
    with pytest.raises(fastdraw.FastdrawError, match="shards: exists already"):
        fastdraw.export_drawings(mixed, tmp_path / "new/shards", "webdataset")


def test_the_command(sample: Path, tmp_path: Path) -> None:
    assert run("convert", sample, tmp_path / "all.tar").output.strip() == str(tmp_path / "all.tar")
    assert (
        run("convert", sample / "star.bin", tmp_path / "stars", "--to", "webdataset")
        .output.strip()
        .endswith("00000.tar")
    )
    run("convert", tmp_path / "stars/00000.tar", tmp_path / "star.bin")
    assert (tmp_path / "star.bin").read_bytes() == (sample / "star.bin").read_bytes()
    assert fastdraw.open_drawings(tmp_path / "all.tar").categories == ("face", "house", "star")


def test_other_members_are_passed_over(tmp_path: Path) -> None:
    strokes = json.dumps({"drawing": [[[0, 5], [1, 2]]]}).encode()
    path = tar(tmp_path / "cat.tar", {"a.png": b"?", "a.json": strokes, "b.cls": b"1"})
    compressed = tmp_path / "dog.tar.gz"
    compressed.write_bytes(gzip.compress(path.read_bytes()))
    for name in (path, compressed):
        drawings = fastdraw.open_drawings(name)
        assert drawings.categories == (name.name.partition(".")[0],)
        assert drawings[0][0].tolist() == [[0, 5], [1, 2]]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"{", "a.json: unexpected end|a.json: EOF"),
        (b"[]", "a.json: expected a JSON object"),
        (b'{"key_id": "1"}', "a.json: expected a field drawing"),
        (b'{"drawing": [[[300], [0]]]}', "a.json: stroke 0: expected integers"),
        (b'{"drawing": [], "word": "../x"}', "a.json: expected word to be a name"),
    ],
)
def test_faults_name_the_member(tmp_path: Path, content: bytes, said: str) -> None:
    path = tar(tmp_path / "cat.tar", {"a.json": content})
    with pytest.raises(fastdraw.FormatError, match=said):
        fastdraw.open_drawings(path)
    assert [file.name for file in tmp_path.iterdir()] == ["cat.tar"]


def test_no_drawings_and_truncation(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(fastdraw.FastdrawError, match="expected drawings, received none"):
        fastdraw.open_drawings(tar(tmp_path / "cat.tar", {"a.png": b"?"}))
    (path,) = fastdraw.export_drawings(fastdraw.open_drawings(sample / "star.bin"), tmp_path / "star.tar")
    content = path.read_bytes()
    for length in (len(content) // 2, len(content) // 2 + 300, 700):
        path.write_bytes(content[:length])
        with pytest.raises(fastdraw.FastdrawError, match=r"star.tar: .*(tar file|unexpected end|received none)"):
            fastdraw.open_drawings(path)


def test_a_member_is_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fastdraw.quickdraw.tar._LARGEST", 100)
    path = tar(tmp_path / "cat.tar", {"a.json": b"[" * 101})
    with pytest.raises(fastdraw.FormatError, match=r"a\.json: expected a drawing of at most 100 bytes, received 101"):
        fastdraw.open_drawings(path)


def test_bytes_depend_on_the_drawings_alone(sample: Path) -> None:
    from fastdraw.export.webdataset import write

    files = [io.BytesIO(), io.BytesIO()]
    for file in files:
        write(fastdraw.open_drawings(sample), file)
    assert files[0].getvalue() == files[1].getvalue()
