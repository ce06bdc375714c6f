"""Images of three planes, for the styles `pillow`, `line` and `line-aa`: the ink, and when it was drawn.

Public code for Quick, Draw! draws each segment in a colour that says when it was drawn, over what is there: segment i
of the n of stroke t in ``(255, 255 - min(t, 10) * 13, max(255 - 255 // n * i, 20))``. The second level is that of the
Kaggle kernel *Greyscale MobileNet*, of the Doodle Recognition challenge; the third that of models made from its data.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdraw.kernels.jit import jit, noinline
from fastdraw.kernels.layout import HEAD
from fastdraw.kernels.line import hard_segment, soft_segment
from fastdraw.kernels.pillow import scratch_for_spans, spans

PILLOW, LINE, LINE_AA = range(3)


@noinline
def _wide_segment(mask: Any, size: int, width: int, scratch: Any, x0: int, y0: int, x1: int, y1: int) -> None:
    """Set the pixels of a segment of the style ``pillow``."""
    left, right = scratch[0], scratch[1]
    top, count = spans(x0, y0, x1, y1, width, scratch)
    for row in range(max(-top, 0), min(count, size - top)):
        for x in range(max(left[row], 0), min(right[row], size - 1) + 1):
            mask[(top + row) * size + x] = 255


@noinline
def _paint(mask: Any, size: int, x0: int, y0: int, x1: int, y1: int, order: int, position: int, image: Any) -> None:
    """Paint the segment in a mask over an image, and clear the mask; both have nothing outside of these corners."""
    for y in range(max(y0, 0), min(y1, size - 1) + 1):
        for x in range(max(x0, 0), min(x1, size - 1) + 1):
            ink = np.int64(mask[y * size + x])
            if ink == 0:
                continue
            mask[y * size + x] = 0
            if ink >= image[y, x, 0]:
                image[y, x, 0] = ink
                image[y, x, 1] = (ink * order + 127) // 255
                image[y, x, 2] = (ink * position + 127) // 255


@jit
def draw(records: Any, starts: Any, size: int, width: int, style: int, out: Any) -> None:
    """Draw records in colours that say when each segment was drawn.

    Plane 0 is the image of the style. Planes 1 and 2 are ``255 - 13 * min(t, 10)`` for stroke t, and
    ``max(255 - 255 // n * i, 20)`` for segment i of the n of a stroke; both start from 0, and t counts all strokes. A
    pixel has the levels of the segment with the most ink there, the last of those with equal ink. Where it has less
    than full ink, planes 1 and 2 are ``ink / 255`` of their levels, rounded.

    Parameters
    ----------
    records : (b,) uint8
        Whole, valid records, back to back.
    starts : (n + 1,) int64
        Record i is ``records[starts[i]:starts[i + 1]]``.
    size, width : int
        Side of an image and width of the line, in pixels; the width is only used by `PILLOW`.
    style : {PILLOW, LINE, LINE_AA}
    out : (n, size, size, 3) uint8, out
        The images, [image, y, x, plane]. Every byte is written.
    """
    mask = np.zeros(size * size, np.uint8)
    scratch = scratch_for_spans(size, width)
    reach = width if style == PILLOW else 1  # pixels of a segment beyond its ends, at most
    for number in range(len(starts) - 1):
        image = out[number]
        image[:] = 0
        stroke = 0
        at, end = starts[number] + HEAD, starts[number + 1]
        while at + 2 <= end:
            points = records[at] | records[at + 1] << 8
            xs = at + 2
            ys = xs + points
            at = ys + points
            order = 255 - 13 * min(stroke, 10)
            stroke += 1
            if at > end:
                continue
            for i in range(1, points):
                x0, y0 = records[xs + i - 1] * size >> 8, records[ys + i - 1] * size >> 8
                x1, y1 = records[xs + i] * size >> 8, records[ys + i] * size >> 8
                if style == PILLOW:
                    _wide_segment(mask, size, width, scratch, x0, y0, x1, y1)
                elif style == LINE:
                    hard_segment(mask, size, x0, y0, x1, y1)
                else:
                    soft_segment(mask, size, x0, y0, x1, y1)
                left, right = min(x0, x1) - reach, max(x0, x1) + reach
                top, bottom = min(y0, y1) - reach, max(y0, y1) + reach
                position = max(255 - 255 // (points - 1) * (i - 1), 20)
                _paint(mask, size, left, top, right, bottom, order, position, image)
