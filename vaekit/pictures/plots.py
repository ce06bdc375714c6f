"""Plots in colour: a scatter of codes, and the curves of training."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from PIL import Image
from skimage.color import lab2rgb

from vaekit.pictures.canvas import FONT, GREY, MARGIN, Canvas, Colour, Floats, Panel, text_width
from vaekit.pictures.sheets import Picture

__all__ = ["curves", "palette", "scatter"]

_THUMBNAIL = 32  # pixels


def scatter(
    points: Any, labels: Any = None, *, names: Sequence[str] | None = None, images: Any = None, size: int = 800
) -> Picture:
    """Points of a plane, coloured by class. Both axes have the same unit.

    Parameters
    ----------
    points : array
        (N, 2), such as `vaekit.latent.project` returns.
    labels : array of int, optional
        (N,), classes of the points.
    names : sequence of str, optional
        Of the classes, for the legend; default, their numbers.
    images : array, optional
        (N, height, width) or (N, height, width, 1), floats in 0..1 or uint8. Thumbnails are drawn at their points,
        as many as fit without overlap.
    size : int
        Side of the plot in pixels, without the legend.

    Examples
    --------
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> images = drawings.rasterize(size=16)
    >>> points = vaekit.latent.project(images, "pca")
    >>> picture = vaekit.plots.scatter(points, drawings.labels, names=drawings.categories, images=images, size=400)
    >>> vaekit.pictures.save(picture, "codes.png")
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
    lines = max(1, (size - MARGIN[1] - MARGIN[3]) // (FONT + 5))
    widest = max((text_width(name) for name in legend), default=0) + 28
    canvas = Canvas(size + widest * math.ceil(len(legend) / lines) if legend else size, size)
    middle, half = (points.max(axis=0) + points.min(axis=0)) / 2, np.ptp(points, axis=0).max() * 0.53 or 1.0
    tall = half * (size - MARGIN[1] - MARGIN[3]) / (size - MARGIN[0] - MARGIN[2])  # the same unit upward
    x, y = (middle[0] - half, middle[0] + half), (middle[1] - tall, middle[1] + tall)
    panel = Panel(canvas, (0, 0, size, size), x, y)
    places = panel.at(points)
    radius = min(4.0, max(1.2, 60 / math.sqrt(len(points))))
    for i in np.random.default_rng(0).permutation(len(points)):  # so that no class covers all others
        shade = colours[kinds[i]]
        canvas.dot(places[i], radius, shade if images is None else _lighter(shade))
    for i, name in enumerate(legend):
        left, top = size + widest * (i // lines), MARGIN[1] + (FONT + 5) * (i % lines) + FONT // 2
        canvas.dot((left + 6, top), 5, colours[i])
        canvas.text((left + 16, top), name, "lm")
    picture = canvas.finish()
    return picture if images is None else _with_thumbnails(picture, places, images, [colours[kind] for kind in kinds])


def curves(history: Mapping[str, Sequence[float]], book: Mapping[str, Mapping[int, float]] | None = None) -> Picture:
    """Loss, reconstruction and KL by epoch, one panel each, for training and validation.

    Parameters
    ----------
    history : dict of list
        As `vaekit.read_history` returns it.
    book : dict of dict, optional
        Published values to compare with, by measure and by epoch from 1: ``{"loss": {1: 181.8, 100: 150.3}}``. They
        are joined by a thin grey line.

    Examples
    --------
    >>> history = {"loss": [210.0, 180.5, 171.2], "val_loss": [190.1, 178.3, 173.0]}
    >>> vaekit.plots.curves(history).shape  # one panel
    (320, 400, 3)
    """
    measures = [name for name in ("loss", "reconstruction", "kl") if len(history.get(name, ()))]
    if not measures:
        raise ValueError(f"expected a history with a loss, received one with {sorted(history)}")
    width, height = 400, 320
    canvas = Canvas(width * len(measures), height)
    blue, orange = (0, 90, 181), (220, 90, 0)
    for i, measure in enumerate(measures):
        series: list[tuple[str, Colour, float, Floats]] = []
        for name, key, colour in (("training", measure, blue), ("validation", f"val_{measure}", orange)):
            values = np.asarray(history.get(key, ()), np.float64)
            known = np.isfinite(values)  # an epoch without validation has none
            if known.any():
                points = np.stack([np.arange(1, len(values) + 1), values], axis=1)[known]
                series.append((name, colour, 2.0, points))
        figures = (book or {}).get(measure, {})
        if figures:
            series.insert(0, ("book", GREY, 1.0, np.array(sorted(figures.items()), np.float64)))
        together = np.concatenate([points for *_, points in series])
        low, high = together[:, 1].min(), together[:, 1].max()
        room = 0.05 * (high - low) or max(0.05 * abs(high), 0.5)
        last = max(2.0, together[:, 0].max())
        box = (i * width, 0, (i + 1) * width, height)
        panel = Panel(canvas, box, (1 - 0.03 * last, 1.03 * last), (low - room, high + room), whole=True)
        canvas.text((i * width + MARGIN[0], MARGIN[1] / 2), "KL" if measure == "kl" else measure, "lm")
        canvas.text(((i + 1) * width - MARGIN[2], height - 8), "epoch", "rm")
        right = (i + 1) * width - MARGIN[2]
        for name, colour, thickness, points in reversed(series):
            canvas.line(panel.at(points), thickness, colour)
            if len(points) <= 30:
                for place in panel.at(points):
                    canvas.dot(place, thickness + 1, colour)
            canvas.text((right, MARGIN[1] / 2), name, "rm", colour)
            right -= text_width(name) + 10
    return canvas.finish()


def palette(count: int) -> list[Colour]:
    """Colours (red, green, blue) in 0..255: hues around the circle, alternately dark and light.

    Examples
    --------
    >>> vaekit.plots.palette(2)
    [(207, 49, 116), (0, 193, 164)]
    """
    hues = 2 * np.pi * np.arange(count) / max(count, 1)
    light = np.where(np.arange(count) % 2, 68, 48)
    lab = np.stack([light, 65 * np.cos(hues), 65 * np.sin(hues)], axis=1)
    rgb = np.rint(255 * lab2rgb(lab[None])[0]).astype(int)
    return [(int(r), int(g), int(b)) for r, g, b in rgb]


def _lighter(colour: Colour) -> Colour:
    red, green, blue = (round(255 - 0.35 * (255 - part)) for part in colour)
    return red, green, blue


def _with_thumbnails(picture: Picture, places: Floats, images: Any, colours: Sequence[Colour]) -> Picture:
    """Paste images at their places in the colours of their classes, leaving out those that would overlap."""
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
