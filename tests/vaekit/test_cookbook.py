"""The networks of the book."""

from __future__ import annotations

import numpy as np
import pytest

from vaekit import cookbook

RNG = np.random.default_rng(0)


@pytest.mark.parametrize(
    ("name", "count"), [("autoencoder", 35_085), ("conv_vae", 276_013), ("mlp_vae", 807_700), ("mlp_cvae", 817_940)]
)
def test_parameters_are_as_many_as_the_books(name: str, count: int) -> None:
    model = getattr(cookbook, name)()
    assert model.count_params() == count
    assert model.compiled
    size = model.to_images.image_shape[0]
    assert model.reconstruct(np.zeros((2, size, size), np.uint8)).shape == (2, size, size, 1)


def test_the_autoencoder_minimises_the_mean_over_pixels() -> None:
    model = cookbook.autoencoder()
    images = RNG.random((8, 32, 32, 1)).astype(np.float32)
    measures = model.evaluate(images, verbose=0, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] / 32**2, rel=1e-5)
    p = model.predict(images, verbose=0).astype(np.float64)
    assert measures["loss"] == pytest.approx(-(images * np.log(p) + (1 - images) * np.log(1 - p)).mean(), rel=1e-4)
