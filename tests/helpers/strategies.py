"""Strategies for drawings and records."""

from __future__ import annotations

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from fastdraw.quickdraw.binary import METADATA


def strokes(max_points: int = 12) -> st.SearchStrategy:
    """Strokes of 0 to ``max_points`` points, with many repeated and extreme coordinates."""
    coordinates = st.one_of(st.sampled_from([0, 1, 127, 128, 254, 255]), st.integers(0, 255))
    return st.integers(0, max_points).flatmap(lambda n: hnp.arrays(np.uint8, (2, n), elements=coordinates))


def drawings(max_strokes: int = 4) -> st.SearchStrategy:
    return st.lists(strokes(), max_size=max_strokes)


def metadata(count: int) -> st.SearchStrategy:
    row = st.tuples(
        st.integers(0, 2**64 - 1),
        st.text("ABCXYZ", min_size=2, max_size=2).map(str.encode),
        st.booleans(),
        st.integers(0, 2**32 - 1),
    )
    return st.lists(row, min_size=count, max_size=count).map(lambda rows: np.array(rows, METADATA))
