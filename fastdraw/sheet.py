"""Contact sheets: rows of drawings, by category."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from fastdraw.errors import FastdrawError
from fastdraw.quickdraw.binary import Stroke
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.settings import Settings
from fastdraw.storage import replacing

_COLUMNS = 20  # drawings in a row, at most
_GAP = 4  # pixels between drawings
_FONT = 14  # pixels


def contact_sheet(
    drawings: Drawings, count: int = 10, *, style: str | None = None, size: int = 64, seed: int = 0
) -> Image.Image:
    """A picture of random drawings of each category, with names.

    Parameters
    ----------
    drawings : Drawings
    count : int
        Drawings per category, or all if it has fewer.
    style, size
        See `Drawings.rasterize`.
    seed : int
        The same seed chooses the same drawings.

    Returns
    -------
    PIL.Image.Image
        Black on white, mode ``L``.

    Examples
    --------
    >>> from fastdraw.sheet import contact_sheet, save_picture
    >>> sheet = contact_sheet(fastdraw.open_drawings("quickdraw"), count=5, style="line-aa")
    >>> save_picture(sheet, "sheet.png")
    """
    settings = Settings.of(style=style, size=size)
    font = ImageFont.load_default(_FONT)
    margin = 2 * _GAP + max((int(font.getlength(name)) for name in drawings.categories), default=0)
    cell = size + _GAP
    labels = drawings.labels
    rows: list[tuple[str, Drawings]] = []
    for label, name in enumerate(drawings.categories):
        ids = np.nonzero(labels == label)[0]
        chosen = np.random.default_rng((seed, label)).permutation(ids)[:count]
        rows += [(name, drawings[chosen[i : i + _COLUMNS]]) for i in range(0, max(1, len(chosen)), _COLUMNS)]
    width = margin + max((len(row) for _, row in rows), default=0) * cell + _GAP
    sheet = Image.new("L", (width, len(rows) * cell + _GAP), 255)
    draw = ImageDraw.Draw(sheet)
    for y, (name, row) in enumerate(rows):
        top = _GAP + y * cell
        draw.text((_GAP, top + size // 2), name, fill=0, font=font, anchor="lm")
        if settings.style == "pillow":  # which needs no kernel: numba takes longer to start than this
            images = pillow_loop([row[i] for i in range(len(row))], size, settings.line_width)
        else:
            images = row.rasterize(style=style, size=size)
        for x, image in enumerate(images):
            sheet.paste(Image.fromarray(~image), (margin + x * cell, top))
    return sheet


def pillow_loop(drawings: Sequence[list[Stroke]], size: int = 32, line_width: int = 2) -> npt.NDArray[np.uint8]:
    """Rasterize with Pillow in a Python loop; `Drawings.rasterize` gives the same pixels.

    Parameters
    ----------
    drawings : Drawings, or sequence of lists of (2, n) arrays
    size, line_width : int
        Pixels.

    Returns
    -------
    (N, size, size) uint8

    Examples
    --------
    >>> from fastdraw.sheet import pillow_loop
    >>> drawings = fastdraw.open_drawings("quickdraw")[:20]
    >>> np.array_equal(pillow_loop(drawings, size=28), drawings.rasterize(size=28))
    True
    """
    images = np.empty((len(drawings), size, size), np.uint8)
    for i, strokes in enumerate(drawings):
        image = Image.new("L", (size, size))
        draw = ImageDraw.Draw(image)
        for stroke in strokes:
            draw.line((stroke.T.astype(int) * size // 256).ravel().tolist(), 255, line_width)
        images[i] = np.asarray(image)
    return images


def save_picture(picture: Image.Image, path: str | os.PathLike[str]) -> None:
    """Write a picture atomically, in the format of the file's suffix."""
    path = Path(path)
    suffixes = Image.registered_extensions()
    if suffixes.get(path.suffix.lower()) not in Image.SAVE:
        raise FastdrawError(f"{path}: expected the name of a picture, such as {path.stem}.png")
    with replacing(path) as file:
        picture.save(file, format=suffixes[path.suffix.lower()])
