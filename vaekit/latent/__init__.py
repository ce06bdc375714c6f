"""The latent space: grids and paths of codes, nearest neighbours, and projections to two dimensions.

Arrays in, arrays out, without Keras; `vaekit.pictures` decodes them to pictures. Codes are (N, latent_dim), or (N, ...)
of any shape, which distances and projections treat as flat rows.
"""

from vaekit.latent.analysis import METHODS, neighbour_precision, neighbours, project
from vaekit.latent.traversals import KINDS, SPACINGS, coordinates, grid, path, walk

__all__ = [
    "KINDS",
    "METHODS",
    "SPACINGS",
    "coordinates",
    "grid",
    "neighbour_precision",
    "neighbours",
    "path",
    "project",
    "walk",
]
