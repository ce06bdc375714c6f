"""Classes of a CVAE: each image is the decoding of its code and label."""

from __future__ import annotations

import numpy as np
import pytest
from models import tiny_model
from sheets import assert_same_to_a_grey_level, assert_shows, cells, on_paper

import vaekit
from vaekit import pictures


def test_classes_go_down_and_style_to_the_right(cvae: vaekit.CVAE) -> None:
    z = np.zeros((5, 3), np.float32)
    z[:, 2] = np.linspace(-1.5, 1.5, 5)
    assert_shows(pictures.classes_by_style(cvae, 5, axis=2), np.stack([cvae.decode(z, label) for label in range(4)]))


def test_blends_and_corners(cvae: vaekit.CVAE) -> None:
    z = np.array([1.0, -1.0, 0.5])
    labels = np.array([[0, 1, 0, 0], [0, 0.5, 0, 0.5], [0, 0, 0, 1]])
    assert_shows(pictures.blend(cvae, 1, 3, 3, z=z), cvae.decode(np.tile(z, (3, 1)), labels)[None])
    found = cells(pictures.four_corners(cvae, [3, 1, 0, 2], 3, z=z), 3, 3, 8)
    for (r, c), row in {
        (0, 0): [0, 0, 0, 1],
        (0, 2): [0, 1, 0, 0],
        (2, 0): [1, 0, 0, 0],
        (2, 2): [0, 0, 1, 0],
        (0, 1): [0, 0.5, 0, 0.5],
        (1, 1): [0.25] * 4,
    }.items():
        assert_same_to_a_grey_level(found[r, c], on_paper(cvae.decode(z[None], [row]))[0])


def test_wrong_arguments_are_named(cvae: vaekit.CVAE) -> None:
    with pytest.raises(ValueError, match="classes from 0 to 3, received"):
        pictures.blend(cvae, 0, 4)
    with pytest.raises(ValueError, match="four classes, received 3"):
        pictures.four_corners(cvae, [0, 1, 2])
    with pytest.raises(ValueError, match="axis from 0 to 2, received 3"):
        pictures.classes_by_style(cvae, axis=3)


def test_models_without_classes_are_named() -> None:
    model = tiny_model(vaekit.VAE)
    for call in (
        lambda: pictures.classes_by_style(model),
        lambda: pictures.blend(model, 0, 1),
        lambda: pictures.four_corners(model, [0, 1, 2, 3]),
    ):
        with pytest.raises(TypeError, match="expected a model with classes, a CVAE; received VAE"):
            call()
