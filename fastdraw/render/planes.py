"""Images of three planes, with the interface of `fastdraw.render.render.Kernel`."""

from __future__ import annotations

from fastdraw.kernels import planes
from fastdraw.render.render import Images, Records, Starts
from fastdraw.settings import Settings

_STYLES = {"pillow": planes.PILLOW, "line": planes.LINE, "line-aa": planes.LINE_AA}


def draw(records: Records, starts: Starts, settings: Settings, images: Images) -> None:
    """Draw the planes of a style; images are (n, size, size, 3) uint8."""
    planes.draw(records, starts, settings.size, settings.line_width, _STYLES[settings.style], images)
