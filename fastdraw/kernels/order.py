"""The order of a shuffled epoch: a permutation that is computed place by place, so that it takes no memory."""

from __future__ import annotations

import numpy as np

from fastdraw.kernels import hashing
from fastdraw.kernels.jit import inlined, jit

ROUNDS = 8
FEWEST_BITS = 10  # with 3, one number came out at its own place 10% too often

_mix = inlined(hashing.mix)


@inlined
def _permuted(value, keys, low, high):
    """One pass of the network over a number of ``high + low`` bits."""
    left, right = value >> low, value & ((np.uint64(1) << low) - np.uint64(1))
    for r in range(0, ROUNDS, 2):
        left ^= _mix(right ^ keys[r]) >> (np.uint64(64) - high)
        right ^= _mix(left ^ keys[r + 1]) >> (np.uint64(64) - low)
    return left << low | right


@jit
def permute(key, count, places, out):
    """Look up places in a permutation of ``0 ... count - 1``.

    A Feistel network (Luby, Rackoff 1988) permutes the numbers of as many bits as ``count - 1`` has, ten at least. What
    it sends beyond ``count`` goes through it again until it is inside ("cycle walking": Black, Rogaway 2002), less than
    twice on average but for small ``count``.

    Parameters
    ----------
    key : uint64
        Other keys give other permutations.
    count : int
        1 to 2 ** 62.
    places : (n,) int64
        From 0 to ``count - 1``.
    out : (n,) int64, out
        What stands at these places.
    """
    bits = FEWEST_BITS
    while 1 << bits < count:
        bits += 1
    low = np.uint64(bits // 2)
    high = np.uint64(bits) - low
    keys = np.empty(ROUNDS, np.uint64)
    for r in range(ROUNDS):
        keys[r] = _mix(key + np.uint64(r))
    for i in range(len(places)):  # without a branch, so that it is compiled for several places at a time
        out[i] = _permuted(np.uint64(places[i]), keys, low, high)
    for i in range(len(places)):
        while out[i] >= count:
            out[i] = _permuted(np.uint64(out[i]), keys, low, high)
