"""Train the book's two MNIST models and two of vaekit's own, and print their losses and the book's.

    python benchmarks/train_mnist.py mnist.npz --out runs/mnist

Run it again after an interruption, and it resumes. Losses are in nats/image, of the 10,000 test images, not binarised.
They differ by some tenths from run to run; on one core (`taskset -c 0`) runs are reproducible. The last line is the
importance-weighted bound of Burda et al. (2016) with 100 samples, which depends less on the encoder.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

import vaekit
from vaekit import cookbook, evaluate

BATCH = 250
SAMPLES = 100

# vaekit's own networks: epochs, and steps until the learning rate is 0.
OWN_EPOCHS = 50
STEPS = OWN_EPOCHS * 60_000 // BATCH


def own(kind: str) -> Any:
    """A model of vaekit's recipe, compiled for its epochs."""
    recipe = vaekit.recipes.mnist(kind)
    model = recipe.model(kind, (28, 28, 1), num_classes=10)
    model.compile(recipe.make_optimizer(STEPS))
    return model


MODELS = {
    "mlp_vae": cookbook.mlp_vae,
    "mlp_cvae": cookbook.mlp_cvae,
    "vae": lambda: own("vae"),
    "cvae": lambda: own("cvae"),
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
