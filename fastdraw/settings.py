"""The settings of an image, and the registry of styles. Needs neither NumPy nor numba."""

from __future__ import annotations

import dataclasses
from typing import Any, TypedDict, Unpack

from fastdraw.checks import boolean, integer, known_options, one_of

SIZES = 8, 1024  # pixels, smallest and largest
LINE_WIDTHS = 1, 32  # pixels


@dataclasses.dataclass(frozen=True)
class Style:
    """A way to draw strokes; `register_style` makes it known.

    Attributes
    ----------
    name : str
    kernel : str
        ``"module:function"``, imported when the style is first drawn. ``function(records, starts, settings, images)``
        draws records, see `fastdraw.render.render.Kernel`.
    bilevel : bool
        Whether every pixel is either ink or background. Only bilevel images can be packed.
    default_size : int
        Side of an image in pixels if no size is given.
    uses_line_width : bool
        Whether the images depend on ``line_width``.
    native : tuple of {"float32", "packed"}
        What the kernel draws besides uint8 images, for bilevel styles. All else is converted from its uint8 images.
    largest_size : int
        The largest side of an image in pixels at which the style is exact.
    planes : str or None
        ``"module:function"`` as ``kernel``, for images of three planes, (n, size, size, 3) uint8; None if the style
        has no such images.

    Examples
    --------
    >>> from fastdraw.settings import STYLES
    >>> STYLES["google"].default_size
    28
    """

    name: str
    kernel: str
    bilevel: bool = False
    default_size: int = 32
    uses_line_width: bool = False
    native: tuple[str, ...] = ()
    largest_size: int = SIZES[1]
    planes: str | None = None

    def __post_init__(self) -> None:
        if self.native and not self.bilevel:
            raise ValueError(f"expected a bilevel style to draw {self.native}, received {self.name!r}, which has greys")


STYLES: dict[str, Style] = {}


def register_style(style: Style) -> None:
    """Make a style available, by its name, in the library and on the command line of this process.

    Raises
    ------
    ValueError
        If another style has this name.
    """
    if STYLES.setdefault(style.name, style) != style:
        raise ValueError(f"expected a name that no other style has, received {style.name!r}")


_PLANES = "fastdraw.render.planes:draw"

register_style(
    Style(
        "pillow",
        "fastdraw.render.styles:pillow",
        bilevel=True,
        uses_line_width=True,
        native=("float32", "packed"),
        planes=_PLANES,
    )
)
register_style(Style("line", "fastdraw.render.styles:line", bilevel=True, planes=_PLANES))
register_style(Style("line-aa", "fastdraw.render.styles:line_aa", planes=_PLANES))
# The kernel holds a bit for each vertex of the pen, which has 62 at 720 pixels, in one word.
register_style(Style("google", "fastdraw.render.styles:google", default_size=28, largest_size=720))

DEFAULT_STYLE = "pillow"


class ImageOptions(TypedDict, total=False):
    """Options of an image, documented in `Drawings.rasterize`. None stands for the default."""

    style: str | None
    size: int | None
    line_width: int | None
    invert: bool | None
    packed: bool | None
    channels: int | None


class FileOptions(ImageOptions, total=False):
    """Options of the images in a file."""

    flat: bool | None


@dataclasses.dataclass(frozen=True)
class Settings:
    """The settings of an image, checked: `ImageOptions` with all defaults filled in.

    Attributes
    ----------
    style, size, line_width, invert, packed, channels
        See `Drawings.rasterize`.
    flat : bool
        Whether an image is one row of ``size * size`` pixels.

    Raises
    ------
    ValueError, TypeError
        If a value is not allowed.

    Examples
    --------
    >>> from fastdraw.settings import Settings
    >>> Settings.of(style="google").shape
    (28, 28)
    """

    style: str
    size: int
    line_width: int = 2
    invert: bool = False
    packed: bool = False
    channels: int = 1
    flat: bool = False

    @classmethod
    def of(cls, **options: Unpack[FileOptions]) -> Settings:
        """Settings with the given options, and defaults where an option is None or absent.

        Raises
        ------
        ValueError, TypeError
            If a value is not allowed, or a line width is given for a style that does not use it.
        """
        known_options(options, FileOptions.__annotations__)
        given: dict[str, Any] = {name: value for name, value in options.items() if value is not None}
        style = one_of("style", given.setdefault("style", DEFAULT_STYLE), STYLES)
        if "line_width" in given and not STYLES[style].uses_line_width:
            users = tuple(style.name for style in STYLES.values() if style.uses_line_width)
            raise ValueError(
                f"expected a line width only for styles that use it, {users}; "
                f"received {given['line_width']!r} with style {style!r}"
            )
        given.setdefault("size", STYLES[style].default_size)
        return cls(**given)

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one image."""
        if self.packed:
            return (self.size**2 // 8,)
        if self.channels > 1:
            return (self.size, self.size, self.channels)
        return (self.size**2,) if self.flat else (self.size, self.size)

    @property
    def dimensions(self) -> str:
        """The shape of one image in words, such as ``32x32``."""
        return f"{self.size}x{self.size}" if self.channels == 1 else f"{self.size}x{self.size}x{self.channels}"

    @property
    def content(self) -> dict[str, Any]:
        """The settings as ``dataset.json`` has them: without ``channels`` where images have one, as in version 0.1."""
        content = dataclasses.asdict(self)
        if self.channels == 1:
            del content["channels"]
        return content

    def __post_init__(self) -> None:
        style = STYLES[one_of("style", self.style, STYLES)]
        name = "size" if style.largest_size == SIZES[1] else f"the size of style {self.style!r}"
        object.__setattr__(self, "size", integer(name, self.size, SIZES[0], style.largest_size))
        object.__setattr__(self, "line_width", integer("line_width", self.line_width, *LINE_WIDTHS))
        for name in ("invert", "packed", "flat"):
            object.__setattr__(self, name, boolean(name, getattr(self, name)))
        if self.packed and not STYLES[self.style].bilevel:
            bilevel = tuple(style.name for style in STYLES.values() if style.bilevel)
            raise ValueError(f"expected a style without greys to pack, one of {bilevel}; received {self.style!r}")
        if self.packed and self.size % 4:
            raise ValueError(f"expected a size that is a multiple of 4 to pack, received {self.size}")
        if self.packed and self.flat:
            raise ValueError("expected packed or flat, received both: packed images are flat")
        object.__setattr__(self, "channels", one_of("channels", integer("channels", self.channels, 1), (1, 3)))
        if self.channels == 1:
            return
        if not style.planes:
            able = tuple(style.name for style in STYLES.values() if style.planes)
            raise ValueError(
                f"expected a style that draws planes for channels=3, one of {able}; received {self.style!r}"
            )
        if self.packed or self.flat:
            raise ValueError(f"expected channels=1 with {'packed' if self.packed else 'flat'}=True, received 3")
