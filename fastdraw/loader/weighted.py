"""Drawings chosen at random, with repetition, so that categories have the shares that weights say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.hashing import mix, to_unit_interval
from fastdraw.quickdraw.selection import category_shares


class WeightedChoice:
    """Chooses a drawing for a place: a function of the place and of a key alone.

    A hash of the place chooses the category, a hash of that hash one of its drawings, all equally likely.

    Parameters
    ----------
    weights : mapping of str to float
        See `fastdraw.batches`.
    categories : sequence of str
    labels : (N,) int64
        Of all drawings.
    """

    def __init__(self, weights: Mapping[str, float], categories: Sequence[str], labels: npt.NDArray[np.int64]) -> None:
        counts = np.bincount(labels, minlength=len(categories))
        self._shares = category_shares(weights, categories, counts)
        self._counts = counts.astype(np.float64)
        self._first = np.cumsum(counts) - counts
        # Labels that ascend, as those of whole files, need no table of their drawings.
        self._order = None if (np.diff(labels) >= 0).all() else np.argsort(labels, kind="stable")

    def indices(self, key: np.uint64, places: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Indices of drawings: an array of the shape of ``places``."""
        first = mix(places.astype(np.uint64) ^ key)
        category = np.searchsorted(self._shares, to_unit_interval(first), side="right")
        number = (to_unit_interval(mix(first)) * self._counts[category]).astype(np.int64)
        at: npt.NDArray[np.int64] = self._first[category] + number
        return at if self._order is None else self._order[at]
