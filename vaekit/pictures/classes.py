"""What a `CVAE` makes of its classes: one style in every class, and mixtures of classes."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaekit import latent
from vaekit.models import CVAE
from vaekit.pictures.decoding import check_classes, decode_rows, one_hot
from vaekit.pictures.sheets import Picture, sheet


def classes_by_style(
    model: CVAE,
    columns: int = 10,
    *,
    axis: int = 0,
    spacing: str = "linear",
    limit: float = 1.5,
    names: Any = None,
    invert: bool = True,
) -> Picture:
    """One row per class: along it one latent grows while the others are 0.

    Parameters
    ----------
    model : CVAE
    columns : int
    axis : int
        The latent that grows.
    spacing, limit
        As for `vaekit.latent.coordinates`.
    names : sequence of str, optional
        Of the classes; default, their numbers.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
    >>> picture = vaekit.pictures.classes_by_style(model, 6, names=["face", "house", "star"])
    >>> picture.shape[0]  # three rows
    32
    """
    check_classes(model)
    if not 0 <= axis < model.latent_dim:
        raise ValueError(f"expected axis from 0 to {model.latent_dim - 1}, received {axis}")
    z = np.zeros((model.num_classes, columns, model.latent_dim), np.float32)
    z[:, :, axis] = latent.coordinates(columns, spacing, limit)
    images = decode_rows(model, z, np.repeat(np.arange(model.num_classes), columns))
    return sheet(images, names=range(model.num_classes) if names is None else names, invert=invert)


def blend(model: CVAE, class_a: int, class_b: int, steps: int = 10, *, z: Any = None, invert: bool = True) -> Picture:
    """One code decoded as one class, as another, and as mixtures of both in between: a row.

    Parameters
    ----------
    model : CVAE
    class_a, class_b, steps : int
    z : array, optional
        (latent_dim,), or (n, latent_dim) for n rows; default 0.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=3, network="mlp", units=(16,))
    >>> vaekit.pictures.blend(model, 0, 2, 5).shape
    (12, 52)
    """
    first, last = one_hot(model, [class_a, class_b])
    codes = np.atleast_2d(np.zeros(model.latent_dim) if z is None else z)
    labels = latent.path(first, last, steps)
    plane = np.repeat(codes[:, None], steps, axis=1)
    return sheet(decode_rows(model, plane, np.tile(labels, (len(codes), 1))), invert=invert)


def four_corners(model: CVAE, classes: Any, size: int = 10, *, z: Any = None, invert: bool = True) -> Picture:
    """One code decoded as four classes in the corners of a square, and as mixtures of them inside.

    Parameters
    ----------
    model : CVAE
    classes : four ints
        Top left, top right, bottom left, bottom right.
    size : int
        Number of rows and of columns.
    z : array, optional
        (latent_dim,), default 0.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.CVAE.for_images((8, 8, 1), 2, num_classes=4, network="mlp", units=(16,))
    >>> vaekit.pictures.four_corners(model, [0, 1, 2, 3], 5).shape
    (52, 52)
    """
    if len(classes) != 4:
        raise ValueError(f"expected four classes, received {len(classes)}")
    top_left, top_right, bottom_left, bottom_right = one_hot(model, classes)
    left, right = latent.path(top_left, bottom_left, size), latent.path(top_right, bottom_right, size)
    labels = np.concatenate([latent.path(a, b, size) for a, b in zip(left, right, strict=True)])
    code = np.zeros(model.latent_dim) if z is None else np.asarray(z)
    return sheet(decode_rows(model, np.broadcast_to(code, (size, size, *code.shape)), labels), invert=invert)
