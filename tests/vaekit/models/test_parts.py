"""Networks and losses of one's own: they work as they are meant, or one sentence says what is expected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from models import tiny_model

import vaekit

IMAGES = np.random.default_rng(0).random((16, 8, 8, 1)).astype(np.float32)
layers = keras.layers


def sequential(*parts: Any) -> keras.Sequential:
    return keras.Sequential(list(parts))


def encoder(*end: Any) -> keras.Sequential:
    return sequential(keras.Input((8, 8, 1)), layers.Flatten(), *(end or [layers.Dense(2)]))


def decoder(activation: Any = None, codes: int = 2) -> keras.Sequential:
    return sequential(keras.Input((codes,)), layers.Dense(64, activation=activation), layers.Reshape((8, 8, 1)))


@keras.saving.register_keras_serializable("tests")
class Encoder(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.flat, self.dense = layers.Flatten(), layers.Dense(4)

    def call(self, inputs: Any) -> Any:
        return self.dense(self.flat(inputs))


@keras.saving.register_keras_serializable("tests")
class Decoder(keras.Model):
    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.dense, self.shaped = layers.Dense(64), layers.Reshape((8, 8, 1))

    def call(self, inputs: Any) -> Any:
        return self.shaped(self.dense(inputs))


@pytest.mark.parametrize("called", [False, True])
def test_subclassed_networks_are_built_and_saved(called: bool, tmp_path: Path) -> None:
    parts = Encoder(), Decoder()
    if called:
        parts[0](IMAGES[:1])
    model = vaekit.VAE(*parts, 2)
    model.compile("adam")
    model.fit(IMAGES, verbose=0)
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    np.testing.assert_allclose(again.encode(IMAGES), model.encode(IMAGES), atol=1e-6)


def test_sequential_networks_without_an_input_are_built() -> None:
    open_ended = sequential(layers.Flatten(), layers.Dense(4)), sequential(layers.Dense(64), layers.Reshape((8, 8, 1)))
    assert vaekit.VAE(*open_ended, 2).encode(IMAGES).shape == (16, 2)
    assert vaekit.AE(encoder(), sequential(layers.Dense(64), layers.Reshape((8, 8, 1)))).encode(IMAGES).shape == (16, 2)
    unknown = sequential(layers.Flatten()), sequential(layers.Dense(64), layers.Reshape((8, 8, 1)))
    with pytest.raises(ValueError, match=r"begin the encoder with keras.Input\(\(height, width, channels\)\)"):
        vaekit.AE(*unknown)


def three_outputs() -> keras.Model:
    images = keras.Input((8, 8, 1))
    flat = layers.Flatten()(images)
    return keras.Model(images, [layers.Dense(2)(flat), layers.Dense(2)(flat), layers.Dense(2)(flat)])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: vaekit.VAE(three_outputs(), decoder(), 2),
            "one tensor, received one that returns 3; a VAE makes mean",
        ),
        (
            lambda: vaekit.CVAE(encoder(), decoder(), 2, 3),
            r"takes codes \(2,\) and rows of labels \(3,\); received one",
        ),
        (
            lambda: vaekit.CVAE(
                sequential(layers.Flatten(), layers.Dense(4)),
                sequential(layers.Dense(64), layers.Reshape((8, 8, 1))),
                2,
                3,
            ),
            r"takes codes \(2,\) and rows of labels \(3,\), as a list; it failed",
        ),
        (lambda: vaekit.VAE(encoder(), decoder(), 3), r"takes codes \(3,\); received one that takes \(2,\)"),
        (
            lambda: vaekit.VAE(sequential(keras.Input((4, 4, 1)), layers.Flatten()), decoder(), 2),
            r"takes images \(8, 8, 1\); received one that takes \(4, 4, 1\)",
        ),
        (
            lambda: vaekit.VAE(sequential(keras.Input((8, 8, 1)), layers.Conv2D(3, 3)), decoder(), 2),
            "end it with keras.layers.Flatten",
        ),
        (
            lambda: vaekit.AE(encoder(), sequential(keras.Input((2,)), layers.Dense(64))),
            "end it with keras.layers.Resh",
        ),
    ],
)
def test_networks_that_do_not_fit_are_named(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_what_is_no_network_is_named() -> None:
    with pytest.raises(TypeError, match=r"expected encoder to be a keras\.Model, received Dense"):
        vaekit.AE(layers.Dense(2), decoder())


@pytest.mark.parametrize("end", ["sigmoid", "softmax"])
def test_a_decoder_of_probabilities_is_rejected_before_it_learns(end: str) -> None:
    codes = keras.Input((2,))
    function = keras.Model(codes, getattr(keras.ops, end)(decoder()(codes)))
    layer = layers.Softmax() if end == "softmax" else layers.Activation(end)
    for last in (decoder(end), sequential(decoder(), layer), function):
        model = vaekit.AE(encoder(), last)
        model.compile("adam")
        with pytest.raises(ValueError, match=f"expected a decoder that returns logits, .*ends in {end}"):
            model.fit(IMAGES, verbose=0)


def test_a_decoder_with_gates_learns() -> None:
    codes = keras.Input((2,))
    gates = layers.Dense(64, activation="sigmoid")(codes)
    gated = keras.Model(codes, layers.Reshape((8, 8, 1))(layers.Multiply()([layers.Dense(64)(codes), gates])))
    model = vaekit.AE(encoder(), gated)
    model.compile("adam")
    assert np.isfinite(model.fit(IMAGES, verbose=0).history["loss"][0])


def test_a_loss_of_one_number_for_all_images_is_rejected() -> None:
    model = vaekit.AE(encoder(), decoder())
    model.compile("adam", loss=lambda images, logits: keras.ops.mean(keras.ops.square(images - logits)))
    with pytest.raises(ValueError, match="a value for each image"):
        model.fit(IMAGES, verbose=0)


def test_losses_of_keras_compare_images_with_reconstructions() -> None:
    plain = tiny_model(vaekit.AE)
    error = float(np.mean((plain.reconstruct(IMAGES) - IMAGES) ** 2))
    entropy = plain.evaluate(IMAGES, verbose=0)[0] / 64
    for loss, expected in (
        ("mse", error),
        (keras.losses.MeanSquaredError(), error),
        (keras.losses.mean_squared_error, error),
        (keras.losses.BinaryCrossentropy(), entropy),
        (keras.losses.BinaryCrossentropy(from_logits=True), entropy),
        (lambda images, logits: vaekit.losses.bernoulli(images, logits) / 64, entropy),
    ):
        model = tiny_model(vaekit.AE)
        model.compile("adam", loss=loss)
        assert model.evaluate(IMAGES, verbose=0)[0] == pytest.approx(expected, rel=1e-3)
    for wrong, kind in (({"a": "mse"}, TypeError), ("mean_squared", ValueError)):
        model.compile("adam", loss=wrong)
        with pytest.raises(kind, match=r"mean_squared|expected loss to be a function"):
            model.evaluate(IMAGES, verbose=0)
