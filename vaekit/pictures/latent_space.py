"""The latent space, decoded: a grid of codes, and paths from image to image."""

from __future__ import annotations

from typing import Any

import numpy as np

from vaekit import latent
from vaekit.models import AE, VAE
from vaekit.pictures.decoding import Array, check_labels, decode_rows, one_hot
from vaekit.pictures.sheets import Picture, pixels, sheet


def latent_grid(
    model: AE,
    rows: int = 10,
    columns: int = 10,
    *,
    axes: tuple[int, int] | str = (0, 1),
    spacing: str = "linear",
    limit: float = 1.5,
    codes: Any = None,
    label: Any = None,
    invert: bool = True,
) -> Picture:
    """A plane of the latent space, decoded. The image in row r, column c is that of ``vaekit.latent.grid(...)[r, c]``.

    The first axis grows to the right and the second upward, as in a scatter of codes.

    Parameters
    ----------
    model : AE, VAE or CVAE
    rows, columns, axes, spacing, limit, codes
        As for `vaekit.latent.grid`. An `AE` has no prior and needs ``codes``.
    label : int or row, optional
        Class of all images, for a `CVAE`.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> picture = vaekit.pictures.latent_grid(model, 3, 5, limit=2.0)
    >>> picture.shape, picture.dtype  # images of 8x8, with 2 pixels around each
    ((32, 52), dtype('uint8'))
    """
    if codes is None and not isinstance(model, VAE):
        raise ValueError("expected codes of data: an AE has no prior that says where codes lie")
    z = latent.grid(
        rows,
        columns,
        latent_dim=getattr(model, "latent_dim", 0),
        axes=axes,
        spacing=spacing,
        limit=limit,
        codes=codes,
    )
    return sheet(decode_rows(model, z, label), invert=invert)


def interpolation(
    model: AE, a: Any, b: Any, steps: int = 10, *, kind: str = "linear", labels: Any = None, invert: bool = True
) -> Picture:
    """A row of images that turns one image into another, decoded along the path between their codes.

    Parameters
    ----------
    model : AE, VAE or CVAE
    a, b : array
        One image each.
    steps, kind
        As for `vaekit.latent.path`.
    labels : pair of int, optional
        Their classes, for a `CVAE`; the label is interpolated linearly.
    invert
        As for `sheet`.

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> images = fastdraw.open_drawings("quickdraw")[:2].rasterize(size=8)
    >>> vaekit.pictures.interpolation(model, images[0], images[1], 6).shape
    (12, 62)
    """
    return sheet(_decode_walk(model, np.stack([a, b]), steps, kind, labels)[None], invert=invert)


def walk(
    model: AE, images: Any, steps: int = 10, *, kind: str = "linear", labels: Any = None, invert: bool = True
) -> Picture:
    """Frames for `save_animation`, decoded along the path through the codes of several images.

    Parameters
    ----------
    model : AE, VAE or CVAE
    images : array
        Two or more, in order.
    steps, kind
        As for `vaekit.latent.walk`.
    labels : array of int, optional
        Their classes, for a `CVAE`; the label is interpolated linearly.
    invert
        As for `sheet`.

    Returns
    -------
    (frames, height, width) or (frames, height, width, 3) uint8

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> images = fastdraw.open_drawings("quickdraw")[:3].rasterize(size=8)
    >>> frames = vaekit.pictures.walk(model, images[[0, 1, 2, 0]], 12)
    >>> vaekit.pictures.save_animation(frames, "walk.gif")
    """
    return pixels(_decode_walk(model, images, steps, kind, labels)[None], invert)[0]


def _decode_walk(model: AE, images: Any, steps: int, kind: str, labels: Any) -> Array:
    """Images (frames, height, width, channels) along the path through the codes of ``images``."""
    if check_labels(model, labels) is None:
        return decode_rows(model, latent.walk(model.encode(images), steps, kind)[None])[0]
    rows = one_hot(model, labels)
    z = latent.walk(model.encode((images, rows)), steps, kind)
    return decode_rows(model, z[None], latent.walk(rows, steps))[0]
