"""The kernel of the style ``pillow``: ORs ready-made segments (`pillow.segment_table`) into a canvas of bits.

The canvas has a margin on all sides, so that segments of the table need no clipping. It is stored in columns of 64
pixels: the words of rows below each other are adjacent in memory, and drawn BLOCK at a time. In the end its bits become
pixels.
"""

from __future__ import annotations

import functools

import numpy as np

from fastdraw.kernels.bitmap_simd import (
    expand_8,
    expand_16,
    expand_16_nontemporal,
    fence,
    or_block,
    or_carry,
    pack_8,
    pack_32,
)
from fastdraw.kernels.jit import allocating, inlined, jit
from fastdraw.kernels.layout import HEAD
from fastdraw.kernels.pillow import BLOCK, BY_PLACE, SHORT, SIDE, WORD, scratch_for_spans, spans

PAGE = 512  # words in a page of memory


@inlined
def _layout(size, width):
    """(top margin, left margin, rows, columns) of a canvas."""
    left = (width // 2 + 7) // 8 * 8
    return width + 1, left, size + 2 * (width + 1) + BLOCK, (size + 2 * left - 1) // WORD + 1


@allocating
def _canvas(layout):
    """Allocate two layers, aligned to a page: a store that crosses pages takes several times as long.

    Successive segments touch the same rows. A load of words from two stores that are still under way has to wait for
    them (no store forwarding), so segments are drawn on the two layers in turn. One column beyond the last is read and
    written too.
    """
    _, _, rows, columns = layout
    count = (2 * columns + 1) * rows
    words = np.empty(count + PAGE, np.uint64)
    skip = -words.ctypes.data // 8 % PAGE
    return words[skip : skip + count]


@jit  # a function of its own, as the next one: inlined, they took 6% of the time of those that do not need them
def _ink_long(x0, y0, x1, y1, size, width, scratch, canvas, layout):
    """Draw a segment that is not in the table."""
    margin, bias, rows, _ = layout
    left, right = scratch[0], scratch[1]
    top, count = spans(np.int64(x0), np.int64(y0), np.int64(x1), np.int64(y1), width, scratch)
    for row in range(count):
        first, last = max(left[row], 0) + bias, min(right[row], size - 1) + bias
        for bit in range(first & ~(WORD - 1), last + 1, WORD):  # word by word
            word = ~np.uint64(0)
            if bit < first:
                word <<= np.uint64(first - bit)
            if bit + WORD - 1 > last:
                word &= ~np.uint64(0) >> np.uint64(bit + WORD - 1 - last)
            canvas[bit // WORD * rows + top + row + margin] |= word


@jit
def _ink_placed(x, y, segment, reach, lift, canvas, blocks):
    """Draw a segment of the table whose pixels depend on its place; ``x`` is that of its leftmost point."""
    steps = (segment >> np.uint64(32)) & np.uint64(BY_PLACE - 1)
    first = (segment & np.uint64(0xFFFFFFFF)) + x * steps
    for step in range(steps):
        at = y + (segment >> np.uint64(48)) - lift + step * np.uint64(BLOCK)
        or_block(canvas, at, blocks, first + step, x + reach)


@inlined
def _write(word, count, packed, past_caches, out, at):
    """Write the lowest ``count`` pixels, 8 to 64. The last of several stores may overlap the one before.

    Written without a loop, which LLVM would optimize for many iterations.
    """
    if packed:
        if count < 32:
            for byte in range(count // np.uint64(8)):
                pack_8(out, at + byte, word >> np.uint64(8) * byte)
        else:
            pack_32(out, at, word)
            if count > 32:
                rest = count - np.uint64(32)
                pack_32(out, at + rest // np.uint64(8), word >> rest)
    elif past_caches:
        for x in range(np.uint64(0), count, np.uint64(16)):
            expand_16_nontemporal(out, at + x, word >> x)
    elif count < 16:
        expand_8(out, at, word)
        rest = count - np.uint64(8)
        expand_8(out, at + rest, word >> rest)
    else:
        expand_16(out, at, word)
        if count > 32:
            expand_16(out, at + np.uint64(16), word >> np.uint64(16))
        if count > 48:
            expand_16(out, at + np.uint64(32), word >> np.uint64(32))
        rest = count - np.uint64(16)
        expand_16(out, at + rest, word >> rest)


@functools.cache
def kernel(wide, packed, past_caches):
    """The kernel for one kind of image; each is compiled separately, without the branches it does not need.

    Parameters
    ----------
    wide : bool
        For sizes above ``SHORT``: some segments are not in the table, and a canvas may have several columns.
    packed : bool
        For one bit a pixel, in the order of `numpy.packbits`; the size must be a multiple of 8.
    past_caches : bool
        For images that are stored past the caches; the size must be a multiple of 16, and ``out`` aligned to 16 pixels.

    Returns
    -------
    callable
        See ``draw`` below.
    """
    pixels_per_byte = 8 if packed else 1

    @jit
    def draw(records, starts, size, width, segments, blocks, out):
        """Draw records as images of 0 and 255 (uint8), 0.0 and 1.0 (float32), or bits.

        Parameters
        ----------
        records : (b,) uint8
            Whole, valid records, back to back.
        starts : (n + 1,) int64
            Record ``i`` is ``records[starts[i]:starts[i + 1]]``.
        size, width : int
            Side of an image and width of the line, in pixels; the width is at most ``WORD - SHORT``.
        segments, blocks
            The `pillow.segment_table` of ``width`` and the larger of ``size`` and ``SHORT``.
        out : (n * size * size,) uint8 or float32, or packed (n * size * size / 8,) uint8
            The images. Every byte is written.
        """
        layout = _layout(size, width)
        margin, bias, height, columns = layout
        canvas = _canvas(layout)
        if wide:
            scratch = scratch_for_spans(size, width)
        # Unsigned throughout: signed indices cost a test for negative values at each access.
        rows, scale = np.uint64(height), np.uint64(size)
        layer = np.uint64(height * columns)
        reach = np.uint64(bias - width // 2)
        short, side, by_place = np.uint64(SHORT - 1), np.uint64(SIDE), np.uint64(BY_PLACE)
        lift = np.uint64(2 * SHORT - margin)
        written = np.uint64(0)
        for i in range(len(starts) - 1):
            canvas[:] = 0
            on = np.uint64(0)
            position, end = np.uint64(starts[i] + HEAD), np.uint64(starts[i + 1])
            while position + np.uint64(2) <= end:
                points = np.uint64(records[position]) | np.uint64(records[position + np.uint64(1)]) << np.uint64(8)
                xs = position + np.uint64(2)
                ys = xs + points
                position = ys + points
                if position > end or points < 2:
                    continue
                x0, y0 = scale * records[xs] >> np.uint64(8), scale * records[ys] >> np.uint64(8)
                for p in range(np.uint64(1), points):
                    x1, y1 = scale * records[xs + p] >> np.uint64(8), scale * records[ys + p] >> np.uint64(8)
                    column, line = x1 - x0 + short, y1 - y0 + short
                    if wide and (column >= side or line >= side):
                        segment = by_place << np.uint64(32)
                    else:
                        segment = segments[line * side + column]
                    first = segment & np.uint64(0xFFFFFFFF)
                    steps = segment >> np.uint64(32) & np.uint64(0xFFFF)
                    if steps >= by_place:
                        if wide:
                            _ink_long(x0, y0, x1, y1, size, width, scratch, canvas, layout)
                        else:
                            _ink_placed(min(x0, x1), y0, segment, reach, lift, canvas, blocks)
                    else:
                        bit = min(x0, x1) + reach
                        at = on + y0 + (segment >> np.uint64(48)) - lift
                        if wide:
                            at += bit // np.uint64(WORD) * rows
                            bit %= np.uint64(WORD)
                        for block in range(first, first + steps):
                            or_block(canvas, at, blocks, block, bit)
                            if wide:
                                or_carry(canvas, at + rows, blocks, block, bit)
                            at += np.uint64(BLOCK)
                        on = layer - on
                    x0, y0 = x1, y1
            for at in range(layer):
                canvas[at] |= canvas[layer + at]
            for y in range(np.uint64(margin), np.uint64(margin + size)):
                if wide:
                    for x in range(np.uint64(0), np.uint64(size), np.uint64(WORD)):
                        x = min(x, np.uint64(max(size - WORD, 0)))  # the last word overlaps the one before
                        bit = x + np.uint64(bias)
                        here = bit // np.uint64(WORD) * rows + y
                        bit %= np.uint64(WORD)
                        word = canvas[here] >> bit
                        word |= canvas[here + rows] << np.uint64(1) << np.uint64(WORD - 1) - bit
                        at = written + x // np.uint64(pixels_per_byte)
                        _write(word, np.uint64(min(size, WORD)), packed, past_caches, out, at)
                else:
                    _write(canvas[y] >> np.uint64(bias), np.uint64(size), packed, past_caches, out, written)
                written += np.uint64(size // pixels_per_byte)
        if past_caches:
            fence()

    return draw
