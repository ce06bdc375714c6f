"""Kernels that read records: `scan` checks a file; `find`, `locate` and `gather` copy selected records to a buffer.

Selected records may be in any number of mapped files, so they are passed by memory address. Only `locate` and `gather`
read from addresses; those of records come from offsets that `scan` has checked.
"""

from __future__ import annotations

import numpy as np
from llvmlite import ir
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic

from fastdraw.kernels.jit import inlined, jit
from fastdraw.kernels.layout import BAD_FLAG, CUT_HEAD, CUT_POINTS, CUT_STROKE, FLAG, HEAD, SOUND, ZEROS

AHEAD = 8  # records that are prefetched before they are copied
LINE = 64  # bytes in a cache line


@intrinsic
def _pointer(typingctx, address):
    """Convert an address (uint64) to a pointer for `numba.carray`."""

    def codegen(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], ir.IntType(8).as_pointer())

    return types.voidptr(types.uint64), codegen


@intrinsic
def _prefetch(typingctx, address):
    """Prefetch the cache line at an address (uint64). That is only a hint: invalid addresses do no harm."""

    def codegen(context, builder, signature, arguments):
        pointer, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        signature = ir.FunctionType(ir.VoidType(), [pointer, number, number, number])
        prefetch = cgutils.get_or_insert_function(builder.module, signature, "llvm.prefetch.p0")
        place = builder.inttoptr(arguments[0], pointer)
        builder.call(prefetch, [place, number(0), number(3), number(1)])  # for reading, into all caches, data
        return context.get_dummy_value()

    return types.void(types.uint64), codegen


@intrinsic
def _copy(typingctx, address, out, at, count):
    """Copy bytes from an address (uint64) to ``out[at:]``. An assignment to a slice takes seconds to compile."""

    def codegen(context, builder, signature, arguments):
        address, out, at, count = arguments
        target = context.make_array(signature.args[1])(context, builder, out).data
        source = builder.inttoptr(address, ir.IntType(8).as_pointer())
        cgutils.raw_memcpy(builder, builder.gep(target, [at]), source, count, 1)
        return context.get_dummy_value()

    return types.void(types.uint64, out, types.int64, types.int64), codegen


@jit
def scan(data, position, offsets, totals):
    """Walk the records from ``position`` on, and check that each is complete.

    Parameters
    ----------
    data : (b,) uint8
        A whole file.
    position : int
        Byte offset of a record.
    offsets : (m,) uint64, out
        Byte offsets of the records found.
    totals : (2,) int64, in place
        The numbers of strokes and points of the records found are added.

    Returns
    -------
    count : int
        Number of records found; less than ``m`` only at the end of the file or at a damaged record.
    position : int
        Byte offset of the end of the last one: where to continue, or where the damaged record begins.
    damage : int
        ``SOUND``, or what is wrong with the record at ``position``.
    where : int
        Byte offset of the damage.
    """
    size = len(data)
    count = 0
    while count < len(offsets) and position < size:
        if position + HEAD > size:
            return count, position, CUT_HEAD, position
        if data[position + FLAG] > 1:
            return count, position, BAD_FLAG, position + FLAG
        strokes = np.int64(data[position + 15]) | np.int64(data[position + 16]) << 8
        if strokes == 0:
            bits = np.uint8(0)
            for i in range(position, position + HEAD):
                bits |= data[i]
            if bits == 0:  # preallocated, sparse or half downloaded
                return count, position, ZEROS, position
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


@inlined
def points_at(records, at, end):
    """Number of points of the stroke at ``at``, but no more than there are bytes for: a file may change while open."""
    return min(np.int64(records[at]) | np.int64(records[at + 1]) << 8, (end - at - 2) // 2)


@jit
def find(ids, first, files, used):
    """Find the files that hold drawings.

    Parameters
    ----------
    ids : (n,) int64
        Indices of drawings, counted through all files.
    first : (f + 1,) int64
        Index of the first drawing of each file, then the number of all drawings.
    files : (n,) int32, out
        Index of the file of each drawing.
    used : (f,) bool, in place
        Set to True for these files.
    """
    file = 0
    for i in range(len(ids)):
        if not first[file] <= ids[i] < first[file + 1]:
            file, end = 0, len(first) - 1
            while end - file > 1:
                middle = (file + end) // 2
                if first[middle] <= ids[i]:
                    file = middle
                else:
                    end = middle
        files[i] = file
        used[file] = True


@jit
def locate(ids, files, first, data_addresses, offset_addresses, addresses, starts):
    """Look up the addresses and sizes of records.

    Parameters
    ----------
    ids, files, first
        As for `find`, which fills ``files``.
    data_addresses, offset_addresses : (f,) uint64
        Addresses of the bytes of each file, and of its record offsets (uint64, one more than it has drawings).
    addresses : (n,) uint64, out
        Address of each record.
    starts : (n + 1,) int64, out
        Byte offsets of the records, and of the end, once they are copied back to back.
    """
    starts[0] = 0
    for i in range(len(ids)):
        file = files[i]
        pair = carray(_pointer(offset_addresses[file] + np.uint64(8 * (ids[i] - first[file]))), 2, np.uint64)
        addresses[i] = data_addresses[file] + pair[0]
        starts[i + 1] = starts[i] + np.int64(pair[1] - pair[0])


@jit
def gather(addresses, starts, out):
    """Copy ``starts[i + 1] - starts[i]`` bytes from each address to ``out[starts[i]:]``, and read no others."""
    for i in range(len(addresses)):
        if i + AHEAD < len(addresses):
            for line in range(0, starts[i + AHEAD + 1] - starts[i + AHEAD], LINE):
                _prefetch(addresses[i + AHEAD] + np.uint64(line))
        _copy(addresses[i], out, starts[i], starts[i + 1] - starts[i])
