"""Make the pictures of the README and of the cookbook page from built-in doodles: about five minutes on two cores.

    python docs/make_pictures.py

The same machine makes the same pictures again. ``ink.png`` is made by ``benchmarks/ink_losses.py``.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras
import numpy as np

import fastdraw
import vaekit
from fastdraw import Drawings
from fastdraw.quickdraw.doodles import write_sample
from fastdraw.sheet import contact_sheet
from vaekit import cookbook, latent, pictures, plots
from vaekit.models.presets import SHIPPED

DOCS = Path(__file__).parent


def main() -> None:
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        list(write_sample(folder))
        drawings = fastdraw.open_drawings(folder)
        make_for_readme(drawings)
        make_for_cats(fastdraw.open_drawings(Path(folder) / "cat.bin"))
        make_for_ten_classes(drawings)


def make_for_readme(drawings: Drawings) -> None:
    save(np.asarray(contact_sheet(drawings, 10, style="google", size=56)), "sheet.png")

    training, held_out, _ = drawings.split(validation=0.1, test=0.0)
    seen = training.rasterize(style="google", size=32)
    images, labels, names = held_out.rasterize(style="google", size=32), held_out.labels, drawings.categories
    vae = vaekit.VAE.for_images((32, 32, 1), 2)
    fit(vae, seen, epochs=10, rate=1e-3, batch=64)
    save(pictures.latent_grid(vae, spacing="quantiles"), "grid.png")
    points = latent.project(vae.encode(images), "direct")
    save(plots.scatter(points, labels, names=names, images=images, size=640), "codes.png")

    real = vaekit.CVAE.from_preset("real7")
    save(pictures.samples(real, names=SHIPPED["real7"], columns=12, inked=True), "real7.png", zoom=2)


def make_for_cats(cats: Drawings) -> None:
    """Recipes 13.1 to 13.4 of Osinga's *Deep Learning Cookbook*, which are about cats."""
    save(pictures.sheet(cats[:48].rasterize().reshape(3, 16, 32, 32)), "recipe-13-1.png", zoom=2)

    training, held_out, _ = cats.split(validation=0.1, test=0.0)
    images = held_out.rasterize()
    autoencoder = cookbook.autoencoder()
    history = fit(autoencoder, training.rasterize(), epochs=30, rate=4e-3, batch=16, validation=images)
    save(plots.curves({name: history[name] for name in ("loss", "val_loss")}), "recipe-13-2.png")
    save(pictures.reconstructions(autoencoder, images, columns=12), "recipe-13-3.png", zoom=2)
    codes = autoencoder.encode(images)
    save(pictures.neighbours(images, codes, range(5), 10), "recipe-13-3-neighbours.png", zoom=2)

    vae = cookbook.conv_vae()
    fit(vae, training.rasterize(), epochs=25, rate=2e-3, batch=16)
    save(pictures.samples(vae, 4, 12), "recipe-13-4.png", zoom=2)


def make_for_ten_classes(drawings: Drawings) -> None:
    """Recipes 13.5 and 13.6, with ten categories of 28x28 in the place of MNIST."""
    images, labels, names = drawings.rasterize(style="google"), drawings.labels, drawings.categories
    vae = cookbook.mlp_vae()
    fit(vae, images, epochs=16, rate=2e-3, batch=64)
    save(pictures.latent_grid(vae), "recipe-13-5.png", zoom=2)

    cvae = cookbook.mlp_cvae()
    fit(cvae, images, labels, epochs=16, rate=2e-3, batch=64)
    save(pictures.classes_by_style(cvae, 12, names=names), "recipe-13-6.png", zoom=2)
    corners = [names.index(name) for name in ("face", "house", "star", "tree")]
    save(pictures.four_corners(cvae, corners), "recipe-13-6-mixtures.png", zoom=2)


def fit(
    model: Any,
    images: Any,
    labels: Any = None,
    *,
    epochs: int,
    rate: float,
    batch: int,
    validation: Any = None,
) -> dict[str, list[float]]:
    """Train with Adam and a learning rate that falls to 0, which takes few epochs."""
    schedule = keras.optimizers.schedules.CosineDecay(rate, epochs * -(-len(images) // batch))
    model.compile(keras.optimizers.Adam(schedule))
    held_out = None if validation is None else (validation, None)
    fitted = model.fit(images, labels, batch_size=batch, epochs=epochs, validation_data=held_out, verbose=2)
    return fitted.history


def save(picture: Any, name: str, zoom: int = 1) -> None:
    """Write a picture with 16 levels per channel, which makes the file smaller."""
    pictures.save((np.rint(picture / 17) * 17).astype(np.uint8), DOCS / name, zoom=zoom)


if __name__ == "__main__":
    main()
