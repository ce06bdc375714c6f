"""TFRecord files: what TensorFlow itself reads in them, and that their reader gives the drawings."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from folders import run_in_chunks

import fastdraw
from fastdraw.cli import commands as cli
from fastdraw.rasters import bulk
from fastdraw.rasters.formats import FORMATS

tf = pytest.importorskip("tensorflow")


@pytest.fixture(scope="module")
def folders(sample: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same drawings as images of 28x28, packed and inverted of 32x32, and as flat NumPy files."""
    folder = tmp_path_factory.mktemp("tfrecord")
    options = {"format": "tfrecord", "chunk_bytes": 50_000}
    run_in_chunks(sample, folder / "plain", style="google", **options)
    run_in_chunks(sample, folder / "packed", packed=True, invert=True, **options)
    bulk.run(sample, folder / "npy", style="google", flat=True)
    return {name: folder / name for name in ("plain", "packed", "npy")}


def test_the_records_are_examples(folders: dict[str, Path], sample: Path) -> None:
    """As any reader of the documented features sees them."""
    expected = fastdraw.open_drawings(sample).rasterize(style="google")
    drawings = fastdraw.open_drawings(sample)
    spec = {"image": tf.io.FixedLenFeature([], tf.string), "category": tf.io.FixedLenFeature([], tf.string)}
    at = 0
    for name in drawings.categories:
        for record in tf.data.TFRecordDataset(str(folders["plain"] / f"{name}.tfrecord")):
            example = tf.io.parse_single_example(record, spec)
            assert example["image"].numpy() == expected[at].tobytes()
            assert example["category"].numpy().decode() == name
            at += 1
    assert at == 600


def test_the_bytes_are_those_of_a_plain_loop(folders: dict[str, Path], sample: Path, tmp_path: Path) -> None:
    path = sorted(sample.glob("*.bin"))[0]
    with tf.io.TFRecordWriter(str(tmp_path / "loop")) as writer:
        for image in fastdraw.open_drawings(path).rasterize(style="google"):
            feature = {
                name: tf.train.Feature(bytes_list=tf.train.BytesList(value=[value]))
                for name, value in (("category", path.stem.encode()), ("image", image.tobytes()))
            }
            example = tf.train.Example(features=tf.train.Features(feature=feature))
            writer.write(example.SerializeToString(deterministic=True))
    content = (folders["plain"] / f"{path.stem}.tfrecord").read_bytes()
    assert content == (tmp_path / "loop").read_bytes()
    assert len(content) == 200 * FORMATS["tfrecord"].row_bytes((200, 28, 28), path.stem)


@pytest.mark.parametrize("batch_size", [1, 64, 200, 1000])
@pytest.mark.parametrize("labels", [None, "int", "onehot"])
def test_reader_gives_the_drawings_in_order(
    folders: dict[str, Path], sample: Path, batch_size: int, labels: str | None
) -> None:
    drawings = fastdraw.open_drawings(sample)
    dataset = fastdraw.read_tfrecords(folders["plain"], batch_size, labels=labels)
    batches = list(dataset.as_numpy_iterator())
    assert len(batches) == dataset.cardinality() == -(-600 // batch_size)
    full = batch_size if 600 % batch_size == 0 else None
    images_spec = tf.TensorSpec((full, 28, 28, 1), tf.float32)
    images = batches
    if labels:
        images, numbers = ([batch[i] for batch in batches] for i in (0, 1))
        spec = tf.TensorSpec((full,), tf.int64) if labels == "int" else tf.TensorSpec((full, 3), tf.float32)
        assert dataset.element_spec == (images_spec, spec)
        found = np.concatenate(numbers)
        assert ((found if labels == "int" else found.argmax(axis=1)) == drawings.labels).all()
        assert labels == "int" or (found.sum(axis=1) == 1).all()
    else:
        assert dataset.element_spec == images_spec
    expected = drawings.rasterize(style="google").astype(np.float32)[..., None] / np.float32(255)
    assert (np.concatenate(images) == expected).all()


def test_packed_and_uint8(folders: dict[str, Path], sample: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    bits = drawings.rasterize(packed=True, invert=True)
    (found,) = fastdraw.read_tfrecords(folders["packed"], 600, packed=True)
    assert (found.numpy() == bits).all()
    (found,) = fastdraw.read_tfrecords(folders["packed"], 600, dtype="uint8")
    assert found.dtype == tf.uint8
    assert (found.numpy()[..., 0] == drawings.rasterize(invert=True)).all()
    batches = list(fastdraw.read_tfrecords(folders["plain"], 250, dtype="uint8", drop_remainder=True))
    assert [batch.shape[0] for batch in batches] == [250, 250]


def test_the_dataset_of_drawings_is_the_same(folders: dict[str, Path], sample: Path) -> None:
    if not hasattr(fastdraw, "to_tf_dataset"):
        pytest.skip("there is no to_tf_dataset")
    drawings = fastdraw.open_drawings(sample)
    for labels in (None, "int", "onehot"):
        here = fastdraw.to_tf_dataset(drawings, 64, style="google", labels=labels)
        read = fastdraw.read_tfrecords(folders["plain"], 64, labels=labels)
        assert here.element_spec == read.element_spec
        for one, other in zip(here, read, strict=True):
            tf.nest.map_structure(np.testing.assert_array_equal, one, other)
    here = fastdraw.to_tf_dataset(drawings, 64, packed=True, invert=True)
    for one, other in zip(here, fastdraw.read_tfrecords(folders["packed"], 64, packed=True), strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_images_are_mapped(folders: dict[str, Path], sample: Path, tmp_path: Path) -> None:
    drawings = fastdraw.open_drawings(sample)
    plain, packed = (fastdraw.open_rasters(folders[name]) for name in ("plain", "packed"))
    assert plain.shape == (600, 28, 28)
    assert np.shares_memory(plain["star"], plain["star"][5:])
    assert (plain[:] == drawings.rasterize(style="google")).all()
    assert (packed[::-7] == drawings.rasterize(packed=True, invert=True)[::-7]).all()
    rasters = fastdraw.rasterize_files(sample, tmp_path, format="tfrecord")
    (batch,) = fastdraw.batches(rasters, 600, shuffle=False, epochs=1, dtype="uint8")
    assert (batch[..., 0] == drawings.rasterize()).all()


def test_the_manifest_and_what_cannot_be(folders: dict[str, Path], tmp_path: Path) -> None:
    manifest = json.loads((folders["plain"] / "dataset.json").read_text())
    assert manifest["form"] == "tfrecord"
    assert fastdraw.verify_rasters(folders["plain"]) == fastdraw.verify_rasters(folders["packed"]) == []
    with pytest.raises(fastdraw.FastdrawError, match=r"expected TFRecord files, found npy files"):
        fastdraw.read_tfrecords(folders["npy"], 8)
    with pytest.raises(fastdraw.FastdrawError, match=r"no dataset\.json"):
        fastdraw.read_tfrecords(tmp_path, 8)
    for wrong in ({"labels": "names"}, {"dtype": "int8"}, {"packed": True}, {"batch_size": 0}):
        with pytest.raises(ValueError, match="expected"):
            fastdraw.read_tfrecords(folders["plain"], **{"batch_size": 8} | wrong)


def test_command(sample: Path, tmp_path: Path, folders: dict[str, Path]) -> None:
    command = ["rasterize", str(sample), "--out", str(tmp_path / "out"), "--style", "google", "--quiet"]
    for option in (["--tfrecord"], ["--format", "tfrecord"]):
        assert CliRunner().invoke(cli.main, [*command, *option]).exit_code == 0
        for path in folders["plain"].glob("*.tfrecord"):
            assert (tmp_path / "out" / path.name).read_bytes() == path.read_bytes()
    result = CliRunner().invoke(cli.main, [*command, "--tfrecord", "--format", "npy"])
    assert result.exit_code == 1
    assert "expected --format tfrecord or none with --tfrecord, received 'npy'" in result.stderr
    result = CliRunner().invoke(cli.main, command)
    assert result.exit_code == 1
    assert "format 'tfrecord', now 'npy'" in result.stderr
    assert CliRunner().invoke(cli.main, [*command, "--overwrite"]).exit_code == 0
    assert {path.suffix for path in (tmp_path / "out").iterdir() if not path.name.startswith(".")} == {".npy", ".json"}


def test_an_empty_category(tmp_path: Path) -> None:
    (tmp_path / "nothing.bin").touch()
    bulk.run(tmp_path / "nothing.bin", tmp_path / "out", tfrecord=True)
    assert list(fastdraw.read_tfrecords(tmp_path / "out", 8)) == []
    assert fastdraw.verify_rasters(tmp_path / "out") == []
