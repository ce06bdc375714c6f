"""What Google publishes: the 345 categories with the sizes and checksums of their files, and finding them by name."""

from __future__ import annotations

import csv
import difflib
import functools
import importlib.resources
import re
from collections.abc import Sequence
from typing import NamedTuple


class Category(NamedTuple):
    """A published category: its ``.bin`` file and its ``.npy`` file of ``numpy_bitmap``."""

    name: str
    drawings: int
    bin_bytes: int
    bin_sha256: str
    npy_bytes: int
    npy_sha256: str


@functools.cache
def categories() -> dict[str, Category]:
    """All published categories by name, in the order of their files in the bucket: capitals before small letters."""
    text = importlib.resources.files("fastdraw.quickdraw").joinpath("official.tsv").read_text("utf-8")
    rows = csv.DictReader(text.splitlines(), delimiter="\t")
    found = [
        Category(
            row["category"],
            int(row["drawings"]),
            int(row["bin_bytes"]),
            row["bin_sha256"],
            int(row["npy_bytes"]),
            row["npy_sha256"],
        )
        for row in rows
    ]
    return {category.name: category for category in found}


def find_categories(names: str | Sequence[str]) -> list[Category]:
    """The categories of some names, which may differ in capitals, and in what stands between words.

    Parameters
    ----------
    names : str or sequence of str
        As a user would type them: ``"the eiffel tower"``, ``"hot_air_balloon"``.

    Returns
    -------
    list of Category
        In the given order, each once.

    Raises
    ------
    ValueError
        If a name is not one of a category; the message has the closest three.
    """
    known = {_plain(name): category for name, category in categories().items()}
    found = []
    for name in [names] if isinstance(names, str) else names:
        if _plain(name) not in known:
            closest = difflib.get_close_matches(_plain(name), known, n=3, cutoff=0)
            suggestions = ", ".join(repr(known[match].name) for match in closest)
            raise ValueError(
                f"expected one of the {len(known)} published categories, received {name!r}; closest: {suggestions}"
            )
        found.append(known[_plain(name)])
    return list(dict.fromkeys(found))


def _plain(name: str) -> str:
    return re.sub(r"[\W_]+", " ", name.casefold()).strip()
