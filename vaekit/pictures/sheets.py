"""Sheets of images, and picture files.

A picture is a uint8 array: (height, width), or (height, width, 3) in colour. In the images of a model, ink is bright
and the background is 0. Pictures show grey images inverted, as dark ink on white paper; ``invert=False`` turns this
off. Colour images are never inverted.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from skimage.util import montage

from fastdraw.storage import replacing

Picture = npt.NDArray[np.uint8]

GAP = 2  # pixels around each image of a sheet

_FONT = 14  # pixels; smaller where images are


def sheet(images: Any, *, names: Any = None, invert: bool = True) -> Picture:
    """Images in rows and columns, with a white gap of 2 pixels around each.

    Parameters
    ----------
    images : array
        (rows, columns, height, width) or (rows, columns, height, width, channels); floats in 0..1 or uint8. Of one row,
        also (columns, height, width) or (columns, height, width, 1 or 3), as models return them.
    names : sequence of str, optional
        Of the rows, written to their left.
    invert : bool
        Show grey images as dark ink on white paper.

    Returns
    -------
    (height, width) or (height, width, 3) uint8

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> images = drawings[:12].rasterize(size=28).reshape(2, 6, 28, 28)
    >>> vaekit.pictures.sheet(images).shape
    (62, 182)
    """
    images = np.asarray(images)
    if images.ndim == 3 or (images.ndim == 4 and images.shape[-1] in (1, 3)):
        images = images[None]
    shown = pixels(images, invert)
    rows, columns, height = shown.shape[:3]
    picture: Picture = montage(
        shown.reshape(rows * columns, *shown.shape[2:]),
        fill=255 if shown.ndim == 4 else (255, 255, 255),
        padding_width=GAP,
        grid_shape=(rows, columns),
        channel_axis=-1 if shown.ndim == 5 else None,
    )
    if names is None:
        return picture
    if len(names) != rows:
        raise ValueError(f"expected a name for each of {rows} rows, received {len(names)}")
    font = ImageFont.load_default(min(_FONT, height))
    margin = 2 * GAP + max(int(np.ceil(font.getlength(str(name)))) for name in names)
    paper = Image.fromarray(np.pad(picture, [(0, 0), (margin, 0), (0, 0)][: picture.ndim], constant_values=255))
    draw = ImageDraw.Draw(paper)
    for row, name in enumerate(names):
        middle = GAP + row * (height + GAP) + height // 2
        draw.text((margin - GAP, middle), str(name), fill="black", font=font, anchor="rm")
    return np.asarray(paper)


def pixels(images: Any, invert: bool) -> Picture:
    """Pixels of images as a sheet shows them.

    Parameters
    ----------
    images : array
        (rows, columns, height, width) or (rows, columns, height, width, channels); floats in 0..1 or uint8.
    invert : bool
        As for `sheet`.

    Returns
    -------
    (rows, columns, height, width) or (rows, columns, height, width, 3) uint8

    Examples
    --------
    >>> vaekit.pictures.pixels(np.zeros((1, 1, 1, 2, 1)), invert=True)
    array([[[[255, 255]]]], dtype=uint8)
    """
    images = np.asarray(images)
    if images.ndim == 5 and images.shape[-1] == 1:
        images = images[..., 0]
    if not (images.ndim == 4 or (images.ndim == 5 and images.shape[-1] == 3)) or not images.size:
        raise ValueError(f"expected images (rows, columns, height, width[, 1 or 3]), received shape {images.shape}")
    if images.dtype != np.uint8:
        images = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return ~images if invert and images.ndim == 4 else images


def save(picture: Picture, path: str | os.PathLike[str], *, zoom: int = 1) -> None:
    """Write a picture file, whole or not at all. Its suffix names the format, such as ``.png``.

    Parameters
    ----------
    picture : array
        (height, width) or (height, width, 3) uint8.
    path : path
    zoom : int
        Each pixel becomes a square of ``zoom`` by ``zoom``.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw")[:6].rasterize()
    >>> vaekit.pictures.save(vaekit.pictures.sheet(images[None]), "drawings.png", zoom=2)
    """
    _write([_image(picture, zoom)], Path(path))


def save_animation(frames: Picture, path: str | os.PathLike[str], *, zoom: int = 4, seconds: float = 0.1) -> None:
    """Write an animation that repeats, whole or not at all.

    Parameters
    ----------
    frames : array
        (frames, height, width) or (frames, height, width, 3) uint8.
    path : path
        Its suffix is ``.gif``, or that of another animated format.
    zoom : int
        As for `save`.
    seconds : float
        Duration of each frame.

    Examples
    --------
    >>> frames = fastdraw.open_drawings("quickdraw")[:10].rasterize(invert=True)
    >>> vaekit.pictures.save_animation(frames, "drawings.gif", zoom=2, seconds=0.5)
    """
    images = [_image(frame, zoom) for frame in frames]
    _write(images, Path(path), save_all=True, append_images=images[1:], duration=round(1000 * seconds), loop=0)


def _image(picture: Picture, zoom: int) -> Image.Image:
    picture = np.asarray(picture)
    if picture.dtype != np.uint8 or not (picture.ndim == 2 or (picture.ndim == 3 and picture.shape[2] == 3)):
        raise ValueError(
            f"expected a picture (height, width[, 3]) of uint8, received {picture.shape} of {picture.dtype}"
        )
    if zoom < 1:
        raise ValueError(f"expected zoom to be 1 or more, received {zoom}")
    return Image.fromarray(picture.repeat(zoom, axis=0).repeat(zoom, axis=1))


def _write(images: list[Image.Image], path: Path, **options: Any) -> None:
    """Write the first image, and the others as ``options`` say."""
    kind = Image.registered_extensions().get(path.suffix.lower())
    if kind not in (Image.SAVE_ALL if options else Image.SAVE):
        raise ValueError(f"{path}: expected the name of a picture, such as {path.stem}.{'gif' if options else 'png'}")
    with replacing(path) as file:
        images[0].save(file, format=kind, **options)
