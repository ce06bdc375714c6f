"""Mixed precision: which policy to choose, and how to apply it to a model."""

from __future__ import annotations

from collections.abc import Iterator

import keras

from vaekit.networks.ladder import Level
from vaekit.networks.parts import Layered

POLICIES = ("float32", "mixed_float16", "mixed_bfloat16")


def choose_precision() -> str:
    """The fastest policy that the first device supports in hardware.

    Examples
    --------
    >>> vaekit.training.choose_precision() in ("float32", "mixed_float16", "mixed_bfloat16")
    True
    """
    capability = _compute_capability()
    return "mixed_bfloat16" if capability >= (8, 0) else "mixed_float16" if capability >= (7, 0) else "float32"


def _compute_capability() -> tuple[int, int]:
    """That of the first GPU, (0, 0) without one. Tensor cores came with 7.0, bfloat16 with 8.0."""
    # Keras does not report it, its backends do.
    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        gpus = tf.config.list_physical_devices("GPU")
        details = tf.config.experimental.get_device_details(gpus[0]) if gpus else {}
        return details.get("compute_capability", (0, 0))
    if backend == "jax":
        import jax

        major, minor = str(getattr(jax.devices()[0], "compute_capability", "0.0")).split(".")
        return int(major), int(minor)
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            return torch.cuda.get_device_capability()
        return (7, 0) if torch.backends.mps.is_available() else (0, 0)  # Apple's GPUs compute in float16
    return 0, 0


def has_accelerator() -> bool:
    """Whether JAX or torch computes on something else than the processor; on TensorFlow nothing depends on it."""
    if keras.backend.backend() == "jax":
        import jax

        return jax.default_backend() != "cpu"
    if keras.backend.backend() == "torch":
        import torch

        return torch.cuda.is_available() or torch.backends.mps.is_available()
    return False


def set_precision(model: keras.Model, policy: str) -> None:
    """Make the networks of a model compute in another precision. Weights, codes and logits stay float32.

    Parameters
    ----------
    model : AE, VAE or CVAE
    policy : {"float32", "mixed_float16", "mixed_bfloat16"}

    Examples
    --------
    >>> model = vaekit.VAE.for_images((8, 8, 1), 2, network="mlp", units=(16,))
    >>> vaekit.training.set_precision(model, "mixed_bfloat16")
    >>> model.encoder.layers[-1].compute_dtype, model.decoder.layers[-1].compute_dtype
    ('bfloat16', 'float32')
    """
    if policy not in POLICIES:
        raise ValueError(f"expected precision to be one of {POLICIES}, received {policy!r}")
    model.dtype_policy = policy  # Keras scales the loss if the outermost policy is float16
    for network in (model.encoder, model.decoder):
        layers = list(leaves(network))
        # The output, a code or logits, is float32: the last layer with weights and those after it.
        last = max((i for i, layer in enumerate(layers) if layer.weights), default=0)
        keep = last if network is model.decoder or not hasattr(model, "latent_dim") else len(layers)
        for layer in layers[:keep]:
            if not (isinstance(network, Layered) and layer.name in ("mean", "log_var")):
                layer.dtype_policy = policy


def compile_for(model: keras.Model, policy: str) -> None:
    """Set the precision of a model, and compile it for that."""
    set_precision(model, policy)
    if not model.compiled:
        model.compile(keras.optimizers.Adam(1e-3), auto_scale_loss=False)  # which is done below
    if policy == "mixed_float16" and not isinstance(model.optimizer, keras.optimizers.LossScaleOptimizer):
        model.compile(
            # The loss is a sum over pixels: with Keras's initial scale, 2**15, the first steps would be lost.
            keras.optimizers.LossScaleOptimizer(model.optimizer, initial_scale=2.0**8),
            loss=model.loss,
            jit_compile=model.jit_compile,
            steps_per_execution=model.steps_per_execution,
            run_eagerly=model.run_eagerly,
        )
    # Otherwise Keras would take a first batch to build the optimizer, in new runs but not in resumed ones.
    model.optimizer.build(model.trainable_variables)


def leaves(model: keras.Model | Level) -> Iterator[keras.layers.Layer]:
    """Layers of a model and of the models in it, in order."""
    parts = model.parts if isinstance(model, Level) else model.layers
    for layer in parts:
        if isinstance(layer, (keras.Model, Level)):
            yield from leaves(layer)
        else:
            yield layer
