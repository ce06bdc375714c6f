"""Statistics of ``.bin`` files."""

from __future__ import annotations

import dataclasses
import datetime
from pathlib import Path

import numpy as np

from fastdraw.errors import FormatError
from fastdraw.quickdraw.index import open_indexed
from fastdraw.quickdraw.mapped import MappedFiles

_COLUMNS = ("category", "drawings", "strokes", "points", "recognized", "countries", "from", "to", "damage")


@dataclasses.dataclass(frozen=True)
class Inspection:
    """Statistics of a file, up to the damage if there is any.

    Attributes
    ----------
    category : str
        Name of the file without its suffix.
    drawings, strokes, points : int
    recognized : int
        Drawings that the game recognized.
    countries : int
        Distinct country codes.
    earliest, latest : datetime.date or None
        Days in UTC; None if there are no drawings.
    damage : FormatError or None
        None for a sound file.
    """

    category: str
    drawings: int
    strokes: int
    points: int
    recognized: int
    countries: int
    earliest: datetime.date | None
    latest: datetime.date | None
    damage: FormatError | None


def inspect_file(path: Path) -> Inspection:
    """Count the drawings, strokes and points of a ``.bin`` file, and check its structure.

    Examples
    --------
    >>> from pathlib import Path
    >>> from fastdraw.quickdraw.inspection import inspect_file
    >>> inspection = inspect_file(Path("quickdraw/face.bin"))
    >>> inspection.category, inspection.drawings, inspection.damage
    ('face', 200, None)
    """
    file = open_indexed(path)
    rows = MappedFiles([file]).metadata(range(file.count))
    days = [
        datetime.datetime.fromtimestamp(int(extreme(rows["timestamp"])), datetime.UTC).date() if file.count else None
        for extreme in (np.min, np.max)
    ]
    return Inspection(
        path.stem,
        file.count,
        file.strokes,
        file.points,
        int(rows["recognized"].sum()),
        len(np.unique(rows["country"])),
        days[0],
        days[1],
        file.damage,
    )


def table(rows: list[Inspection]) -> str:
    """A table as text: a line per file, and the totals if there are several."""
    cells = [list(_COLUMNS)]
    for row in rows:
        share = f"{row.recognized / row.drawings:.1%}" if row.drawings else "-"
        damage = f"at byte {row.damage.offset:,}" if row.damage else "none"
        cells.append(
            [
                row.category,
                f"{row.drawings:,}",
                f"{row.strokes:,}",
                f"{row.points:,}",
                share,
                str(row.countries),
                str(row.earliest or "-"),
                str(row.latest or "-"),
                damage,
            ]
        )
    if len(rows) > 1:
        sums = [sum(getattr(row, field) for row in rows) for field in ("drawings", "strokes", "points")]
        damaged = sum(row.damage is not None for row in rows)
        cells.append([f"{len(rows)} files", *(f"{value:,}" for value in sums), "", "", "", "", f"{damaged} damaged"])
    widths = [max(len(line[i]) for line in cells) for i in range(len(_COLUMNS))]
    lines = [
        "  ".join(
            cell.ljust(width) if i in (0, len(_COLUMNS) - 1) else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(line, widths, strict=True))
        ).rstrip()
        for line in cells
    ]
    return "\n".join(lines)
