"""Reconstructions, samples, neighbours and progress: what is where."""

from __future__ import annotations

import numpy as np
import pytest
from models import tiny_model
from sheets import assert_shows

import vaekit
from vaekit import pictures
from vaekit.pictures import GAP

SIZE = 8
IMAGES = np.random.default_rng(0).random((12, SIZE, SIZE, 1)).astype(np.float32)


def test_reconstructions_are_below_their_images(vae: vaekit.VAE) -> None:
    made = vae.reconstruct(IMAGES)
    picture = pictures.reconstructions(vae, IMAGES, columns=5)
    assert_shows(picture, np.stack([IMAGES[:5], made[:5]]))
    assert_shows(pictures.reconstructions(vae, IMAGES, error=True), np.stack([IMAGES, made, np.abs(IMAGES - made)]))
    bytes_ = np.rint(IMAGES[..., 0] * 255).astype(np.uint8)
    assert_shows(pictures.reconstructions(vae, bytes_, columns=5), np.stack([IMAGES[:5], vae.reconstruct(bytes_)[:5]]))


def test_reconstructions_of_a_cvae_see_labels(cvae: vaekit.CVAE) -> None:
    labels = np.arange(12) % 4
    picture = pictures.reconstructions(cvae, IMAGES, labels, columns=6)
    of_one = [pictures.reconstructions(cvae, IMAGES, given, columns=6) for given in (1, np.full(len(IMAGES), 1))]
    np.testing.assert_array_equal(*of_one)
    assert_shows(picture, np.stack([IMAGES[:6], cvae.reconstruct(IMAGES, labels)[:6]]))
    with pytest.raises(ValueError, match="expected labels from 0 to 3 with the images"):
        pictures.reconstructions(cvae, IMAGES, columns=6)


def test_samples_have_a_row_for_each_class(vae: vaekit.VAE, cvae: vaekit.CVAE) -> None:
    assert_shows(pictures.samples(vae, 2, 3, seed=5), vae.sample(6, 5).reshape(2, 3, SIZE, SIZE, 1))
    z = np.random.default_rng(5).standard_normal((12, 3), np.float32).reshape(4, 3, 3)
    rows = np.stack([cvae.decode(z[label], label) for label in range(4)])
    assert_shows(pictures.samples(cvae, columns=3, seed=5), rows)
    assert_shows(pictures.samples(cvae, 2, 3), cvae.sample(6, 0, labels=[0, 0, 0, 1, 1, 1]).reshape(2, 3, 8, 8, 1))


def test_neighbours_are_right_of_their_query() -> None:
    codes = np.array([[0.0], [10.0], [1.0], [12.0], [3.0]])
    picture = pictures.neighbours(IMAGES[:5], codes, [0, 3], 2)
    assert_shows(picture[:, : SIZE + 2 * GAP], IMAGES[[0, 3]][:, None])
    assert_shows(picture[:, SIZE + 3 * GAP :], IMAGES[[[2, 4], [1, 4]]])


def test_progress_shows_images_reconstructions_and_samples(vae: vaekit.VAE) -> None:
    few = IMAGES[:4]
    drawn = vae.sample(8, 0).reshape(2, 4, SIZE, SIZE, 1)
    assert_shows(pictures.progress(vae, few), np.concatenate([[few], [vae.reconstruct(few)], drawn]))
    model = tiny_model(vaekit.AE, 3, contrast=3)
    assert_shows(pictures.progress(model, few), np.stack([few, model.reconstruct(few)]))


def test_wrong_arguments_are_named(vae: vaekit.VAE) -> None:
    with pytest.raises(ValueError, match="labels for a CVAE only, received them for a VAE"):
        pictures.reconstructions(vae, IMAGES, np.zeros(12, int))
    with pytest.raises(TypeError, match="a model with a prior, a VAE or a CVAE; received AE"):
        pictures.samples(tiny_model(vaekit.AE))
    with pytest.raises(ValueError, match="as many codes as images, received 3 and 12"):
        pictures.neighbours(IMAGES, np.zeros((3, 2)), [0], 1)
    with pytest.raises(ValueError, match="one image or more"):
        pictures.progress(vae, IMAGES[:0])
