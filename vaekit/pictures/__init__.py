"""Pictures of what a model does, as arrays; `save` writes them."""

from vaekit.pictures.grids import (
    blend,
    classes_by_style,
    four_corners,
    interpolation,
    latent_grid,
    neighbours,
    progress,
    reconstructions,
    samples,
    walk,
)
from vaekit.pictures.sheets import GAP, Picture, pixels, save, save_animation, sheet

__all__ = [
    "GAP",
    "Picture",
    "blend",
    "classes_by_style",
    "four_corners",
    "interpolation",
    "latent_grid",
    "neighbours",
    "pixels",
    "progress",
    "reconstructions",
    "samples",
    "save",
    "save_animation",
    "sheet",
    "walk",
]
