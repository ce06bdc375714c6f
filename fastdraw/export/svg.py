"""Drawings as SVG: a path of straight lines for each stroke, in the coordinates of the drawings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.sax.saxutils import escape

from fastdraw.quickdraw.binary import Stroke
from fastdraw.quickdraw.drawings import Drawings
from fastdraw.settings import Settings

_COLUMNS = 20  # of a sheet, at most
_CELL = 272  # units between drawings of a sheet: 256 and a gap
_STROKE = 'fill="none" stroke="#000" stroke-width="{width}" stroke-linecap="round" stroke-linejoin="round"'
_WIDTH = 4  # units of a line: half a pixel at 32x32
_MARGIN = 4  # units around the drawings, so that lines at their edges are whole
_NO_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # names of files may have these


def pictures(drawings: Drawings, settings: Settings) -> Iterator[bytes]:
    """An SVG file for each drawing, black on a transparent ground. It has no pixels, so the settings do not matter."""
    for strokes in drawings:
        yield _file(256, 256, "".join(_paths(strokes)))


def sheet(drawings: Drawings) -> bytes:
    """One SVG file with all drawings, in rows, each in a group with its category as title."""
    groups = []
    for number, (strokes, label) in enumerate(zip(drawings, drawings.labels, strict=True)):
        row, column = divmod(number, _COLUMNS)
        title = escape(_NO_XML.sub("\ufffd", drawings.categories[label]))
        paths = "".join(_paths(strokes))
        groups.append(f'<g transform="translate({column * _CELL} {row * _CELL})"><title>{title}</title>{paths}</g>\n')
    columns = min(max(1, len(drawings)), _COLUMNS)
    rows = -(-max(1, len(drawings)) // _COLUMNS)
    return _file(columns * _CELL, rows * _CELL, "".join(groups))


def _file(width: int, height: int, content: str) -> bytes:
    width, height = width + 2 * _MARGIN, height + 2 * _MARGIN
    box = f'width="{width}" height="{height}" viewBox="{-_MARGIN} {-_MARGIN} {width} {height}"'
    stroke = _STROKE.format(width=_WIDTH)
    return f'<svg xmlns="http://www.w3.org/2000/svg" {box} {stroke}>\n{content}</svg>\n'.encode()


def _paths(strokes: list[Stroke]) -> Iterator[str]:
    for stroke in strokes:
        points = " ".join(f"{x},{y}" for x, y in stroke.T.tolist())
        if stroke.shape[1] == 1:
            points += f" {points}"  # a line of no length is a dot; a path of one point is nothing
        if points:
            yield f'<path d="M{points}"/>\n'
