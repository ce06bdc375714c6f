"""Compiled kernels: arrays in, arrays out. No I/O, no allocation policy, no exceptions.

One file holds a kernel together with every function it calls: numba's on-disk cache notices a change in
the file of the kernel itself, not in the files it imports from.
"""
