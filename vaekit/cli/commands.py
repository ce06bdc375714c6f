"""The command ``vaekit``: trains models on drawings or MNIST, and reports what they learned.

Keras and NumPy are imported when a command runs, so that ``--help`` is fast.
"""

from __future__ import annotations

import re
import sys
import zipfile
from pathlib import Path
from typing import Any

import click

from fastdraw.cli.console import QUIET, SIZE, STYLE, CommandGroup, compiles, fail
from fastdraw.notices import notice
from vaekit.cli.data import Data, read_drawings, read_held_out, read_mnist

DATA = click.option("--data", "sources", multiple=True, help="A .bin file or a folder of them; may be repeated.")
_PER_COMPONENT = 10  # images of each class, at least

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
@click.option("--network", type=click.Choice(["residual", "mlp", "conv"]), default="residual", show_default=True)
@click.option("--latent-dim", type=click.IntRange(1), default=64, show_default=True, help="Length of the code.")
@click.option(
    "--prior",
    type=click.IntRange(0),
    help="Normal distributions in the mixture that samples of a class are drawn from, fitted after training; 10 by "
    "default, 0 for the standard normal distribution.",
)
@click.option("--beta", type=click.FloatRange(0), help="Weight of the KL term; 1 by default.")
@click.option("--corrupt", type=click.FloatRange(0, 1), default=0.0, help="Share of pixels with salt-and-pepper noise.")
@click.option("--epochs", type=click.IntRange(1), default=20, show_default=True, help="Total, earlier runs included.")
@click.option("--batch-size", type=click.IntRange(1), default=128, show_default=True)
@click.option("--learning-rate", type=click.FloatRange(0, min_open=True), default=1e-3, show_default=True)
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
    network: str,
    latent_dim: int,
    prior: int | None,
    beta: float | None,
    corrupt: float,
    batch_size: int,
    learning_rate: float,
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
    if kind == "ae" and beta is not None:
        raise click.UsageError("expected no --beta for ae, which has no KL term")
    if kind == "ae" and prior is not None:
        raise click.UsageError("expected no --prior for ae, which has no samples")
    import keras
    import numpy as np

    import vaekit

    keras.utils.set_random_seed(seed)
    data = (
        read_mnist(mnist) if mnist else read_drawings(sources, style, size, batch_size, seed, labelled=kind == "cvae")
    )
    extra: dict[str, Any] = {} if kind == "ae" else {"beta": 1.0 if beta is None else beta}
    if kind == "cvae":
        extra["num_classes"] = len(data.names)
    kinds: dict[str, Any] = {"ae": vaekit.AE, "vae": vaekit.VAE, "cvae": vaekit.CVAE}
    corruption = vaekit.layers.SaltAndPepper(corrupt) if corrupt else None
    model = kinds[kind].for_images(data.image_shape, latent_dim, network=network, corruption=corruption, **extra)
    model.compile(keras.optimizers.Adam(learning_rate))
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
            batch_size=batch_size,
            resume="changed" if changed and not overwrite else not overwrite,
            seed=seed,
            verbose=0 if quiet else 1 if sys.stdout.isatty() else 2,
            **options,
        )
    except vaekit.TrainingError as error:
        fail(str(error).replace("resume=False", "--overwrite").replace('resume="changed"', "--changed"))
    if kind != "ae" and prior != 0:
        _fit_prior(out / "best.keras", data, 10 if prior is None else prior)
    if not quiet:
        best = int(np.nanargmin(history["val_loss"]))
        measures = ", ".join(
            f"{name} {history[f'val_{name}'][best]:.2f}" for name in history if f"val_{name}" in history
        )
        click.echo(f"{out / 'best.keras'}: epoch {best + 1} of {len(history['loss'])}")
        click.echo(f"held out, in nats/image: {measures}")


@main.command()
@click.argument("path", metavar="MODEL", type=click.Path(path_type=Path, exists=True))
@DATA
@MNIST
@click.option("--out", type=click.Path(path_type=Path), default="report.html", show_default=True)
@click.option("--pictures", type=click.Path(path_type=Path), help="Folder for the pictures as files, too.")
@STYLE
@click.option("--limit", type=click.IntRange(2), default=10_000, show_default=True, help="Most drawings to use.")
@QUIET
@compiles
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
    """Write an HTML page that shows what a model learned.

    MODEL is a .keras file or the folder of a run. The page uses the drawings that `vaekit train` holds out, or MNIST's
    test images. Pass the style of training.
    """
    _expect_one(sources, mnist)
    if not out.absolute().parent.is_dir():
        fail(f"{out}: expected an existing folder, received {out.absolute().parent}")
    import vaekit

    if path.is_dir():
        path = path / "best.keras"
        if not path.exists():
            fail(f"{path}: expected the folder of a run, received one without best.keras")
    model = _model(path)
    images, labels, names = read_held_out(path, model, sources, mnist, style, limit)
    log = path.with_name("history.csv")
    history = vaekit.read_history(log) if log.exists() else None
    title = f"{path.parent.absolute().name} ({path.name})"
    vaekit.report.write_report(
        model, images, out, labels=labels, names=names, history=history, title=title, folder=pictures
    )
    if not quiet:
        click.echo(f"{out}: {len(images):,} drawings, {out.stat().st_size / 1e6:.1f} MB")


def _expect_one(sources: tuple[str, ...], mnist: Path | None) -> None:
    if bool(sources) == bool(mnist):
        raise click.UsageError("expected one of --data and --mnist")


def _fit_prior(path: Path, data: Data, components: int) -> None:
    """Fit the prior of a saved model, with fewer components if classes are small."""
    import keras
    import numpy as np

    import vaekit

    model = keras.models.load_model(path)
    images, labels = data.some()
    conditional = isinstance(model, vaekit.CVAE)
    counts = np.bincount(labels, minlength=len(data.names)) if conditional else np.array([len(images)])
    if counts.min() < 2 * _PER_COMPONENT:
        return
    notice(f"fitting the prior to the codes of {len(images):,} images")
    options = {"components": min(components, int(counts.min()) // _PER_COMPONENT)}
    model.fit_prior(images, *([labels] if conditional else []), **options)
    temporary = path.with_name(f".{path.name}")
    model.save(temporary)
    temporary.replace(path)


def _model(path: Path) -> Any:
    """A model of vaekit."""
    import keras

    import vaekit

    try:
        model = keras.models.load_model(path, compile=False)
    except (ValueError, TypeError, KeyError, ImportError, zipfile.BadZipFile) as error:
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
