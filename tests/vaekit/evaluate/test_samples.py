"""Measures of samples: against plain loops and SciPy, and on images whose faults are known."""

from __future__ import annotations

import os
from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model

import fastdraw
import vaekit
from vaekit.evaluate import Judge, frechet_distance, precision_recall, score_samples
from vaekit.training.precision import has_accelerator


@pytest.fixture(scope="module")
def data(sample: Path) -> tuple[np.ndarray, ...]:
    """Images to train on and their labels, and others."""
    drawings = fastdraw.open_drawings(sample)
    images, labels = drawings.rasterize(size=16), drawings.labels
    return images[::2], labels[::2], images[1::2], labels[1::2]


@pytest.fixture(scope="module")
def judge(data: tuple[np.ndarray, ...]) -> Judge:
    return Judge.train(data[0], data[1], steps=120)


def test_frechet_distance_is_that_of_scipy() -> None:
    linalg = pytest.importorskip("scipy.linalg")
    random = np.random.default_rng(0)
    one, other = random.normal(size=(400, 6)), random.normal(size=(300, 6)) @ random.normal(size=(6, 6)) + 1
    first, second = np.cov(one.T), np.cov(other.T)
    difference = one.mean(axis=0) - other.mean(axis=0)
    expected = difference @ difference + np.trace(first + second - 2 * linalg.sqrtm(first @ second).real)
    assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-6)
    assert frechet_distance(one, one) == pytest.approx(0, abs=1e-6)
    flat = np.tile([1.0, 0, 0, 0, 0, 0], (50, 1))
    assert frechet_distance(flat, flat) == pytest.approx(0, abs=1e-6)


def test_precision_and_recall_are_those_of_plain_loops() -> None:
    random = np.random.default_rng(1)
    real, made = random.normal(size=(90, 3)), random.normal(size=(70, 3)) * [0.4, 1, 1.5]

    def covered(points: np.ndarray, centres: np.ndarray) -> float:
        radii = [sorted(np.linalg.norm(centres - centre, axis=1))[3] for centre in centres]
        return float(np.mean([(np.linalg.norm(centres - point, axis=1) <= radii).any() for point in points]))

    precision, recall = precision_recall(real, made)
    assert precision == pytest.approx(covered(made, real))
    assert recall == pytest.approx(covered(real, made))
    assert 0 < recall < precision < 1


def test_scores_of_real_images_and_of_faults(data: tuple[np.ndarray, ...], judge: Judge) -> None:
    training, training_labels, held_out, labels = data
    half = len(held_out) // 2
    real = score_samples(held_out[:half], labels[:half], judge, training, held_out[half:])
    assert real.recognised > 0.9
    everything = score_samples(held_out[::2], labels[::2], judge, training, held_out[1::2])
    assert everything.precision > 0.6
    assert everything.recall > 0.6
    assert everything.novelty == pytest.approx(1, abs=0.2)
    wrong = score_samples(held_out[::2], (labels[::2] + 1) % 3, judge, training, held_out[1::2])
    assert wrong.recognised < 0.1
    copies = score_samples(training[::2], training_labels[::2], judge, training, held_out[::2])
    assert copies.novelty < 0.01
    one = score_samples(np.repeat(held_out[:1], 150, axis=0), labels[:1].repeat(150), judge, training, held_out[1::2])
    assert one.recall < 0.1
    assert one.frechet > 5 * everything.frechet
    noise = np.random.default_rng(0).random((150, 16, 16)).astype(np.float32)
    grey = score_samples(noise, labels[::2], judge, training, held_out[1::2])
    assert grey.recall < 0.1
    assert grey.frechet > 5 * everything.frechet


def test_a_model_is_scored_by_one_sample_for_each_label(data: tuple[np.ndarray, ...], judge: Judge) -> None:
    training, _, held_out, labels = data
    model = tiny_model(vaekit.CVAE, shape=(16, 16, 1))
    scores = score_samples(model, labels, judge, training, held_out)
    samples = model.sample(len(labels), seed=0, labels=labels)
    assert scores == score_samples(samples, labels, judge, training, held_out)


@pytest.mark.slow
def test_a_judge_is_repeatable_and_saved(data: tuple[np.ndarray, ...], judge: Judge, tmp_path: Path) -> None:
    images, labels, held_out, _ = data
    if not (keras.backend.backend() == "torch" and has_accelerator()):  # whose convolutions are not repeatable
        again = Judge.train(images, labels, steps=120)
        np.testing.assert_allclose(again.features(held_out), judge.features(held_out), atol=1e-3)
    os.mkfifo(tmp_path / "pipe.keras")
    with pytest.raises(fastdraw.FastdrawError, match=r"pipe.keras: expected the name of a file, received that of a"):
        judge.save(tmp_path / "pipe.keras")
    judge.save(tmp_path / "judge.keras")
    loaded = Judge.load(tmp_path / "judge.keras")
    np.testing.assert_allclose(loaded.features(held_out), judge.features(held_out), atol=1e-5)
    assert np.array_equal(loaded.names(held_out / np.float32(255)), judge.names(held_out))


def test_wrong_labels() -> None:
    with pytest.raises(ValueError, match="as many labels as images"):
        Judge.train(np.zeros((8, 16, 16)), [0, 1])


def test_a_file_that_holds_no_judge_is_named(judge: Judge, tmp_path: Path) -> None:
    tiny_model(vaekit.CVAE).save(tmp_path / "model.keras")
    (tmp_path / "empty.keras").touch()
    judge.save(tmp_path / "judge.keras")
    (tmp_path / "cut.keras").write_bytes((tmp_path / "judge.keras").read_bytes()[:5000])
    for name in ("model", "empty", "cut", "missing"):
        with pytest.raises(ValueError, match=rf"{name}\.keras: expected a judge, received another model or a damaged"):
            Judge.load(tmp_path / f"{name}.keras")
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["cut", "empty", "judge", "model"]
