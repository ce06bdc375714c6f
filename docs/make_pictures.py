"""Make the README's pictures, all of them from built-in doodles: about ten minutes on two cores.

python docs/make_pictures.py
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import keras

import fastdraw
import vaekit
from fastdraw.quickdraw.doodles import write_sample
from fastdraw.sheet import contact_sheet, save_picture
from vaekit import latent, pictures, plots

DOCS = Path(__file__).parent
BATCH, EPOCHS = 128, 20


def main() -> None:
    keras.utils.set_random_seed(0)
    with tempfile.TemporaryDirectory() as folder:
        list(write_sample(folder, count=3000))
        drawings = fastdraw.open_drawings(folder)
        save_picture(contact_sheet(drawings, 12, style="google", size=56), DOCS / "sheet.png")
        training, held_out, _ = drawings.split(validation=0.1, test=0.0)
        images, labels = held_out.rasterize(), held_out.labels

        plane = _trained(vaekit.VAE.for_images((32, 32, 1), 2), training, images, labels)
        pictures.save(pictures.latent_grid(plane, spacing="quantiles"), DOCS / "grid.png")
        codes = plane.encode(images)
        points = latent.project(codes, "direct")
        pictures.save(
            plots.scatter(points, labels, names=drawings.categories, images=images, size=640), DOCS / "codes.png"
        )

        model = vaekit.CVAE.for_images((32, 32, 1), 8, num_classes=len(drawings.categories))
        _trained(model, training, images, labels)
        some = slice(None, None, len(images) // 15)
        pictures.save(
            pictures.reconstructions(model, images[some], labels[some], columns=15), DOCS / "reconstructions.png"
        )
        pictures.save(pictures.samples(model, names=drawings.categories, columns=12), DOCS / "samples.png")


def _trained(model: vaekit.VAE, training: fastdraw.Drawings, images: Any, labels: Any) -> vaekit.VAE:
    steps = EPOCHS * len(training) // BATCH
    model.compile(keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(1e-3, steps)))
    conditional = isinstance(model, vaekit.CVAE)
    data = fastdraw.to_tf_dataset(training, BATCH, labels="int" if conditional else None, shuffle=True, seed=0)
    with tempfile.TemporaryDirectory() as out:
        held_out = (images, labels) if conditional else images
        vaekit.train(model, data, validation=held_out, epochs=EPOCHS, out=out, verbose=2)
    return model


if __name__ == "__main__":
    main()
