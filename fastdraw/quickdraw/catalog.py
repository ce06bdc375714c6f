"""The 345 categories that Google publishes, with the sizes and SHA-256 checksums of their files."""

from __future__ import annotations

import csv
import difflib
import functools
import importlib.resources
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from fastdraw import checks


class Category(NamedTuple):
    """A published category, its ``.bin`` file and its ``numpy_bitmap`` file."""

    name: str
    drawings: int
    bin_bytes: int
    bin_sha256: str
    npy_bytes: int
    npy_sha256: str


@functools.cache
def categories() -> dict[str, Category]:
    """All published categories by name, sorted as Google's storage lists them: capitals first."""
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


def find_categories(names: str | Sequence[str] | None, catalog: Mapping[str, Category] | None = None) -> list[Category]:
    """Look up categories by name, whatever the capitals and the characters between words.

    Parameters
    ----------
    names : str or sequence of str, optional
        As a user types them: ``"the eiffel tower"``, ``"hot_air_balloon"``. None for all categories.
    catalog : mapping, optional
        Categories by name; all published ones by default.

    Returns
    -------
    list of Category
        In the given order, without duplicates.

    Raises
    ------
    ValueError
        If a name is not a category; the message suggests the closest three.

    Examples
    --------
    >>> from fastdraw.quickdraw.catalog import find_categories
    >>> [(category.name, category.drawings) for category in find_categories(["T Shirt", "hot_air_balloon"])]
    [('t-shirt', 125233), ('hot air balloon', 126350)]
    """
    catalog = categories() if catalog is None else catalog
    if names is None:
        return list(catalog.values())
    known = {_plain(name): category for name, category in catalog.items()}
    found = []
    for name in checks.names("names", names):
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
