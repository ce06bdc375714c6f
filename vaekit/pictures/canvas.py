"""Drawing for plots: smooth lines and dots, text, and a frame with scales."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from vaekit.pictures.sheets import Picture

Colour = tuple[int, int, int]
Floats = npt.NDArray[np.float64]

FONT = 13  # pixels
MARGIN = (56, 30, 14, 34)  # pixels left, above, right and below the frame of a panel
BLACK, GREY = (0, 0, 0), (150, 150, 150)

_FINE = 3  # lines and dots are drawn this many times larger and then reduced, which smooths them


class Canvas:
    """White paper, in pixels. Text is drawn last, at full size: fonts are smooth already."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * _FINE, height * _FINE), "white")
        self.draw = ImageDraw.Draw(self.image)
        self.texts: list[tuple[tuple[float, float], str, str, Colour]] = []

    def dot(self, place: Any, radius: float, colour: Colour) -> None:
        x, y = float(place[0]) * _FINE, float(place[1]) * _FINE
        self.draw.ellipse((x - radius * _FINE, y - radius * _FINE, x + radius * _FINE, y + radius * _FINE), fill=colour)

    def line(self, places: Any, thickness: float, colour: Colour) -> None:
        flat = [(float(x) * _FINE, float(y) * _FINE) for x, y in places]
        self.draw.line(flat, fill=colour, width=round(thickness * _FINE), joint="curve")

    def text(self, place: tuple[float, float], text: str, anchor: str, colour: Colour = BLACK) -> None:
        """Write text; the anchor is one of Pillow's."""
        self.texts.append((place, text, anchor, colour))

    def finish(self) -> Picture:
        image = self.image.reduce(_FINE)
        draw = ImageDraw.Draw(image)
        for place, text, anchor, colour in self.texts:
            draw.text(place, text, fill=colour, font=ImageFont.load_default(FONT), anchor=anchor)
        return np.asarray(image)


class Panel:
    """A frame with scales, drawn in a box of a canvas; `at` gives the pixels of data points.

    Parameters
    ----------
    canvas : Canvas
    box : tuple of int
        Left, top, right and bottom in pixels, with the margins.
    x, y : pair of float
        What the axes show, from low to high.
    whole : bool
        Whether only whole numbers stand at the x-axis.
    """

    def __init__(
        self,
        canvas: Canvas,
        box: tuple[int, int, int, int],
        x: tuple[float, float],
        y: tuple[float, float],
        whole: bool = False,
    ) -> None:
        left, top, right, bottom = MARGIN
        self.box = (box[0] + left, box[1] + top, box[2] - right, box[3] - bottom)
        self.x, self.y = x, y
        x0, y0, x1, y1 = self.box
        for value in _ticks(*x):
            if whole and not value.is_integer():
                continue
            place = float(self.at([(value, y[0])])[0, 0])
            canvas.line([(place, y1), (place, y1 + 4)], 1, GREY)
            canvas.text((place, y1 + 6), f"{value:g}", "ma")
        for value in _ticks(*y):
            place = float(self.at([(x[0], value)])[0, 1])
            canvas.line([(x0 - 4, place), (x0, place)], 1, GREY)
            canvas.text((x0 - 7, place), f"{value:g}", "rm")
        canvas.line([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], 1, GREY)

    def at(self, points: Any) -> Floats:
        """Pixels (N, 2) of data points (N, 2)."""
        low, high = np.array([self.x, self.y], np.float64).T
        shares = (np.asarray(points, np.float64) - low) / (high - low)
        x0, y0, x1, y1 = self.box
        places: Floats = np.stack([x0 + shares[:, 0] * (x1 - x0), y1 - shares[:, 1] * (y1 - y0)], axis=1)
        return places


def text_width(text: str) -> int:
    """Width of a text in pixels."""
    return math.ceil(ImageFont.load_default(FONT).getlength(text))


def _ticks(low: float, high: float) -> list[float]:
    """Up to eight round numbers from low to high."""
    rough = (high - low) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [round(float(i * step), 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]
