"""Do the codes of a denoising autoencoder find similar drawings better?

    python benchmarks/similarity.py

Measures how many of the 10 nearest drawings have the same category, on drawings that training did not see. Uses the
real drawings under $FASTDRAW_REAL_DATA, or built-in doodles without them.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

import keras
import numpy as np

import fastdraw
import vaekit
from fastdraw.quickdraw.doodles import write_sample
from vaekit import latent

LATENT_DIM = 32
STEPS = 1000
BATCH = 128
SEEDS = (0, 1, 2)
CORRUPTIONS = {
    "AE": None,
    "denoising AE, masks": lambda: vaekit.layers.MaskSquares(8, 2),
    "denoising AE, salt": lambda: vaekit.layers.SaltAndPepper(0.25),
}


def main() -> None:
    real = os.environ.get("FASTDRAW_REAL_DATA")
    with tempfile.TemporaryDirectory() as folder:
        if not real:
            list(write_sample(folder, 10, 600))
        drawings = fastdraw.open_drawings(Path(real) / "quickdraw" / "bin" if real else folder)
        images = drawings.rasterize(style="google", size=32)
        labels = np.asarray(drawings.labels)
    held = np.random.default_rng(0).random(len(images)) < 0.5
    print(f"{(~held).sum()} drawings for training, {held.sum()} for measuring, {labels.max() + 1} categories", end="")
    print(f" ({'real' if real else 'doodles'}); Keras {keras.__version__} on {keras.backend.backend()}\n")
    print(f"{'codes':24} {'seed':>4} {'precision':>9} {'seconds':>7}")

    def report(name: str, seed: object, codes: np.ndarray, seconds: float) -> None:
        print(f"{name:24} {seed:>4} {latent.neighbour_precision(codes, labels[held]):9.4f} {seconds:7.0f}", flush=True)

    report("chance", "", np.random.default_rng(0).random((held.sum(), LATENT_DIM)), 0)
    report("raw pixels", "", images[held], 0)
    for seed in SEEDS:
        for name, corruption in CORRUPTIONS.items():
            keras.utils.set_random_seed(seed)
            began = time.perf_counter()
            model = vaekit.AE.for_images(
                (32, 32, 1), LATENT_DIM, network="mlp", corruption=corruption() if corruption else None
            )
            model.compile(keras.optimizers.Adam(1e-3))
            epochs = round(STEPS * BATCH / (~held).sum())
            model.fit(images[~held], epochs=epochs, batch_size=BATCH, verbose=0)
            report(name, seed, model.encode(images[held]), time.perf_counter() - began)


if __name__ == "__main__":
    main()
