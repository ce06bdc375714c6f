"""Records that are valid no more: a file may be rewritten after it was checked, while kernels read it.

``NUMBA_BOUNDSCHECK=1`` turns a read or write outside an array into an IndexError.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from strategies import drawings as any_drawings

from fastdraw import Augment
from fastdraw.quickdraw.binary import METADATA, encode
from fastdraw.render.render import render
from fastdraw.settings import STYLES, Settings

STRONG = Augment(rotate=180, scale=(0.5, 2), shear=40, translate=100, jitter=20, drop_strokes=0.5, flip=True)


@st.composite
def changed(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Records whose bytes were overwritten after they were found: counts and lengths may say anything."""
    row = np.array((1, b"US", True, 1), METADATA)
    drawings = draw(st.lists(any_drawings(), min_size=1, max_size=4))
    parts = [np.frombuffer(encode(drawing, row), np.uint8) for drawing in drawings]
    records = np.concatenate(parts)
    for place in draw(st.lists(st.integers(0, len(records) - 1), max_size=12)):
        records[place] = draw(st.sampled_from([0, 1, 2, 3, 127, 128, 254, 255]))
    return records, np.cumsum([0, *map(len, parts)])


@pytest.mark.parametrize("options", [{}, {"packed": True}, {"channels": 3}], ids=["ink", "packed", "planes"])
@pytest.mark.parametrize("style", list(STYLES))
@settings(max_examples=60)
@given(case=changed(), size=st.sampled_from([8, 28, 32, 64, 256, 300]))
def test_any_bytes_are_drawn(style: str, options: Any, case: tuple[np.ndarray, np.ndarray], size: int) -> None:
    if ("packed" in options and not STYLES[style].bilevel) or ("channels" in options and not STYLES[style].planes):
        return
    records, starts = case
    before = records.copy()
    images = render(
        lambda start, stop: (records[starts[start] : starts[stop]], starts[start : stop + 1] - starts[start]),
        len(starts) - 1,
        Settings.of(style=style, size=size, **options),
        threads=1,
    )
    assert len(images) == len(starts) - 1
    assert (records == before).all()


@settings(max_examples=200)
@given(case=changed(), key=st.integers(0, 2**64 - 1))
def test_any_bytes_are_augmented(case: tuple[np.ndarray, np.ndarray], key: int) -> None:
    records, starts = case
    guard = np.full(64, 7, np.uint8)
    memory = np.concatenate([guard, records, guard])
    inside = memory[64:-64]
    ends = starts.copy()
    STRONG.apply(inside, ends, np.arange(len(starts) - 1), np.uint64(key))
    assert (memory[:64] == 7).all()
    assert (memory[-64:] == 7).all()
    assert (np.diff(ends) >= 0).all()
    assert ends[-1] <= len(records)
