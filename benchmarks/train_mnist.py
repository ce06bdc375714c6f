"""Train the book's two MNIST models, and vaekit's own, and print their curves beside the book's.

    python benchmarks/train_mnist.py mnist.npz --out runs/mnist

Killed and started again it goes on where it was. Losses are those of the 10,000 test images, grey as they are, in nats.
They differ by some tenths from run to run; on one core (`taskset -c 0`) all sums have the same order and runs repeat.
The last line is the bound of Burda et al. (2016) of 100 samples an image, which depends less on the encoder.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

import vaekit
from vaekit import cookbook, evaluate

BATCH = 250
SAMPLES = 100

# vaekit's own networks: epochs, rate at the beginning, and steps in which it falls to nothing.
OWN_EPOCHS, RATE = 50, 1e-2
STEPS = OWN_EPOCHS * 60_000 // BATCH


def muon(rate: Any, adam_lr_ratio: float) -> keras.optimizers.Optimizer:
    """Muon (Jordan et al., 2024), which needs a fraction of Adam's epochs; Adam learns biases, gains and the code."""
    return keras.optimizers.Muon(
        rate, adam_lr_ratio=adam_lr_ratio, exclude_layers=["mean", "log_var"], weight_decay=0.0, adam_weight_decay=0.0
    )


# A little noise keeps the encoder from learning the training images by heart.
NOISE = 0.2


def default_vae() -> vaekit.VAE:
    """vaekit's own network at two latents, deeper and narrower than by default."""
    model = vaekit.VAE.for_images((28, 28, 1), 2, units=256, blocks=4, corruption=keras.layers.GaussianNoise(NOISE))
    model.compile(muon(keras.optimizers.schedules.CosineDecay(RATE, STEPS), 0.1))
    return model


class DistortingCVAE(vaekit.CVAE):
    """Also learns from distorted copies of each training image: turned, scaled, slanted and moved a little."""

    COPIES = 2
    TURN, SCALE, SLANT, MOVE = math.radians(6), 0.05, 0.08, 0.4  # at most; in radians, logarithm, tangent and pixels
    CONTRAST = 1.35  # with it copies are as grey as images, in mean entropy; interpolation makes them smoother

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.seed_generator = keras.random.SeedGenerator()

    def _objective(self, images: Any, seen: list[Any], labels: list[Any], training: bool) -> tuple[Any, dict[str, Any]]:
        loss, measures = super()._objective(images, seen, labels, training)
        if training:
            for _ in range(self.COPIES):
                copies = self._distorted(images)
                seen = [self.corruption(copies, training=True), *labels]
                loss += super()._objective(copies, seen, labels, training)[0]
        return loss, measures

    def _distorted(self, images: Any) -> Any:
        count, height, width = ops.shape(images)[:3]

        def draw(limit: float) -> Any:
            return keras.random.uniform((count,), -limit, limit, seed=self.seed_generator)

        turn, across, down, slant = draw(self.TURN), draw(self.SCALE), draw(self.SCALE), draw(self.SLANT)
        xx, yx = ops.exp(across) * ops.cos(turn), ops.exp(across) * ops.sin(turn)
        xy, yy = xx * slant - ops.exp(down) * ops.sin(turn), yx * slant + ops.exp(down) * ops.cos(turn)
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        x = middle_x - xx * middle_x - xy * middle_y + draw(self.MOVE)
        y = middle_y - yx * middle_x - yy * middle_y + draw(self.MOVE)
        none = ops.zeros_like(x)
        matrices = ops.stack([xx, xy, x, yx, yy, y, none, none], axis=1)
        copies = ops.image.affine_transform(images, matrices, data_format="channels_last")
        return ops.clip((copies - 0.5) * self.CONTRAST + 0.5, 0, 1)


def default_cvae() -> vaekit.CVAE:
    """The same for ten classes, deeper still."""
    noise = keras.layers.GaussianNoise(NOISE)
    model = DistortingCVAE.for_images((28, 28, 1), 2, num_classes=10, units=256, blocks=6, corruption=noise)
    model.compile(muon(keras.optimizers.schedules.PolynomialDecay(RATE, STEPS, 0.0), 0.3))
    return model


MODELS = {
    "mlp_vae": cookbook.mlp_vae,
    "mlp_cvae": cookbook.mlp_cvae,
    "vae": default_vae,
    "cvae": default_cvae,
}
EPOCHS = {"mlp_vae": 100, "mlp_cvae": 100, "vae": OWN_EPOCHS, "cvae": OWN_EPOCHS}

# What the book prints after an epoch, and what a run of ours should be within.
BOOK = {"mlp_vae": {1: 181.8, 2: 170.6, 100: 150.30}, "mlp_cvae": {100: 130.35}}
EXPECTED = {
    "mlp_vae": {3: (164.5, 168.5), 50: (150.0, 153.0)},
    "mlp_cvae": {100: (0, 131.0)},
    "vae": {50: (0, 136.0)},
    "cvae": {50: (0, 120.0)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path, help="mnist.npz as Keras has it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--model", choices=MODELS, action="append", help="only this; may be repeated")
    arguments = parser.parse_args()
    with np.load(arguments.mnist) as mnist:
        x, y, x_test, y_test = (mnist[name] for name in ("x_train", "y_train", "x_test", "y_test"))

    for name in arguments.model or MODELS:
        for epoch, (low, high) in EXPECTED[name].items():
            print(f"{name}: expect a test loss of {low:g} to {high:g} after {epoch} epochs")
        keras.utils.set_random_seed(0)
        began = time.perf_counter()
        model = MODELS[name]()
        history = vaekit.train(
            model,
            (x, y),
            validation=(x_test, y_test),
            epochs=EPOCHS[name],
            batch_size=BATCH,
            out=arguments.out / name,
            verbose=2,
        )
        seconds = time.perf_counter() - began
        print(
            f"\n{name}: {model.count_params():,} parameters, {seconds:.0f} s with Keras {keras.__version__} on ", end=""
        )
        print(f"{keras.backend.backend()}\n{'epoch':>5} {'test loss':>10} {'KL':>6} {'book':>8}")
        for epoch in (1, 2, 3, 5, 10, 20, 50, 100):
            if epoch > len(history["loss"]):
                break
            loss, kl = history["val_loss"][epoch - 1], history["val_kl"][epoch - 1]
            book = BOOK.get(name, {}).get(epoch)
            verdict = ""
            if epoch in EXPECTED[name]:
                low, high = EXPECTED[name][epoch]
                verdict = "as expected" if low <= loss <= high else f"NOT within {low:g} to {high:g}"
            print(f"{epoch:>5} {loss:>10.2f} {kl:>6.2f} {book or '':>8} {verdict}")
        labels = y_test if isinstance(model, vaekit.CVAE) else None
        nll = evaluate.nll(model, x_test, labels, samples=SAMPLES)
        print(f"negative log-likelihood of {SAMPLES} samples: {nll:.2f}\n", flush=True)


if __name__ == "__main__":
    main()
