"""Hashes of integers: SplitMix64 (Steele, Lea, Flood 2014)."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt


def mix(x: Any) -> Any:
    """One step of SplitMix64, a bijection of 64 bits, for uint64 arrays, and for uint64 numbers in kernels."""
    x = x + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ x >> np.uint64(30)) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ x >> np.uint64(27)) * np.uint64(0x94D049BB133111EB)
    return x ^ x >> np.uint64(31)


@functools.lru_cache
def key(*numbers: int) -> np.uint64:
    """Hash numbers, in their order, to a 64-bit key."""
    mixed = np.zeros(1, np.uint64)
    for number in numbers:
        mixed = mix(mixed ^ np.uint64(number % 2**64))
    return np.uint64(mixed[0])


def hash_to_unit_interval(keys: npt.NDArray[np.uint64], seed: int) -> npt.NDArray[np.float64]:
    """Hash each key to a number in [0, 1)."""
    return to_unit_interval(mix(keys.astype(np.uint64) ^ key(seed)))


def to_unit_interval(hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.float64]:
    """The upper 53 bits of each hash as a number in [0, 1)."""
    return (hashes >> np.uint64(11)).astype(np.float64) * 2.0**-53
