"""Codes as a scatter, and training as curves: pictures as `vaekit.pictures.sheets` describes them, in colours."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont
from skimage.color import lab2rgb

from vaekit.pictures.sheets import Picture

Colour = tuple[int, int, int]
Floats = npt.NDArray[np.float64]

_FINE = 3  # lines and points are drawn so many times as large, then reduced
_FONT = 13
_MARGIN = (56, 30, 14, 34)  # left, top, right and bottom of a panel
_THUMBNAIL = 32
_BLACK, _GREY = (0, 0, 0), (150, 150, 150)


def scatter(
    points: Any, labels: Any = None, *, names: Sequence[str] | None = None, images: Any = None, size: int = 800
) -> Picture:
    """Points of a plane, coloured by class: x grows to the right and y upward, in the same unit.

    Parameters
    ----------
    points : array
        (N, 2), such as `vaekit.latent.project` gives.
    labels : array of int, optional
        (N,).
    names : sequence of str, optional
        Of the classes, for the legend; by default their numbers.
    images : array, optional
        (N, height, width) or (N, height, width, 1), floats in 0..1 or uint8. Of those as many are shown at their points
        as have room.
    size : int
        Side of the picture in pixels, without the legend.
    """
    points = np.asarray(points, np.float64)
    if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
        raise ValueError(f"expected finite points (N, 2), received an array of shape {points.shape}")
    kinds = np.zeros(len(points), int) if labels is None else np.asarray(labels)
    if kinds.shape != (len(points),) or kinds.dtype.kind not in "iu" or kinds.min() < 0:
        raise ValueError(f"expected a label of 0 or more for each of {len(points)} points, received {kinds.shape}")
    count = max(int(kinds.max()) + 1, len(names or ()))
    legend = [] if labels is None else [str(name) for name in (names or range(count))]
    if labels is not None and len(legend) < count:
        raise ValueError(f"expected {count} names, received {len(legend)}")
    colours = palette(count)
    lines = max(1, (size - _MARGIN[1] - _MARGIN[3]) // (_FONT + 5))
    widest = max((_width(name) for name in legend), default=0) + 28
    canvas = _Canvas(size + widest * math.ceil(len(legend) / lines) if legend else size, size)
    middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0).max() * 0.53 or 1.0
    tall = half * (size - _MARGIN[1] - _MARGIN[3]) / (size - _MARGIN[0] - _MARGIN[2])  # the same unit upward
    x, y = (middle[0] - half, middle[0] + half), (middle[1] - tall, middle[1] + tall)
    panel = _Panel(canvas, (0, 0, size, size), x, y)
    places = panel.at(points)
    radius = min(4.0, max(1.2, 60 / math.sqrt(len(points))))
    for i in np.random.default_rng(0).permutation(len(points)):  # no class lies above all others
        shade = colours[kinds[i]]
        canvas.dot(places[i], radius, shade if images is None else _lighter(shade))
    for i, name in enumerate(legend):
        left, top = size + widest * (i // lines), _MARGIN[1] + (_FONT + 5) * (i % lines) + _FONT // 2
        canvas.dot((left + 6, top), 5, colours[i])
        canvas.text((left + 16, top), name, "lm")
    picture = canvas.finish()
    return picture if images is None else _with_thumbnails(picture, places, images, [colours[kind] for kind in kinds])


def curves(history: Mapping[str, Sequence[float]], book: Mapping[str, Mapping[int, float]] | None = None) -> Picture:
    """Loss, reconstruction and KL by epoch, a panel each, training beside validation.

    Parameters
    ----------
    history : dict of list
        As `vaekit.read_history` gives it.
    book : dict of dict, optional
        Figures to compare with, as a thin line: ``{"loss": {1: 181.8, 100: 150.3}}``, by measure and epoch from 1.
    """
    measures = [name for name in ("loss", "reconstruction", "kl") if len(history.get(name, ()))]
    if not measures:
        raise ValueError(f"expected a history with a loss, received one with {sorted(history)}")
    width, height = 400, 320
    canvas = _Canvas(width * len(measures), height)
    blue, orange = (0, 90, 181), (220, 90, 0)
    for i, measure in enumerate(measures):
        series: list[tuple[str, Colour, float, Floats]] = []
        for name, key, colour in (("training", measure, blue), ("validation", f"val_{measure}", orange)):
            values = np.asarray(history.get(key, ()), np.float64)
            if len(values):
                series.append((name, colour, 2.0, np.stack([np.arange(1, len(values) + 1), values], axis=1)))
        figures = (book or {}).get(measure, {})
        if figures:
            series.insert(0, ("book", _GREY, 1.0, np.array(sorted(figures.items()), np.float64)))
        together = np.concatenate([points for *_, points in series])
        low, high = together[:, 1].min(), together[:, 1].max()
        room = 0.05 * (high - low) or max(0.05 * abs(high), 0.5)
        last = max(2.0, together[:, 0].max())
        box = (i * width, 0, (i + 1) * width, height)
        panel = _Panel(canvas, box, (1 - 0.03 * last, 1.03 * last), (low - room, high + room), whole=True)
        canvas.text((i * width + _MARGIN[0], _MARGIN[1] / 2), "KL" if measure == "kl" else measure, "lm")
        canvas.text(((i + 1) * width - _MARGIN[2], height - 8), "epoch", "rm")
        right = (i + 1) * width - _MARGIN[2]
        for name, colour, thickness, points in reversed(series):
            canvas.line(panel.at(points), thickness, colour)
            if len(points) <= 30:
                for place in panel.at(points):
                    canvas.dot(place, thickness + 1, colour)
            canvas.text((right, _MARGIN[1] / 2), name, "rm", colour)
            right -= _width(name) + 10
    return canvas.finish()


def palette(count: int) -> list[Colour]:
    """Colours that can be told apart: hues all around, lighter and darker in turn."""
    hues = 2 * np.pi * np.arange(count) / max(count, 1)
    light = np.where(np.arange(count) % 2, 68, 48)
    lab = np.stack([light, 65 * np.cos(hues), 65 * np.sin(hues)], axis=1)
    rgb = np.rint(255 * lab2rgb(lab[None])[0]).astype(int)
    return [(int(r), int(g), int(b)) for r, g, b in rgb]


class _Canvas:
    """White paper in pixels, drawn on finely; text comes last, as fonts are smooth already."""

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

    def text(self, place: tuple[float, float], text: str, anchor: str, colour: Colour = _BLACK) -> None:
        self.texts.append((place, text, anchor, colour))

    def finish(self) -> Picture:
        image = self.image.reduce(_FINE)
        draw = ImageDraw.Draw(image)
        for place, text, anchor, colour in self.texts:
            draw.text(place, text, fill=colour, font=ImageFont.load_default(_FONT), anchor=anchor)
        return np.asarray(image)


class _Panel:
    """A frame with scales; it says where a point of theirs is on the canvas."""

    def __init__(
        self,
        canvas: _Canvas,
        box: tuple[int, int, int, int],
        x: tuple[float, float],
        y: tuple[float, float],
        whole: bool = False,
    ) -> None:
        left, top, right, bottom = _MARGIN
        self.box = (box[0] + left, box[1] + top, box[2] - right, box[3] - bottom)
        self.x, self.y = x, y
        x0, y0, x1, y1 = self.box
        for value in _ticks(*x):
            if whole and not value.is_integer():
                continue
            place = float(self.at([(value, y[0])])[0, 0])
            canvas.line([(place, y1), (place, y1 + 4)], 1, _GREY)
            canvas.text((place, y1 + 6), f"{value:g}", "ma")
        for value in _ticks(*y):
            place = float(self.at([(x[0], value)])[0, 1])
            canvas.line([(x0 - 4, place), (x0, place)], 1, _GREY)
            canvas.text((x0 - 7, place), f"{value:g}", "rm")
        canvas.line([(x0, y0), (x1, y0), (x1, y1), (x0, y1), (x0, y0)], 1, _GREY)

    def at(self, points: Any) -> Floats:
        low, high = np.array([self.x, self.y], np.float64).T
        shares = (np.asarray(points, np.float64) - low) / (high - low)
        x0, y0, x1, y1 = self.box
        places: Floats = np.stack([x0 + shares[:, 0] * (x1 - x0), y1 - shares[:, 1] * (y1 - y0)], axis=1)
        return places


def _ticks(low: float, high: float) -> list[float]:
    """Up to eight round numbers from low to high."""
    rough = (high - low) / 8
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough * 0.999)
    return [round(float(i * step), 12) for i in range(math.ceil(low / step), math.floor(high / step) + 1)]


def _width(text: str) -> int:
    return math.ceil(ImageFont.load_default(_FONT).getlength(text))


def _lighter(colour: Colour) -> Colour:
    red, green, blue = (round(255 - 0.35 * (255 - part)) for part in colour)
    return red, green, blue


def _with_thumbnails(picture: Picture, places: Floats, images: Any, colours: Sequence[Colour]) -> Picture:
    """Images pasted at their places, none over another, in the colours of their classes."""
    images = np.asarray(images)
    if images.ndim == 4 and images.shape[-1] == 1:
        images = images[..., 0]
    if images.ndim != 3 or len(images) != len(places):
        raise ValueError(f"expected grey images (N, height, width) for {len(places)} points, received {images.shape}")
    ink = images if images.dtype == np.uint8 else np.rint(np.clip(images, 0, 1) * 255).astype(np.uint8)
    paper = Image.fromarray(picture)
    taken = np.empty((0, 2))
    for i in np.random.default_rng(0).permutation(len(places)):
        if len(taken) and np.abs(taken - places[i]).max(axis=1).min() < _THUMBNAIL + 2:
            continue
        taken = np.concatenate([taken, places[i : i + 1]])
        corner = (round(places[i, 0]) - _THUMBNAIL // 2, round(places[i, 1]) - _THUMBNAIL // 2)
        mask = Image.fromarray(ink[i]).resize((_THUMBNAIL, _THUMBNAIL), Image.Resampling.LANCZOS)
        paper.paste((255, 255, 255), (*corner, corner[0] + _THUMBNAIL, corner[1] + _THUMBNAIL))
        paper.paste(colours[i], corner, mask)
    return np.asarray(paper)
