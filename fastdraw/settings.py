"""Settings of an image, and the registry of styles. Nothing here needs NumPy or numba."""

from __future__ import annotations

import dataclasses
import numbers
from typing import Any, TypedDict, Unpack

SIZES = range(8, 257)  # pixels
LINE_WIDTHS = range(1, 33)  # pixels


@dataclasses.dataclass(frozen=True)
class Style:
    """A way to draw strokes.

    Attributes
    ----------
    name : str
    kernel : str
        ``"module:function"``, imported when an image of the style is first drawn. The function takes `Settings` and the
        dtype of the images, and returns what draws them, see `fastdraw.render.render.Kernel`; or None for images that
        it cannot draw itself. Inverted, packed and float32 images are then made from its plain ones: uint8, 255 on 0.
    bilevel : bool
        Whether pixels are ink or background, without greys; only such images can be packed.
    default_size : int
        Side of an image in pixels where none is given.
    uses_line_width : bool
        Whether the pixels depend on the line width.
    """

    name: str
    kernel: str
    bilevel: bool = False
    default_size: int = 32
    uses_line_width: bool = False


STYLES: dict[str, Style] = {}


def register_style(style: Style) -> None:
    """Make a style known, under its name, to the library and the command line."""
    STYLES[style.name] = style


register_style(Style("pillow", "fastdraw.render.styles:pillow", bilevel=True, uses_line_width=True))
register_style(Style("line", "fastdraw.render.styles:line", bilevel=True))
register_style(Style("line-aa", "fastdraw.render.styles:line_aa"))
register_style(Style("google", "fastdraw.render.styles:google", default_size=28))

DEFAULT_STYLE = "pillow"


class ImageOptions(TypedDict, total=False):
    """Options of an image; what is not given, or None, gets the default of `Settings`."""

    style: str | None
    size: int | None
    line_width: int | None
    invert: bool | None
    packed: bool | None


class FileOptions(ImageOptions, total=False):
    """Options of the images in a file."""

    flat: bool | None


@dataclasses.dataclass(frozen=True)
class Settings:
    """How to draw: the options of `Drawings.rasterize`, and whether the rows of an image stand in one line.

    Raises
    ------
    ValueError, TypeError
        If a field is not one of the allowed values.
    """

    style: str = DEFAULT_STYLE
    size: int = 32
    line_width: int = 2
    invert: bool = False
    packed: bool = False
    flat: bool = False

    @classmethod
    def of(cls, **options: Unpack[FileOptions]) -> Settings:
        """Settings with the given options, and defaults for those that are None or not given."""
        given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        names = [field.name for field in dataclasses.fields(cls)]
        if unknown := [name for name in given if name not in names]:
            raise TypeError(f"expected options among {names}, received {unknown[0]!r}")
        style = STYLES.get(given.get("style", DEFAULT_STYLE))
        if style is not None:
            given.setdefault("size", style.default_size)
        return cls(**given)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        if self.packed:
            return (self.size**2 // 8,)
        return (self.size**2,) if self.flat else (self.size, self.size)

    def __post_init__(self) -> None:
        if self.style not in STYLES:
            raise ValueError(f"expected style to be one of {tuple(STYLES)}, received {self.style!r}")
        for name, allowed in (("size", SIZES), ("line_width", LINE_WIDTHS)):
            value = getattr(self, name)
            if not isinstance(value, numbers.Integral) or isinstance(value, bool):
                raise TypeError(f"expected {name} to be a whole number, received {value!r}")
            if value not in allowed:
                raise ValueError(f"expected {name} to be from {allowed[0]} to {allowed[-1]}, received {value}")
        if self.packed and not STYLES[self.style].bilevel:
            bilevel = tuple(style.name for style in STYLES.values() if style.bilevel)
            raise ValueError(
                f"expected one of the styles {bilevel} to pack, which have no greys; received {self.style!r}"
            )
        if self.packed and self.size % 4:
            raise ValueError(f"expected a size that is a multiple of 4 to pack, received {self.size}")
        if self.packed and self.flat:
            raise ValueError("expected packed or flat, received both: packed images are flat")
