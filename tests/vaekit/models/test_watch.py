"""Batches of datasets that Keras reads itself: wrong values and labels end in one sentence, and weights stay."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import vaekit

IMAGES = (np.random.default_rng(0).random((96, 8, 8, 1)) > 0.5).astype(np.float32)
LABELS = np.arange(96) % 3
VALUES = r"expected images as uint8, or with values from 0 to 1; received float32 from 0 to 255: divide by 255"
NUMBERS = "expected labels from 0 to 2, received 5 to 7"


class Batches(keras.utils.PyDataset):
    """Three batches; the factor and the label that are added change with the batch."""

    def __init__(self, factors: tuple[float, ...], added: int = 0, labels: bool = True) -> None:
        super().__init__()
        self.factors, self.added, self.labels = factors, added, labels

    def __len__(self) -> int:
        return 3

    def __getitem__(self, index: int) -> Any:
        rows = slice(32 * index, 32 * index + 32)
        images = IMAGES[rows] * np.float32(self.factors[index])
        return (images, LABELS[rows] + self.added) if self.labels else images


def generator(batches: Batches) -> Iterator[Any]:
    return (batches[i] for i in range(3))


def tf_data(batches: Batches) -> Any:
    tf = pytest.importorskip("tensorflow")
    images, labels = (np.concatenate(parts) for parts in zip(*generator(batches), strict=True))
    return tf.data.Dataset.from_tensor_slices((images, labels)).batch(32)


def torch_loader(batches: Batches) -> Any:
    data = pytest.importorskip("torch.utils.data")
    if keras.backend.backend() == "tensorflow":
        pytest.skip("TensorFlow and torch are not loaded into one process")
    pairs = [pair for batch in generator(batches) for pair in zip(*batch, strict=True)]
    return data.DataLoader(pairs, 32)


def grain_dataset(batches: Batches) -> Any:
    grain = pytest.importorskip("grain")
    return grain.MapDataset.source([batches[i] for i in range(3)])


def same(batches: Batches) -> Batches:
    return batches


KINDS = [same, generator, tf_data, torch_loader, grain_dataset]


def cvae() -> vaekit.CVAE:
    model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(8,))
    model.compile("adam")
    return model


@pytest.mark.parametrize("kind", KINDS)
def test_wrong_values_and_labels(kind: Callable[[Batches], Any]) -> None:
    model = cvae()
    before = model.get_weights()
    said = VALUES if kind is not generator else VALUES + "|received a batch with others"
    with pytest.raises(ValueError, match=said):
        model.fit(kind(Batches((255, 255, 255))), verbose=0)
    said = NUMBERS if kind is not generator else NUMBERS + "|received a batch with others"
    with pytest.raises(ValueError, match=said):
        model.fit(kind(Batches((1, 1, 1), added=5)), verbose=0)
    for weights, now in zip(before, model.get_weights(), strict=True):
        np.testing.assert_array_equal(now, weights)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message="`shuffle=True` was passed")
        assert np.isfinite(model.fit(kind(Batches((1, 1, 1))), verbose=0).history["loss"]).all()


def test_a_later_batch() -> None:
    with pytest.raises(ValueError, match="labels of the model's classes; received a batch with others"):
        cvae().fit(Batches((1, 1, 255)), verbose=0)


def test_validation_and_evaluate() -> None:
    model = cvae()
    with pytest.raises(ValueError, match=VALUES):
        model.fit(IMAGES, LABELS, validation_data=Batches((255, 1, 1)), verbose=0)
    with pytest.raises(ValueError, match=VALUES):
        model.evaluate(Batches((255, 1, 1)), verbose=0)
    assert np.isfinite(model.evaluate(Batches((1, 1, 1)), verbose=0)).all()


def test_training(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=VALUES):
        vaekit.train(cvae(), Batches((255, 255, 255)), out=tmp_path, epochs=1, verbose=0)
    assert not list(tmp_path.glob("*.keras"))


def test_target_images() -> None:
    model = vaekit.AE.for_images((8, 8, 1), 2, network="mlp", units=(8,))
    model.compile("adam")

    class Pairs(Batches):
        def __getitem__(self, index: int) -> Any:
            images, _ = super().__getitem__(index)
            return IMAGES[:32], images

    with pytest.raises(ValueError, match=VALUES):
        model.fit(Pairs((255, 255, 255)), verbose=0)
    assert np.isfinite(model.fit(Pairs((1, 1, 1)), verbose=0).history["loss"]).all()


def test_methods_that_read_datasets() -> None:
    model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(8,))
    for method in (model.encode, model.reconstruct, model.encode_distribution):
        with pytest.raises(ValueError, match=VALUES):
            method(Batches((255, 1, 1), labels=False))
    np.testing.assert_allclose(model.encode(Batches((1, 1, 1), labels=False)), model.encode(IMAGES), atol=1e-6)


def test_a_model_without_numbers_is_not_the_datasets_fault() -> None:
    model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(8,))
    model.set_weights([np.full_like(weights, np.nan) for weights in model.get_weights()])
    assert np.isnan(model.encode(Batches((1, 1, 1), labels=False))).all()


@pytest.mark.parametrize("labels", [LABELS[:, None], np.eye(3, dtype=np.float32)[LABELS]])
def test_labels_in_other_forms(labels: np.ndarray) -> None:
    class Other(Batches):
        def __getitem__(self, index: int) -> Any:
            return super().__getitem__(index)[0], labels[32 * index :][:32]

    model, same_labels = cvae(), cvae()
    same_labels.set_weights(model.get_weights())
    for each in (model, same_labels):
        each.beta = 0.0  # the loss is then nearly that of the mean
    np.testing.assert_allclose(
        model.evaluate(Other((1, 1, 1)), verbose=0), same_labels.evaluate(Batches((1, 1, 1)), verbose=0), rtol=0.02
    )
