"""Nearest neighbours and projections of codes, each by its formula."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

import vaekit
from vaekit import latent
from vaekit.latent.analysis import nearest_rows

RNG = np.random.default_rng(0)


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


def test_latent_needs_no_keras() -> None:
    # Under a bare package, so that only what `vaekit.latent` itself imports counts.
    script = f"""
import sys, types
package = types.ModuleType("vaekit")
package.__path__ = {list(vaekit.__path__)!r}
sys.modules.update(vaekit=package, keras=None, tensorflow=None)
import vaekit.latent
assert vaekit.latent.coordinates(3).shape == (3,)
"""
    subprocess.run([sys.executable, "-c", script], check=True)
