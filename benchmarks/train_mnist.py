"""Train the book's two MNIST models and two of vaekit's own, and print their losses and the book's.

    python benchmarks/train_mnist.py mnist.npz --out runs/mnist

Run it again after an interruption, and it resumes. Losses are in nats/image, of the 10,000 test images, not binarised.
They differ by some tenths from run to run; on one core (`taskset -c 0`) runs are reproducible. The last line is the
importance-weighted bound of Burda et al. (2016) with 100 samples, which depends less on the encoder.
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
from vaekit.models import ELBO

BATCH = 250
SAMPLES = 100

# vaekit's own networks: epochs, initial learning rate, and steps of its decay to 0.
OWN_EPOCHS, RATE = 50, 1e-2
STEPS = OWN_EPOCHS * 60_000 // BATCH


def muon(rate: Any, adam_lr_ratio: float) -> keras.optimizers.Optimizer:
    """Muon (Jordan et al., 2024), which needs a fraction of Adam's epochs. Biases, gains and code heads use Adam."""
    return keras.optimizers.Muon(
        rate, adam_lr_ratio=adam_lr_ratio, exclude_layers=["mean", "log_var"], weight_decay=0.0, adam_weight_decay=0.0
    )


# Standard deviation of noise against overfitting of the encoder.
NOISE = 0.2


def default_vae() -> vaekit.VAE:
    """vaekit's residual network with two latents, deeper and narrower than the default."""
    model = vaekit.VAE.for_images((28, 28, 1), 2, units=256, blocks=4, corruption=keras.layers.GaussianNoise(NOISE))
    model.compile(muon(keras.optimizers.schedules.CosineDecay(RATE, STEPS), 0.1))
    return model


@keras.saving.register_keras_serializable("train_mnist")
class DistortedCopies(ELBO):
    """The loss of each training image and of distorted copies of it: rotated, scaled, sheared and shifted a little."""

    COPIES = 2
    ROTATE, SCALE, SHEAR, SHIFT = math.radians(6), 0.05, 0.08, 0.4  # limits: radians, logarithm, tangent, pixels
    CONTRAST = 1.35  # makes up for the smoothing by interpolation: copies have the mean entropy of images

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.seed_generator = keras.random.SeedGenerator()

    def __call__(
        self, model: vaekit.VAE, images: Any, labels: list[Any], training: bool = False
    ) -> tuple[Any, dict[str, Any]]:
        loss, measures = super().__call__(model, images, labels, training)
        if training:
            for _ in range(self.COPIES):
                loss += super().__call__(model, self._distorted(images), labels, training)[0]
        return loss, measures

    def _distorted(self, images: Any) -> Any:
        count, height, width = ops.shape(images)[:3]

        def draw(limit: float) -> Any:
            return keras.random.uniform((count,), -limit, limit, seed=self.seed_generator)

        angle, across, down, shear = draw(self.ROTATE), draw(self.SCALE), draw(self.SCALE), draw(self.SHEAR)
        xx, yx = ops.exp(across) * ops.cos(angle), ops.exp(across) * ops.sin(angle)
        xy, yy = xx * shear - ops.exp(down) * ops.sin(angle), yx * shear + ops.exp(down) * ops.cos(angle)
        middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
        x = middle_x - xx * middle_x - xy * middle_y + draw(self.SHIFT)
        y = middle_y - yx * middle_x - yy * middle_y + draw(self.SHIFT)
        zero = ops.zeros_like(x)
        matrices = ops.stack([xx, xy, x, yx, yy, y, zero, zero], axis=1)
        copies = ops.image.affine_transform(images, matrices, data_format="channels_last")
        return ops.clip((copies - 0.5) * self.CONTRAST + 0.5, 0, 1)


def default_cvae() -> vaekit.CVAE:
    """The same for ten classes, deeper, and trained on distorted copies too."""
    options = {"objective": DistortedCopies(), "corruption": keras.layers.GaussianNoise(NOISE)}
    model = vaekit.CVAE.for_images((28, 28, 1), 2, num_classes=10, units=256, blocks=6, **options)
    model.compile(muon(keras.optimizers.schedules.PolynomialDecay(RATE, STEPS, 0.0), 0.3))
    return model


MODELS = {
    "mlp_vae": cookbook.mlp_vae,
    "mlp_cvae": cookbook.mlp_cvae,
    "vae": default_vae,
    "cvae": default_cvae,
}
EPOCHS = {"mlp_vae": 100, "mlp_cvae": 100, "vae": OWN_EPOCHS, "cvae": OWN_EPOCHS}

# Losses after an epoch: the book's, and the range expected of these runs.
BOOK = {"mlp_vae": {1: 181.8, 2: 170.6, 100: 150.30}, "mlp_cvae": {100: 130.35}}
EXPECTED = {
    "mlp_vae": {3: (164.5, 168.5), 50: (150.0, 153.0)},
    "mlp_cvae": {100: (0, 131.0)},
    "vae": {50: (0, 136.0)},
    "cvae": {50: (0, 120.0)},
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("mnist", type=Path, help="mnist.npz, as Keras downloads it")
    parser.add_argument("--out", type=Path, required=True, help="folder of the runs")
    parser.add_argument("--model", choices=MODELS, action="append", help="only this model; may be repeated")
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
        print(f"negative log-likelihood, {SAMPLES} samples/image: {nll:.2f} nats/image\n", flush=True)


if __name__ == "__main__":
    main()
