"""What a run was made with, kept in its checkpoint, so that the same folder is not resumed with something else."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras

from vaekit import feeds
from vaekit.training.precision import leaves

Arguments = dict[str, Any]

_SCHEDULES = (keras.callbacks.ReduceLROnPlateau, keras.callbacks.LearningRateScheduler)


def describe(model: Any, batches: Any, seed: int, callbacks: Sequence[keras.callbacks.Callback]) -> Arguments:
    """Arguments that decide what a run learns, as values for JSON.

    What a callback changes in training is left out: a model that was trained has it no more.
    """
    found: Arguments = {"model": type(model).__name__, "seed": seed}
    for name in ("encoder", "decoder"):
        found[name] = [_layer(layer) for layer in leaves(getattr(model, name))]
    for name in ("latent_dim", "num_classes", "learned_prior", "free_bits", "importance_samples"):
        if hasattr(model, name):
            found[name] = getattr(model, name)
    if hasattr(model, "beta") and not any(hasattr(callback, "beta") for callback in callbacks):
        found["beta"] = model.beta
    found["objective"] = _layer(model._objective)
    for name in ("corruption", "binarization"):
        layer = getattr(model, name)
        found[name] = None if layer is None else _layer(layer)
    found["loss"] = None if model.loss is None else str(getattr(model.loss, "name", None) or _name(model.loss))
    if hasattr(model.loss, "get_config"):
        found |= _numbers("loss", model.loss)
    optimizer = inner(model.optimizer)
    found["optimizer"] = type(optimizer).__name__
    found |= _numbers("optimizer", optimizer)
    if not any(isinstance(callback, _SCHEDULES) for callback in callbacks):
        found["learning_rate"] = _rate(optimizer.get_config()["learning_rate"])
    if isinstance(batches, feeds.Arrays):
        found |= {"images": len(batches.order), "batch_size": batches.batch_size}
    elif (count := feeds.number_of_batches(batches)) is not None:
        found["batches"] = count
    return found


def differences(before: Arguments, now: Arguments) -> str:
    """The arguments that differ, in words; empty if none does. Those that only one of them knows are not compared."""
    parts = []
    for name in now:
        if name not in before or before[name] == now[name]:
            continue
        old, new = before[name], now[name]
        if isinstance(old, list) and isinstance(new, list):  # layers of a network
            at = next((i for i, pair in enumerate(zip(old, new, strict=False)) if pair[0] != pair[1]), None)
            old, new = (old[at], new[at]) if at is not None else (f"{len(old)} layers", f"{len(new)} layers")
        parts.append(f"{name} {old} before, {new} now")
    return "; ".join(parts)


def inner(optimizer: Any) -> Any:
    """The optimizer inside one that scales the loss."""
    return getattr(optimizer, "inner_optimizer", optimizer)


def _numbers(name: str, what: Any) -> Arguments:
    """The numbers among its arguments, such as a scale or a weight decay."""
    config = what.get_config()
    return {
        f"{name} {key}": value
        for key, value in config.items()
        if key != "learning_rate" and isinstance(value, (int, float))
    }


def _rate(rate: Any) -> Any:
    """A learning rate, or a schedule without its length: a run may be resumed for more epochs."""
    if not isinstance(rate, dict):
        return rate if isinstance(rate, float) else str(rate)
    config = {
        name: value for name, value in rate["config"].items() if name not in ("decay_steps", "boundaries", "name")
    }
    return f"{rate['class_name']}({', '.join(f'{name}={value}' for name, value in config.items())})"


def _layer(layer: Any) -> str:
    """A layer with its numbers and names, without its own name and its precision."""
    config = {name: value for name, value in layer.get_config().items() if name not in ("name", "dtype", "trainable")}
    shown = [f"{name}={value}" for name, value in config.items() if isinstance(value, (int, float, str, list, tuple))]
    return f"{type(layer).__name__}({', '.join(shown)})".replace("(None, ", "(").replace("[", "(").replace("]", ")")


def _name(function: Any) -> str:
    return function if isinstance(function, str) else getattr(function, "__name__", type(function).__name__)
