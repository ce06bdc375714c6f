"""The space of codes: planes and paths through it, what lies near what, and views of it in two dimensions.

Arrays in, arrays out; `vaekit.pictures` makes pictures of them. Codes are (N, latent_dim), or (N, ...) of any shape, in
which case they are compared as flat rows.
"""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]

SPACINGS = ("linear", "quantiles")
KINDS = ("linear", "spherical")
METHODS = ("direct", "pca", "tsne")

_CHUNK = 1 << 24  # distances held at a time: 128 MB


def coordinates(count: int, spacing: str = "linear", limit: float = 1.5) -> Array:
    """Places along one latent, from low to high: (count,) float32.

    Parameters
    ----------
    count : int
    spacing : {"linear", "quantiles"}
        Equal steps from ``-limit`` to ``limit``; or the middles of ``count`` parts of the normal distribution that are
        equally probable, so that a grid of them shows what the prior gives.
    limit : float
        Of ``linear``; 1.5 is that of Osinga's *Deep Learning Cookbook*, ch. 13.5.
    """
    if count < 1:
        raise ValueError(f"expected one place or more, received {count}")
    if spacing not in SPACINGS:
        raise ValueError(f"expected spacing to be one of {SPACINGS}, received {spacing!r}")
    if spacing == "linear":
        places = np.linspace(-limit, limit, count) if count > 1 else np.zeros(1)
    else:
        places = np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])
    return places.astype(np.float32)


def grid(
    rows: int = 10,
    columns: int = 10,
    *,
    latent_dim: int = 2,
    axes: tuple[int, int] | str = (0, 1),
    spacing: str = "linear",
    limit: float = 1.5,
    codes: Any = None,
) -> Array:
    """Codes in a plane.

    Parameters
    ----------
    rows, columns : int
    latent_dim : int
        Length of a code; that of ``codes`` where those are given.
    axes : pair of int, or "principal"
        The latents along a row and up a column, or the two principal axes of ``codes``. The first grows to the right,
        the second upward, as in a scatter of codes: the top row has the largest.
    spacing, limit
        As for `coordinates`.
    codes : array, optional
        Codes of data, (N, ...). With them the plane goes through their mean and its unit along an axis is their
        standard deviation; without, they are 0 and 1, those of the prior.

    Returns
    -------
    (rows, columns, latent_dim) float32, or (rows, columns, ...) as a code of ``codes``
    """
    x, y = coordinates(columns, spacing, limit), coordinates(rows, spacing, limit)[::-1]
    if codes is None:
        shape: tuple[int, ...] = (latent_dim,)
        flat, centre = None, np.zeros(latent_dim)
    else:
        flat, shape = _flat(codes), np.shape(codes)[1:]
        centre = flat.mean(axis=0)
    if isinstance(axes, str):
        if axes != "principal" or flat is None:
            raise ValueError(f"expected two latents, or 'principal' and codes to find those of; received {axes!r}")
        units = _principal_axes(flat - centre)
    else:
        if len(axes) != 2 or axes[0] == axes[1] or not all(0 <= axis < len(centre) for axis in axes):
            raise ValueError(f"expected two different latents from 0 to {len(centre) - 1}, received {axes}")
        units = np.eye(len(centre))[list(axes)]
        if flat is not None:
            units *= flat.std(axis=0)[list(axes), None]
    plane = centre + x[None, :, None] * units[0] + y[:, None, None] * units[1]
    return plane.reshape(rows, columns, *shape).astype(np.float32)


def path(start: Any, end: Any, steps: int = 10, kind: str = "linear") -> Array:
    """Codes on the way from one to another, both included: (steps, ...) float32.

    Parameters
    ----------
    start, end : array
        Codes of one shape.
    steps : int
        2 or more.
    kind : {"linear", "spherical"}
        ``spherical`` turns from one direction to the other at a constant rate: ``(sin((1-t)w) start + sin(tw) end) /
        sin w``, w being the angle between them (Shoemake, 1985), so that the length of a code stays what the prior
        makes likely where there are many latents (White, "Sampling Generative Networks", 2016). Where both lie on one
        line through 0 no arc is the shortest, and the way is linear.
    """
    if steps < 2:
        raise ValueError(f"expected two steps or more, received {steps}")
    if kind not in KINDS:
        raise ValueError(f"expected kind to be one of {KINDS}, received {kind!r}")
    a, b = np.asarray(start, np.float64), np.asarray(end, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"expected two codes of one shape, received {a.shape} and {b.shape}")
    t = np.linspace(0, 1, steps).reshape(-1, *(1,) * a.ndim)
    lengths = float(np.linalg.norm(a) * np.linalg.norm(b))
    cosine = float(np.vdot(a, b)) / lengths if lengths else 1.0
    angle = math.acos(min(1.0, max(-1.0, cosine)))
    if kind == "linear" or math.sin(angle) < 1e-6:
        return ((1 - t) * a + t * b).astype(np.float32)
    return ((np.sin((1 - t) * angle) * a + np.sin(t * angle) * b) / math.sin(angle)).astype(np.float32)


def walk(codes: Any, steps: int = 10, kind: str = "linear") -> Array:
    """Codes on the way through several.

    Parameters
    ----------
    codes : array
        (N, ...), two or more, in their order.
    steps, kind
        Of each part, as for `path`.

    Returns
    -------
    ((N - 1) * (steps - 1) + 1, ...) float32
        Each of ``codes`` is met once.
    """
    if len(codes) < 2:
        raise ValueError(f"expected two codes or more, received {len(codes)}")
    parts = [path(a, b, steps, kind)[1:] for a, b in itertools.pairwise(codes)]
    return np.concatenate([np.asarray(codes[:1], np.float32), *parts])


def neighbours(codes: Any, query: Any, k: int = 10, *, without: Any = None) -> npt.NDArray[np.int64]:
    """The codes nearest to others by Euclidean distance, found by comparing with all.

    Parameters
    ----------
    codes : array
        (N, ...).
    query : array
        (M, ...), or a single code.
    k : int
    without : array of int, optional
        (M,), or one for a single code: a code to leave out for each query, such as itself.

    Returns
    -------
    (M, k) int64, or (k,) for a single code
        Rows of ``codes``, the nearest first.
    """
    single = np.ndim(query) < np.ndim(codes)
    flat = _flat(codes)
    queries = _flat(np.asarray(query)[None] if single else query)
    if queries.shape[1] != flat.shape[1]:
        raise ValueError(f"expected codes of {flat.shape[1]} numbers, received {queries.shape[1]}")
    left_out = None if without is None else np.broadcast_to(without, len(queries))
    most = len(flat) - (left_out is not None)
    if not 1 <= k <= most:
        raise ValueError(f"expected k from 1 to {most}, received {k}")
    # Squares lose digits where codes are far from 0 but near each other.
    centre = flat.mean(axis=0)
    flat, queries = flat - centre, queries - centre
    squares = np.einsum("ij,ij->i", flat, flat)
    found = np.empty((len(queries), k), np.int64)
    step = max(1, _CHUNK // len(flat))
    for first in range(0, len(queries), step):
        part = slice(first, first + step)
        distances = squares - 2 * queries[part] @ flat.T  # squared, but for the query's own square
        rows = np.arange(len(distances))[:, None]
        if left_out is not None:
            distances[rows[:, 0], left_out[part]] = np.inf
        nearest = np.argpartition(distances, k - 1, axis=1)[:, :k]
        order = np.argsort(distances[rows, nearest], axis=1, kind="stable")
        found[part] = nearest[rows, order]
    return found[0] if single else found


def neighbour_precision(codes: Any, labels: Any, k: int = 10) -> float:
    """Share of the ``k`` nearest others of a code that have its label, mean over codes."""
    labels = np.asarray(labels)
    if labels.shape != (len(codes),):
        raise ValueError(f"expected a label for each of {len(codes)} codes, received shape {labels.shape}")
    nearest = neighbours(codes, codes, k, without=np.arange(len(codes)))
    return float(np.mean(labels[nearest] == labels[:, None]))


def project(codes: Any, method: str = "pca", *, seed: int = 0) -> Array:
    """Codes as points of a plane: (N, 2) float32.

    Parameters
    ----------
    codes : array
        (N, ...).
    method : {"direct", "pca", "tsne"}
        As they are, where they have two numbers; along their two principal axes, in units of the codes; or by
        scikit-learn's t-SNE (van der Maaten and Hinton, 2008), which keeps neighbours together and little else.
    seed : int
        Of ``tsne``.

    Raises
    ------
    ImportError
        If scikit-learn is not installed, for ``tsne``.
    """
    flat = _flat(codes)
    if method == "direct":
        if flat.shape[1] != 2:
            raise ValueError(f"expected codes of two numbers, received {flat.shape[1]}; use 'pca' or 'tsne'")
        return flat.astype(np.float32)
    if method == "pca":
        centred = flat - flat.mean(axis=0)
        axes = _principal_axes(centred)
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
    # Its perplexity, about the number of neighbours that count, must be less than the number of codes.
    tsne = TSNE(perplexity=min(30.0, (len(flat) - 1) / 3), init="pca", random_state=seed)
    return np.asarray(tsne.fit_transform(flat.astype(np.float32)), np.float32)


def _flat(codes: Any) -> npt.NDArray[np.float64]:
    """Codes as rows of float64."""
    codes = np.asarray(codes)
    if codes.ndim < 2 or not codes.size:
        raise ValueError(f"expected codes (N, ...), received an array of shape {codes.shape}")
    return codes.reshape(len(codes), -1).astype(np.float64)


def _principal_axes(centred: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The two directions of most variance as rows, each as long as the standard deviation along it."""
    if centred.shape[1] < 2 or len(centred) < 2:
        raise ValueError(f"expected two codes or more, of two numbers or more; received {centred.shape}")
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    axes, lengths = axes[:2], lengths[:2] / math.sqrt(len(centred))
    # An axis has no direction of its own: its largest entry is positive, so that pictures do not flip.
    largest = np.abs(axes).argmax(axis=1)
    return axes * (np.sign(axes[np.arange(2), largest]) * lengths)[:, None]
