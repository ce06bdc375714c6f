"""Random changes to drawings, made to the strokes before they are drawn."""

from __future__ import annotations

import dataclasses
import math
import numbers

import numpy as np
import numpy.typing as npt

from fastdraw.kernels import augment as kernels


@dataclasses.dataclass(frozen=True)
class Augment:
    """How drawings are changed at random before they are drawn, so that the lines of the images stay crisp.

    What happens to a drawing depends on the seed, the epoch and the number of the drawing alone. Drawings are turned
    and scaled about the middle of their bounding boxes. None leaves its canvas: what would stick out is shrunk as a
    whole until it fits, then moved inside. So drawings as large as the canvas, which most of Quick, Draw! are, only
    ever get smaller, and only smaller ones have room to be moved.

    Parameters
    ----------
    rotate : float
        Largest angle, 0 to 180 degrees, to either side.
    scale : (float, float)
        Smallest and largest factor, more than 0 and 10 at most.
    shear : float
        Largest angle by which upright lines are slanted, 0 to 80 degrees, to either side.
    translate : float
        How far a drawing is moved in x and in y at most, 0 to 255; the canvas is 256 wide.
    jitter : float
        How far each point is moved in x and in y at most, 0 to 255.
    drop_strokes : float
        Chance of each stroke to be left out, 0 to 1. One stroke, chosen at random, always stays.
    flip : bool
        Mirror half the drawings, left to right.

    Raises
    ------
    ValueError, TypeError
        If an argument is not one of those above.
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
            value = getattr(self, name)
            if not _is_number(value):
                raise TypeError(f"expected {name} to be a number, received {value!r}")
            if not 0 <= value <= largest:
                raise ValueError(f"expected {name} to be from 0 to {largest}, received {value}")
        if not (isinstance(self.scale, (tuple, list)) and len(self.scale) == 2 and all(map(_is_number, self.scale))):
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
        """Change records in place; they stay whole and valid, and move up where strokes are left out.

        Parameters
        ----------
        records : (b,) uint8
            Back to back.
        starts : (n + 1,) int64
            Where each begins, and the end.
        indices : (n,) int64
            Numbers of the drawings.
        key : uint64
            Other keys change the same drawings in other ways.
        """
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


def _is_number(value: object) -> bool:
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
