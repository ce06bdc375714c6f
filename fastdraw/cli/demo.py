"""The whole workflow on generated doodles; the only module of fastdraw that imports vaekit."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from fastdraw.quickdraw.doodles import write_sample
from fastdraw.quickdraw.inspection import inspect_file, table
from fastdraw.quickdraw.opening import open_drawings
from fastdraw.rasters.bulk import rasterize_files
from fastdraw.sheet import contact_sheet, pillow_loop, save_picture

_TIMED = 1000  # drawings that the Pillow loop rasterizes


def run_demo(folder: Path, say: Callable[[str], object]) -> None:
    """Write doodles, inspect and rasterize them, draw a contact sheet and train a model.

    Parameters
    ----------
    folder : path
        Created if it does not exist. Receives ``bin/``, ``rasters/``, ``sheet.png``, ``cvae/``,
        ``reconstructions.png`` and ``samples.png``.
    say : callable
        Called with each line of text.
    """
    from vaekit.demo import train  # first: if Keras is not installed, nothing is written

    say("Drawing doodles ...")
    files = list(write_sample(folder / "bin"))
    say(table([inspect_file(path) for path in files]))

    say("\nRasterizing ...")
    bulk = _seconds(rasterize_files, folder / "bin", folder / "rasters")

    drawings = open_drawings(folder / "bin")
    save_picture(contact_sheet(drawings), folder / "sheet.png")

    some = drawings[np.random.default_rng(0).permutation(len(drawings))[:_TIMED]]
    if not (some.rasterize() == pillow_loop(some)).all():
        raise AssertionError("expected the pixels of Pillow, received others")
    # Alternate and take the fastest run of each, so that other load on the machine matters little.
    rounds = [(_seconds(pillow_loop, some), _seconds(drawings.rasterize, threads=1)) for _ in range(5)]
    loop, ours = (min(times) for times in zip(*rounds, strict=True))
    loop, ours = loop / len(some), ours / len(drawings)

    say(f"{'files written':<24}{len(drawings):>12,} drawings in {bulk:.2f} s, including compilation")
    say(f"{'Pillow loop':<24}{1 / loop:>12,.0f} drawings/s")
    say(f"{'fastdraw, one thread':<24}{1 / ours:>12,.0f} drawings/s: {loop / ours:.0f} times as fast, same pixels")
    say("\nTraining a conditional variational autoencoder on batches drawn from the strokes ...")
    train(drawings, folder, say)
    say("")
    for name, path in (
        ("drawings", "bin"),
        ("rasters", "rasters"),
        ("contact sheet", "sheet.png"),
        ("model", "cvae/best.keras"),
        ("reconstructions", "reconstructions.png"),
        ("samples", "samples.png"),
    ):
        say(f"{name:<24}{folder / path}")


def _seconds(function: Callable[..., object], *arguments: object, **options: object) -> float:
    began = time.perf_counter()
    function(*arguments, **options)
    return time.perf_counter() - began
