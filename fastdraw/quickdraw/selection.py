"""Selecting drawings by their metadata: what `Drawings.filter` and `Drawings.split` choose."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Sequence
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.kernels.hashing import hash_to_unit_interval

Time = int | str | datetime.date | np.datetime64
Metadata = npt.NDArray[np.void]


def metadata_filter(
    recognized: bool | None, countries: str | Sequence[str] | None, after: Time | None, before: Time | None
) -> Callable[[Metadata], npt.NDArray[np.bool_]]:
    """A function that tells which rows of metadata meet every given condition, see `Drawings.filter`."""
    if not isinstance(recognized, (bool, np.bool_, NoneType)):
        raise TypeError(f"expected recognized to be True or False, received {recognized!r}")
    codes = None if countries is None else _country_codes(countries)
    start, end = _seconds("after", after), _seconds("before", before)

    def meets(rows: Metadata) -> npt.NDArray[np.bool_]:
        keep = np.ones(len(rows), np.bool_)
        if recognized is not None:
            keep &= rows["recognized"] == recognized
        if codes is not None:
            keep &= np.isin(rows["country"], codes)
        if start is not None:
            keep &= rows["timestamp"] >= start
        if end is not None:
            keep &= rows["timestamp"] < end
        return keep

    return meets


def split_numbers(rows: Metadata, validation: float, test: float, seed: int) -> npt.NDArray[np.int8]:
    """The split of each row of metadata: 0 for training, 1 for validation, 2 for test."""
    position = hash_to_unit_interval(rows["key_id"], seed)
    numbers: npt.NDArray[np.int8] = np.select([position < validation, position < validation + test], [1, 2], 0).astype(
        np.int8
    )
    return numbers


def _country_codes(countries: str | Sequence[str]) -> list[bytes]:
    if not isinstance(countries, Iterable):
        raise TypeError(f"expected countries to be two-letter codes, received {countries!r}")
    codes = [countries] if isinstance(countries, str) else list(countries)
    for code in codes:
        if not (isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()):
            raise ValueError(f"expected two-letter country codes, received {code!r}")
    return [code.upper().encode() for code in codes]


def _seconds(name: str, time: Time | None) -> int | None:
    """Seconds since 1970, UTC, rounded up: timestamps, which are whole, are before both or neither."""
    if time is None:
        return None
    if isinstance(time, (bool, np.timedelta64)) or not isinstance(
        time, (int, np.integer, str, datetime.date, np.datetime64)
    ):
        raise TypeError(f"expected {name} to be seconds since 1970, ISO 8601 text or a date, received {time!r}")
    if isinstance(time, (int, np.integer)):
        return int(time)
    if isinstance(time, str):
        try:
            time = datetime.datetime.fromisoformat(time)
        except ValueError:
            raise ValueError(f"expected {name} to be like '2017-03-26T23:57:14', received {time!r}") from None
    if isinstance(time, datetime.datetime) and time.tzinfo is not None:
        time = time.astimezone(datetime.UTC).replace(tzinfo=None)
    moment: np.datetime64[Any] = np.datetime64(time)
    if np.isnat(moment):
        raise ValueError(f"expected {name} to be a time, received {time!r}")
    seconds = moment.astype("datetime64[s]")
    return int(seconds.astype(np.int64)) + int(seconds < moment)
