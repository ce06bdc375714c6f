"""Drawings as sketch-rnn has them: arrays of (n, 3) int16 rows in the parts of a split."""

from __future__ import annotations

from typing import Any, BinaryIO

import numpy as np
import numpy.typing as npt

from fastdraw.quickdraw.drawings import Drawings

_BLOCK = 4096  # drawings that are padded to one length at a time


def write(drawings: Drawings, file: BinaryIO) -> None:
    """Write ``train``, ``valid`` and ``test``: the three parts of `Drawings.split`, in the order of the drawings.

    The first row of a drawing is its first point, as ``lines_to_strokes`` of sketch-rnn gives it. Drawings without
    strokes have no rows, which sketch-rnn cannot read, so they are an error.

    Raises
    ------
    ValueError
        If there are several categories, which the format cannot tell apart, or a drawing has no strokes.
    """
    if len(np.unique(drawings.labels)) > 1:
        raise ValueError("expected drawings of one category; name an existing folder, for a file for each")
    train, valid, test = (_rows(part) for part in drawings.split())
    np.savez_compressed(file, train=train, valid=valid, test=test)


def _rows(drawings: Drawings) -> npt.NDArray[Any]:
    """An array of objects, one (n, 3) int16 array for each drawing."""
    made = np.empty(len(drawings), object)
    for start in range(0, len(drawings), _BLOCK):
        rows, lengths = drawings[start : start + _BLOCK].strokes("stroke-3")
        if not lengths.all():
            raise ValueError(f"expected points in each drawing, drawing {start + int(lengths.argmin())} has none")
        for number, (row, length) in enumerate(zip(rows, lengths, strict=True), start):
            made[number] = row[:length].copy()
    return made
