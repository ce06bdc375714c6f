"""Codes of data: nearest neighbours, and projections to two dimensions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from vaekit.latent.rows import Array, Rows, as_rows, principal_axes

METHODS = ("direct", "pca", "tsne")


def neighbours(codes: Any, query: Any, k: int = 10, *, without: Any = None) -> npt.NDArray[np.int64]:
    """Nearest codes by Euclidean distance; an exact search, O(N) per query.

    Parameters
    ----------
    codes : array
        (N, ...).
    query : array
        (M, ...), or a single code.
    k : int
    without : array of int, optional
        (M,), or one for a single code: the row of ``codes`` to leave out of each search, such as the query itself.

    Returns
    -------
    (M, k) int64, or (k,) for a single code
        Rows of ``codes``, the nearest first.

    Examples
    --------
    >>> codes = np.array([[0.0, 0.0], [5.0, 5.0], [1.0, 0.0], [4.0, 5.0]])
    >>> vaekit.latent.neighbours(codes, codes[0], 2)
    array([0, 2])
    >>> vaekit.latent.neighbours(codes, codes, 1, without=np.arange(4)).ravel()
    array([2, 3, 0, 1])
    """
    single = np.ndim(query) < np.ndim(codes)
    flat = as_rows(codes)
    queries = as_rows(np.asarray(query)[None] if single else query)
    if queries.shape[1] != flat.shape[1]:
        raise ValueError(f"expected codes of {flat.shape[1]} numbers, received {queries.shape[1]}")
    left_out = None if without is None else np.broadcast_to(without, len(queries))
    most = len(flat) - (left_out is not None)
    if not 1 <= k <= most:
        raise ValueError(f"expected k from 1 to {most}, received {k}")
    found = nearest_rows(flat, queries, k, left_out)
    return found[0] if single else found


def nearest_rows(
    rows: Rows, queries: Rows, k: int, left_out: npt.NDArray[np.int64] | None, distances_at_once: int = 1 << 24
) -> npt.NDArray[np.int64]:
    """`neighbours` of checked arguments, with at most about ``distances_at_once`` distances of 8 bytes in memory."""
    # Far from 0, squares of codes that are close to each other lose their digits.
    centre = rows.mean(axis=0)
    rows, queries = rows - centre, queries - centre
    squares = np.einsum("ij,ij->i", rows, rows)
    found = np.empty((len(queries), k), np.int64)
    step = max(1, distances_at_once // len(rows))
    for first in range(0, len(queries), step):
        part = slice(first, first + step)
        distances = squares - 2 * queries[part] @ rows.T  # squared, less the query's own square
        each = np.arange(len(distances))
        if left_out is not None:
            distances[each, left_out[part]] = np.inf
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        order = np.argsort(distances[each[:, None], nearest], axis=1, kind="stable")
        found[part] = nearest[each[:, None], order]
    return found


def neighbour_precision(codes: Any, labels: Any, k: int = 10) -> float:
    """Fraction of the ``k`` nearest other codes that have a code's label, averaged over codes.

    Examples
    --------
    >>> codes = np.array([[0.0], [1.0], [10.0], [11.0]])
    >>> vaekit.latent.neighbour_precision(codes, [0, 0, 1, 0], k=1)
    0.5
    """
    labels = np.asarray(labels)
    if labels.shape != (len(codes),):
        raise ValueError(f"expected a label for each of {len(codes)} codes, received shape {labels.shape}")
    nearest = neighbours(codes, codes, k, without=np.arange(len(codes)))
    return float(np.mean(labels[nearest] == labels[:, None]))


def project(codes: Any, method: str = "pca", *, seed: int = 0) -> Array:
    """Codes as points in two dimensions: (N, 2) float32.

    Parameters
    ----------
    codes : array
        (N, ...).
    method : {"direct", "pca", "tsne"}
        ``direct`` returns codes of two numbers as they are. ``pca`` projects on the two principal axes and keeps the
        unit. ``tsne`` is scikit-learn's t-SNE (van der Maaten and Hinton, 2008): neighbours stay together, but large
        distances mean nothing.
    seed : int
        For ``tsne``.

    Raises
    ------
    ImportError
        With ``tsne``, if scikit-learn is not installed.

    Examples
    --------
    >>> codes = np.random.default_rng(0).normal(size=(50, 8))
    >>> vaekit.latent.project(codes, "pca").shape
    (50, 2)
    """
    flat = as_rows(codes)
    if method == "direct":
        if flat.shape[1] != 2:
            raise ValueError(f"expected codes of two numbers, received {flat.shape[1]}; use 'pca' or 'tsne'")
        return flat.astype(np.float32)
    if method == "pca":
        centred = flat - flat.mean(axis=0)
        axes = principal_axes(centred)
        lengths = np.linalg.norm(axes, axis=1, keepdims=True)
        return (centred @ (axes / np.where(lengths, lengths, 1)).T).astype(np.float32)
    if method != "tsne":
        raise ValueError(f"expected method to be one of {METHODS}, received {method!r}")
    try:
        from sklearn.manifold import TSNE
    except ImportError:
        raise ImportError("expected scikit-learn for t-SNE: pip install 'fastdraw-vaekit[tsne]'") from None
    if len(flat) < 3:
        raise ValueError(f"expected three codes or more for t-SNE, received {len(flat)}")
    # The perplexity, about the number of neighbours that count, must be below the number of codes.
    tsne = TSNE(perplexity=min(30.0, (len(flat) - 1) / 3), init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(flat.astype(np.float32)), np.float32)
