"""Compiled kernels: arrays in, arrays out. They read no files, and raise no exceptions.

`jit` says how they are compiled, `cache` where compiled code is kept. They import nothing else of the package, so a
hash of these files tells whether compiled code is up to date.
"""
