"""Training speed in images/s: vaekit's VAE against one with a hand-written ``train_step``, as tutorials have it.

    python benchmarks/bench_train.py [--images N] [--conv]

Both have the same networks and weights. A second table varies precision, batch size and steps per execution. Runs on
TensorFlow, JAX and torch, on a CPU or a GPU.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import keras
import numpy as np
from keras import ops
from measuring import device, machine

import vaekit
from vaekit import networks
from vaekit.training import set_precision

SHAPE, LATENTS = (28, 28, 1), 2
ROUNDS = 5


class HandWrittenVAE(keras.Model):
    """The tutorial model: sampling, loss and gradient written by hand in ``train_step``."""

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
        steps = {"tensorflow": self._tensorflow_step, "jax": self._jax_step, "torch": self._torch_step}
        return steps[keras.backend.backend()](*arguments)

    def _tensorflow_step(self, images: object) -> dict[str, object]:
        import tensorflow as tf

        with tf.GradientTape() as tape:
            loss = self.loss_of(images)
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply_gradients(zip(gradients, self.trainable_weights, strict=True))
        self.total.update_state(loss)
        return {"loss": self.total.result()}

    def _torch_step(self, images: object) -> dict[str, object]:
        import torch

        images = images[0] if isinstance(images, (tuple, list)) else images
        self.zero_grad()
        loss = self.loss_of(images)
        loss.backward()
        with torch.no_grad():
            self.optimizer.apply([weight.value.grad for weight in self.trainable_weights], self.trainable_weights)
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


def hand_written(conv: bool, **options: object) -> keras.Model:
    model = HandWrittenVAE(*pair(conv))
    model.compile(keras.optimizers.Adam(1e-3), **options)
    return model


def rates(models: dict[str, Callable[[], tuple[keras.Model, int]]], images: np.ndarray) -> dict[str, float]:
    """Images/s of each model in its fastest epoch. Models take turns; the first epoch, which compiles, is left out."""
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
    parser.add_argument(
        "--conv", action="store_true", help="a convolutional network, for a GPU, instead of the book's dense one"
    )
    arguments = parser.parse_args()
    conv, images = arguments.conv, np.random.default_rng(0).random((arguments.images, *SHAPE)).astype(np.float32)
    print(
        f"{machine()}; {keras.backend.backend()} on {device()}; "
        f"{ours(conv).count_params():,} parameters, {len(images):,} images"
    )

    # Same weights, same loss; only the random codes differ.
    losses = [
        model.fit(images[:5000], batch_size=250, shuffle=False, verbose=0).history["loss"][0]
        for model in (ours(conv), hand_written(conv))
    ]
    assert abs(losses[0] / losses[1] - 1) < 0.01, losses
    print(f"loss of the first epoch: vaekit {losses[0]:.2f}, hand-written {losses[1]:.2f}\n")

    # On JAX, XLA always compiles; on torch nothing does.
    for jit in {"jax": (True,), "torch": (False,)}.get(keras.backend.backend(), (False, True)):
        best = rates(
            {
                "vaekit": lambda jit=jit: (ours(conv, jit_compile=jit), 250),
                "hand-written": lambda jit=jit: (hand_written(conv, jit_compile=jit), 250),
            },
            images,
        )
        print(
            f"jit_compile={jit!s:<5}  vaekit {best['vaekit']:>9,.0f} images/s   "
            f"hand-written {best['hand-written']:>9,.0f} images/s   ratio {best['vaekit'] / best['hand-written']:.2f}"
        )

    print("\nvaekit, images/s by batch size")
    batches = (128, 512, 2048)
    print(f"{'':<34}" + "".join(f"{batch:>11,}" for batch in batches))
    for precision in ("float32", "mixed_bfloat16", "mixed_float16"):
        for steps in (1,) if keras.backend.backend() == "torch" else (1, 8):
            best = rates(
                {
                    str(batch): lambda batch=batch, p=precision, s=steps: (ours(conv, p, steps_per_execution=s), batch)
                    for batch in batches
                },
                images,
            )
            print(
                f"{precision:<16}{f'{steps} steps/execution':<18}"
                + "".join(f"{best[str(batch)]:>11,.0f}" for batch in batches),
                flush=True,
            )


if __name__ == "__main__":
    main()
