"""Codes to decode: grids and paths through the latent space."""

from __future__ import annotations

import itertools
import math
from statistics import NormalDist
from typing import Any

import numpy as np

from vaekit.latent.rows import Array, as_rows, principal_axes

SPACINGS = ("linear", "quantiles")
KINDS = ("linear", "spherical")


def coordinates(count: int, spacing: str = "linear", limit: float = 1.5) -> Array:
    """Values along one latent, ascending: (count,) float32.

    Parameters
    ----------
    count : int
    spacing : {"linear", "quantiles"}
        Equal steps from ``-limit`` to ``limit``; or the medians of ``count`` equally probable intervals of the standard
        normal distribution, so that a grid shows what the prior generates.
    limit : float
        For ``linear``. The default is that of recipe 13.5 of Osinga's *Deep Learning Cookbook*.

    Examples
    --------
    >>> vaekit.latent.coordinates(3)
    array([-1.5,  0. ,  1.5], dtype=float32)
    >>> vaekit.latent.coordinates(4, "quantiles").round(2)
    array([-1.15, -0.32,  0.32,  1.15], dtype=float32)
    """
    if count < 1:
        raise ValueError(f"expected a count of 1 or more, received {count}")
    if spacing not in SPACINGS:
        raise ValueError(f"expected spacing to be one of {SPACINGS}, received {spacing!r}")
    if spacing == "linear":
        values = np.linspace(-limit, limit, count) if count > 1 else np.zeros(1)
    else:
        values = np.array([NormalDist().inv_cdf((i + 0.5) / count) for i in range(count)])
    return values.astype(np.float32)


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
    """Codes on a plane through the latent space.

    Parameters
    ----------
    rows, columns : int
    latent_dim : int
        Length of a code; ignored where ``codes`` are given.
    axes : pair of int, or "principal"
        Two latents, or the two principal axes of ``codes``. The first grows to the right and the second upward, as in a
        scatter of codes.
    spacing, limit
        As for `coordinates`.
    codes : array, optional
        Codes of data, (N, ...). The plane then goes through their mean, and its units are their standard deviations
        along the axes. Without them, the mean is 0 and the units are 1, as in the prior.

    Returns
    -------
    (rows, columns, latent_dim) float32, or (rows, columns, ...) in the shape of ``codes``

    Examples
    --------
    >>> z = vaekit.latent.grid(3, 5, latent_dim=4)
    >>> z.shape
    (3, 5, 4)
    >>> z[0, 0]  # top left
    array([-1.5,  1.5,  0. ,  0. ], dtype=float32)
    """
    x, y = coordinates(columns, spacing, limit), coordinates(rows, spacing, limit)[::-1]
    if codes is None:
        shape: tuple[int, ...] = (latent_dim,)
        flat, centre = None, np.zeros(latent_dim)
    else:
        flat, shape = as_rows(codes), np.shape(codes)[1:]
        centre = flat.mean(axis=0)
    if isinstance(axes, str):
        if axes != "principal" or flat is None:
            raise ValueError(f"expected axes to be two latents, or 'principal' together with codes; received {axes!r}")
        units = principal_axes(flat - centre)
    else:
        if len(axes) != 2 or axes[0] == axes[1] or not all(0 <= axis < len(centre) for axis in axes):
            raise ValueError(f"expected two different latents from 0 to {len(centre) - 1}, received {axes}")
        units = np.eye(len(centre))[list(axes)]
        if flat is not None:
            units *= flat.std(axis=0)[list(axes), None]
    plane = centre + x[None, :, None] * units[0] + y[:, None, None] * units[1]
    return plane.reshape(rows, columns, *shape).astype(np.float32)


def path(start: Any, end: Any, steps: int = 10, kind: str = "linear") -> Array:
    """Codes from one to another, both included: (steps, ...) float32.

    Parameters
    ----------
    start, end : array
        Codes of the same shape.
    steps : int
        2 or more.
    kind : {"linear", "spherical"}
        ``spherical`` turns from one direction to the other at a constant rate: ``(sin((1-t)w) start + sin(tw) end) /
        sin w``, where w is the angle between them (Shoemake, 1985). It keeps the length of a code where the prior has
        its mass, which a straight line does not in many dimensions (White, "Sampling Generative Networks", 2016). Codes
        on one line through 0 have no shortest arc; the path between them is linear.

    Examples
    --------
    >>> vaekit.latent.path([1.0, 0.0], [0.0, 1.0], 3, "spherical").round(3)
    array([[1.   , 0.   ], [0.707, 0.707], [0.   , 1.   ]], dtype=float32)
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
    """Path through several codes, each of which occurs once.

    Parameters
    ----------
    codes : array
        (N, ...), two or more, in order.
    steps, kind
        From each code to the next, as for `path`.

    Returns
    -------
    ((N - 1) * (steps - 1) + 1, ...) float32

    Examples
    --------
    >>> vaekit.latent.walk([[0.0], [1.0], [3.0]], 3).ravel()
    array([0. , 0.5, 1. , 2. , 3. ], dtype=float32)
    """
    if len(codes) < 2:
        raise ValueError(f"expected two codes or more, received {len(codes)}")
    parts = [path(a, b, steps, kind)[1:] for a, b in itertools.pairwise(codes)]
    return np.concatenate([np.asarray(codes[:1], np.float32), *parts])
