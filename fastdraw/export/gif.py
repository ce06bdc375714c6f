"""Drawings as animated GIF files, whose strokes grow point by point in the order in which they were drawn."""

from __future__ import annotations

import io
import itertools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from fastdraw.quickdraw.binary import METADATA, Stroke, encode
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.render.render import Images, render
from fastdraw.settings import Settings

_FRAMES = 40  # at most
_DURATION = 60  # milliseconds of a frame
_LAST = 1500  # milliseconds of the last one


def pictures(drawings: Drawings, settings: Settings) -> Iterator[bytes]:
    """A GIF file for each drawing."""
    metadata = np.array((1, b"", True, 0), METADATA)
    for strokes in drawings:
        points = sum(stroke.shape[1] for stroke in strokes)
        shown = np.unique(np.linspace(min(2, points), points, min(_FRAMES, max(1, points))).astype(int))
        records = [encode(_first(strokes, count), metadata) for count in shown]
        starts = np.array([0, *itertools.accumulate(map(len, records))])
        data = np.frombuffer(b"".join(records), np.uint8)
        frames = [Image.fromarray(image) for image in _draw(data, starts, settings)]
        file = io.BytesIO()
        durations = [_DURATION] * (len(frames) - 1) + [_LAST]
        frames[0].save(
            file, format="gif", save_all=True, append_images=frames[1:], duration=durations, loop=0, optimize=False
        )
        yield file.getvalue()


def _draw(data: npt.NDArray[np.uint8], starts: npt.NDArray[np.int64], settings: Settings) -> Images:
    return render(lambda start, stop: (data, starts[start : stop + 1]), len(starts) - 1, settings, threads=1)


def _first(strokes: list[Stroke], count: int) -> list[Stroke]:
    """The strokes up to a number of points."""
    some = []
    for stroke in strokes:
        if count <= 0:
            break
        some.append(stroke[:, :count])
        count -= stroke.shape[1]
    return some
