"""What the terms of `vaekit.losses.Ink` do to blurred lines: a table and a picture.

    python benchmarks/ink_losses.py docs/ink.png [--data quickdraw/]

Trains one small autoencoder per loss, on built-in doodles by default. On held-out drawings it measures the entropy of
the grey levels, the ink of the reconstruction over the ink of the drawing, the structural similarity (SSIM), and the
cross-entropy in nats/image.
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

import keras
import numpy as np
from skimage.measure import shannon_entropy
from skimage.metrics import structural_similarity

import fastdraw
import vaekit
from fastdraw.quickdraw.doodles import write_sample
from vaekit import pictures
from vaekit.losses import Ink, bernoulli

EPOCHS, BATCH, LATENTS, COLUMNS = 15, 128, 16, 12
LOSSES = {
    "cross-entropy": bernoulli,
    "weight=1": Ink(weight=1.0),
    "excess=1": Ink(excess=1.0),
    "crispness=0.5": Ink(crispness=0.5),
    "excess=1, crispness=0.5": Ink(excess=1.0, crispness=0.5),
}


def measures(images: np.ndarray, made: np.ndarray) -> tuple[float, float, float]:
    """Mean entropy of the grey levels in bits, ink of the reconstructions over that of the images, mean SSIM."""
    levels = np.round(made * 255).astype(np.uint8)
    entropy = np.mean([shannon_entropy(image) for image in levels])
    similarity = [structural_similarity(a, b, data_range=1.0) for a, b in zip(images, made, strict=True)]
    return float(entropy), float(made.sum() / images.sum()), float(np.mean(similarity))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--data", type=Path, help=".bin file or folder; default, built-in doodles")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if arguments.data is None:
            list(write_sample(Path(folder)))
        training, held_out, _ = fastdraw.open_drawings(arguments.data or folder).split(validation=0.1, test=0)
        x, shown = training.rasterize(), held_out.rasterize()
    shown = shown[np.random.default_rng(0).permutation(len(shown))] / np.float32(255)

    rows = {"drawings": shown}
    print(f"{len(x):,} drawings, {len(shown):,} held out, {LATENTS} latents, {EPOCHS} epochs")
    print(f"{'loss':<26}{'entropy, bits':>14}{'ink ratio':>11}{'SSIM':>8}{'cross-entropy':>15}")
    print(f"{'(the drawings)':<26}{measures(shown, shown)[0]:>14.2f}{1:>11.2f}{1:>8.3f}")
    for name, loss in LOSSES.items():
        keras.utils.set_random_seed(0)
        model = vaekit.AE.for_images((32, 32, 1), LATENTS)
        rate = keras.optimizers.schedules.CosineDecay(1e-3, EPOCHS * -(-len(x) // BATCH))
        model.compile(keras.optimizers.Adam(rate), loss=loss)
        model.fit(x, batch_size=BATCH, epochs=EPOCHS, verbose=0)
        rows[name] = model.reconstruct(shown)[..., 0]
        entropy, ink, similarity = measures(shown, rows[name])
        cost = model.evaluate(shown, verbose=0, return_dict=True)["reconstruction"]
        print(f"{name:<26}{entropy:>14.2f}{ink:>11.2f}{similarity:>8.3f}{cost:>15.1f}", flush=True)
    images = np.stack([row[:COLUMNS] for row in rows.values()]).repeat(2, axis=2).repeat(2, axis=3)
    pictures.save(pictures.sheet(images, names=list(rows)), arguments.picture)
    print(arguments.picture)


if __name__ == "__main__":
    main()
