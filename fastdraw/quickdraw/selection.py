"""Selecting drawings: what the methods `filter`, `split`, `balanced` and `sample` of `View` choose."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import NoneType
from typing import Any

import numpy as np
import numpy.typing as npt

from fastdraw.checks import integer, number
from fastdraw.kernels.hashing import hash_to_unit_interval, key

Time = int | str | datetime.date | np.datetime64
Metadata = npt.NDArray[np.void]

_LARGEST_WEIGHT = 1e300  # of a category, so that sums are finite


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


def split_numbers(keys: npt.NDArray[np.uint64], validation: float, test: float, seed: int) -> npt.NDArray[np.int8]:
    """The split of each key: 0 for training, 1 for validation, 2 for test."""
    position = hash_to_unit_interval(keys, seed)
    numbers: npt.NDArray[np.int8] = np.select([position < validation, position < validation + test], [1, 2], 0).astype(
        np.int8
    )
    return numbers


def category_shares(
    weights: Mapping[str, float], categories: Sequence[str], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """The sum of the shares of each category and those before it: (categories,) float64, the last is 1.

    Parameters
    ----------
    weights : mapping of str to float
        By category; 1 for those that it leaves out.
    categories : sequence of str
    counts : (categories,) int64
        Drawings of each.

    Raises
    ------
    ValueError, TypeError
        If a name is none of the categories, a weight is no number from 0 on, or a category that is to be drawn has no
        drawings.
    """
    if not isinstance(weights, Mapping):
        raise TypeError(f"expected weights to be a dict of category to number, received {weights!r}")
    if unknown := [name for name in weights if name not in categories]:
        raise ValueError(f"expected weights of categories among {list(categories)}, received {unknown}")
    given = {name: number(f"the weight of {name!r}", weight, 0, _LARGEST_WEIGHT) for name, weight in weights.items()}
    wanted = np.array([given.get(name, 1.0) for name in categories])
    _check_drawings(categories, counts[wanted > 0] > 0, np.asarray(categories)[wanted > 0])
    sums = np.cumsum(wanted)
    if sums[-1] == 0:
        raise ValueError(f"expected a weight above 0, received {dict(weights)}")
    shares: npt.NDArray[np.float64] = sums / sums[-1]
    return shares


def balanced_counts(
    per_category: int | None, categories: Sequence[str], counts: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """How many drawings `Drawings.balanced` takes of each category: (categories,) int64."""
    _check_drawings(categories, counts > 0, np.asarray(categories))
    return np.full(len(counts), counts.min() if per_category is None else integer("per_category", per_category, 1))


def weighted_counts(number: int, shares: npt.NDArray[np.float64], seed: int) -> npt.NDArray[np.int64]:
    """As many of each category as its share of the number, rounded at random up or down: (categories,) int64."""
    begin = hash_to_unit_interval(np.zeros(1, np.uint64), seed)[0]
    counts: npt.NDArray[np.int64] = np.diff(np.floor(number * shares + begin).astype(np.int64), prepend=0)
    return counts


def places_by_category(labels: npt.NDArray[np.int64], categories: Sequence[str]) -> dict[str, slice | npt.NDArray[Any]]:
    """The places of the drawings of each category that has some; all of them as a slice, which copies no records."""
    found = np.unique(labels)
    if len(found) == 1:
        return {categories[found[0]]: slice(None)}
    return {categories[label]: np.nonzero(labels == label)[0] for label in found}


def random_places(labels: npt.NDArray[np.int64], takes: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.int64]:
    """Places of drawings chosen at random, as many of each category as ``takes`` says, in ascending order.

    A drawing repeats only if its category has too few, and then as often as others of it, or once more.
    """
    order = np.argsort(labels, kind="stable")
    chosen = []
    for category, places in enumerate(np.split(order, np.cumsum(np.bincount(labels, minlength=len(takes)))[:-1])):
        if takes[category]:
            rounds, rest = divmod(int(takes[category]), len(places))
            chosen += [places] * rounds
            chosen.append(places[random_order(key(seed, category), len(places), rest)])
    return np.sort(np.concatenate(chosen)) if chosen else order[:0]


def random_sample(count: int, number: int, seed: int) -> npt.NDArray[np.int64]:
    """A number of places among ``count``, without repetition, in ascending order."""
    return np.sort(random_order(key(seed), count, number))


def random_order(key: np.uint64, count: int, number: int) -> npt.NDArray[np.int64]:
    """The first numbers of a permutation of ``0 ... count - 1``: (number,) int64."""
    from fastdraw.kernels.order import permute  # needs numba, which readers that import this module do not

    out = np.empty(number, np.int64)
    permute(key, count, np.arange(number), out)
    return out


def _check_drawings(categories: Sequence[str], found: npt.NDArray[np.bool_], wanted: npt.NDArray[np.str_]) -> None:
    if not found.all():
        missing = wanted[~found].tolist()
        others = [name for name in categories if name not in missing]
        raise ValueError(
            f"expected drawings of each category, received none of {missing}; use filter(categories={others})"
        )


def _country_codes(countries: str | Sequence[str]) -> list[bytes]:
    if not isinstance(countries, Iterable):
        raise TypeError(f"expected countries to be two-letter codes, received {countries!r}")
    codes = [countries] if isinstance(countries, str) else list(countries)
    for code in codes:
        if not (isinstance(code, str) and len(code) == 2 and code.isascii() and code.isalpha()):
            raise ValueError(f"expected two-letter country codes, received {code!r}")
    # JSON and CSV files may have lower-case codes, which are kept as they are.
    return [case(code).encode() for code in codes for case in (str.upper, str.lower)]


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
