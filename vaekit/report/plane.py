"""The interactive plane of a report: decoded codes as one sheet of tiles per class, explored with a pointer.

A page cannot run the model, so that all drawings it can show are decoded in advance.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vaekit import latent
from vaekit.models import AE, CVAE, VAE

MOST_TILES, LEAST_TILES = 31, 9  # along a side; odd, so that one tile is in the centre
LIMIT = 2.5  # standard deviations on either side

_PIXELS = 8_000_000  # in all sheets together; a PNG takes about a third of a byte per pixel


@dataclass(frozen=True)
class Plane:
    """Tiles of a plane: ``tiles[k][r, c]`` is ``z[r, c]``, decoded as class ``k`` of a `CVAE`."""

    z: npt.NDArray[np.float32]  # (side, side, ...)
    coordinates: npt.NDArray[np.float32]  # (side,), along a row, and upward along a column
    tiles: list[npt.NDArray[np.uint8]]  # (side, side, height, width, channels) per class; grey ones have dark ink
    names: list[str] | None  # of the classes of a CVAE
    axes: tuple[str, str]
    caption: str

    @classmethod
    def of(cls, model: AE, codes: Any, names: Any = None) -> Plane:
        """The plane of two latents, or of the two principal axes of ``codes`` if there are more latents.

        Parameters
        ----------
        model : AE, VAE or CVAE
        codes : array
            Codes of data, (N, ...), of two numbers or more.
        names : sequence of str, optional
            Of the classes of a `CVAE`; default, their numbers.
        """
        classes = model.num_classes if isinstance(model, CVAE) else 1
        shape = model.to_images.image_shape
        side = math.isqrt(_PIXELS // (classes * math.prod(shape))) - 1 | 1
        side = min(MOST_TILES, max(LEAST_TILES, side))
        direct = math.prod(np.shape(codes)[1:]) == 2
        what = "two latents" if direct else "two principal axes of the codes of these drawings"
        if direct and isinstance(model, VAE):
            z = latent.grid(side, side, limit=LIMIT)
            axes = ("z1", "z2")
            caption = f"The axes are the {what}, from -{LIMIT} to {LIMIT}; the prior has a standard deviation of 1."
        else:
            z = latent.grid(side, side, axes=(0, 1) if direct else "principal", limit=LIMIT, codes=codes)
            axes = ("axis 1", "axis 2")
            caption = f"The axes are the {what}, up to {LIMIT} standard deviations from their mean."
        flat = z.reshape(-1, *z.shape[2:])
        if isinstance(model, CVAE):
            decoded: Iterable[npt.NDArray[np.float32]] = (model.decode(flat, k) for k in range(classes))
            caption += " Choose a class to decode the same codes as that class."
        else:
            decoded = [model.decode(flat)]
        tiles = [_pixels(images).reshape(side, side, *shape) for images in decoded]
        chosen = [str(name) for name in (range(classes) if names is None else names)]
        coordinates = latent.coordinates(side, limit=LIMIT)
        return cls(z, coordinates, tiles, chosen if isinstance(model, CVAE) else None, axes, caption)

    def to_html(self) -> str:
        """The plane as a section of the report."""
        rows, columns, height, width, channels = self.tiles[0].shape
        data = {
            "x": [round(float(x), 4) for x in self.coordinates],
            "y": [round(float(y), 4) for y in self.coordinates[::-1]],
            "axes": self.axes,
            "sheets": [base64.b64encode(_png(tiles)).decode() for tiles in self.tiles],
        }
        chooser = ""
        if self.names is not None:
            options = "".join(f"<option>{html.escape(name)}</option>" for name in self.names)
            chooser = f"<label>Class <select>{options}</select></label>"
        template = Template(files("vaekit.report").joinpath("plane.html").read_text(encoding="utf-8"))
        return template.substitute(
            rows=rows,
            columns=columns,
            height=height,
            width=width,
            ink="ink" if channels == 1 else "",
            chooser=chooser,
            caption=html.escape(self.caption),
            data=json.dumps(data),
        )


def _pixels(images: npt.NDArray[np.float32]) -> npt.NDArray[np.uint8]:
    pixels = np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    return ~pixels if images.shape[-1] == 1 else pixels


def _png(tiles: npt.NDArray[np.uint8]) -> bytes:
    """Tiles (rows, columns, height, width, channels) side by side, as a PNG file."""
    rows, columns, height, width, channels = tiles.shape
    picture = tiles.swapaxes(1, 2).reshape(rows * height, columns * width, channels)
    file = io.BytesIO()
    Image.fromarray(picture[..., 0] if channels == 1 else picture).save(file, "PNG", optimize=True)
    return file.getvalue()
