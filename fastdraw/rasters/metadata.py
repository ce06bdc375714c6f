"""Metadata beside images: ``<category>.metadata.csv`` or ``.parquet``, whose row i is of drawing i. Needs no numba."""

from __future__ import annotations

import csv
import functools
import importlib
import io
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.checks import one_of
from fastdraw.errors import FastdrawError, naming_the_extra
from fastdraw.quickdraw.binary import METADATA
from fastdraw.rasters.formats import METADATA_FORMS

_COLUMNS = ("key_id", "country", "timestamp", "recognized", "category")
_AGAIN = "delete it, and rasterize again"


def choose_metadata(form: str | None) -> str | None:
    """The name of a form, checked, and the package that it needs.

    Raises
    ------
    ValueError
        If there is no such form.
    MissingPackageError
        If the package is missing.
    """
    if form is not None:
        one_of("metadata", form, METADATA_FORMS)
    if form == "parquet":
        need_parquet()
    return form


def need_parquet() -> None:
    """Raise `MissingPackageError` if the package for Parquet is missing, before hours of work."""
    with naming_the_extra():
        importlib.import_module("pyarrow.parquet")


def file_name(category: str, form: str) -> str:
    """The name of the file of a category."""
    return f"{category}.metadata.{form}"


def encode_metadata(rows: npt.NDArray[np.void], category: str, form: str) -> bytes:
    """The content of a file: columns ``key_id``, ``country``, ``timestamp``, ``recognized`` and ``category``.

    Parameters
    ----------
    rows : (N,) METADATA
    category : str
    form : {"csv", "parquet"}
        In CSV, times are seconds since 1970 in UTC. In Parquet they are timestamps.
    """
    name = as_utf8(category)
    return _to_parquet(rows, name) if form == "parquet" else _to_csv(rows, name)


def as_utf8(category: str) -> str:
    """A name that is UTF-8; names of files need not be."""
    return category.encode(errors="surrogateescape").decode(errors="replace")


class MetadataFile:
    """The metadata of the images in a file, read when it is asked for the first time.

    Parameters
    ----------
    path : Path
    form : {"csv", "parquet"}
    count : int
        Rows that it must have.
    """

    def __init__(self, path: Path, form: str, count: int) -> None:
        self._path = path.absolute()
        self._form = form
        self._count = count

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name != "rows"}

    @functools.cached_property
    def rows(self) -> npt.NDArray[np.void]:
        """(N,) METADATA.

        Raises
        ------
        FastdrawError
            If the file is missing or damaged.
        """
        try:
            rows = _from_parquet(self._path) if self._form == "parquet" else _from_csv(self._path)
        except (OSError, ValueError, LookupError, OverflowError, csv.Error) as error:
            raise FastdrawError(f"{self._path}: expected metadata of rasters: {error}; {_AGAIN}") from None
        if len(rows) != self._count:
            raise FastdrawError(f"{self._path}: expected {self._count:,} rows, found {len(rows):,}; {_AGAIN}")
        return rows


def _to_csv(rows: npt.NDArray[np.void], category: str) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(_COLUMNS)
    writer.writerows(
        (key_id, country.decode("latin-1"), timestamp, "true" if recognized else "false", category)
        for key_id, country, recognized, timestamp in rows.tolist()
    )
    return text.getvalue().encode()


def _from_csv(path: Path) -> npt.NDArray[np.void]:
    with open(path, newline="", encoding="utf-8") as file:
        reader = csv.reader(file, strict=True)
        if (header := tuple(next(reader, ()))) != _COLUMNS:
            raise ValueError(f"expected the columns {_COLUMNS}, received {header}")
        rows = [
            (int(key_id), country.encode("latin-1"), {"true": True, "false": False}[recognized], int(timestamp))
            for key_id, country, timestamp, recognized, _ in reader
        ]
    return np.array(rows, METADATA)


def _to_parquet(rows: npt.NDArray[np.void], category: str) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet

    file = io.BytesIO()
    columns = metadata_columns(rows)
    columns["category"] = pa.DictionaryArray.from_arrays(pa.array(np.zeros(len(rows), np.int32)), pa.array([category]))
    pyarrow.parquet.write_table(pa.table(columns), file, compression="zstd")
    return file.getvalue()


def _from_parquet(path: Path) -> npt.NDArray[np.void]:
    with naming_the_extra():
        import pyarrow as pa
        import pyarrow.parquet

    with open(path, "rb") as file:  # pyarrow opens no names that are not UTF-8
        table = pyarrow.parquet.read_table(file, columns=list(_COLUMNS[:-1]))
    rows = np.empty(len(table), METADATA)
    rows["key_id"] = table["key_id"].to_numpy()
    rows["country"] = [country.encode("latin-1") for country in table["country"].to_pylist()]
    rows["timestamp"] = table["timestamp"].cast(pa.timestamp("s", tz="UTC")).cast(pa.int64()).to_numpy()
    rows["recognized"] = table["recognized"].to_numpy()
    return rows


def metadata_columns(rows: npt.NDArray[np.void]) -> dict[str, Any]:
    """Arrow arrays of ``key_id``, ``country``, ``timestamp`` and ``recognized``."""
    import pyarrow as pa

    countries = [country.decode("latin-1") for country in rows["country"].tolist()]
    return {
        "key_id": pa.array(rows["key_id"]),
        "country": pa.array(countries, pa.string()),
        "timestamp": pa.array(rows["timestamp"].astype(np.int64)).cast(pa.timestamp("s", tz="UTC")),
        "recognized": pa.array(rows["recognized"]),
    }
