"""Grids and paths: each image is the decoding of its code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models import tiny_model
from sheets import assert_same_to_a_grey_level, assert_shows, cells, on_paper

import vaekit
from vaekit import latent, pictures

SIZE = 8
RNG = np.random.default_rng(0)
IMAGES = RNG.random((12, SIZE, SIZE, 1)).astype(np.float32)


@pytest.mark.parametrize("options", [{}, {"axes": (2, 0), "spacing": "quantiles"}, {"axes": "principal"}])
def test_each_cell_of_the_grid_is_the_decoding_of_its_code(vae: vaekit.VAE, options: dict[str, Any]) -> None:
    if options.get("axes") == "principal":
        options = options | {"codes": vae.encode(IMAGES)}
    z = latent.grid(4, 5, latent_dim=3, **options)
    picture = pictures.latent_grid(vae, 4, 5, **options)
    assert_shows(picture, np.stack([vae.decode(row) for row in z]))
    assert_same_to_a_grey_level(cells(picture, 4, 5, SIZE)[1, 3], on_paper(vae.decode(z[1, 3][None]))[0])


def test_the_grid_is_decoded_in_one_batch(vae: vaekit.VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    batches = []
    decode = vae.decode
    monkeypatch.setattr(vae, "decode", lambda z: batches.append(len(z)) or decode(z))
    pictures.latent_grid(vae)
    assert batches == [100]


def test_a_grid_of_an_autoencoder_is_where_its_codes_are(cvae: vaekit.CVAE) -> None:
    model = vaekit.cookbook.autoencoder()
    codes = model.encode(RNG.random((20, 32, 32)).astype(np.float32))
    picture = pictures.latent_grid(model, 3, 3, axes="principal", codes=codes)
    assert_same_to_a_grey_level(cells(picture, 3, 3, 32)[1, 1], on_paper(model.decode(codes.mean(axis=0)[None]))[0])
    with pytest.raises(ValueError, match="expected codes of data"):
        pictures.latent_grid(model)
    assert_shows(
        pictures.latent_grid(cvae, 2, 2, label=3),
        cvae.decode(latent.grid(2, 2, latent_dim=3).reshape(4, 3), 3).reshape(2, 2, SIZE, SIZE, 1),
    )


def test_colour_images_are_shown_in_colour() -> None:
    model = tiny_model(vaekit.VAE, 3, (SIZE, SIZE, 3), contrast=3)
    picture = pictures.latent_grid(model, 2, 2)
    images = model.decode(latent.grid(2, 2, latent_dim=3).reshape(4, 3)).reshape(2, 2, SIZE, SIZE, 3)
    assert_same_to_a_grey_level(cells(picture, 2, 2, SIZE), np.rint(images * 255).astype(int))


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_interpolation_goes_from_one_image_to_another(vae: vaekit.VAE, kind: str) -> None:
    a, b = vae.encode(IMAGES[:2])
    images = vae.decode(latent.path(a, b, 5, kind))
    assert_shows(pictures.interpolation(vae, IMAGES[0], IMAGES[1], 5, kind=kind), images[None])
    frames = pictures.walk(vae, IMAGES[[0, 1, 0]], 5, kind=kind)
    assert_same_to_a_grey_level(frames[:5], on_paper(images))
    assert_same_to_a_grey_level(frames[:5], frames[4:][::-1])


def test_labels_are_interpolated_too(cvae: vaekit.CVAE) -> None:
    a, b = cvae.encode(IMAGES[:2], [1, 2])
    images = cvae.decode(latent.path(a, b, 3), [[0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0]])
    assert_shows(pictures.interpolation(cvae, *IMAGES[:2], 3, labels=[1, 2]), images[None])
