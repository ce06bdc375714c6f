"""Kernels that read records: the walk that checks a file, and the copy of chosen records to one buffer.

Chosen records can lie in any number of mapped files, so they are named by memory address. Only `gather` follows
an address, and only addresses that `locate` derived from checked offsets.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastdraw.kernels.jit import jit

HEAD = 17  # bytes of a record before its first stroke, the stroke count included
FLAG = 10  # offset of the recognized flag in a record

AHEAD = 8  # records that are asked for before they are copied: they lie anywhere, and memory is slow to answer
LINE = 64  # bytes that memory answers with

SOUND, CUT_HEAD, BAD_FLAG, CUT_STROKE, CUT_POINTS = range(5)


@intrinsic
def _pointer(typingctx, address):
    """The address (uint64) as a pointer for `numba.carray`."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.uint64), codegen


@intrinsic
def _prefetch(typingctx, address):
    """Ask for the cache line at an address (uint64), which is only a hint: no address is wrong."""

    def codegen(context, builder, signature, arguments):
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        signature = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, signature, "llvm.prefetch.p0")
        place = builder.inttoptr(arguments[0], pointer)
        builder.call(prefetch, [place, number(0), number(3), number(1)])  # to read, into all caches, data
        return context.get_dummy_value()

    return types.void(types.uint64), codegen


@jit
def scan(data, position, offsets, totals):
    """Walk the records from ``position`` on, checking that each is whole.

    Parameters
    ----------
    data : (b,) uint8
        A whole file.
    position : int
        Byte offset of a record.
    offsets : (m,) uint64, out
        Byte offsets of the records found.
    totals : (2,) int64
        Strokes and points of the records found are added here.

    Returns
    -------
    count : int
        Records found; fewer than ``m`` only at the end of the file or at damage.
    position : int
        Byte offset behind the last of them: where to go on, or where the damaged record begins.
    damage : int
        ``SOUND``, or what is wrong with the record at ``position``.
    where : int
        Byte offset of what is cut off or wrong in it.
    """
    size = len(data)
    count = 0
    while count < len(offsets) and position < size:
        if position + HEAD > size:
            return count, position, CUT_HEAD, position
        if data[position + FLAG] > 1:
            return count, position, BAD_FLAG, position + FLAG
        strokes = np.int64(data[position + 15]) | np.int64(data[position + 16]) << 8
        at = position + HEAD
        points = 0
        for _ in range(strokes):
            if at + 2 > size:
                return count, position, CUT_STROKE, at
            length = np.int64(data[at]) | np.int64(data[at + 1]) << 8
            if at + 2 + 2 * length > size:
                return count, position, CUT_POINTS, at + 2
            at += 2 + 2 * length
            points += length
        offsets[count] = position
        count += 1
        totals[0] += strokes
        totals[1] += points
        position = at
    return count, position, SOUND, position


@jit
def locate(ids, first, data_addresses, offset_addresses, addresses, starts):
    """Find where drawings lie.

    Parameters
    ----------
    ids : (n,) int64
        Numbers of drawings, counted through all files.
    first : (f + 1,) int64
        Number of each file's first drawing, and the count of all.
    data_addresses, offset_addresses : (f,) uint64
        Addresses of each file's bytes and of its record offsets (uint64, one more than it has drawings).
    addresses : (n,) uint64, out
        Address of each drawing's record.
    starts : (n + 1,) int64, out
        Where the records begin when they are copied back to back.
    """
    starts[0] = 0
    file = 0
    for i in range(len(ids)):
        if not first[file] <= ids[i] < first[file + 1]:
            file = np.searchsorted(first, ids[i], side="right") - 1
        pair = carray(_pointer(offset_addresses[file] + np.uint64(8 * (ids[i] - first[file]))), 2, np.uint64)
        addresses[i] = data_addresses[file] + pair[0]
        starts[i + 1] = starts[i] + np.int64(pair[1] - pair[0])


@jit
def gather(addresses, starts, out):
    """Copy ``starts[i + 1] - starts[i]`` bytes from each address to ``out[starts[i]:]``; no more are read."""
    for i in range(len(addresses)):
        if i + AHEAD < len(addresses):
            for line in range(0, starts[i + AHEAD + 1] - starts[i + AHEAD], LINE):
                _prefetch(addresses[i + AHEAD] + np.uint64(line))
        length = starts[i + 1] - starts[i]
        out[starts[i] : starts[i + 1]] = carray(_pointer(addresses[i]), length, np.uint8)
