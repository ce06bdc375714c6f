"""The loop over libcairo in C, compiled by the system's compiler."""

from __future__ import annotations

import ctypes
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

SOURCE = Path(__file__).with_name("cairo_loop.c")


def compiled(folder: Path) -> tuple[Callable[[NDArray[np.uint8], int], NDArray[np.uint8]], str]:
    """Compile ``cairo_loop.c`` into `folder`.

    Returns
    -------
    loop : callable
        Draws the first ``count`` of the records, (b,) uint8, in the style ``google``: (count, 28, 28) uint8.
    version : str
        Of libcairo.

    Raises
    ------
    ImportError
        Without ``cc``, ``pkg-config`` or the headers of libcairo.
    """
    target = folder / "cairo_loop.so"
    try:
        options = subprocess.check_output(["pkg-config", "--cflags", "--libs", "cairo"], stderr=subprocess.DEVNULL)
        command = ["cc", "-O3", "-shared", "-fPIC", "-o", str(target), str(SOURCE), *options.decode().split()]
        subprocess.run(command, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise ImportError(str(error)) from error
    library = ctypes.CDLL(str(target))
    library.draw.argtypes = [ctypes.c_void_p, ctypes.c_long, ctypes.c_int, ctypes.c_void_p]
    library.cairo_version_string.restype = ctypes.c_char_p

    def loop(records: NDArray[np.uint8], count: int) -> NDArray[np.uint8]:
        images = np.empty((count, 28, 28), np.uint8)
        status = library.draw(records.ctypes.data, count, 28, images.ctypes.data)
        if status:
            raise RuntimeError(f"expected cairo to draw, received its status {status}")
        return images

    return loop, library.cairo_version_string().decode()
