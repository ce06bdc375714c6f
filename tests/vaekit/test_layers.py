"""Layers: what they compute, under three precisions, and what is left after a save."""

from __future__ import annotations

import keras
import numpy as np
import pytest
from keras.ops import convert_to_numpy as to_numpy

from vaekit.layers import Binarize, MaskSquares, SaltAndPepper, Sampling, ToImages, UnpackBits

BITS = np.random.default_rng(0).integers(0, 256, (6, 8 * 16 // 8)).astype(np.uint8)
IMAGES = np.random.default_rng(1).random((6, 8, 16, 1)).astype(np.float32)
CONTRACTS = {
    "to_images": (lambda policy: ToImages((8, 16, 1)), IMAGES[..., 0]),
    "unpack_bits": (lambda policy: UnpackBits((8, 16, 1), dtype=policy), BITS),
    "sampling": (lambda policy: Sampling(seed=3), (IMAGES[:, 0, :, 0], IMAGES[:, 1, :, 0])),
    "binarize": (lambda policy: Binarize(seed=3), IMAGES),
    "salt_and_pepper": (lambda policy: SaltAndPepper(0.5, seed=3), IMAGES),
    "mask_squares": (lambda policy: MaskSquares(3, 2, seed=3), IMAGES),
}


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", CONTRACTS)
def test_a_layer_runs_and_comes_back_the_same(name: str, policy: str) -> None:
    make, inputs = CONTRACTS[name]
    options = {"training": True} if name in ("salt_and_pepper", "mask_squares") else {}
    layer = make(policy)
    config = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(config)
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()
    output = to_numpy(keras.ops.cast(layer(inputs, **options), "float32"))
    assert np.isfinite(output).all()
    # Random ones too: the seed is in the configuration.
    np.testing.assert_array_equal(to_numpy(keras.ops.cast(again(inputs, **options), "float32")), output)
    shape = [array.shape for array in inputs] if isinstance(inputs, tuple) else inputs.shape
    assert layer.compute_output_shape(shape) == output.shape


def test_unpack_bits_is_numpys() -> None:
    expected = np.unpackbits(BITS, axis=1).reshape(-1, 8, 16, 1)
    np.testing.assert_array_equal(to_numpy(UnpackBits((8, 16, 1))(BITS)), expected)
    assert UnpackBits(8).image_shape == (8, 8, 1)


def test_to_images_takes_every_form() -> None:
    grey = (IMAGES * 255).astype(np.uint8)
    layer = ToImages((8, 16, 1))
    for given in (grey, grey[..., 0], grey.reshape(6, -1)):
        np.testing.assert_allclose(to_numpy(layer(given)), grey / np.float32(255), rtol=1e-6)
    for given in (IMAGES, IMAGES[..., 0], IMAGES.reshape(6, -1)):
        np.testing.assert_array_equal(to_numpy(layer(given)), IMAGES)
    np.testing.assert_array_equal(to_numpy(layer(IMAGES > 0.5)), IMAGES > 0.5)
    np.testing.assert_array_equal(to_numpy(layer(BITS)), np.unpackbits(BITS, axis=1).reshape(-1, 8, 16, 1))
    with pytest.raises(ValueError, match="expected images of"):
        layer(IMAGES[:, :7])


def test_sampling_has_the_mean_and_the_deviation_it_is_given() -> None:
    mean, log_var = np.full((200_000, 1), 3, np.float32), np.full((200_000, 1), np.log(0.25), np.float32)
    z = to_numpy(Sampling(seed=0)((mean, log_var)))
    assert z.mean() == pytest.approx(3, abs=0.01)
    assert z.std() == pytest.approx(0.5, abs=0.01)
    layer = Sampling(seed=0)
    assert (to_numpy(layer((mean, log_var))) != to_numpy(layer((mean, log_var)))).any()


def test_binarize_draws_each_pixel_with_its_grey_value_as_the_chance() -> None:
    images = np.tile(np.linspace(0, 1, 5, dtype=np.float32), (20_000, 1))
    layer = Binarize(seed=0)
    drawn = to_numpy(layer(images))
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), images[0], atol=0.01)
    np.testing.assert_array_equal(drawn[:, [0, -1]], images[:, [0, -1]])
    assert np.corrcoef(drawn[:, 1:4].T)[np.triu_indices(3, 1)] == pytest.approx([0] * 3, abs=0.03)
    assert (to_numpy(layer(images)) != drawn).any()


def test_salt_and_pepper_changes_its_share_to_black_and_white() -> None:
    images = np.full((100, 32, 32, 1), 0.5, np.float32)
    noisy = to_numpy(SaltAndPepper(0.2, seed=0)(images, training=True))
    assert set(np.unique(noisy)) == {0, 0.5, 1}
    assert (noisy == 0).mean() == pytest.approx(0.1, abs=0.01)
    assert (noisy == 1).mean() == pytest.approx(0.1, abs=0.01)


def test_mask_squares_blanks_whole_squares() -> None:
    images = np.ones((50, 20, 30, 2), np.float32)
    masked = to_numpy(MaskSquares(7, seed=0)(images, training=True))
    blank = masked == 0
    assert (blank.sum(axis=(1, 2)) == 49).all()
    for image in blank[..., 0]:
        rows, columns = np.nonzero(image)
        assert np.ptp(rows) == np.ptp(columns) == 6
    assert len({tuple(np.argwhere(image)[0]) for image in blank[..., 0]}) > 10
    with pytest.raises(ValueError, match="side of at most 20 pixels"):
        MaskSquares(21)(images, training=True)


@pytest.mark.parametrize("layer", [SaltAndPepper(0.9), MaskSquares(4)])
def test_corruption_is_for_training_alone(layer: keras.layers.Layer) -> None:
    np.testing.assert_array_equal(to_numpy(layer(IMAGES)), IMAGES)
    np.testing.assert_array_equal(to_numpy(layer(IMAGES, training=False)), IMAGES)
