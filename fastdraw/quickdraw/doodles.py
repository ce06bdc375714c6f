"""Seeded doodles that look hand-drawn: sample data for demonstrations and tests, with nothing to download.

Every category is a short function that draws with a :class:`_Pen` in coordinates of its own, about 100
units across with y downward, choosing proportions and optional parts at random. What all hurried drawings
share (wobble, slant, uneven scale, broken strokes) is added afterwards, to a whole drawing at a time.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from fastdraw.quickdraw.binary import METADATA, write_drawings
from fastdraw.quickdraw.simplify import simplify
from fastdraw.storage import make_folder

_Point: TypeAlias = tuple[float, float]
_Points: TypeAlias = npt.NDArray[np.complex128]  # x + iy: moving and measuring are then plain arithmetic

_STEP = 2.5  # units between the points of a stroke before it is simplified


def _polar(radius: float, angle: float) -> _Point:
    """Return the point at an angle in degrees, clockwise from the right."""
    return radius * np.cos(np.radians(angle)), radius * np.sin(np.radians(angle))


class _Pen:
    """A hurried hand: makes the random choices of one drawing and collects its strokes."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.strokes: list[_Points] = []
        # Units by which this hand misses what it aims at: most are fair, a few are careless.
        self.slip = min(float(rng.lognormal(0.35, 0.5)), 3.5)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.rng.random()

    def number(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def line(self, *points: _Point) -> None:
        """Draw straight from point to point, missing each by a little."""
        aimed = np.array(points) + self.rng.normal(0.0, self.slip, (len(points), 2))
        self.strokes.append(aimed.view(np.complex128)[:, 0])

    def curve(self, *points: _Point) -> None:
        """Draw a smooth stroke between the outer points that bends towards the others."""
        self.line(*points)
        corners = self.strokes.pop()
        for _ in range(3):  # cut the corners: Chaikin's rule
            near, far = corners[:-1] * 0.75 + corners[1:] * 0.25, corners[:-1] * 0.25 + corners[1:] * 0.75
            corners = np.concatenate([corners[:1], np.stack([near, far], axis=1).ravel(), corners[-1:]])
        self.strokes.append(corners)

    def loop(self, *points: _Point) -> None:
        """Draw a closed polygon from any corner: the end misses the start, and it may take two strokes."""
        first = self.number(0, len(points) - 1)
        points = (*points[first:], *points[: first + 1])
        corner = self.number(1, len(points) - 2) if self.chance(0.2) else len(points) - 1
        self.line(*points[: corner + 1])
        if corner < len(points) - 1:
            self.line(*points[corner:])

    def box(self, x: float, y: float, width: float, height: float) -> None:
        """Draw a rectangle given by its top-left corner."""
        self.loop((x, y), (x + width, y), (x + width, y + height), (x, y + height))

    def arc(self, x: float, y: float, rx: float, ry: float, start: float, stop: float, bumps: int = 0) -> None:
        """Draw a part of a lopsided ellipse, from one angle to another as in `_polar`."""
        angle = np.radians(np.linspace(start, stop, 16 + 6 * bumps))
        egg, tri = self.rng.normal(0.0, 0.02 + 0.015 * self.slip, 2)
        radius = 1.0 + egg * np.cos(2.0 * angle + 40.0 * tri) + tri * np.cos(3.0 * angle + 40.0 * egg)
        if bumps:
            radius *= 0.75 + 0.35 * np.abs(np.sin(bumps * angle / 2.0))
        spiral = 1.0 + self.rng.normal(0.0, 0.03) * np.linspace(-1.0, 1.0, len(angle))
        self.strokes.append(x + 1j * y + radius * spiral * (rx * np.cos(angle) + 1j * ry * np.sin(angle)))

    def ring(self, x: float, y: float, rx: float, ry: float, bumps: int = 0) -> None:
        """Draw a whole ellipse from somewhere near its top, ending short of the start or past it."""
        start = self.rng.normal(270.0, 50.0)
        self.arc(x, y, rx, ry, start, start - 360.0 + self.rng.normal(-4.0, 15.0), bumps)

    def dot(self, x: float, y: float) -> None:
        """Tap the pen: a stroke too short to see."""
        self.strokes.append(x + 1j * y + np.array([0.0, 0.2]))

    def eyes(self, y: float, apart: float, size: float) -> None:
        """Draw a pair of eyes about x = 0, both in the same of four ways."""
        kind = self.number(0, 3)
        for x in (-apart / 2, apart / 2):
            if kind == 0:
                self.line((x, y - size), (x, y + size))
            elif kind != 1:
                self.ring(x, y, size, size * self.between(0.7, 1.4))
            if kind in (1, 2):
                self.dot(x, y)


def _car(pen: _Pen) -> None:
    w, roof, deep, size = pen.between(85, 120), -pen.between(18, 30), pen.between(16, 26), pen.between(7, 12)
    a, b, lean = pen.between(5, 32), w - pen.between(5, 28), pen.between(3, 14)
    top = ((0, 0), (a, -2), (a + lean, roof), (b - lean, roof), (b, -2), (w, 2))
    (pen.curve if pen.chance(0.3) else pen.line)(*top, (w, deep), (0, deep), (0, 0))
    for x in (w * pen.between(0.18, 0.28), w * pen.between(0.72, 0.82)):
        pen.ring(x, deep, size, size)
        if pen.chance(0.25):
            pen.ring(x, deep, size * 0.4, size * 0.4)
    if pen.chance(0.4):
        pen.loop((a + lean, -2), (a + lean + 3, roof + 5), (b - lean - 3, roof + 5), (b - lean, -2))
    if pen.chance(0.35):
        pen.line(((a + b) / 2, roof + 2), ((a + b) / 2, -2))


def _cat(pen: _Pen) -> None:
    w, h, ear, nose = pen.between(34, 48), pen.between(32, 44), pen.between(14, 32), pen.between(3, 6)
    pen.ring(0, 0, w, h)
    for x in (-w, w):
        pen.line((x * 0.85, -h * 0.5), (x * 0.8, -h * 0.6 - ear), (x * 0.3, -h * 0.93))
    pen.eyes(-h * 0.2, w * pen.between(0.7, 1.0), pen.between(3, 6))
    pen.loop((-nose, h * 0.1), (nose, h * 0.1), (0, h * 0.1 + nose))
    if pen.chance(0.7):
        a, b = w * 0.35, w * pen.between(0.15, 0.22)
        pen.line((-a, h * 0.35), (-b, h * 0.5), (0, h * 0.3), (b, h * 0.5), (a, h * 0.35))
    whiskers = pen.number(2, 3) if pen.chance(0.7) else 0
    for x in (-w, w):
        for fan in np.arange(whiskers) * h * 0.18 - h * 0.13:
            pen.line((x * 0.45, h * 0.2 + fan), (x * pen.between(1.0, 1.4), h * 0.2 + fan * 2.2))


def _clock(pen: _Pen) -> None:
    pen.ring(0, 0, 50, 50)
    ticks = (0, 0, 4, 4, 12)[pen.number(0, 4)]
    for tick in range(ticks):
        pen.line(_polar(41, 360 * tick / ticks), _polar(47, 360 * tick / ticks))
    hour, minute = _polar(pen.between(18, 26), pen.between(0, 360)), _polar(36, 30 * pen.number(0, 11))
    if pen.chance(0.5):
        pen.line(hour, (0, 0), minute)
    else:
        pen.line((0, 0), hour)
        pen.line((0, 0), minute)


def _envelope(pen: _Pen) -> None:
    w, h, tip = pen.between(85, 110), pen.between(42, 75), pen.between(0.35, 0.65)
    pen.box(0, 0, w, h)
    pen.line((0, 0), (w * pen.between(0.42, 0.58), h * tip), (w, 0))
    if pen.chance(0.35):
        pen.line((0, h), (w * 0.4, h * tip * 0.85))
        pen.line((w, h), (w * 0.6, h * tip * 0.85))
    if pen.chance(0.2):
        pen.ring(w / 2, h * tip, 5, 5)


def _face(pen: _Pen) -> None:
    w, h = pen.between(36, 46), pen.between(40, 54)
    pen.ring(0, 0, w, h)
    pen.eyes(-h * 0.3, w * pen.between(0.65, 0.95), pen.between(3, 7))
    if pen.chance(0.6):
        pen.curve((0, -h * 0.12), (w * pen.between(-0.2, 0.15), h * 0.2), (w * 0.1, h * 0.2))
    pen.arc(0, h * 0.3, w * pen.between(0.35, 0.6), h * pen.between(-0.1, 0.35), 170, 10)
    for x in (-w, w) if pen.chance(0.3) else ():
        pen.curve((x, -h * 0.2), (x * 1.3, -h * 0.3), (x * 1.25, h * 0.2), (x, h * 0.15))
    for _ in range(pen.number(3, 9) if pen.chance(0.3) else 0):
        x = w * pen.between(-0.6, 0.6)
        pen.curve((x, -h * 0.85), (x * 1.2, -h * 1.05), (x * 1.5, -h * pen.between(1.1, 1.3)))


def _fish(pen: _Pen) -> None:
    w, h, tail = pen.between(34, 46), pen.between(16, 28), pen.between(14, 24)
    if pen.chance(0.4):  # one stroke that crosses itself before the tail
        back = ((w + tail, -h), (w * 0.6, h * 0.4), (0, h * 1.3), (-w * 1.3, h * 0.6), (-w * 1.3, -h * 0.6))
        pen.curve(*back, (0, -h * 1.3), (w * 0.6, -h * 0.4), (w + tail, h), (w + tail, h), (w + tail, -h))
    else:
        pen.ring(0, 0, w, h)
        pen.line((w * 0.95, 0), (w + tail, -h * 0.7), (w + tail * 0.9, h * 0.7), (w * 0.95, 0))
    if pen.chance(0.5):
        pen.dot(-w * 0.6, -h * 0.2)
    else:
        pen.ring(-w * 0.6, -h * 0.2, 3.5, 3.5)
    if pen.chance(0.4):
        pen.curve((-w * 0.2, -h * 0.95), (w * 0.1, -h * 1.6), (w * 0.4, -h * 0.9))
    for x in np.linspace(-0.2, 0.4, pen.number(0, 3)):
        pen.arc(w * x, 0, 5, h * 0.4, -80, 80)


def _flower(pen: _Pen) -> None:
    r, petals, end, bend = pen.between(7, 12), pen.number(5, 8), pen.between(50, 90), pen.between(-10, 10)
    pen.ring(0, 0, r, r)
    if pen.chance(0.45):  # all petals in one stroke
        pen.ring(0, 0, r * 2.6, r * 2.6, petals)
    else:
        size = r * pen.between(0.8, 1.1)
        for angle in np.arange(petals) * 360 / petals:
            pen.arc(*_polar(r + size * 0.9, angle), size, size, angle - 150, angle + 150)
    if pen.chance(0.85):
        pen.curve((0, r * 2.4), (bend, r + end / 2), (bend / 2, end))
        for x in (-24, 24)[: pen.number(0, 2)]:
            y = end - pen.between(4, 18)
            pen.curve((bend / 2, y), (x * 0.3, y - 14), (x, y - 14), (x * 0.8, y - 2), (bend / 2, y))


def _house(pen: _Pen) -> None:
    w, h, peak, eave = pen.between(50, 90), pen.between(38, 60), pen.between(20, 48), pen.between(-8, 10)
    eave = max(eave, 0)  # often none
    pen.box(0, 0, w, h)
    pen.line((-eave, 0), (w * pen.between(0.4, 0.6), -peak), (w + eave, 0))
    if pen.chance(0.8):
        left, wide, top = w * pen.between(0.12, 0.6), w * pen.between(0.17, 0.27), h * pen.between(0.4, 0.6)
        pen.line((left, h), (left, top), (left + wide, top), (left + wide, h))
    size = pen.between(9, 15)
    for slot in pen.rng.permutation(4)[: pen.number(0, 4)]:
        x, y = w * (0.12 + 0.55 * (slot % 2)), h * (0.12 + 0.45 * (slot // 2))
        pen.box(x, y, size, size)
        if pen.chance(0.3):
            pen.line((x + size / 2, y), (x + size / 2, y + size))
            pen.line((x, y + size / 2), (x + size, y + size / 2))
    if pen.chance(0.3):
        pen.line((w * 0.72, -peak * 0.55), (w * 0.72, -peak), (w * 0.86, -peak), (w * 0.86, -peak * 0.25))


def _ladder(pen: _Pen) -> None:
    w, h, taper = pen.between(18, 45), pen.between(85, 110), pen.between(0, 6)
    over = max(pen.between(-4, 6), 0)
    pen.line((taper, 0), (0, h))
    pen.line((w - taper, 0), (w, h))
    rungs = pen.number(3, 8)
    for y in (np.arange(rungs) + pen.between(0.4, 0.8)) * h / rungs:
        pen.line((-over, y), (w + over, y))


def _mug(pen: _Pen) -> None:
    w, h, taper, rim = pen.between(42, 65), pen.between(50, 75), pen.between(-2, 8), pen.between(4, 9)
    if pen.chance(0.5):
        pen.ring(w / 2, 0, w / 2, rim)
        pen.curve((0, 0), (taper, h), (taper, h), (w / 2, h + rim), (w - taper, h), (w - taper, h), (w, 0))
    else:
        pen.loop((0, 0), (w, 0), (w - taper, h), (taper, h))
    side = w + pen.between(15, 32)
    for inset in (0, 5)[: pen.number(1, 2)]:
        top, low = h * 0.2 + inset, h * 0.75 - inset
        pen.curve((w, top), (side - 1.5 * inset, top - 6), (side - 1.5 * inset, low + 6), (w - taper, low))
    for x in (w * 0.25, w * 0.5, w * 0.75) if pen.chance(0.2) else ():
        pen.curve((x, -12), (x - 8, -20), (x + 8, -28), (x, -36))


def _sailboat(pen: _Pen) -> None:
    w, h, mast, x = pen.between(38, 52), pen.between(14, 26), -pen.between(50, 80), pen.between(-8, 8)
    if pen.chance(0.5):
        pen.loop((-w, 0), (w, 0), (w * 0.66, h), (-w * 0.66, h))
    else:
        pen.line((-w, 0), (w, 0))
        pen.arc(0, 0, w, h, 180, 0)
    pen.line((x, 0), (x, mast))
    for side in (1, -1)[: pen.number(1, 2)]:
        low = -pen.between(4, 14)
        pen.line((x, mast), (x + side * pen.between(20, 42), low), (x, low))


def _star(pen: _Pen) -> None:
    inner = pen.between(15, 28)
    corners = [_polar(inner if i % 2 else pen.between(42, 55), 36 * i - 90) for i in range(10)]
    if pen.chance(0.6):
        pen.loop(*corners)
    else:  # without lifting the pen, from a tip to the next tip but one
        pen.loop(*(corners[i] for i in (0, 4, 8, 2, 6)))


def _sun(pen: _Pen) -> None:
    r, gap, rays, turn = pen.between(18, 30), pen.between(-1, 7), pen.number(4, 11), pen.between(0, 60)
    pen.ring(0, 0, r, r)
    for angle in turn + np.arange(rays) * 360 / rays:
        pen.line(_polar(r + gap, angle), _polar(r + gap + pen.between(9, 28), angle))
    if pen.chance(0.2):
        pen.eyes(-r * 0.25, r * 0.7, 2)
        pen.arc(0, r * 0.15, r * 0.5, r * 0.4, 170, 10)


def _tree(pen: _Pen) -> None:
    w, h, stem, flare = pen.between(26, 46), pen.between(24, 42), pen.between(4, 10), pen.between(0, 6)
    if pen.chance(0.25):  # a fir
        for low, wide in ((-35, 0.6), (-17, 0.8), (0, 1))[-pen.number(1, 3) :]:
            pen.loop((0, low - h), (w * wide, low), (-w * wide, low))
    else:
        pen.ring(0, -h * 0.85, w, h, pen.number(6, 10) if pen.chance(0.75) else 0)
    end = pen.between(25, 50)
    pen.curve((-stem, 0), (-stem, end * 0.7), (-stem - flare, end))
    pen.curve((stem, 0), (stem, end * 0.7), (stem + flare, end))
    if pen.chance(0.4):
        pen.line((-stem - flare, end), (stem + flare, end))


def _umbrella(pen: _Pen) -> None:
    w, h, end, hook = pen.between(40, 54), pen.between(24, 46), pen.between(36, 62), pen.between(4, 10)
    pen.arc(0, 0, w, h, 180, 360)
    dip = pen.between(6, 10) if pen.chance(0.5) else 0
    pen.line(*((x, -dip * (i % 2)) for i, x in enumerate(np.linspace(-w, w, 2 * pen.number(2, 5) + 1))))
    for x in (-w, w) if pen.chance(0.4) else ():
        pen.curve((0, -h), (x * 0.35, -h * 0.6), (x * 0.35, -2))
    top = -h * pen.number(0, 1)
    pen.curve((0, top), (0, end), (0, end), (-hook, end + 12), (-2 * hook, end), (-2 * hook, end - 6))


_SKETCHES = {
    "house": _house,
    "star": _star,
    "face": _face,
    "fish": _fish,
    "tree": _tree,
    "cat": _cat,
    "car": _car,
    "flower": _flower,
    "sailboat": _sailboat,
    "umbrella": _umbrella,
    "clock": _clock,
    "envelope": _envelope,
    "ladder": _ladder,
    "mug": _mug,
    "sun": _sun,
}
CATEGORIES: tuple[str, ...] = tuple(_SKETCHES)


def _distort(pen: _Pen) -> list[_Points]:
    """Give the strokes of a sketch the faults of a hand that hurries with a mouse."""
    rng, count = pen.rng, len(pen.strokes)
    # Parts come about in the order one thinks of them; some strokes start from the other end.
    order = np.argsort(np.arange(count) + rng.normal(0.0, 0.5, count))
    strokes, travels = [], []  # travels: how far the pen has come along the stroke at each point
    for i, step in zip(order, np.where(rng.random(count) < 0.3, -1, 1), strict=True):
        corners = pen.strokes[i][::step]
        reached = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(corners)))])
        travels.append(np.linspace(0.0, reached[-1], 4 + int(reached[-1] / _STEP)))
        strokes.append(np.interp(travels[-1], reached, corners))
    if pen.chance(0.2):  # the button was let go too early: one stroke becomes two
        i = pen.number(0, count - 1)
        cut = pen.number(2, len(strokes[i]) - 2)
        for parts in (strokes, travels):
            parts[i : i + 1] = parts[i][:cut], parts[i][cut:]

    sizes = [len(stroke) for stroke in strokes]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    points, travel = np.concatenate(strokes), np.concatenate(travels)
    # Slow waves along each stroke, smaller on short strokes; and each stroke as a whole is off by a little.
    reach = pen.slip * np.minimum([t[-1] / 80.0 for t in travels], 1.0)
    for _ in range(2):
        swing = reach * (rng.normal(0.0, 0.45, len(sizes)) + 1j * rng.normal(0.0, 0.45, len(sizes)))
        rate, phase = 2.0 * np.pi / rng.uniform(25.0, 110.0, len(sizes)), rng.uniform(0.0, 6.28, len(sizes))
        points += swing[owner] * np.sin(travel * rate[owner] + phase[owner])
    points += rng.normal(0.0, 0.4 * pen.slip, (len(sizes), 2)).view(np.complex128)[owner, 0]
    # A fast hand rounds the corners: average each inner point of a stroke with its neighbours.
    inner = np.flatnonzero(owner[2:] == owner[:-2]) + 1
    for _ in range(pen.number(0, 2)):
        points[inner] = 0.25 * points[inner - 1] + 0.5 * points[inner] + 0.25 * points[inner + 1]

    points *= np.exp(1j * rng.normal(0.0, 0.08))  # tilt, then uneven scale, slant and now and then a mirror
    y = points.imag * np.exp(rng.normal(0.0, 0.14))
    x = (-1.0 if pen.chance(0.2) else 1.0) * points.real + rng.normal(0.0, 0.07) * y
    return np.split(x + 1j * y, np.cumsum(sizes)[:-1])


def doodles(category: str, count: int, seed: int = 0) -> list[list[npt.NDArray[np.uint8]]]:
    """Make drawings of a category in the form of the official simplified Quick, Draw! data.

    A drawing depends only on the category, the seed and its place in the list, so the first drawings of a
    longer list are those of a shorter one.

    Parameters
    ----------
    category : str
        One of `CATEGORIES`.
    count : int
        How many drawings.
    seed : int
        Any non-negative number; another seed gives other drawings.

    Returns
    -------
    list of list of ndarray
        `count` drawings, each a list of strokes in the order drawn. A stroke is a uint8 array of shape
        (2, n) with n >= 2: row 0 is x, row 1 is y downward, in pixels. A drawing is aligned to x = 0 and y = 0 and
        its larger side spans 0..255, but for the up to two pixels that simplifying takes off. A dot is a stroke of
        two equal points.

    Raises
    ------
    ValueError
        If the category is not one of `CATEGORIES`, or the seed is negative.
    """
    if category not in _SKETCHES:
        raise ValueError(f"unknown category {category!r}; choose one of: {', '.join(CATEGORIES)}")
    drawings = []
    for index in range(count):
        pen = _Pen(np.random.default_rng([index, *category.encode(), seed]))
        _SKETCHES[category](pen)
        drawings.append(simplify((stroke.real, stroke.imag) for stroke in _distort(pen)))
    return drawings


def write_sample(
    folder: str | os.PathLike[str], categories: int = 10, count: int = 1000, seed: int = 0
) -> Iterator[Path]:
    """Write ``.bin`` files of doodles, one a category.

    Parameters
    ----------
    folder : path
        Made where it does not exist.
    categories : int
        Number of files, at most ``len(CATEGORIES)``.
    count : int
        Drawings in each.
    seed : int
        Any non-negative number; the same one gives the same files.

    Yields
    ------
    pathlib.Path
        Each file, once it is written.

    Raises
    ------
    ValueError
        If there are not that many categories.
    """
    if categories > len(CATEGORIES):
        raise ValueError(f"expected at most {len(CATEGORIES)} categories, received {categories}")
    folder = make_folder(Path(folder))
    for name in CATEGORIES[:categories]:
        rng = np.random.default_rng([*name.encode(), seed])
        rows = np.empty(count, METADATA)
        rows["key_id"] = rng.integers(2**52, 2**53, count)
        rows["country"] = rng.choice([b"US", b"GB", b"DE", b"BR", b"KR"], count)
        rows["recognized"] = rng.random(count) < 0.9
        rows["timestamp"] = rng.integers(1_485_000_000, 1_491_000_000, count)  # January to March 2017, as the real ones
        write_drawings(folder / f"{name}.bin", doodles(name, count, seed), rows)
        yield folder / f"{name}.bin"
