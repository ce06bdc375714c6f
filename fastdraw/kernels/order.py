"""The order of a shuffled epoch: a permutation that is computed element by element, and so needs no memory."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels import hashing
from fastdraw.kernels.jit import inlined, jit

ROUNDS = 8
MIN_BITS = 10  # with 3, a number stayed at its own place 10% too often

_mix = inlined(hashing.mix)


@inlined
def _permuted(value, keys, low, high):
    """Pass a number of ``high + low`` bits through the network."""
    left, right = value >> low, value & ((np.uint64(1) << low) - np.uint64(1))
    for r in range(0, ROUNDS, 2):
        left ^= _mix(right ^ keys[r]) >> (np.uint64(64) - high)
        right ^= _mix(left ^ keys[r + 1]) >> (np.uint64(64) - low)
    return left << low | right


@jit
def permute(key, count, places, out):
    """Look up elements of a permutation of ``0 ... count - 1``.

    A Feistel network (Luby, Rackoff 1988) permutes the numbers of as many bits as ``count - 1`` has, but at least
    MIN_BITS. A number that comes out as ``count`` or more passes through again until it is smaller ("cycle walking":
    Black, Rogaway 2002): less than twice on average, except for small ``count``.

    Parameters
    ----------
    key : uint64
        Selects the permutation.
    count : int
        1 to 2 ** 62.
    places : (n,) int64
        Indices into the permutation, 0 to ``count - 1``.
    out : (n,) int64, out
        The elements at these indices.
    """
    bits = MIN_BITS
    while 1 << bits < count:
        bits += 1
    low = np.uint64(bits // 2)
    high = np.uint64(bits) - low
    keys = np.empty(ROUNDS, np.uint64)
    for r in range(ROUNDS):
        keys[r] = _mix(key + np.uint64(r))
    for i in range(len(places)):  # without branches: LLVM vectorizes it
        out[i] = _permuted(np.uint64(places[i]), keys, low, high)
    for i in range(len(places)):
        while out[i] >= count:
            out[i] = _permuted(np.uint64(out[i]), keys, low, high)
