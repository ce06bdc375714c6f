"""Train the book's two networks for drawings, and vaekit's smaller ones; compare them on held-out drawings.

    python benchmarks/train_drawings.py quickdraw/ --out runs/drawings

Run again after an interruption, it resumes at the last finished epoch.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path

import keras
from measuring import machine

import fastdraw
import vaekit
from vaekit import cookbook

EPOCHS, BATCH = 50, 128
# units=0: no dense layers but those of the code. Others would hold most of the parameters.
NETWORK = {"network": "conv", "filters": (12, 24, 8), "units": 0}

# The book's network, then vaekit's.
PAIRS = {
    "autoencoder": (cookbook.autoencoder, lambda: vaekit.AE.for_images((32, 32, 1), 64, **NETWORK)),
    "conv_vae": (cookbook.conv_vae, lambda: vaekit.VAE.for_images((32, 32, 1), 64, **NETWORK)),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="+", help=".bin files, or folders of them")
    parser.add_argument("--out", type=Path, required=True, help="folder to write runs to")
    arguments = parser.parse_args()
    training, held_out, _ = fastdraw.open_drawings(arguments.data).split(validation=0.1, test=0)
    x, x_held_out = training.rasterize(), held_out.rasterize()
    print(
        f"{len(x):,} drawings, {len(x_held_out):,} held out; {EPOCHS} epochs in batches of {BATCH}; "
        f"{machine()}; on {keras.backend.backend()}"
    )
    print(f"{'':<24}{'parameters':>12}{'code':>6}{'nats/image':>12}{'cross-entropy/pixel':>21}{'seconds':>9}")
    for name, makers in PAIRS.items():
        losses = []
        for whose, make in zip(("book", "vaekit"), makers, strict=True):
            keras.utils.set_random_seed(0)
            model = make()
            if whose == "vaekit":  # half a cosine, down to 0
                rate = keras.optimizers.schedules.CosineDecay(4e-3, EPOCHS * -(-len(x) // BATCH))
                model.compile(keras.optimizers.Adam(rate))
            began = time.perf_counter()
            history = vaekit.train(
                model,
                x,
                validation=x_held_out,
                epochs=EPOCHS,
                batch_size=BATCH,
                out=arguments.out / f"{name}-{whose}",
                verbose=0,
            )
            seconds = time.perf_counter() - began
            reconstruction = history["val_reconstruction"][-1]
            losses.append(reconstruction + history.get("val_kl", [0.0])[-1])
            code = model.encode(x[:1]).size
            print(
                f"{name + ', ' + whose:<24}{model.count_params():>12,}{code:>6}{losses[-1]:>12.2f}"
                f"{reconstruction / x[0].size:>21.4f}{seconds:>9.0f}",
                flush=True,
            )
        print(f"{'':<24}target, vaekit below the book: {'met' if losses[1] < losses[0] else 'MISSED'}")


if __name__ == "__main__":
    main()
