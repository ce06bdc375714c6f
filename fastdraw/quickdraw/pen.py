"""The pen of the doodles, in a hurried hand: lines miss their points, strokes wobble, slant and break."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Point: TypeAlias = tuple[float, float]
Points: TypeAlias = npt.NDArray[np.complex128]  # x + iy, which makes moving and measuring plain arithmetic

_STEP = 2.5  # units between the points of a stroke before it is simplified


def polar(radius: float, angle: float) -> Point:
    """The point at an angle in degrees, clockwise from the right."""
    return radius * np.cos(np.radians(angle)), radius * np.sin(np.radians(angle))


class Pen:
    """Draws one sketch: makes its random choices and collects its strokes."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.strokes: list[Points] = []
        # Standard deviation in units by which this hand misses its target; a few hands are careless.
        self.slip = min(float(rng.lognormal(0.35, 0.5)), 3.5)

    def between(self, low: float, high: float) -> float:
        return low + (high - low) * self.rng.random()

    def number(self, low: int, high: int) -> int:
        """A random integer from ``low`` to ``high``, both included."""
        return int(self.rng.integers(low, high + 1))

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def line(self, *points: Point) -> None:
        """Draw straight from point to point, missing each by a little."""
        aimed = np.array(points) + self.rng.normal(0.0, self.slip, (len(points), 2))
        self.strokes.append(aimed.view(np.complex128)[:, 0])

    def curve(self, *points: Point) -> None:
        """Draw a smooth stroke between the outer points that bends towards the inner ones."""
        self.line(*points)
        corners = self.strokes.pop()
        for _ in range(3):  # Chaikin's corner cutting
            near, far = corners[:-1] * 0.75 + corners[1:] * 0.25, corners[:-1] * 0.25 + corners[1:] * 0.75
            corners = np.concatenate([corners[:1], np.stack([near, far], axis=1).ravel(), corners[-1:]])
        self.strokes.append(corners)

    def loop(self, *points: Point) -> None:
        """Draw a closed polygon from a random corner, in one or two strokes; the end misses the start a little."""
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
        """Draw an arc of a lopsided ellipse between two angles as in `polar`, optionally with bumps."""
        angle = np.radians(np.linspace(start, stop, 16 + 6 * bumps))
        egg, tri = self.rng.normal(0.0, 0.02 + 0.015 * self.slip, 2)
        radius = 1.0 + egg * np.cos(2.0 * angle + 40.0 * tri) + tri * np.cos(3.0 * angle + 40.0 * egg)
        if bumps:
            radius *= 0.75 + 0.35 * np.abs(np.sin(bumps * angle / 2.0))
        spiral = 1.0 + self.rng.normal(0.0, 0.03) * np.linspace(-1.0, 1.0, len(angle))
        self.strokes.append(x + 1j * y + radius * spiral * (rx * np.cos(angle) + 1j * ry * np.sin(angle)))

    def ring(self, x: float, y: float, rx: float, ry: float, bumps: int = 0) -> None:
        """Draw a whole ellipse from near its top, ending a little before or after the start."""
        start = self.rng.normal(270.0, 50.0)
        self.arc(x, y, rx, ry, start, start - 360.0 + self.rng.normal(-4.0, 15.0), bumps)

    def dot(self, x: float, y: float) -> None:
        """Tap the pen: a very short stroke."""
        self.strokes.append(x + 1j * y + np.array([0.0, 0.2]))

    def eyes(self, y: float, apart: float, size: float) -> None:
        """Draw two eyes around x = 0, both in the same of four ways."""
        kind = self.number(0, 3)
        for x in (-apart / 2, apart / 2):
            if kind == 0:
                self.line((x, y - size), (x, y + size))
            elif kind != 1:
                self.ring(x, y, size, size * self.between(0.7, 1.4))
            if kind in (1, 2):
                self.dot(x, y)


def distort(pen: Pen) -> list[Points]:
    """The strokes of a sketch as a hurried hand with a mouse draws them."""
    rng, count = pen.rng, len(pen.strokes)
    # Strokes come in a slightly shuffled order; some are drawn from the other end.
    order = np.argsort(np.arange(count) + rng.normal(0.0, 0.5, count))
    strokes, travels = [], []  # travels: arc length along the stroke at each point
    for i, step in zip(order, np.where(rng.random(count) < 0.3, -1, 1), strict=True):
        corners = pen.strokes[i][::step]
        reached = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(corners)))])
        travels.append(np.linspace(0.0, reached[-1], 4 + int(reached[-1] / _STEP)))
        strokes.append(np.interp(travels[-1], reached, corners))
    if pen.chance(0.2):  # the mouse button was released too early: one stroke becomes two
        i = pen.number(0, count - 1)
        cut = pen.number(2, len(strokes[i]) - 2)
        for parts in (strokes, travels):
            parts[i : i + 1] = parts[i][:cut], parts[i][cut:]

    sizes = [len(stroke) for stroke in strokes]
    owner = np.repeat(np.arange(len(sizes)), sizes)
    points, travel = np.concatenate(strokes), np.concatenate(travels)
    # Slow waves along each stroke, smaller on short strokes; then a small offset of each whole stroke.
    reach = pen.slip * np.minimum([t[-1] / 80.0 for t in travels], 1.0)
    for _ in range(2):
        swing = reach * (rng.normal(0.0, 0.45, len(sizes)) + 1j * rng.normal(0.0, 0.45, len(sizes)))
        rate, phase = 2.0 * np.pi / rng.uniform(25.0, 110.0, len(sizes)), rng.uniform(0.0, 6.28, len(sizes))
        points += swing[owner] * np.sin(travel * rate[owner] + phase[owner])
    points += rng.normal(0.0, 0.4 * pen.slip, (len(sizes), 2)).view(np.complex128)[owner, 0]
    # A fast hand rounds corners: average each inner point of a stroke with its neighbours.
    inner = np.flatnonzero(owner[2:] == owner[:-2]) + 1
    for _ in range(pen.number(0, 2)):
        points[inner] = 0.25 * points[inner - 1] + 0.5 * points[inner] + 0.25 * points[inner + 1]

    points *= np.exp(1j * rng.normal(0.0, 0.08))  # rotation; then anisotropic scale, slant and sometimes a mirror image
    y = points.imag * np.exp(rng.normal(0.0, 0.14))
    x = (-1.0 if pen.chance(0.2) else 1.0) * points.real + rng.normal(0.0, 0.07) * y
    return np.split(x + 1j * y, np.cumsum(sizes)[:-1])
