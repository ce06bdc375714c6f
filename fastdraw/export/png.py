"""Drawings as PNG files."""

from __future__ import annotations

import io
from collections.abc import Iterator

from PIL import Image

from fastdraw.quickdraw.drawings import Drawings
from fastdraw.render.render import render
from fastdraw.settings import Settings


def pictures(drawings: Drawings, settings: Settings) -> Iterator[bytes]:
    """A PNG file of grey levels for each drawing."""
    images = render(lambda start, stop: drawings[start:stop].records(copy=False), len(drawings), settings)
    for image in images:
        file = io.BytesIO()
        Image.fromarray(image).save(file, format="png", compress_level=1)
        yield file.getvalue()
