"""Drawings as PNG files."""

from __future__ import annotations

from collections.abc import Iterator

from fastdraw.quickdraw.drawings import Drawings
from fastdraw.render.png import encode_png
from fastdraw.render.render import render
from fastdraw.settings import Settings


def pictures(drawings: Drawings, settings: Settings) -> Iterator[bytes]:
    """A PNG file of grey levels for each drawing."""
    images = render(lambda start, stop: drawings[start:stop].records(copy=False), len(drawings), settings)
    return map(encode_png, images)
