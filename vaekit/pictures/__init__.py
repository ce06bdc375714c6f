"""Pictures of what a model learned, as arrays; `save` writes them to files.

`vaekit.plots` has the scatter of codes and the curves of training.
"""

from vaekit.pictures import plots
from vaekit.pictures.classes import blend, classes_by_style, four_corners
from vaekit.pictures.ink import ink
from vaekit.pictures.latent_space import interpolation, latent_grid, walk
from vaekit.pictures.outputs import neighbours, progress, reconstructions, samples
from vaekit.pictures.sheets import GAP, Picture, pixels, save, save_animation, sheet

__all__ = [
    "GAP",
    "Picture",
    "blend",
    "classes_by_style",
    "four_corners",
    "ink",
    "interpolation",
    "latent_grid",
    "neighbours",
    "pixels",
    "plots",
    "progress",
    "reconstructions",
    "samples",
    "save",
    "save_animation",
    "sheet",
    "walk",
]
