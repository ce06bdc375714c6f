"""The command ``vaekit``: trains models on drawings, which fastdraw reads, or on MNIST, and shows what they learned."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path
from typing import Any

import click
import numpy as np

from fastdraw.cli.console import QUIET, STYLE, CommandGroup, fail, hush

DATA = click.option("--data", "sources", multiple=True, help="A .bin file or a folder of them; may be repeated.")
MNIST = click.option("--mnist", type=click.Path(path_type=Path), help="mnist.npz, as Keras has it.")


@click.group("vaekit", cls=CommandGroup)
@click.version_option(package_name="fastdraw-vaekit", message="vaekit %(version)s")
def main() -> None:
    """Autoencoders of drawings."""


def run() -> None:
    """The console command: `hush` has to come before Keras's backend is loaded."""
    hush()
    main()


@main.command()
@click.argument("kind", type=click.Choice(["ae", "vae", "cvae"]))
@DATA
@MNIST
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the run.")
@STYLE
@click.option("--size", type=click.IntRange(8, 256), help="Side of drawings; by default 28 for google, else 32.")
@click.option("--network", type=click.Choice(["residual", "mlp", "conv"]), default="residual", show_default=True)
@click.option("--latent-dim", type=click.IntRange(1), default=64, show_default=True, help="Length of the code.")
@click.option("--beta", type=click.FloatRange(0), help="Weight of the divergence; 1 by default.")
@click.option("--corrupt", type=click.FloatRange(0, 1), default=0.0, help="Share of pixels turned to salt or pepper.")
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True, help="In all.")
@click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=1e-3, show_default=True)
@click.option(
    "--precision",
    type=click.Choice(["auto", "float32", "mixed_float16", "mixed_bfloat16"]),
    default="auto",
    show_default=True,
)
@click.option("--patience", type=click.IntRange(1), help="Stop after so many epochs without a better one.")
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
@click.option("--overwrite", is_flag=True, help="Begin anew where the folder has a run.")
@QUIET
def train(
    kind: str,
    sources: tuple[str, ...],
    mnist: Path | None,
    style: str,
    size: int | None,
    network: str,
    latent_dim: int,
    beta: float | None,
    corrupt: float,
    batch_size: int,
    learning_rate: float,
    seed: int,
    out: Path,
    overwrite: bool,
    quiet: bool,
    **options: Any,
) -> None:
    """Train an autoencoder, a variational one, or a conditional one.

    Every tenth drawing, or MNIST's test images, are held out to measure it. Run the same command again after any
    interruption: it goes on after the last epoch that was finished.
    """
    _expect_one(sources, mnist)
    if kind == "ae" and beta is not None:
        raise click.UsageError("expected no --beta for ae, which has no divergence to weigh")
    import keras

    import vaekit

    keras.utils.set_random_seed(seed)
    if mnist:
        data, held_out, shape, classes = _mnist(mnist)
    else:
        data, held_out, shape, classes = _drawings(sources, style, size, batch_size, seed, kind == "cvae")
    corruption = vaekit.layers.SaltAndPepper(corrupt) if corrupt else None
    own: dict[str, Any] = {} if kind == "ae" else {"beta": 1.0 if beta is None else beta}
    if kind == "cvae":
        own["num_classes"] = classes
    kinds: dict[str, Any] = {"ae": vaekit.AE, "vae": vaekit.VAE, "cvae": vaekit.CVAE}
    model = kinds[kind].for_images(shape, latent_dim, network=network, corruption=corruption, **own)
    model.compile(keras.optimizers.Adam(learning_rate))
    if not quiet:
        click.echo(f"{model.name}: {model.count_params():,} parameters, images of {shape}, {classes} classes")
    try:
        history = vaekit.train(
            model,
            data,
            validation=held_out,
            out=out,
            batch_size=batch_size,
            resume=not overwrite,
            seed=seed,
            verbose=0 if quiet else 1 if sys.stdout.isatty() else 2,
            **options,
        )
    except vaekit.TrainingError as error:
        fail(error)
    if not quiet:
        best = int(np.argmin(history["val_loss"]))
        measures = ", ".join(
            f"{name} {history[f'val_{name}'][best]:.2f}" for name in history if f"val_{name}" in history
        )
        click.echo(f"{out / 'best.keras'}: epoch {best + 1} of {len(history['loss'])}")
        click.echo(f"held out, in nats an image: {measures}")


@main.command()
@click.argument("path", metavar="MODEL", type=click.Path(path_type=Path, exists=True))
@DATA
@MNIST
@click.option("--out", type=click.Path(path_type=Path), default="report.html", show_default=True)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder to save the pictures in too.")
@STYLE
@click.option("--limit", type=click.IntRange(2), default=10_000, show_default=True, help="Drawings used, at most.")
@QUIET
def report(
    path: Path,
    sources: tuple[str, ...],
    mnist: Path | None,
    style: str,
    limit: int,
    out: Path,
    pictures: Path | None,
    quiet: bool,
) -> None:
    """Write a page that shows what a model learned, for any browser.

    MODEL is a .keras file or the folder of a run. The drawings are those that `vaekit train` holds out, one in ten, or
    MNIST's test images. The style should be that of training.
    """
    _expect_one(sources, mnist)
    if not out.absolute().parent.is_dir():
        fail(f"{out}: expected a folder to write it in, found none at {out.absolute().parent}")
    import vaekit

    if path.is_dir():
        path = path / "best.keras"
        if not path.exists():
            fail(f"{path}: expected the folder of a run, found no best.keras there")
    model = _model(path)
    height, width, channels = model.to_images.image_shape
    if mnist:
        _, (images, labels), shape, classes = _mnist(mnist)
        names = [str(digit) for digit in range(classes)]
    else:
        if height != width:
            fail(f"{path}: expected a model of square images, found {height} x {width}")
        drawings, _, held_out = _split(sources)
        held_out = held_out[_spread(len(held_out), limit)]
        images, labels = held_out.rasterize(style=style, size=height), held_out.labels
        shape, names = (*images.shape[1:], 1), list(drawings.categories)
    if shape != (height, width, channels):
        fail(f"{path}: expected a model of images of {shape}, found one of {(height, width, channels)}")
    if isinstance(model, vaekit.CVAE) and model.num_classes != len(names):
        fail(f"{path}: expected the categories of training, {model.num_classes}; found {len(names)} in the data")
    used = _spread(len(images), limit)
    log = path.with_name("history.csv")
    history = vaekit.read_history(log) if log.exists() else None
    title = f"{path.parent.absolute().name} ({path.name})"
    vaekit.report.write_report(
        model, images[used], out, labels=labels[used], names=names, history=history, title=title, folder=pictures
    )
    if not quiet:
        click.echo(f"{out}: {len(used):,} drawings, {out.stat().st_size / 1e6:.1f} MB")


def _model(path: Path) -> Any:
    """A model that vaekit saved."""
    import keras

    import vaekit

    try:
        model = keras.models.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, ImportError, zipfile.BadZipFile):
        model = None
    if not isinstance(model, vaekit.AE):
        fail(f"{path}: expected a .keras file of an AE, VAE or CVAE of vaekit, found another or a damaged file")
    return model


def _expect_one(sources: tuple[str, ...], mnist: Path | None) -> None:
    if bool(sources) == bool(mnist):
        raise click.UsageError("expected one of --data and --mnist")


def _spread(count: int, limit: int) -> Any:
    """Rows at equal distances, at most ``limit`` of ``count``."""
    return np.unique(np.linspace(0, count - 1, min(count, limit)).astype(np.int64))


def _mnist(path: Path) -> tuple[Any, Any, tuple[int, int, int], int]:
    """Training data, what is held out, the shape of an image and the number of classes."""
    try:
        with np.load(path) as mnist:
            x, y, x_test, y_test = (mnist[name] for name in ("x_train", "y_train", "x_test", "y_test"))
    except (ValueError, KeyError, zipfile.BadZipFile):
        fail(f"{path}: expected an .npz file with x_train, y_train, x_test and y_test")
    return (x, y), (x_test, y_test), (*x.shape[1:], 1), 10


def _drawings(
    sources: tuple[str, ...], style: str, size: int | None, batch_size: int, seed: int, labelled: bool
) -> tuple[Any, Any, tuple[int, int, int], int]:
    """As `_mnist`, of .bin files."""
    import fastdraw
    from fastdraw.settings import Settings

    size = Settings.of(style=style, size=size).size
    drawings, training, held_out = _split(sources)
    options: dict[str, Any] = {"style": style, "size": size, "labels": "int" if labelled else None}
    data = fastdraw.to_tf_dataset(training, batch_size, shuffle=True, seed=seed, **options)
    held_out_data = fastdraw.to_tf_dataset(held_out, batch_size, **options)
    return data, held_out_data, (size, size, 1), len(drawings.categories)


def _split(sources: tuple[str, ...]) -> tuple[Any, Any, Any]:
    """All drawings, those to train on and those held out."""
    import fastdraw

    drawings = fastdraw.open_drawings(list(sources))
    training, held_out, _ = drawings.split(validation=0.1, test=0.0)
    if not len(training) or not len(held_out):
        fail(f"expected enough drawings to hold some out, found {len(drawings)}")
    return drawings, training, held_out
