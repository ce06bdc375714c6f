"""Codes as flat rows, and their principal axes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Rows = npt.NDArray[np.float64]


def as_rows(codes: Any) -> Rows:
    """Codes (N, ...) as (N, numbers)."""
    codes = np.asarray(codes)
    if codes.ndim < 2 or not codes.size:
        raise ValueError(f"expected codes (N, ...), received an array of shape {codes.shape}")
    return codes.reshape(len(codes), -1).astype(np.float64)


def principal_axes(centred: Rows) -> Rows:
    """The two directions of largest variance, (2, numbers), each as long as the standard deviation along it."""
    if centred.shape[1] < 2 or len(centred) < 2:
        raise ValueError(f"expected two codes or more, of two numbers or more; received {centred.shape}")
    _, lengths, axes = np.linalg.svd(centred, full_matrices=False)
    axes, lengths = axes[:2], lengths[:2] / math.sqrt(len(centred))
    # The sign of an axis is arbitrary; with the largest entry positive, pictures do not flip.
    largest = np.abs(axes).argmax(axis=1)
    return axes * (np.sign(axes[np.arange(2), largest]) * lengths)[:, None]
