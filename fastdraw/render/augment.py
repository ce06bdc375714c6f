"""Random changes to strokes, made before they are drawn."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import numpy.typing as npt

from fastdraw.checks import is_number, number
from fastdraw.kernels import augment as kernels


@dataclasses.dataclass(frozen=True)
class Augment:
    """Random changes to the strokes of a drawing; lines stay crisp, because they are drawn afterwards.

    The changes depend only on the seed, the epoch and the index of the drawing; with ``weights``, on its place in the
    epoch instead, as drawings repeat. A drawing is rotated, scaled and sheared about the middle of its bounding box. It
    always stays on its canvas: if it would stick out, it is shrunk until it fits and moved inside. Most drawings of
    Quick, Draw! fill the canvas, so they only ever get smaller; only smaller ones have room to move.

    Parameters
    ----------
    rotate : float
        Largest angle in either direction, 0 to 180 degrees.
    scale : (float, float)
        Smallest and largest factor, more than 0 and at most 10.
    shear : float
        Largest angle by which upright lines are slanted, in either direction, 0 to 80 degrees.
    translate : float
        Largest shift in x and in y, 0 to 255; the canvas is 256 wide.
    jitter : float
        Largest shift of each point in x and in y, 0 to 255.
    drop_strokes : float
        Probability of leaving out each stroke, 0 to 1. One stroke, chosen at random, always stays.
    flip : bool
        Mirror half of the drawings horizontally.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above.

    Examples
    --------
    >>> augment = fastdraw.Augment(rotate=15, scale=(0.8, 1.0), jitter=2, flip=True)
    >>> drawings = fastdraw.open_drawings("quickdraw")
    >>> next(iter(fastdraw.batches(drawings, 64, augment=augment, seed=0))).shape
    (64, 32, 32, 1)
    """

    rotate: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    shear: float = 0.0
    translate: float = 0.0
    jitter: float = 0.0
    drop_strokes: float = 0.0
    flip: bool = False

    def __post_init__(self) -> None:
        for name, largest in (("rotate", 180), ("shear", 80), ("translate", 255), ("jitter", 255), ("drop_strokes", 1)):
            number(name, getattr(self, name), 0, largest)
        if not (isinstance(self.scale, (tuple, list)) and len(self.scale) == 2 and all(map(is_number, self.scale))):
            raise TypeError(f"expected scale to be a pair of factors, received {self.scale!r}")
        if not 0 < self.scale[0] <= self.scale[1] <= 10:
            raise ValueError(f"expected scale to be a smaller and a larger factor up to 10, received {self.scale}")
        if not isinstance(self.flip, (bool, np.bool_)):
            raise TypeError(f"expected flip to be True or False, received {self.flip!r}")

    def apply(
        self,
        records: npt.NDArray[np.uint8],
        starts: npt.NDArray[np.int64],
        indices: npt.NDArray[np.int64],
        key: np.uint64,
    ) -> None:
        """Change records in place. They stay valid, and move up where strokes are left out.

        Parameters
        ----------
        records : (b,) uint8
            Back to back.
        starts : (n + 1,) int64
            Where each begins, then the end; changed too.
        indices : (n,) int64
            Indices of the drawings, or other numbers.
        key : uint64
            Other keys give other changes.

        Raises
        ------
        ValueError
            If the records are read-only.
        """
        if not records.flags.writeable:
            raise ValueError("expected records that can be changed, received read-only ones; copy them first")
        if self.drop_strokes > 0:
            kernels.drop_strokes(records, starts, indices, key, float(self.drop_strokes))
        if self != Augment(drop_strokes=self.drop_strokes):
            kernels.move_points(
                records,
                starts,
                indices,
                key,
                math.radians(self.rotate),
                float(self.scale[0]),
                float(self.scale[1]),
                math.radians(self.shear),
                float(self.translate),
                float(self.jitter),
                bool(self.flip),
            )
