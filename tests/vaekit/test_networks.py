"""Networks: shapes, dtypes and options."""

from __future__ import annotations

import keras
import numpy as np
import pytest

import vaekit
from vaekit import networks


@pytest.mark.parametrize("network", ["mlp", "residual", "conv"])
@pytest.mark.parametrize("num_classes", [0, 3])
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (17, 40, 3)])
def test_networks_fit_any_image(network: str, num_classes: int, shape: tuple[int, int, int]) -> None:
    size = {"mlp": {"units": (8, 4)}, "residual": {"units": 8}, "conv": {"filters": (4, 4), "units": 8, "blocks": 1}}
    encoder, decoder, rest = networks.build(network, shape, 5, num_classes=num_classes, **size[network], beta=2.0)
    assert rest == {"beta": 2.0}
    labels = [np.eye(num_classes)[[0, 1]]] if num_classes else []
    images, codes = np.zeros((2, *shape)), np.zeros((2, 5))
    features = encoder([images, *labels] if labels else images)
    assert len(features.shape) == 2
    logits = decoder([codes, *labels] if labels else codes)
    assert tuple(logits.shape) == (2, *shape)
    assert keras.backend.standardize_dtype(logits.dtype) == "float32"


def test_residual_blocks_start_as_the_identity() -> None:
    keras.utils.set_random_seed(0)
    encoder, _ = networks.residual((4, 4, 1), 2, units=8, blocks=3)
    images = np.random.default_rng(0).random((2, 4, 4, 1))
    outputs = {
        kind: [layer.output for layer in encoder.layers if isinstance(layer, kind)]
        for kind in (keras.layers.Dense, keras.layers.Add)
    }
    both = keras.Model(encoder.input, [outputs[keras.layers.Dense][0], outputs[keras.layers.Add][-1]])(images)
    before, after = map(keras.ops.convert_to_numpy, both)
    np.testing.assert_array_equal(before, after)


def test_an_unknown_network_and_small_images_are_rejected() -> None:
    with pytest.raises(ValueError, match=r"expected network to be one of .* received 'cnn'"):
        vaekit.VAE.for_images((16, 16, 1), network="cnn")
    with pytest.raises(ValueError, match="expected images of 8 pixels or more"):
        networks.conv((4, 4, 1), 2)


def test_image_shapes() -> None:
    assert vaekit.AE.for_images((28, 28), 2, network="mlp", units=(4,)).to_images.image_shape == (28, 28, 1)
    for wrong in (28, (28,), (28, 28, 1.0), (0, 28, 1)):
        with pytest.raises(ValueError, match="expected image_shape to be"):
            vaekit.AE.for_images(wrong, 2, network="mlp")


def test_channels_first_changes_no_network() -> None:
    keras.config.set_image_data_format("channels_first")
    try:
        models = [
            vaekit.AE.for_images((9, 8, 3), 2, network="conv", filters=(4, 4), units=4),
            vaekit.cookbook.autoencoder(),
            vaekit.cookbook.conv_vae(),
        ]
    finally:
        keras.config.set_image_data_format("channels_last")
    assert [model.to_images.image_shape for model in models] == [(9, 8, 3), (32, 32, 1), (32, 32, 1)]
    images = np.random.default_rng(0).random((2, 9, 8, 3))
    assert models[0].reconstruct(images).shape == images.shape
