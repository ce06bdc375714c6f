"""Grids and paths of codes, each by its formula."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaekit import latent

RNG = np.random.default_rng(0)


def test_coordinates_are_those_of_the_book_or_equally_probable() -> None:
    np.testing.assert_allclose(latent.coordinates(10), [x * 3 / 9 - 1.5 for x in range(10)], rtol=1e-6)
    quantiles = latent.coordinates(4, "quantiles")
    np.testing.assert_allclose([NormalDist().cdf(float(x)) for x in quantiles], [1 / 8, 3 / 8, 5 / 8, 7 / 8], atol=1e-6)
    assert latent.coordinates(1) == 0


def test_a_grid_grows_to_the_right_and_upward_over_the_latents_asked_for() -> None:
    z = latent.grid(3, 5, latent_dim=4, axes=(2, 0), limit=2.0)
    assert z.shape == (3, 5, 4)
    assert z.dtype == np.float32
    for r in range(3):
        for c in range(5):
            np.testing.assert_allclose(z[r, c], [2 - 2 * r, 0, -2 + c, 0])


def test_a_principal_grid_spans_the_data() -> None:
    # An ellipse in a plane of three dimensions: its longer axis has three times the deviation of the shorter.
    axes = np.array([[0.6, 0.8, 0], [0, 0, 1.0]])
    angles = np.linspace(0, 2 * np.pi, 100, endpoint=False)
    codes = [5, 6, 7] + np.stack([3 * np.cos(angles), np.sin(angles)], axis=1) * np.sqrt(2) @ axes
    z = latent.grid(3, 3, axes="principal", codes=codes, limit=1.0)
    for r in range(3):
        for c in range(3):
            np.testing.assert_allclose(z[r, c], [5, 6, 7] + 3 * (c - 1) * axes[0] + (1 - r) * axes[1], rtol=1e-5)
    shaped = latent.grid(3, 3, axes="principal", codes=codes.reshape(100, 1, 3), limit=1.0)
    np.testing.assert_array_equal(shaped, z.reshape(3, 3, 1, 3))


def test_a_grid_about_codes_has_their_mean_and_deviation() -> None:
    codes = RNG.normal([1, 2, 3], [4, 5, 6], (500, 3))
    z = latent.grid(3, 3, axes=(1, 2), codes=codes, limit=1.0)
    mean, deviation = codes.mean(axis=0), codes.std(axis=0)
    np.testing.assert_allclose(z[0, 2], mean + deviation * [0, 1, 1], rtol=1e-5)
    np.testing.assert_allclose(z[2, 0], mean - deviation * [0, 1, 1], rtol=1e-5)


def test_paths_by_their_formulas() -> None:
    a, b = np.array([3.0, 0, 0]), np.array([0, 4.0, 0])
    np.testing.assert_allclose(latent.path(a, b, 5)[2], [1.5, 2, 0])
    np.testing.assert_allclose(latent.path(a, b, 4)[1], [2, 4 / 3, 0], rtol=1e-6)
    # At right angles, half way is sin(45 degrees) of both.
    np.testing.assert_allclose(latent.path(a, b, 5, "spherical")[2], np.sqrt(0.5) * (a + b), rtol=1e-6)
    np.testing.assert_allclose(
        latent.path(a, b, 4, "spherical")[1], np.sin(np.pi / 3) * a + np.sin(np.pi / 6) * b, rtol=1e-6
    )


@given(st.integers(0, 1000), st.integers(2, 9))
def test_a_spherical_path_keeps_the_length(seed: int, steps: int) -> None:
    a, b = np.random.default_rng(seed).normal(size=(2, 8))
    a, b = a / np.linalg.norm(a), b / np.linalg.norm(b)
    points = latent.path(a, b, steps, "spherical")
    np.testing.assert_allclose(np.linalg.norm(points, axis=1), 1, rtol=1e-5)
    np.testing.assert_allclose(points[[0, -1]], [a, b], atol=1e-6)
    turns = np.sum(points[1:] * points[:-1], axis=1)
    np.testing.assert_allclose(turns, turns[0], atol=1e-5)


@pytest.mark.parametrize("end", [[2.0, 2.0], [-1.0, -1.0], [0.0, 0.0]])
def test_codes_on_one_line_are_joined_by_it(end: list[float]) -> None:
    np.testing.assert_allclose(latent.path([1.0, 1.0], end, 3, "spherical"), latent.path([1.0, 1.0], end, 3))


def test_a_walk_meets_each_code_once() -> None:
    codes = RNG.normal(size=(4, 2, 3))
    points = latent.walk(codes, 5)
    assert points.shape == (13, 2, 3)
    np.testing.assert_allclose(points[::4], codes, rtol=1e-6)
    np.testing.assert_allclose(points[5], codes[1] * 0.75 + codes[2] * 0.25, rtol=1e-5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: latent.coordinates(0), "a count of 1 or more, received 0"),
        (lambda: latent.coordinates(3, "log"), "expected spacing to be one of"),
        (lambda: latent.grid(axes=(0, 2)), r"two different latents from 0 to 1, received \(0, 2\)"),
        (lambda: latent.grid(axes=(1, 1)), "two different latents"),
        (lambda: latent.grid(axes="principal"), "or 'principal' together with codes"),
        (lambda: latent.path([0.0], [1.0], 1), "two steps or more"),
        (lambda: latent.path([0.0], [1.0, 2.0]), r"codes of one shape, received \(1,\) and \(2,\)"),
        (lambda: latent.path([0.0], [1.0], kind="round"), "expected kind to be one of"),
        (lambda: latent.walk(np.zeros((1, 2))), "two codes or more"),
    ],
)
def test_wrong_arguments_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
