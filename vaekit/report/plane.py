"""The interactive plane of a report: decoded codes as a sheet of tiles for each class, under a pointer.

The page has no model, so that every drawing that it can show is decoded beforehand.
"""

from __future__ import annotations

import base64
import html
import io
import json
import math
from dataclasses import dataclass
from importlib.resources import files
from string import Template
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from vaekit import latent
from vaekit.models import AE, CVAE, VAE

MOST_TILES, LEAST_TILES = 31, 9  # a side; odd, so that a tile is at the centre
LIMIT = 2.5  # standard deviations to either side

_PIXELS = 8_000_000  # of all sheets together, at about a third of a byte each as PNG


@dataclass(frozen=True)
class Plane:
    """Tiles of a plane; ``tiles[k][r, c]`` is the decoding of ``z[r, c]``, as the class ``k`` of a `CVAE`."""

    z: npt.NDArray[np.float32]  # (side, side, ...)
    places: npt.NDArray[np.float32]  # (side,): along a row, and upward along a column
    tiles: list[npt.NDArray[np.uint8]]  # a class each: (side, side, height, width, channels); ink is dark where grey
    names: list[str] | None  # of the classes
    axes: tuple[str, str]
    caption: str

    @classmethod
    def of(cls, model: AE, codes: Any, names: Any = None) -> Plane:
        """The plane of a model's two latents, or of the two principal axes of codes of data where there are more.

        Parameters
        ----------
        model : AE, VAE or CVAE
        codes : array
            Of data, (N, ...), of two numbers or more.
        names : sequence of str, optional
            Of the classes of a `CVAE`, by default their numbers.
        """
        classes = model.num_classes if isinstance(model, CVAE) else 1
        shape = model.to_images.image_shape
        side = math.isqrt(_PIXELS // (classes * math.prod(shape))) - 1 | 1
        side = min(MOST_TILES, max(LEAST_TILES, side))
        direct = math.prod(np.shape(codes)[1:]) == 2
        options: dict[str, Any] = {"axes": (0, 1) if direct else "principal", "limit": LIMIT, "codes": codes}
        if direct:
            axes, caption = ("z1", "z2"), "Its axes are the two latents"
        else:
            axes = ("axis 1", "axis 2")
            caption = "Its axes are the two principal axes of the codes of the data, through their mean"
        if direct and isinstance(model, VAE):
            options["codes"] = None
            caption += f", from -{LIMIT} to {LIMIT}; the prior has a standard deviation of 1."
        else:
            if direct:
                axes = ("axis 1", "axis 2")
            caption += f", to {LIMIT} of their standard deviations on either side."
        z = latent.grid(side, side, **options)
        flat = z.reshape(-1, *z.shape[2:])
        if isinstance(model, CVAE):
            decoded = (model.decode(flat, k) for k in range(classes))
            caption += " Choose a class above: the same code is decoded as that class."
        else:
            decoded = (model.decode(flat) for _ in range(1))
        tiles = [_pixels(images).reshape(side, side, *shape) for images in decoded]
        chosen = [str(name) for name in (range(classes) if names is None else names)]
        places = latent.coordinates(side, limit=LIMIT)
        return cls(z, places, tiles, chosen if isinstance(model, CVAE) else None, axes, caption)

    def to_html(self) -> str:
        """A section of the report."""
        rows, columns, height, width, channels = self.tiles[0].shape
        data = {
            "x": [round(float(x), 4) for x in self.places],
            "y": [round(float(y), 4) for y in self.places[::-1]],
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
    """Tiles (rows, columns, height, width, channels) side by side."""
    rows, columns, height, width, channels = tiles.shape
    picture = tiles.swapaxes(1, 2).reshape(rows * height, columns * width, channels)
    file = io.BytesIO()
    Image.fromarray(picture[..., 0] if channels == 1 else picture).save(file, "PNG", optimize=True)
    return file.getvalue()
