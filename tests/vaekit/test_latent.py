"""The space of codes: planes, paths, neighbours and projections, each by its formula."""

from __future__ import annotations

import sys
from statistics import NormalDist

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaekit import latent
from vaekit.latent.analysis import nearest_rows

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


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_neighbours_are_those_of_brute_force(offset: float) -> None:
    codes, query = RNG.normal(size=(200, 2, 3)) + offset, RNG.normal(size=(7, 2, 3)) + offset
    distances = np.linalg.norm((query[:, None] - codes).reshape(7, 200, 6), axis=2)
    found = latent.neighbours(codes, query, 5)
    np.testing.assert_array_equal(found, np.argsort(distances, axis=1)[:, :5])
    np.testing.assert_array_equal(latent.neighbours(codes, query[3], 5), found[3])
    assert (latent.neighbours(codes, codes, 1)[:, 0] == np.arange(200)).all()
    without = latent.neighbours(codes, codes, 199, without=np.arange(200))
    assert all(set(row) == set(range(200)) - {i} for i, row in enumerate(without))


def test_neighbours_do_not_depend_on_how_many_distances_fit_in_memory() -> None:
    rows, queries, left_out = RNG.normal(size=(200, 6)), RNG.normal(size=(7, 6)), np.arange(7)
    whole = nearest_rows(rows, queries, 5, left_out)
    for distances_at_once in (1, 600, 1400):  # 1, 3 and 7 queries
        np.testing.assert_array_equal(nearest_rows(rows, queries, 5, left_out, distances_at_once), whole)


def test_precision_counts_others_of_the_same_class() -> None:
    # On a line: 0 and 1 of one class, 10 and 11 of another, 13 of the first again.
    codes = np.array([[0.0], [1.0], [10.0], [11.0], [13.0]])
    labels = np.array([0, 0, 1, 1, 0])
    assert latent.neighbour_precision(codes, labels, 1) == pytest.approx(4 / 5)
    # Pairs of nearest: (1, 10), (0, 10), (11, 13), (10, 13), (11, 10).
    assert latent.neighbour_precision(codes, labels, 2) == pytest.approx((1 + 1 + 1 + 1 + 0) / 10)
    # Equal codes are neighbours of each other, not of themselves.
    assert latent.neighbour_precision(np.zeros((3, 2)), np.array([0, 1, 2]), 1) == 0


def test_projections() -> None:
    points = np.stack([RNG.normal(0, 5, 50), RNG.normal(0, 1, 50)], axis=1)
    np.testing.assert_array_equal(latent.project(points, "direct"), points.astype(np.float32))
    # Turned into ten dimensions and moved, it comes back but for a turn: distances are what they were.
    turn = np.linalg.qr(RNG.normal(size=(10, 10)))[0][:2]
    back = latent.project(points @ turn + 3, "pca")
    np.testing.assert_allclose(
        np.linalg.norm(back[:, None] - back, axis=2), np.linalg.norm(points[:, None] - points, axis=2), atol=1e-4
    )
    assert back.std(axis=0)[0] > back.std(axis=0)[1]


def test_tsne_keeps_clusters_apart() -> None:
    pytest.importorskip("sklearn")
    labels = np.repeat([0, 1], 15)
    codes = RNG.normal(size=(30, 8)) + 50 * labels[:, None]
    points = latent.project(codes, "tsne")
    assert points.shape == (30, 2)
    assert latent.neighbour_precision(points, labels, 5) == 1


def test_tsne_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sklearn.manifold", None)
    with pytest.raises(ImportError, match=r"fastdraw-vaekit\[tsne\]"):
        latent.project(np.zeros((5, 3)), "tsne")


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
        (lambda: latent.neighbours(np.zeros((5, 2)), np.zeros(2), 6), "k from 1 to 5, received 6"),
        (lambda: latent.neighbours(np.zeros((5, 2)), np.zeros(3), 1), "codes of 2 numbers, received 3"),
        (lambda: latent.neighbour_precision(np.zeros((5, 2)), np.zeros(4)), "a label for each of 5 codes"),
        (lambda: latent.project(np.zeros((5, 3)), "direct"), "codes of two numbers, received 3"),
        (lambda: latent.project(np.zeros((5, 3)), "umap"), "expected method to be one of"),
        (lambda: latent.project(np.zeros((1, 3)), "pca"), "two codes or more"),
    ],
)
def test_wrong_arguments_are_named(call: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
