"""The sketches of the doodles: one short function per category.

Each draws with a `Pen` in its own coordinates, about 100 units across with y pointing down, and chooses proportions and
optional parts at random. `fastdraw.quickdraw.pen.distort` adds what all hurried drawings have in common.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from fastdraw.quickdraw.pen import Pen, polar


def _car(pen: Pen) -> None:
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


def _cat(pen: Pen) -> None:
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


def _clock(pen: Pen) -> None:
    pen.ring(0, 0, 50, 50)
    ticks = (0, 0, 4, 4, 12)[pen.number(0, 4)]
    for tick in range(ticks):
        pen.line(polar(41, 360 * tick / ticks), polar(47, 360 * tick / ticks))
    hour, minute = polar(pen.between(18, 26), pen.between(0, 360)), polar(36, 30 * pen.number(0, 11))
    if pen.chance(0.5):
        pen.line(hour, (0, 0), minute)
    else:
        pen.line((0, 0), hour)
        pen.line((0, 0), minute)


def _envelope(pen: Pen) -> None:
    w, h, tip = pen.between(85, 110), pen.between(42, 75), pen.between(0.35, 0.65)
    pen.box(0, 0, w, h)
    pen.line((0, 0), (w * pen.between(0.42, 0.58), h * tip), (w, 0))
    if pen.chance(0.35):
        pen.line((0, h), (w * 0.4, h * tip * 0.85))
        pen.line((w, h), (w * 0.6, h * tip * 0.85))
    if pen.chance(0.2):
        pen.ring(w / 2, h * tip, 5, 5)


def _face(pen: Pen) -> None:
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


def _fish(pen: Pen) -> None:
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


def _flower(pen: Pen) -> None:
    r, petals, end, bend = pen.between(7, 12), pen.number(5, 8), pen.between(50, 90), pen.between(-10, 10)
    pen.ring(0, 0, r, r)
    if pen.chance(0.45):  # all petals in one stroke
        pen.ring(0, 0, r * 2.6, r * 2.6, petals)
    else:
        size = r * pen.between(0.8, 1.1)
        for angle in np.arange(petals) * 360 / petals:
            pen.arc(*polar(r + size * 0.9, angle), size, size, angle - 150, angle + 150)
    if pen.chance(0.85):
        pen.curve((0, r * 2.4), (bend, r + end / 2), (bend / 2, end))
        for x in (-24, 24)[: pen.number(0, 2)]:
            y = end - pen.between(4, 18)
            pen.curve((bend / 2, y), (x * 0.3, y - 14), (x, y - 14), (x * 0.8, y - 2), (bend / 2, y))


def _house(pen: Pen) -> None:
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


def _ladder(pen: Pen) -> None:
    w, h, taper = pen.between(18, 45), pen.between(85, 110), pen.between(0, 6)
    over = max(pen.between(-4, 6), 0)
    pen.line((taper, 0), (0, h))
    pen.line((w - taper, 0), (w, h))
    rungs = pen.number(3, 8)
    for y in (np.arange(rungs) + pen.between(0.4, 0.8)) * h / rungs:
        pen.line((-over, y), (w + over, y))


def _mug(pen: Pen) -> None:
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


def _sailboat(pen: Pen) -> None:
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


def _star(pen: Pen) -> None:
    inner = pen.between(15, 28)
    corners = [polar(inner if i % 2 else pen.between(42, 55), 36 * i - 90) for i in range(10)]
    if pen.chance(0.6):
        pen.loop(*corners)
    else:  # without lifting the pen, from a tip to the next tip but one
        pen.loop(*(corners[i] for i in (0, 4, 8, 2, 6)))


def _sun(pen: Pen) -> None:
    r, gap, rays, turn = pen.between(18, 30), pen.between(-1, 7), pen.number(4, 11), pen.between(0, 60)
    pen.ring(0, 0, r, r)
    for angle in turn + np.arange(rays) * 360 / rays:
        pen.line(polar(r + gap, angle), polar(r + gap + pen.between(9, 28), angle))
    if pen.chance(0.2):
        pen.eyes(-r * 0.25, r * 0.7, 2)
        pen.arc(0, r * 0.15, r * 0.5, r * 0.4, 170, 10)


def _tree(pen: Pen) -> None:
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


def _umbrella(pen: Pen) -> None:
    w, h, end, hook = pen.between(40, 54), pen.between(24, 46), pen.between(36, 62), pen.between(4, 10)
    pen.arc(0, 0, w, h, 180, 360)
    dip = pen.between(6, 10) if pen.chance(0.5) else 0
    pen.line(*((x, -dip * (i % 2)) for i, x in enumerate(np.linspace(-w, w, 2 * pen.number(2, 5) + 1))))
    for x in (-w, w) if pen.chance(0.4) else ():
        pen.curve((0, -h), (x * 0.35, -h * 0.6), (x * 0.35, -2))
    top = -h * pen.number(0, 1)
    pen.curve((0, top), (0, end), (0, end), (-hook, end + 12), (-2 * hook, end), (-2 * hook, end - 6))


SKETCHES: dict[str, Callable[[Pen], None]] = {
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
