"""Images a second in training: vaekit beside a VAE written the usual way, with a training step of its own.

    python benchmarks/bench_train.py [--images N] [--conv]

Both have the same networks and weights. It also shows what precision, batch size and steps per execution do. Runs on
TensorFlow and JAX, on a CPU or a GPU.
"""

from __future__ import annotations

import argparse
import os
import platform
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import ops

import vaekit
from vaekit import networks
from vaekit.training import set_precision

SHAPE, LATENTS = (28, 28, 1), 2
ROUNDS = 5


class UsualVAE(keras.Model):
    """The common tutorial model: sampling, loss and gradient by hand in ``train_step``."""

    def __init__(self, encoder: keras.Model, decoder: keras.Model) -> None:
        super().__init__()
        self.encoder, self.decoder = encoder, decoder
        self.mean_head, self.log_var_head = keras.layers.Dense(LATENTS), keras.layers.Dense(LATENTS)
        for head in (self.mean_head, self.log_var_head):
            head.build(encoder.output_shape)
        self.seed = keras.random.SeedGenerator(0)
        self.total = keras.metrics.Mean(name="loss")
        self.built = True

    @property
    def metrics(self) -> list[keras.metrics.Metric]:
        return [self.total]

    def call(self, images: object) -> object:
        return self.loss_of(images)

    def loss_of(self, images: object) -> object:
        features = self.encoder(images)
        mean, log_var = self.mean_head(features), self.log_var_head(features)
        z = mean + ops.exp(0.5 * log_var) * keras.random.normal(ops.shape(mean), seed=self.seed)
        p = ops.sigmoid(self.decoder(z))
        reconstruction = ops.mean(ops.sum(keras.losses.binary_crossentropy(images, p), axis=(1, 2)))
        kl = -0.5 * (1 + log_var - ops.square(mean) - ops.exp(log_var))
        return reconstruction + ops.mean(ops.sum(kl, axis=1))

    def train_step(self, *arguments: object) -> object:
        return self._jax_step(*arguments) if keras.backend.backend() == "jax" else self._tensorflow_step(*arguments)

    def _tensorflow_step(self, images: object) -> dict[str, object]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.loss_of(images)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.total.update_state(loss)
        return {"loss": self.total.result()}

    def _jax_step(self, state: tuple, images: object) -> object:
        import jax

        trainable, others, optimizer, metrics = state

        def loss_of(trainable: list, others: list) -> tuple[object, list]:
            return self.stateless_call(trainable, others, images)

        (loss, others), gradients = jax.value_and_grad(loss_of, has_aux=True)(trainable, others)
        trainable, optimizer = self.optimizer.stateless_apply(optimizer, gradients, trainable)
        metrics = self.total.stateless_update_state(metrics, loss)
        return {"loss": self.total.stateless_result(metrics)}, (trainable, others, optimizer, metrics)


def pair(conv: bool) -> tuple[keras.Model, keras.Model]:
    keras.utils.set_random_seed(0)
    return (networks.conv if conv else networks.mlp)(SHAPE, LATENTS)


def ours(conv: bool, precision: str = "float32", **options: object) -> keras.Model:
    model = vaekit.VAE(*pair(conv), LATENTS)
    set_precision(model, precision)
    model.compile(keras.optimizers.Adam(1e-3), **options)
    return model


def usual(conv: bool, **options: object) -> keras.Model:
    model = UsualVAE(*pair(conv))
    model.compile(keras.optimizers.Adam(1e-3), **options)
    return model


def rates(models: dict[str, Callable[[], tuple[keras.Model, int]]], images: np.ndarray) -> dict[str, float]:
    """Images a second of each model: the best of some epochs that take turns, after one that compiles."""
    built = {name: make() for name, make in models.items()}
    best = dict.fromkeys(built, 0.0)
    for turn in range(ROUNDS + 1):
        for name, (model, batch) in built.items():
            began = time.perf_counter()
            loss = model.fit(images, batch_size=batch, verbose=0).history["loss"][-1]
            assert np.isfinite(loss), name
            if turn:
                best[name] = max(best[name], len(images) / (time.perf_counter() - began))
    return best


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--images", type=int, default=20_000)
    parser.add_argument("--conv", action="store_true", help="convolutions, for a GPU; else the book's dense network")
    arguments = parser.parse_args()
    conv, images = arguments.conv, np.random.default_rng(0).random((arguments.images, *SHAPE)).astype(np.float32)
    device = keras.distribution.list_devices()[0]
    print(
        f"Keras {keras.__version__} on {keras.backend.backend()}, {device}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}; {ours(conv).count_params():,} parameters, {len(images):,} images"
    )

    # The same loss from the same weights; only the draw of the codes differs.
    sides = [
        model.fit(images[:5000], batch_size=250, shuffle=False, verbose=0).history["loss"][0]
        for model in (ours(conv), usual(conv))
    ]
    assert abs(sides[0] / sides[1] - 1) < 0.01, sides
    print(f"loss of the first epoch: vaekit {sides[0]:.2f}, the usual way {sides[1]:.2f}\n")

    # JAX is always compiled by XLA.
    for jit in (True,) if keras.backend.backend() == "jax" else (False, True):
        found = rates(
            {
                "vaekit": lambda jit=jit: (ours(conv, jit_compile=jit), 250),
                "usual": lambda jit=jit: (usual(conv, jit_compile=jit), 250),
            },
            images,
        )
        print(
            f"jit_compile={jit!s:<5}  vaekit {found['vaekit']:>9,.0f} images/s   the usual way {found['usual']:>9,.0f}"
            f"   ratio {found['vaekit'] / found['usual']:.2f}"
        )

    print("\nvaekit, images/s at batch sizes")
    batches = (128, 512, 2048)
    print(f"{'':<34}" + "".join(f"{batch:>11,}" for batch in batches))
    for precision in ("float32", "mixed_bfloat16", "mixed_float16"):
        for steps in (1, 8):
            found = rates(
                {
                    str(batch): lambda batch=batch, p=precision, s=steps: (ours(conv, p, steps_per_execution=s), batch)
                    for batch in batches
                },
                images,
            )
            print(
                f"{precision:<16}{f'{steps} steps an execution':<18}"
                + "".join(f"{found[str(batch)]:>11,.0f}" for batch in batches),
                flush=True,
            )


if __name__ == "__main__":
    main()
