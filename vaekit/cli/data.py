"""The data of commands: drawings or MNIST, to train on and held out."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

from fastdraw.cli.console import fail


class Data(NamedTuple):
    """What to train on, what to validate on, and their form."""

    training: Any
    held_out: Any
    image_shape: tuple[int, int, int]
    names: list[str]  # of the classes


def read_mnist(path: Path) -> Data:
    """Arrays of images and labels."""
    import numpy as np

    try:
        with np.load(path) as mnist:
            x, y, x_test, y_test = (mnist[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error):
        fail(f"{path}: expected an .npz file with x_train, y_train, x_test and y_test")
    names = [str(digit) for digit in range(10)]
    return Data((x, y), (x_test, y_test), (*x.shape[1:], 1), names)


def read_drawings(
    sources: tuple[str, ...], style: str, size: int | None, recipe: Any, seed: int, *, labelled: bool
) -> Data:
    """Batches; those to train on have the changes of the recipe."""
    import fastdraw
    from fastdraw.settings import Settings

    size = Settings.of(style=style, size=size).size
    drawings, training, held_out = _split(sources)
    options: dict[str, Any] = {"style": style, "size": size, "labels": "int" if labelled else None}
    return Data(
        fastdraw.batches(training, recipe.batch_size, shuffle=True, seed=seed, augment=recipe.augment, **options),
        fastdraw.batches(held_out, recipe.batch_size, **options),
        (size, size, 1),
        list(drawings.categories),
    )


def _split(sources: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """All drawings, those to train on and those held out."""
    import fastdraw

    drawings = fastdraw.open_drawings(list(sources))
    training, held_out, _ = drawings.split(validation=0.1, test=0.0)
    if not len(training) or not len(held_out):
        fail(f"expected enough drawings to hold some out, received {len(drawings)}")
    return drawings, training, held_out


def read_training(sources: tuple[str, ...], style: str, image_shape: tuple[int, int, int]) -> tuple[Any, Any]:
    """Images to train on, and their labels."""
    _, training, _ = _split(sources)
    return training.rasterize(style=style, size=image_shape[0]), training.labels


def read_held_out(
    path: Path, model: Any, sources: tuple[str, ...], mnist: Path | None, style: str, limit: int
) -> tuple[Any, Any, list[str]]:
    """At most ``limit`` images that the model was not trained on, their labels, and the names of the classes."""
    height, width, _ = image_shape = model.to_images.image_shape
    if mnist:
        data = read_mnist(mnist)
        (images, labels), shape, names = data.held_out, data.image_shape, data.names
        used = _spread(len(images), limit)
        images, labels = images[used], labels[used]
    else:
        if height != width:
            fail(f"{path}: expected a model of square images, received one of {height} x {width}")
        drawings, _, held_out = _split(sources)
        held_out = held_out[_spread(len(held_out), limit)]
        images, labels, names = held_out.rasterize(style=style, size=height), held_out.labels, list(drawings.categories)
        shape = (height, width, 1)
    if shape != image_shape:
        fail(f"{path}: expected a model of images of {shape}, received one of {image_shape}")
    classes = getattr(model, "num_classes", len(names))
    if classes != len(names):
        fail(f"{path}: expected the categories of training, {classes}; received {len(names)}")
    return images, labels, names


def _spread(count: int, limit: int) -> Any:
    """Indices at equal distances, at most ``limit`` of ``count``."""
    import numpy as np

    return np.unique(np.linspace(0, count - 1, min(count, limit)).astype(np.int64))
