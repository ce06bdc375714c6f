"""Models: plain Keras models from end to end, with labels, corruption, sample weights and replicas."""

from __future__ import annotations

from functools import partial
from typing import Any

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (64, 16, 16)).astype(np.uint8)
LABELS = np.arange(64) % 3
SHAPE = (16, 16, 1)

make = partial(tiny_model, latent_dim=4, shape=SHAPE)


@pytest.mark.parametrize("kind", [vaekit.AE, vaekit.VAE, vaekit.CVAE])
def test_fit_lowers_the_loss_and_reports_its_terms(kind: type) -> None:
    model = make(kind)
    targets = (LABELS,) if kind is vaekit.CVAE else ()
    history = model.fit(IMAGES, *targets, epochs=10, batch_size=16, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    measures = model.evaluate(IMAGES, *targets, verbose=0, return_dict=True)
    kl = measures.get("kl", 0)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] + kl, rel=1e-5)
    assert set(measures) == {"loss", "reconstruction"} | ({"kl"} if kind is not vaekit.AE else set())
    expected = 256 * np.log(2)  # of uniform grey, which any model beats or comes near
    assert measures["reconstruction"] < 1.1 * expected


def test_calls_are_deterministic_and_predict_reconstructs() -> None:
    model = make()
    images = IMAGES[:5]
    first = model.predict(images, verbose=0)
    assert first.shape == (5, *SHAPE)
    assert 0 <= first.min() < first.max() <= 1
    np.testing.assert_array_equal(model.predict(images, verbose=0), first)
    np.testing.assert_array_equal(model.reconstruct(images), first)
    np.testing.assert_allclose(model.decode(model.encode(images)), first, atol=1e-6)
    np.testing.assert_allclose(keras.ops.convert_to_numpy(model(images)), first, atol=1e-6)


def test_samples_depend_on_their_seed() -> None:
    model = make()
    np.testing.assert_array_equal(model.sample(3, seed=1), model.sample(3, seed=1))
    assert (model.sample(3, seed=1) != model.sample(3, seed=2)).any()
    codes = np.random.default_rng(1).standard_normal((3, 4), np.float32)
    np.testing.assert_array_equal(model.sample(3, seed=1), model.decode(codes))


def test_labels_come_as_ints_rows_and_mixtures() -> None:
    model = make(vaekit.CVAE)
    rows = np.eye(3, dtype=np.float32)[LABELS]
    np.testing.assert_array_equal(model.encode(IMAGES, LABELS), model.encode(IMAGES, rows))
    reconstructions = model.reconstruct(IMAGES, LABELS)
    np.testing.assert_allclose(model.predict((IMAGES, LABELS), verbose=0), reconstructions, atol=1e-6)
    codes = np.zeros((2, 4))
    half = model.decode(codes, [0.5, 0.0, 0.5])
    assert (half != model.decode(codes, 0)).any()
    np.testing.assert_array_equal(model.decode(codes), model.decode(codes, np.full(3, 1 / 3)))
    turns = model.sample(4, seed=0, labels=[0, 1, 2, 0])
    np.testing.assert_allclose(model.sample(4, seed=0), turns, atol=1e-6)
    losses = [
        model.fit(*given, batch_size=64, verbose=0, shuffle=False).history["loss"][0]
        for model, given in (
            (make(vaekit.CVAE), (IMAGES, LABELS)),
            (make(vaekit.CVAE), (IMAGES, rows)),
            (make(vaekit.CVAE), ((IMAGES, LABELS),)),
        )
    ]
    assert losses[0] == losses[1] == losses[2]
    with pytest.raises(ValueError, match="rows of 3 that sum to 1"):
        model.decode(codes, [0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="labels from 0 to 2"):
        model.decode(codes, 3)


def test_a_dataset_of_pairs_serves_every_model() -> None:
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((IMAGES[..., None] / np.float32(255), LABELS)).batch(32)
    for kind in (vaekit.AE, vaekit.VAE, vaekit.CVAE):
        model = make(kind)
        model.fit(data, validation_data=data, verbose=0)
    assert len(make(vaekit.VAE).encode(data)) == len(IMAGES)
    with pytest.raises(TypeError, match="expected an array"):
        model.encode(data)


def test_a_corrupted_image_is_compared_with_the_clean_one() -> None:
    blank = make(vaekit.AE, corruption=vaekit.layers.MaskSquares(16))
    seen_nothing = make(vaekit.AE)
    loss = blank.train_on_batch(IMAGES, return_dict=True)["reconstruction"]
    # The reconstruction of an empty image, compared with the images themselves.
    p = seen_nothing.reconstruct(np.zeros_like(IMAGES))[..., 0].astype(np.float64)
    x = IMAGES / 255
    assert loss == pytest.approx(-(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2)).mean(), rel=1e-4)
    assert blank.evaluate(IMAGES, verbose=0)[0] != pytest.approx(loss, rel=1e-4)


def test_sample_weights_count() -> None:
    weights = np.zeros(64)
    weights[:8] = 8
    # Keras drops the weights of data that have no targets.
    weighted = make(vaekit.AE).evaluate(IMAGES, LABELS, batch_size=64, sample_weight=weights, verbose=0)[0]
    assert weighted == pytest.approx(make(vaekit.AE).evaluate(IMAGES[:8], verbose=0)[0], rel=1e-4)


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"steps_per_execution": 4}, {"run_eagerly": True}])
def test_ways_to_compile_agree(options: dict) -> None:
    if "steps_per_execution" in options and keras.backend.backend() == "torch":
        pytest.skip("Keras takes one step per execution on torch")
    plain, other = make(vaekit.AE), make(vaekit.AE)
    other.compile(keras.optimizers.Adam(1e-3), **options)
    expected = plain.fit(IMAGES, batch_size=16, shuffle=False, verbose=0).history["loss"]
    assert other.fit(IMAGES, batch_size=16, shuffle=False, verbose=0).history["loss"] == pytest.approx(
        expected, rel=1e-4
    )


def test_replicas_share_a_batch() -> None:
    """A batch over two devices has the loss and the gradient of the same batch on one."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.distribute is TensorFlow's")
    import tensorflow as tf

    devices = [device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices("CPU")]
    if len(devices) < 2:
        devices = ["CPU:0"]  # TensorFlow was started with one; that tests the scaling of the loss, too
    with tf.distribute.MirroredStrategy(devices).scope():
        mirrored = make(vaekit.AE)
    plain = make(vaekit.AE)
    mirrored.set_weights(plain.get_weights())
    for model in (plain, mirrored):
        model.compile(keras.optimizers.SGD(1e-3))
        model.fit(IMAGES, batch_size=64, verbose=0)
    for ours, expected in zip(mirrored.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)


def test_losses_of_layers_count() -> None:
    """Weight regularisers and activity regularisers."""
    encoder = keras.Sequential([keras.Input(SHAPE), keras.layers.Flatten(), keras.layers.Dense(4, name="code")])
    decoder = keras.Sequential([keras.Input((4,)), keras.layers.Dense(256), keras.layers.Reshape(SHAPE)])
    plain = vaekit.AE(encoder, decoder)
    plain.compile("adam")
    expected = plain.evaluate(IMAGES, batch_size=64, verbose=0)[0]
    heavy = keras.Sequential(
        [
            keras.Input(SHAPE),
            keras.layers.Flatten(),
            keras.layers.Dense(4, kernel_regularizer=keras.regularizers.L2(2.0), activity_regularizer="l2"),
        ]
    )
    heavy.set_weights(encoder.get_weights())
    other = vaekit.AE(heavy, decoder)
    other.compile("adam")
    loss = other.evaluate(IMAGES, batch_size=64, verbose=0)[0]
    kernel = encoder.get_weights()[0]
    codes = plain.encode(IMAGES)
    extra = 2.0 * np.sum(kernel**2) + 0.01 * np.sum(codes**2) / len(IMAGES)
    assert loss - expected == pytest.approx(extra, rel=1e-3)
    before = other.train_on_batch(IMAGES)[0]
    assert before == pytest.approx(loss, rel=1e-4)


class AddsItsMean(keras.layers.Layer):
    def call(self, inputs: Any) -> Any:
        self.add_loss(100 * keras.ops.abs(keras.ops.mean(inputs)))
        return inputs


def test_what_a_layer_adds_is_minimised() -> None:
    flat = keras.layers.Flatten()
    encoder = keras.Sequential([keras.Input(SHAPE), flat, keras.layers.Dense(4), AddsItsMean()])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(256), keras.layers.Reshape(SHAPE)])
    model = vaekit.VAE(encoder, decoder, 2)
    model.compile(keras.optimizers.Adam(0.01))
    extra: list[float] = []
    for _ in range(3):  # a step that is compiled anew has no losses of before
        model.train_function = None
        history = model.fit(IMAGES, batch_size=64, shuffle=False, epochs=20, verbose=0).history
        extra += (np.array(history["loss"]) - history["reconstruction"] - history["kl"]).tolist()
    assert min(extra) < max(extra) / 4
    features = keras.ops.convert_to_numpy(encoder(IMAGES.astype("float32") / 255))
    now = model.evaluate(IMAGES, batch_size=64, verbose=0, return_dict=True)
    assert now["loss"] - now["reconstruction"] - now["kl"] == pytest.approx(100 * abs(features.mean()), abs=0.05)


def test_an_image_of_another_layout_is_rejected() -> None:
    model = tiny_model(vaekit.AE, 2, (8, 16, 3))
    for shape in ((2, 3, 8, 16), (2, 16, 8, 3), (2, 128, 3)):
        with pytest.raises(ValueError, match="height, width and channels in this order"):
            model.encode(np.zeros(shape))


def test_a_list_of_images_has_the_bound_of_the_array() -> None:
    model = make()
    assert vaekit.evaluate.elbo(model, list(IMAGES)) == vaekit.evaluate.elbo(model, IMAGES)
