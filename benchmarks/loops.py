"""What people write without fastdraw: loops over other packages, each of which is imported only by its loop.

Those that draw get drawings as lists of strokes, unless they say otherwise, and return (N, size, size) uint8.
"""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

sys.path.append(str(Path(__file__).parents[1] / "tests/helpers"))  # the references, which the tests draw with, too

Images = NDArray[np.uint8]
Drawing = Sequence[NDArray[np.uint8]]  # strokes of (2, n)

SIZE, WIDTH = 32, 2  # pixels, of the style `pillow`
SCALE = SIZE / 256


# The baseline is a user's whole job without fastdraw, parsing included. That is why it is not the reference loop of the
# tests, which takes strokes that fastdraw has read.
def pillow_loop(data: bytes, count: int) -> Images:
    """What a user would write: ``struct.unpack`` and ``ImageDraw.line`` for each stroke.

    Unlike `fastdraw.cli.demo.pillow_loop` it parses the file too, without NumPy, and so measures all that a user does.
    """
    images = np.empty((count, SIZE, SIZE), np.uint8)
    position = 0
    for i in range(count):
        image = Image.new("L", (SIZE, SIZE))
        draw = ImageDraw.Draw(image)
        _, _, _, _, strokes = struct.unpack_from("<Q2sBIH", data, position)
        position += 17
        for _ in range(strokes):
            (n,) = struct.unpack_from("<H", data, position)
            xs = struct.unpack_from(f"{n}B", data, position + 2)
            ys = struct.unpack_from(f"{n}B", data, position + 2 + n)
            position += 2 + 2 * n
            draw.line([(x * SIZE // 256, y * SIZE // 256) for x, y in zip(xs, ys, strict=True)], 255, WIDTH)
        images[i] = np.asarray(image)
    return images


def opencv_loop(drawings: Sequence[Drawing]) -> Images:
    """OpenCV draws whole strokes from arrays. Its lines are not pixel-identical to Pillow's."""
    import cv2

    images = np.zeros((len(drawings), SIZE, SIZE), np.uint8)
    for image, strokes in zip(images, drawings, strict=True):
        points = [(stroke.T.astype(np.int32) * SIZE // 256).reshape(-1, 1, 2) for stroke in strokes]
        cv2.polylines(image, points, False, 255, WIDTH)
    return images


# The three packages below scale by themselves. Each keeps one canvas, and the fastest way to hand it points was taken.
def aggdraw_loop(drawings: Sequence[Drawing]) -> Images:
    """Anti-Grain Geometry, without anti-aliasing."""
    import aggdraw

    images = np.empty((len(drawings), SIZE, SIZE), np.uint8)
    canvas, pen = aggdraw.Draw("L", (SIZE, SIZE), 0), aggdraw.Pen("white", WIDTH)
    canvas.setantialias(False)
    canvas.settransform((SCALE, 0, 0, 0, SCALE, 0))
    for image, strokes in zip(images, drawings, strict=True):
        canvas.clear(0)
        for stroke in strokes:
            canvas.line(stroke.T.ravel().tolist(), pen)
        image[:] = np.frombuffer(canvas.tobytes(), np.uint8).reshape(SIZE, SIZE)
    return images


def skia_loop(drawings: Sequence[Drawing]) -> Images:
    """Skia, without anti-aliasing."""
    import skia

    images = np.empty((len(drawings), SIZE, SIZE), np.uint8)
    pixels = np.zeros((SIZE, SIZE), np.uint8)
    info = skia.ImageInfo.Make(SIZE, SIZE, skia.kGray_8_ColorType, skia.kOpaque_AlphaType)
    surface = skia.Surface.MakeRasterDirect(info, pixels)
    canvas = surface.getCanvas()
    canvas.scale(SCALE, SCALE)
    pen = skia.Paint(Color=skia.ColorWHITE, Style=skia.Paint.kStroke_Style, StrokeWidth=WIDTH / SCALE, AntiAlias=False)
    for image, strokes in zip(images, drawings, strict=True):
        canvas.clear(skia.ColorBLACK)
        path = skia.Path()
        for stroke in strokes:
            first, *others = zip(*stroke.tolist(), strict=True)
            path.moveTo(*first)
            for point in others:
                path.lineTo(*point)
        canvas.drawPath(path, pen)
        image[:] = pixels
    return images


def blend2d_loop(drawings: Sequence[Drawing]) -> Images:
    """Blend2D, which always anti-aliases, by the package ``blend2d-python``."""
    from blend2d import BLContext, BLFormat, BLImage, BLPath

    images = np.empty((len(drawings), SIZE, SIZE), np.uint8)
    canvas = BLImage(SIZE, SIZE, BLFormat.A8)
    context, path = BLContext(canvas), BLPath()
    context.set_stroke_style((1.0, 1.0, 1.0, 1.0))
    context.scale(SCALE, SCALE)
    context.stroke_width = WIDTH / SCALE
    for image, strokes in zip(images, drawings, strict=True):
        context.clear_all()
        path.clear()
        for stroke in strokes:
            first, *others = zip(*stroke.tolist(), strict=True)
            path.move_to(*first)
            for point in others:
                path.line_to(*point)
        context.stroke_path(path)
        context.flush()
        image[:] = canvas.getDataAsNumPy().reshape(SIZE, SIZE)
    return images


def skimage_loop(drawings: Iterable[Drawing], antialias: bool) -> Images:
    """The styles ``line`` and ``line-aa`` by scikit-image."""
    from skimage_reference import skimage_raster

    return np.array([skimage_raster(drawing, SIZE, antialias) for drawing in drawings])


def pycairo_loop(drawings: Iterable[Drawing]) -> Images:
    """The style ``google`` at 28x28 by pycairo, on one surface."""
    from cairo_reference import cairo_raster

    return np.array([cairo_raster(drawing) for drawing in drawings])


def pycairo_list_loop(drawings: Iterable[Drawing]) -> Images:
    """The same over Python's own numbers, which Cairo's functions take faster than NumPy's."""
    from cairo_reference import canvas, draw

    surface, context = canvas(28)
    pixels = surface.get_data()
    images = []
    for drawing in drawings:
        strokes = [stroke.tolist() for stroke in drawing]
        left = (256 - max(max(x) for x, _ in strokes)) / 2
        top = (256 - max(max(y) for _, y in strokes)) / 2
        draw(context, strokes, left, top)
        surface.flush()
        images.append(bytes(pixels[::4]))
    return np.frombuffer(b"".join(images), np.uint8).reshape(-1, 28, 28)


def struct_walk(data: bytes, count: int) -> list[int]:
    """Offsets of the first `count` records, read with ``struct``."""
    offsets, position = [], 0
    for _ in range(count):
        offsets.append(position)
        (strokes,) = struct.unpack_from("<H", data, position + 15)
        position += 17
        for _ in range(strokes):
            position += 2 + 2 * struct.unpack_from("<H", data, position)[0]
    return offsets


def quickdraw_drawings(folder: Path, name: str, count: int) -> list[Drawing]:
    """The first `count` drawings of ``folder/name.bin`` as the package ``quickdraw`` reads them."""
    from quickdraw import QuickDrawDataGroup

    group = QuickDrawDataGroup(name, max_drawings=count, print_messages=False, cache_dir=str(folder))
    return [group.get_drawing(i).image_data for i in range(count)]
