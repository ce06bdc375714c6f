"""What models are given: targets, labels and forms of images, in every method the same."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from models import tiny_model

import fastdraw
import vaekit
from vaekit import evaluate, inputs, pictures

IMAGES = np.random.default_rng(0).random((32, 8, 8, 1)).astype(np.float32)
LABELS = np.arange(32) % 3
ROWS = np.eye(3)[LABELS]


def test_labels_of_every_type_are_numbers_or_rows() -> None:
    for given in (LABELS, LABELS.astype(np.uint8), LABELS.astype(float), LABELS[:, None], LABELS.tolist()):
        np.testing.assert_array_equal(inputs.labels(given, 3, 32), LABELS)
    np.testing.assert_array_equal(inputs.labels(keras.ops.convert_to_tensor(LABELS), 3), LABELS)
    for rows in (ROWS, ROWS.astype(int), ROWS.astype(bool), ROWS.tolist()):
        made = inputs.labels(rows, 3)
        assert made.dtype == np.float32
        np.testing.assert_array_equal(made, ROWS)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        (LABELS + 1, "expected labels from 0 to 2, received 1 to 3"),
        (LABELS - 1, "expected labels from 0 to 2, received -1 to 1"),
        (LABELS + 0.5, "rows of 3 that sum to 1; received numbers such as 0.5"),
        (np.where(LABELS, LABELS, np.nan), "received numbers such as nan"),
        (ROWS + ROWS[::-1], "rows of 3 that sum to 1; received a row with the sum 2"),
        (np.eye(4)[LABELS], r"received an array of shape \(32, 4\)"),
        (IMAGES, r"received an array of shape \(32, 8, 8, 1\)"),
        (np.array(["cat"] * 32), "received labels of type <U3"),
        (LABELS[:5], r"as many labels as images, 32; received labels of shape \(5,\)"),
    ],
)
def test_wrong_labels_are_the_same_error_everywhere(labels: Any, message: str, tmp_path: Path) -> None:
    model = tiny_model(vaekit.CVAE)
    calls: list[Callable[[], Any]] = [
        lambda: model.fit(IMAGES, labels, verbose=0),
        lambda: model.fit(IMAGES, LABELS, validation_data=(IMAGES, labels), verbose=0),
        lambda: model.evaluate(IMAGES, labels, verbose=0),
        lambda: model.train_on_batch(IMAGES, labels),
        lambda: vaekit.train(model, (IMAGES, labels), epochs=1, out=tmp_path, verbose=0),
        lambda: model.fit(Feed(labels), verbose=0),
        lambda: model.predict((IMAGES, labels), verbose=0),
        lambda: model.encode(IMAGES, labels),
        lambda: model.encode_distribution(IMAGES, labels),
        lambda: model.reconstruct((IMAGES, labels)),
        lambda: model.decode(np.zeros((32, 2)), labels),
        lambda: model.sample(32, labels=labels),
        lambda: evaluate.nll(model, IMAGES, labels, samples=1),
        lambda: evaluate.active_units(model, IMAGES, labels),
        lambda: pictures.reconstructions(model, IMAGES, labels, columns=32),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=message):
            call()


class Feed:
    """One batch, as of `fastdraw.batches`."""

    def __init__(self, *labels: Any) -> None:
        self.labels = labels

    def __len__(self) -> int:
        return 1

    def __iter__(self) -> Any:
        return iter([(IMAGES, *self.labels)])


def test_a_cvae_needs_labels_where_it_learns_and_is_measured(tmp_path: Path) -> None:
    model = tiny_model(vaekit.CVAE)
    for call in (
        lambda: model.fit(IMAGES, verbose=0),
        lambda: model.fit(Feed(), verbose=0),
        lambda: model.evaluate(IMAGES, verbose=0),
        lambda: vaekit.train(model, IMAGES, epochs=1, out=tmp_path),
        lambda: evaluate.elbo(model, IMAGES),
        lambda: pictures.reconstructions(model, IMAGES),
    ):
        with pytest.raises(ValueError, match=r"expected labels from 0 to 2 with the images, .*received none"):
            call()
    assert model.encode(IMAGES).shape == (32, 2)


@pytest.mark.slow
def test_target_images_are_what_the_reconstruction_is_compared_with() -> None:
    noisy, clean = IMAGES, np.round(IMAGES)
    for kind in (vaekit.AE, vaekit.VAE):
        model = tiny_model(kind)
        p = model.reconstruct(noisy).astype(np.float64)
        expected = -(clean * np.log(p) + (1 - clean) * np.log(1 - p)).sum((1, 2, 3)).mean()
        measures = model.evaluate(noisy, clean, batch_size=32, verbose=0, return_dict=True)
        # The codes of a VAE are drawn, but the decoder is small.
        assert measures["reconstruction"] == pytest.approx(expected, rel=1e-4 if kind is vaekit.AE else 0.05)
        bytes_ = (clean[..., 0] * 255).astype(np.uint8)
        assert tiny_model(kind).evaluate(noisy, bytes_, verbose=0) == pytest.approx(
            tiny_model(kind).evaluate(noisy, clean, verbose=0), rel=1e-5
        )
        before = tiny_model(kind).fit(noisy, noisy, shuffle=False, verbose=0).history["loss"]
        assert tiny_model(kind).fit(noisy, shuffle=False, verbose=0).history["loss"] == pytest.approx(before, rel=1e-5)
        with pytest.raises(ValueError, match="height, width and channels in this order"):
            model.fit(noisy, np.zeros((32, 4, 4, 1)))
        with pytest.raises(ValueError, match="divide by 255"):
            model.fit(noisy, clean * 255)
        with pytest.raises(ValueError, match="as many targets as images"):
            model.fit(noisy, clean[:5])


def test_a_denoising_run_learns_from_pairs(tmp_path: Path) -> None:
    model = tiny_model(vaekit.AE)
    blank = np.zeros_like(IMAGES)
    history = vaekit.train(model, (IMAGES, blank), epochs=30, out=tmp_path, batch_size=8, verbose=0)
    assert history["loss"][-1] < 0.8 * history["loss"][0]
    assert model.reconstruct(IMAGES).mean() < 0.4


def test_sample_weights_count_without_targets() -> None:
    weights = np.zeros(32)
    weights[:8] = 4
    expected = tiny_model(vaekit.AE).evaluate(IMAGES[:8], verbose=0)[0]
    assert tiny_model(vaekit.AE).evaluate(IMAGES, sample_weight=weights, verbose=0)[0] == pytest.approx(
        expected, rel=1e-4
    )
    with pytest.raises(ValueError, match="expected class_weight with labels"):
        tiny_model(vaekit.AE).fit(IMAGES, class_weight={0: 1.0}, verbose=0)


def test_sample_weights_have_any_form_in_turn() -> None:
    weights = np.linspace(0, 1, 32)
    model = tiny_model(vaekit.AE)
    losses = [
        model.evaluate(IMAGES, sample_weight=given, verbose=0)[0]
        for given in (weights, weights.tolist(), weights[:, None], weights)
    ]
    assert losses == pytest.approx([losses[0]] * 4, rel=1e-5)


class _Batches(keras.utils.PyDataset):
    def __len__(self) -> int:
        return 2

    def __getitem__(self, index: int) -> tuple[Any, Any]:
        rows = slice(16 * index, 16 * index + 16)
        return IMAGES[rows], LABELS[rows]


@pytest.mark.parametrize("kind", [vaekit.AE, vaekit.CVAE])
def test_class_weights_count_in_batches_as_in_arrays(kind: type) -> None:
    weights = {0: 1.0, 1: 0.5, 2: 0.0}
    options: dict[str, Any] = {"class_weight": weights, "shuffle": False, "verbose": 0}
    expected = tiny_model(kind).fit(IMAGES, LABELS, batch_size=16, **options).history["loss"]
    assert tiny_model(kind).fit(_Batches(), **options).history["loss"] == pytest.approx(expected, rel=1e-5)


@pytest.mark.slow
@pytest.mark.parametrize("kind", [vaekit.VAE, vaekit.CVAE])
def test_forms_of_images_may_take_turns(kind: type) -> None:
    """Ranks, with bits, in one model: on TensorFlow its steps are compiled for each."""
    model = tiny_model(kind)
    binary = (IMAGES > 0.5).astype(np.float32)
    labels = (LABELS,) if kind is vaekit.CVAE else ()
    bits = np.packbits(binary.reshape(32, 64).astype(np.uint8), axis=1)
    forms = (binary, binary[..., 0], (binary * 255).astype(np.uint8), bits, binary.reshape(32, 64), list(binary))
    codes = model.encode(binary, *labels)
    for images in forms:
        np.testing.assert_allclose(model.encode(images, *labels), codes, atol=1e-5)
        assert model.predict((images, *labels) if labels else images, verbose=0).shape == (32, 8, 8, 1)
    for images in (binary, bits, binary[..., 0], bits):
        model.fit(images, *labels, validation_data=(binary, *labels), verbose=0)
        model.train_on_batch(images, *labels)
        model.evaluate(images, *labels, verbose=0)
        evaluate.elbo(model, images, *labels)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "images, or batches of images; received None"),
        ("images.npy", "images, or batches of images; received 'images.npy'"),
        (0.1, "images, or batches of images; received 0.1"),
        ({"x": IMAGES}, "images, or batches of images; received {'x': array"),
        (IMAGES.astype(object), "images of numbers, received an array of Python objects"),
        (IMAGES.astype(complex), "images of numbers, received an array of complex128"),
        (IMAGES.astype(str), r"images of numbers, received an array of <U"),
        ([], r"images of \(8, 8, 1\).* received an array of shape \(0,\)"),
    ],
)
def test_what_holds_no_images_is_refused(given: Any, message: str, tmp_path: Path) -> None:
    model = tiny_model(vaekit.VAE)
    calls: list[Callable[[Any], Any]] = [
        model.fit, model.evaluate, model.predict, model.encode, model.reconstruct,
        lambda x: vaekit.train(model, x, epochs=1, out=tmp_path), lambda x: evaluate.elbo(model, x),
    ]  # fmt: skip
    for call in calls:
        with pytest.raises((TypeError, ValueError), match=f"expected {message}"):
            call(given)


def test_no_images_have_no_codes_and_no_loss(tmp_path: Path) -> None:
    for kind, labels in ((vaekit.VAE, ()), (vaekit.CVAE, (LABELS[:0],))):
        model = tiny_model(kind)
        none = IMAGES[:0]
        assert model.predict(none, verbose=0).shape == (0, 8, 8, 1)
        assert model.encode(none, *labels).shape == (0, 2)
        assert [part.shape for part in model.encode_distribution(none, *labels)] == [(0, 2), (0, 2)]
        assert model.decode(np.zeros((0, 2)), *labels).shape == (0, 8, 8, 1)
        assert model.reconstruct((none, *labels) if labels else none).shape == (0, 8, 8, 1)
        assert model.sample(0).shape == model.sample(0, seed=1).shape == (0, 8, 8, 1)
        for call in (model.fit, model.evaluate, lambda *given, model=model: evaluate.nll(model, *given)):
            with pytest.raises(ValueError, match="expected images, received none"):
                call(none, *labels)


def test_drawings_are_refused_and_rasters_read(sample: Path, tmp_path: Path) -> None:
    drawings, model = fastdraw.open_drawings(sample)[::30], tiny_model(vaekit.VAE)
    for call in (model.fit, model.encode, lambda x: vaekit.train(model, x, epochs=1, out=tmp_path / "run")):
        with pytest.raises(TypeError, match=r"received <20 drawings .*: pass drawings\.rasterize"):
            call(drawings)
    rasters = fastdraw.rasterize_files(sample, tmp_path / "rasters", size=8)
    np.testing.assert_array_equal(model.encode(rasters), model.encode(rasters[:]))
    assert evaluate.elbo(model, rasters) == evaluate.elbo(model, rasters[:])
    assert len(model.fit(rasters, verbose=0).history["loss"]) == 1


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda: vaekit.VAE.for_images((8, 8, 1), 0), "latent_dim to be 1 or more, received 0"),
        (lambda: vaekit.VAE.for_images((8, 8, 1), 2.5), "latent_dim to be an integer, received 2.5"),
        (lambda: vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=0), "num_classes to be 1 or more"),
        (lambda: tiny_model(vaekit.VAE, beta=float("nan")), "beta to be 0 or more, received nan"),
        (lambda: tiny_model(vaekit.AE, corruption=0.3), "corruption to be a layer, .* received 0.3"),
        (lambda: tiny_model(vaekit.VAE, binarization=True), "binarization to be a layer, .* received True"),
        (lambda: tiny_model(vaekit.VAE, network="two_layers", units=(8,)), "units to be a pair"),
        (lambda: tiny_model(vaekit.VAE, network="two_layers", lower=0), "lower to be 1 or more"),
        (lambda: tiny_model(vaekit.VAE, beta="1"), "beta to be a number, received '1'"),
        (lambda: tiny_model(vaekit.VAE).sample(-1), "n to be 0 or more, received -1"),
        (lambda: tiny_model(vaekit.CVAE).sample(2.5), "n to be an integer, received 2.5"),
        (lambda: tiny_model(vaekit.VAE).sample(2, seed=-1), "seed to be 0 or more, received -1"),
        (lambda: tiny_model(vaekit.VAE).fit_prior(IMAGES, components=0), "components to be 1 or more"),
        (lambda: evaluate.nll(keras.Sequential(), IMAGES), "a VAE or a CVAE, received Sequential"),
        (lambda: pictures.save("picture", "a.png"), "a picture .* received"),
    ],
)
def test_wrong_numbers(wrong: Callable[[], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=f"expected {message}"):
        wrong()


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="TensorFlow has the warning")
def test_methods_raise_no_false_alarm() -> None:
    messages: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: messages.append(record.getMessage())  # type: ignore[method-assign]
    logging.getLogger("tensorflow").addHandler(handler)
    try:
        for model in (tiny_model(vaekit.VAE), tiny_model(vaekit.VAE)):
            for method in (model.encode, model.reconstruct, model.encode_distribution):
                method(IMAGES)
            evaluate.elbo(model, IMAGES)
            model.sample(3)
    finally:
        logging.getLogger("tensorflow").removeHandler(handler)
    assert messages == []


def test_codes_are_checked_and_may_be_lists() -> None:
    model = tiny_model(vaekit.VAE)
    expected = model.decode(np.array([[0.0, 1.0], [1.0, 0.0]]))
    np.testing.assert_array_equal(model.decode([[0, 1], [1, 0]]), expected)
    np.testing.assert_array_equal(tiny_model(vaekit.CVAE).decode([[0.0, 1.0]], 2).shape, (1, 8, 8, 1))
    for wrong in (np.zeros(2), np.zeros((3, 5))):
        with pytest.raises(ValueError, match=r"expected codes \(N, 2\), received shape"):
            model.decode(wrong)


def test_samples_follow_the_global_seed() -> None:
    model = tiny_model(vaekit.VAE, contrast=3)
    keras.utils.set_random_seed(5)
    first, second = model.sample(3), model.sample(3)
    keras.utils.set_random_seed(5)
    np.testing.assert_array_equal(model.sample(3), first)
    assert (first != second).any()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "mixed_float16"])
def test_bounds_under_a_global_policy(policy: str) -> None:
    expected = evaluate.nll(tiny_model(vaekit.VAE), IMAGES, samples=3)
    keras.config.set_dtype_policy(policy)
    try:
        model = tiny_model(vaekit.VAE)
        # A network of one's own, whose last layer computes in half precision.
        plain = vaekit.AE(
            keras.Sequential([keras.Input((8, 8, 1)), keras.layers.Flatten(), keras.layers.Dense(2)]), model.decoder
        )
        assert evaluate.nll(model, IMAGES, samples=3) == pytest.approx(expected, rel=0.01)
        assert plain.encode(IMAGES).dtype == model.encode(IMAGES).dtype == np.float32
        assert model.reconstruct(IMAGES).dtype == np.float32
    finally:
        keras.config.set_dtype_policy("float32")
