"""The main job from end to end, on built-in doodles."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from fastdraw.bulk import rasterize_files
from fastdraw.drawings import Drawings, open_drawings
from fastdraw.inspection import inspect_file, table
from fastdraw.sheet import contact_sheet, save_picture
from fastdraw.synthetic import write_sample

_TIMED = 2000  # drawings that the Pillow loop draws, and then we


def pillow_loop(drawings: Drawings, size: int = 32, line_width: int = 2) -> npt.NDArray[np.uint8]:
    """Rasters by a Python loop over Pillow: what `Drawings.rasterize` does in the style ``pillow``.

    Parameters
    ----------
    drawings : Drawings
    size, line_width : int
        In pixels.

    Returns
    -------
    (N, size, size) uint8
    """
    images = np.empty((len(drawings), size, size), np.uint8)
    for i, strokes in enumerate(drawings):
        image = Image.new("L", (size, size))
        draw = ImageDraw.Draw(image)
        for stroke in strokes:
            draw.line((stroke.T.astype(int) * size // 256).ravel().tolist(), 255, line_width)
        images[i] = np.asarray(image)
    return images


def run_demo(folder: Path, say: Callable[[str], object]) -> None:
    """Make a sample, inspect it, rasterize it and draw a contact sheet, saying what comes of it.

    Parameters
    ----------
    folder : path
        Made where it does not exist; gets ``bin/``, ``rasters/`` and ``sheet.png``.
    say : callable
        Called with each line of text.
    """
    say("Drawing doodles ...")
    files = list(write_sample(folder / "bin"))
    say(table([inspect_file(path) for path in files]))

    say("\nRasterizing ...")
    began = time.perf_counter()
    rasters = rasterize_files(folder / "bin", folder / "rasters")
    bulk = time.perf_counter() - began

    drawings = open_drawings(folder / "bin")
    save_picture(contact_sheet(drawings), folder / "sheet.png")

    some = drawings[np.random.default_rng(0).permutation(len(drawings))[:_TIMED]]
    began = time.perf_counter()
    expected = pillow_loop(some)
    loop = (time.perf_counter() - began) / len(some)
    if not (some.rasterize() == expected).all():
        raise AssertionError("the rasters are not Pillow's")
    times = []
    for _ in range(5):  # now that everything is compiled and in memory
        began = time.perf_counter()
        drawings.rasterize(threads=1)
        times.append((time.perf_counter() - began) / len(drawings))
    ours = min(times)

    say(f"{'files written':<24}{len(rasters):>12,} drawings in {bulk:.2f} s, compiling included")
    say(f"{'Pillow loop':<24}{1 / loop:>12,.0f} drawings/s")
    say(f"{'fastdraw, one thread':<24}{1 / ours:>12,.0f} drawings/s: {loop / ours:.0f} times the loop, equal pixels")
    say("")
    for name, path in (("drawings", "bin"), ("rasters", "rasters"), ("contact sheet", "sheet.png")):
        say(f"{name:<24}{folder / path}")
