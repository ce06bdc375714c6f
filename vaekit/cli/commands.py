"""The command ``vaekit``: trains models on drawings or MNIST, and reports what they learned.

Keras and NumPy are imported when a command runs, so that ``--help`` is fast.
"""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from typing import Any

import click

from fastdraw.cli.console import QUIET, SIZE, STYLE, CommandGroup, compiles, fail
from fastdraw.notices import notice
from vaekit.cli.data import read_drawings, read_held_out, read_mnist, read_training

DATA = click.option(
    "--data",
    "sources",
    multiple=True,
    help="A file of drawings (.bin, ndjson, CSV, .npz and others), or a folder of them; may be repeated.",
)
_IMPORTANCE_SAMPLES = 5  # with --objective iwae

MNIST = click.option("--mnist", type=click.Path(path_type=Path), help="mnist.npz, as Keras downloads it.")


@click.group("vaekit", cls=CommandGroup)
@click.version_option(package_name="fastdraw-vaekit", message="vaekit %(version)s")
def main() -> None:
    """Autoencoders of drawings."""


@main.command()
@click.argument("kind", type=click.Choice(["ae", "vae", "cvae"]))
@DATA
@MNIST
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@STYLE
@SIZE
@click.option(
    "--recipe",
    "name",
    type=click.Choice(["drawings", "mnist", "binarized_mnist", "burda", "quick"]),
    help="Settings that work together; the options below change them. Default: drawings, and mnist for --mnist.",
)
@click.option("--network", type=click.Choice(["residual", "mlp", "conv", "ladder", "two_layers"]))
@click.option("--latent-dim", type=click.IntRange(1), help="Length of the code; with the network ladder, at its top.")
@click.option(
    "--prior",
    type=click.IntRange(0),
    help="Normal distributions in the mixture that samples of a class are drawn from, fitted after training; 0 for the "
    "standard normal distribution.",
)
@click.option("--beta", type=click.FloatRange(0), help="Weight of the KL term; 1 by default.")
@click.option("--warm-up", type=click.IntRange(0), help="Epochs in which the weight of the KL term rises from 0.")
@click.option("--objective", type=click.Choice(["elbo", "iwae"]), help="What to minimise; elbo by default.")
@click.option("--augment/--no-augment", default=None, help="Whether to change the strokes of drawings to train on.")
@click.option("--corrupt", type=click.FloatRange(0, 1), default=0.0, help="Share of pixels with salt-and-pepper noise.")
@click.option("--epochs", type=click.IntRange(1), help="Total, earlier runs included.")
@click.option("--steps-per-epoch", type=click.IntRange(1), help="Batches in an epoch; by default, all.")
@click.option("--batch-size", type=click.IntRange(1))
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True))
@click.option("--schedule", type=click.Choice(["constant", "linear", "cosine"]), help="How the learning rate falls.")
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "mixed_float16", "mixed_bfloat16"]),
    default="auto",
    show_default=True,
)
@click.option("--patience", type=click.IntRange(1), help="Stop after this many epochs without improvement.")
@click.option("--checkpoint-every", type=click.IntRange(1), help="Save a checkpoint after this many steps, too.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--overwrite", is_flag=True, help="Start again if the folder has a run.")
@click.option("--changed", is_flag=True, help="Resume a run that began with other options.")
@QUIET
@compiles
def train(
    kind: str,
    sources: tuple[str, ...],
    mnist: Path | None,
    style: str,
    size: int | None,
    name: str | None,
    beta: float | None,
    objective: str | None,
    augment: bool | None,
    corrupt: float,
    seed: int,
    out: Path,
    overwrite: bool,
    changed: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train an autoencoder (ae), a variational one (vae) or a conditional variational one (cvae).

    Every tenth drawing is held out for validation; of MNIST, the test images. After an interruption, run the same
    command again: it resumes after the last checkpoint, by default that of the last finished epoch.
    """
    _expect_one(sources, mnist)
    for option, given in (
        ("--beta", beta),
        ("--prior", options["prior"]),
        ("--warm-up", options["warm_up"]),
        ("--objective", objective),
    ):
        if kind == "ae" and given is not None:
            raise click.UsageError(f"expected no {option} for ae, which has no prior and no KL term")
    import keras
    import numpy as np

    import vaekit

    keras.utils.set_random_seed(seed)
    recipe_options = ("network", "latent_dim", "prior", "warm_up", "epochs", "batch_size", "learning_rate", "schedule")
    recipe = vaekit.recipes.find(name or ("mnist" if mnist else "drawings"), kind)
    recipe = recipe.changed(**{option: options.pop(option) for option in recipe_options})
    more: dict[str, Any] = {"beta": beta, "objective": objective}
    if corrupt:
        recipe = recipe.changed(noise=0.0)
        more["corruption"] = vaekit.layers.SaltAndPepper(corrupt)
    if objective == "iwae":
        more |= {"importance_samples": _IMPORTANCE_SAMPLES, "free_bits": 0.0}
    given = {option: value for option, value in more.items() if value is not None}
    recipe = recipe.changed(options={**recipe.options, **given})
    if augment is not None:
        default = vaekit.recipes.drawings(kind).augment
        recipe = dataclasses.replace(recipe, augment=(recipe.augment or default) if augment else None)
    data = read_mnist(mnist) if mnist else read_drawings(sources, style, size, recipe, seed, labelled=kind == "cvae")
    model = recipe.model(kind, data.image_shape, len(data.names))
    if not quiet:
        click.echo(
            f"{model.name}: {model.count_params():,} parameters, images of {data.image_shape}, "
            f"{len(data.names)} classes"
        )
    try:
        history = vaekit.train(
            model,
            data.training,
            validation=data.held_out,
            out=out,
            recipe=recipe,
            resume="changed" if changed and not overwrite else not overwrite,
            seed=seed,
            verbose=0 if quiet else 1 if sys.stdout.isatty() else 2,
            **options,
        )
    except vaekit.TrainingError as error:
        fail(str(error).replace("resume=False", "--overwrite").replace('resume="changed"', "--changed"))
    if not quiet:
        best = int(np.nanargmin(history["val_loss"]))
        measures = ", ".join(
            f"{name} {history[f'val_{name}'][best]:.2f}" for name in history if f"val_{name}" in history
        )
        click.echo(f"{out / 'best.keras'}: epoch {best + 1} of {len(history['loss'])}")
        click.echo(f"held out, in nats/image: {measures}")


@main.command()
@click.argument("preset", metavar="MODEL")
@click.option("--out", type=click.Path(path_type=Path), default="samples.png", show_default=True)
@click.option("--columns", type=click.IntRange(1), default=12, show_default=True, help="Samples of each class.")
@click.option("--names", help="Of the classes, separated by commas.")
@click.option("--grey", is_flag=True, help="Show the mean of each pixel, instead of ink.")
@click.option("--zoom", type=click.IntRange(1), default=2, show_default=True, help="Factor by which to enlarge.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@QUIET
def samples(
    preset: str, out: Path, columns: int, names: str | None, grey: bool, zoom: int, seed: int, quiet: bool
) -> None:
    """Draw samples of a model, and write them to a picture, one row for each class.

    MODEL is a .keras file, the folder of a run, the address of a file, or real7, a model of seven categories of real
    drawings that comes with the package.
    """
    _expect_folder_of(out)
    import vaekit
    from vaekit.models.presets import SHIPPED

    model = _model(_find(preset))
    if not isinstance(model, vaekit.VAE):
        fail(f"{preset}: expected a VAE or a CVAE, which have samples; received an {type(model).__name__}")
    rows = names.split(",") if names else SHIPPED.get(preset)
    expected = getattr(model, "num_classes", 10)
    if rows and len(rows) != expected:
        fail(f"expected --names for {expected} rows, received {len(rows)}")
    picture = vaekit.pictures.samples(model, columns=columns, names=rows, seed=seed, inked=not grey)
    vaekit.pictures.save(picture, out, zoom=zoom)
    if not quiet:
        click.echo(f"{out}: {expected * columns} samples")


@main.command()
@click.argument("path", metavar="MODEL")
@DATA
@MNIST
@click.option("--out", type=click.Path(path_type=Path), default="report.html", show_default=True)
@click.option(
    "--judge",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File of a judge, which names samples of a cvae; trained on the drawings to train on if there is none yet.",
)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder for the pictures as files, too.")
@STYLE
@click.option("--limit", type=click.IntRange(2), default=10_000, show_default=True, help="Most drawings to use.")
@QUIET
@compiles
def report(
    path: str,
    sources: tuple[str, ...],
    mnist: Path | None,
    style: str,
    limit: int,
    out: Path,
    judge: Path | None,
    pictures: Path | None,
    quiet: bool,
) -> None:
    """Write an HTML page that shows what a model learned.

    MODEL is as for `vaekit samples`. The page uses the drawings that `vaekit train` holds out, or MNIST's test images.
    Pass the style of training.
    """
    _expect_one(sources, mnist)
    _expect_folder_of(out)
    import vaekit

    file = _find(path)
    model = _model(file)
    images, labels, names = read_held_out(file, model, sources, mnist, style, limit)
    log = file.with_name("history.csv")
    history = vaekit.read_history(log) if log.exists() else None
    title = f"{file.parent.absolute().name} ({file.name})"
    referee = None if judge is None else _judge(judge, model, sources, mnist, style)
    vaekit.report.write_report(
        model, images, out, labels=labels, names=names, history=history, title=title, folder=pictures, judge=referee
    )
    if not quiet:
        click.echo(f"{out}: {len(images):,} drawings, {out.stat().st_size / 1e6:.1f} MB")


def _expect_one(sources: tuple[str, ...], mnist: Path | None) -> None:
    if bool(sources) == bool(mnist):
        raise click.UsageError("expected one of --data and --mnist")


def _expect_folder_of(out: Path) -> None:
    if not out.absolute().parent.is_dir():
        fail(f"{out}: expected an existing folder, received {out.absolute().parent}")


def _judge(path: Path, model: Any, sources: tuple[str, ...], mnist: Path | None, style: str) -> Any:
    import vaekit

    if path.exists():
        return vaekit.evaluate.Judge.load(path)
    notice("training the judge")
    images, labels = read_mnist(mnist).training if mnist else read_training(sources, style, model.to_images.image_shape)
    judge = vaekit.evaluate.Judge.train(images, labels)
    judge.save(path)
    return judge


def _find(preset: str) -> Path:
    """The file of a model."""
    from vaekit.models.presets import find_preset

    try:
        return find_preset(preset)
    except FileNotFoundError as error:
        fail(str(error))
    except Exception as error:  # Keras has no class for what can go wrong in a download
        fail(f"{preset}: {error}")


def _model(path: Path) -> Any:
    """A model of vaekit."""
    import keras

    import vaekit

    try:
        model = keras.models.load_model(path, compile=False)
    except Exception as error:  # what Keras and HDF5 raise for damaged files can be anything
        if isinstance(error, MemoryError) or getattr(error, "filename", None):
            raise  # the file may be sound
        model = None
        missing = re.search(r"Could not locate (class|function) '(\w+)'", str(error))
        if missing:
            fail(
                f"{path}: expected a model of vaekit's and Keras's own layers, received one with the {missing[1]} "
                f"{missing[2]}: import what defines it in Python, load the model there, and call "
                "vaekit.report.write_report"
            )
    if not isinstance(model, vaekit.AE):
        fail(f"{path}: expected a .keras file of an AE, VAE or CVAE of vaekit, received another or a damaged file")
    return model
