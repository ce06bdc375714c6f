"""The function `train`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

import keras

from fastdraw.checks import integer
from fastdraw.storage import make_folder
from vaekit.feeds import as_batches, number_of_batches, position
from vaekit.models import AE, VAE
from vaekit.recipes import KINDS, Recipe, find
from vaekit.training.arguments import describe
from vaekit.training.logs import Logs
from vaekit.training.precision import choose_precision, compile_for, set_precision
from vaekit.training.prior import fit_priors
from vaekit.training.run import History, Run


def train(
    model: keras.Model,
    data: Any,
    *,
    out: str | os.PathLike[str],
    epochs: int | None = None,
    recipe: str | Recipe | None = None,
    validation: Any = None,
    batch_size: int | None = None,
    steps_per_epoch: int | None = None,
    precision: str = "auto",
    resume: bool | Literal["changed"] = True,
    patience: int | None = None,
    checkpoint_every: int | None = None,
    seed: int = 0,
    callbacks: Sequence[keras.callbacks.Callback] = (),
    verbose: str | int = "auto",
) -> History:
    """Train a model and keep checkpoints. The same call again resumes after the last one, that of a finished epoch.

    A run that was killed and resumed gives the same model as an uninterrupted one, bit for bit where the processor's
    sums are reproducible: the order of arrays and the model's random numbers depend only on ``seed`` and the epoch.

    Parameters
    ----------
    model : keras.Model
        If it is not compiled, it is compiled with the optimizer of the recipe, or without one with Adam at a learning
        rate of 1e-3. Afterwards it has the weights of the last epoch.
    data : array, pair of arrays, or dataset
        Images, or images and labels, as NumPy arrays, memory maps, tensors, or arrays of h5py or zarr; or batches of
        them: `fastdraw.batches`, `fastdraw.resident`, `fastdraw.to_tf_dataset`, a ``PyDataset`` or a torch
        ``DataLoader``. Arrays are shuffled. A resumed run reads arrays, and the batches of fastdraw with a seed, in the
        order of an uninterrupted one.
    out : path
        Folder of the run; made if it does not exist.
    epochs : int, optional
        Total, earlier runs included; that of the recipe by default.
    recipe : Recipe or str, optional
        How to train, or the name of it, see `vaekit.recipes`: epochs, batch size, optimizer, learning rate and its
        schedule, weights of the KL term, and the prior, which is fitted after the last epoch. Arguments that are given
        come before it. Make the model of the same recipe.
    validation : array, pair of arrays, or dataset, optional
        The best model is the one with the lowest validation loss; without validation, the lowest training loss.
    batch_size : int, optional
        For arrays; that of the recipe by default, or without one 128.
    steps_per_epoch : int, optional
        Batches in an epoch, for endless datasets and for shorter epochs.
    precision : {"auto", "float32", "mixed_float16", "mixed_bfloat16"}
        ``auto`` is bfloat16 on a GPU with bfloat16 hardware, float16 on one with float16 only, float32 elsewhere.
    resume : bool or "changed"
        Whether to resume the run in the folder; if False, it is overwritten. A run that began with another model,
        learning rate, ``beta``, seed or amount of data is resumed with ``"changed"`` only.
    patience : int, optional
        Stop after this many epochs without improvement.
    checkpoint_every : int, optional
        Steps after which to save a checkpoint within an epoch, too: for epochs so long that a kill would cost much. A
        run that is resumed there ends with the same weights as well. The data are arrays or batches of fastdraw, but
        no ``tf.data.Dataset``: their position is saved.
    seed : int
    callbacks : sequence of keras.callbacks.Callback
        A resumed run goes on with the counts of ``EarlyStopping`` and ``ReduceLROnPlateau``; what other callbacks
        remember is lost, also the weights that ``EarlyStopping`` would restore.
    verbose
        As for ``keras.Model.fit``.

    Returns
    -------
    dict of list
        The content of ``history.csv``: for each metric a list with a value per epoch.

    Raises
    ------
    TrainingError
        If the loss or a weight is not finite, ``last.keras`` is not a checkpoint of such a model, or the run began with
        other arguments.
    FastdrawError
        If ``out`` is a file.
    ValueError, TypeError
        If an argument is invalid, an array of labels has values outside the model's classes, or one of images has
        values outside 0..1.

    Examples
    --------
    >>> images = fastdraw.open_drawings("quickdraw")[:64].rasterize()
    >>> model = vaekit.VAE.for_images((32, 32, 1), 2, network="mlp", units=(16,))
    >>> history = vaekit.train(model, images, epochs=1, out="run", verbose=0)
    >>> history = vaekit.train(model, images, epochs=2, out="run", verbose=0)  # resumes: one more epoch
    >>> len(history["loss"])
    2
    >>> best = keras.models.load_model("run/best.keras")
    """
    if not isinstance(model, AE):
        raise TypeError(f"expected a model of vaekit, received {type(model).__name__}")
    plan = _plan(recipe, model)
    if epochs is None and recipe is None:
        raise ValueError("expected epochs, or a recipe that has them; received neither")
    epochs = integer("epochs", plan.epochs if epochs is None else epochs, 1)
    if resume not in (True, False, "changed"):
        raise ValueError(f'expected resume to be True, False or "changed", received {resume!r}')
    optional = {
        "steps_per_epoch": steps_per_epoch,
        "batch_size": batch_size,
        "patience": patience,
        "checkpoint_every": checkpoint_every,
    }
    for name, value in optional.items():
        if value is not None:
            integer(name, value, 1)
    folder = make_folder(Path(out))
    policy = choose_precision() if precision == "auto" else precision
    set_precision(model, policy)  # an error about an argument comes before those about data
    batch_size = plan.batch_size if batch_size is None else batch_size
    batches = as_batches(data, batch_size, seed, model.checked)
    if recipe is not None:
        callbacks = [*plan.callbacks(), *callbacks]
        if not model.compiled:
            optimizer = plan.make_optimizer(epochs * (steps_per_epoch or _steps(batches, plan)))
            model.compile(optimizer, auto_scale_loss=False)  # `compile_for` scales it
    compile_for(model, policy)
    checks = None if validation is None else as_batches(validation, batch_size, None, model.checked)
    if checkpoint_every is not None and steps_per_epoch is not None:
        raise ValueError("expected one of checkpoint_every and steps_per_epoch, received both")
    if checkpoint_every is not None and position(batches, 0) is None:
        raise ValueError(
            "expected data whose position can be saved, for checkpoint_every: arrays, fastdraw.batches, "
            "to_keras_dataset, to_torch_dataset without worker processes, or resident; received "
            f"{type(data).__name__}"
        )
    # The run evaluates and saves the averages of an optimizer that has them.
    callbacks = [callback for callback in callbacks if not isinstance(callback, keras.callbacks.SwapEMAWeights)]
    run = Run(
        folder,
        batches,
        describe(model, batches, seed, callbacks),
        seed=seed,
        validated=checks is not None,
        patience=patience,
        checkpoint_every=checkpoint_every,
        callbacks=callbacks,
    )
    if resume and run.last.exists():
        run.restore(model, changed=resume == "changed")
    over = run.is_over(epochs)
    if not (over or isinstance(batches, keras.utils.PyDataset) or hasattr(batches, "set_epoch")):
        for _ in range(run.epoch):  # a dataset that counts its iterations starts at this epoch
            next(iter(batches), None)

    def fit(**options: Any) -> None:
        model.fit(
            batches,
            validation_data=checks,
            initial_epoch=run.epoch,
            callbacks=[*callbacks, Logs(folder / "logs"), run],
            shuffle=False,  # batches of arrays are shuffled already, reproducibly
            verbose=verbose,
            **options,
        )

    while not run.is_over(epochs):
        rest = run.steps_left()  # of an epoch that was begun; Keras knows no step to begin at
        if not rest:
            fit(epochs=epochs, steps_per_epoch=steps_per_epoch)
            break
        fit(epochs=run.epoch + 1, steps_per_epoch=rest)
        if model.stop_training:
            break
        run.restore(model, changed=True)
    if recipe is not None and plan.prior and isinstance(model, VAE) and not (over and model.prior is not None):
        fit_priors(model, folder / "best.keras", batches, plan.prior)
    return run.history


def _steps(batches: Any, recipe: Recipe) -> int:
    count = number_of_batches(batches)
    if count is None and recipe.schedule != "constant":
        raise ValueError(
            f"expected data that knows the number of its batches, for the schedule {recipe.schedule!r}; received "
            f"{type(batches).__name__}: compile the model yourself"
        )
    return count or 1


def _plan(recipe: str | Recipe | None, model: Any) -> Recipe:
    """The recipe of a name for such a model; without one, the defaults."""
    if isinstance(recipe, str):
        kind = next(name for name, base in reversed(KINDS.items()) if isinstance(model, base))
        return find(recipe, kind)
    return Recipe() if recipe is None else recipe
