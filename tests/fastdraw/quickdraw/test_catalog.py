"""The catalog of published categories, and names as users type them."""

from __future__ import annotations

from pathlib import Path

import pytest

from fastdraw.quickdraw.catalog import categories, find_categories


def test_all_categories() -> None:
    catalog = categories()
    assert len(catalog) == 345
    assert sum(category.drawings for category in catalog.values()) == 50_426_266
    assert sum(category.bin_bytes for category in catalog.values()) == 5_889_968_422
    assert sum(category.npy_bytes for category in catalog.values()) == 39_534_220_144
    for name, category in catalog.items():
        assert category.name == name
        assert category.npy_bytes == 80 + 784 * category.drawings
        assert len(bytes.fromhex(category.bin_sha256)) == len(bytes.fromhex(category.npy_sha256)) == 32
    assert find_categories(None) == list(catalog.values())


def test_catalog_is_the_shared_one(real: Path) -> None:
    rows = [line.split("\t") for line in (real / "quickdraw/manifest.tsv").read_text().splitlines()[1:]]
    assert [[str(field) for field in category] for category in categories().values()] == rows


def test_every_name_finds_itself() -> None:
    """No two categories differ in capitals and separators alone."""
    for name in categories():
        assert [category.name for category in find_categories(name.upper().replace(" ", "_"))] == [name]


@pytest.mark.parametrize(
    ("typed", "name"),
    [
        ("the eiffel tower", "The Eiffel Tower"),
        ("THE-GREAT_WALL  of china", "The Great Wall of China"),
        ("T Shirt", "t-shirt"),
        ("hot_air_balloon", "hot air balloon"),
        (" cat ", "cat"),
    ],
)
def test_names_as_users_type_them(typed: str, name: str) -> None:
    (category,) = find_categories(typed)
    assert category.name == name


def test_mistyped_name_suggests_the_closest_three() -> None:
    with pytest.raises(ValueError, match=r"received 'elefant'; closest: 'elephant', '[^']+', '[^']+'$"):
        find_categories(["cat", "elefant"])


def test_names_keep_their_order_without_duplicates() -> None:
    assert [category.name for category in find_categories(["dog", "cat", "Dog"])] == ["dog", "cat"]
