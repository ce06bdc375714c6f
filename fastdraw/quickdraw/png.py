"""Drawings as PNG files of grey levels."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
from PIL import Image

from fastdraw.quickdraw.drawings import Drawings
from fastdraw.render.render import render
from fastdraw.settings import Settings


def pictures(drawings: Drawings, settings: Settings, threads: int | None = None) -> Iterator[bytes]:
    """The content of a file for each drawing."""

    def records(start: int, stop: int) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
        return drawings[start:stop].records(copy=False)

    for image in render(records, len(drawings), settings, threads=threads):
        file = io.BytesIO()
        Image.fromarray(image).save(file, format="png", compress_level=1)
        yield file.getvalue()
