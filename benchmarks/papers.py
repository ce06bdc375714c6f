"""The rows of the papers' table: MNIST, binarised dynamically, and the negative log-likelihood of its test images.

    python benchmarks/papers.py mnist.npz --out runs/papers --row one-5

The first 50,000 training images are trained on, and the other 10,000 are for validation. Each pixel is drawn as 0 or 1
with its grey value as the probability of 1, anew for each batch, and once for the test. NLL: 5,000 importance samples
for each of the 10,000 test images, in nats/image, of the model with the lowest validation loss. Run it again after an
interruption, and it resumes. `papers.json` and `papers.md` in the folder have all rows that are finished there.

`--recipe burda` trains as Burda et al. did, 3280 passes; the default needs fewer. Published: Burda et al.,
"Importance Weighted Autoencoders" (2016), table 1. Reproduced: a careful reproduction by others.
"""

from __future__ import annotations

from fastdraw.interrupts import ending_at_once

with ending_at_once():
    import dataclasses
    import json
    import time
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    import click
    import keras
    import numpy as np
    from bench_samples import Clock
    from measuring import REAL, machine

    import vaekit
    from fastdraw.errors import FastdrawError
    from fastdraw.storage import LocalStore, make_folder
    from vaekit import evaluate
    from vaekit.cli.data import read_mnist
    from vaekit.recipes import Recipe

HELD_OUT = 10_000  # training images to validate on
SAMPLES = 5_000  # of the NLL
RECIPES = ("binarized_mnist", "burda")


@dataclasses.dataclass(frozen=True)
class Row:
    """A model of the papers: what it is called, how it differs from the others, and its NLL elsewhere."""

    title: str
    objective: str
    samples: int
    published: float | None
    reproduced: float | None
    kind: str = "vae"
    network: str = "mlp"
    options: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    def recipe(self, name: str) -> Recipe:
        recipe = vaekit.recipes.find(name, self.kind)
        more = {"objective": self.objective, "importance_samples": self.samples, **self.options}
        return recipe.changed(network=self.network, options={**recipe.options, **more})


TWO: dict[str, Any] = {"network": "two_layers", "options": {"lower": 100, "units": (200, 100)}}
CLASSES: dict[str, Any] = {"kind": "cvae", "options": {"learned_prior": True}}
ROWS = {
    "one-1": Row("one layer, k = 1", "elbo", 1, 86.76, 86.35),
    "one-5": Row("one layer, k = 5", "iwae", 5, 85.54, 85.18),
    "one-50": Row("one layer, k = 50", "iwae", 50, 84.78, 84.59),
    "one-50-dreg": Row("one layer, k = 50, DReG", "dreg", 50, None, 84.32),
    "two-1": Row("two layers, k = 1", "iwae", 1, 85.33, 84.83, **TWO),
    "two-5": Row("two layers, k = 5", "iwae", 5, 83.89, 83.48, **TWO),
    "two-50": Row("two layers, k = 50", "iwae", 50, 82.90, 82.82, **TWO),
    "classes-1": Row("labels, learned prior, k = 1", "elbo", 1, None, 82.32, **CLASSES),
    "classes-5": Row("labels, learned prior, k = 5", "iwae", 5, None, 81.41, **CLASSES),
    "classes-50": Row("labels, learned prior, k = 50", "iwae", 50, None, 80.78, **CLASSES),
}


@dataclasses.dataclass(frozen=True)
class Data:
    """Grey images and their labels, in three parts."""

    training: tuple[Any, Any]
    held_out: tuple[Any, Any]
    test: tuple[Any, Any]

    @classmethod
    def read(cls, path: Path) -> Data:
        (x, y), test, *_ = read_mnist(path)
        return cls((x[:-HELD_OUT], y[:-HELD_OUT]), (x[-HELD_OUT:], y[-HELD_OUT:]), test)

    @classmethod
    def tiny(cls) -> Data:
        rng = np.random.default_rng(0)
        whole = rng.integers(0, 256, (60, 8, 8)).astype(np.uint8), np.arange(60) % 10
        parts = [tuple(array[start : start + 20] for array in whole) for start in (0, 20, 40)]
        return cls(*parts)


def run(name: str, recipe: Recipe, seed: int, data: Data, folder: Path, samples: int, verbose: int) -> dict[str, Any]:
    """Train and measure a model."""
    row = ROWS[name]
    keras.utils.set_random_seed(seed)
    model = recipe.model(row.kind, (*data.test[0].shape[1:], 1), num_classes=10)
    folder.mkdir(parents=True, exist_ok=True)
    clock = Clock(folder / "seconds.json", None)
    vaekit.train(
        model,
        data.training,
        validation=data.held_out,
        out=folder,
        recipe=recipe,
        precision="float32",
        seed=seed,
        callbacks=[clock],
        verbose=verbose,
    )
    model = keras.models.load_model(folder / "best.keras", compile=False)
    began = time.perf_counter()
    labels = data.test[1] if row.kind == "cvae" else None
    nll = evaluate.nll(model, data.test[0], labels, samples=samples, binarize="sampled")
    return {
        "row": name,
        "seed": seed,
        "binarization": "dynamic in training, sampled once for the test",
        "nll": nll,
        "importance_samples": samples,
        "active_units": evaluate.active_units(model, data.test[0], labels),
        "passes": recipe.epochs,
        "seconds": clock.seconds,
        "measured_in": time.perf_counter() - began,
        "parameters": model.count_params(),
        "backend": keras.backend.backend(),
        "machine": machine(),
    }


def table(found: list[dict[str, Any]]) -> str:
    """Means of the seeds, and their range, as Markdown."""
    heads = ["published", "reproduced", "ours, nats/image", "passes", "hours", "parameters", "seeds"]
    lines = [f"| MNIST, binarised dynamically; recipe | {' | '.join(heads)} |", f"| --- {'| ---: ' * len(heads)}|"]
    for name, recipe in dict.fromkeys((one["row"], one["recipe"]) for one in found):
        own = [one for one in found if (one["row"], one["recipe"]) == (name, recipe)]
        row, nlls = ROWS[name], [one["nll"] for one in own]
        spread = f" ({min(nlls):.2f} to {max(nlls):.2f})" if len(own) > 1 else ""
        cells = [
            f"{row.title}; `{recipe}`",
            *("" if figure is None else f"{figure:.2f}" for figure in (row.published, row.reproduced)),
            f"{np.mean(nlls):.2f}{spread}",
            f"{own[0]['passes']}",
            f"{np.mean([one['seconds'] for one in own]) / 3600:.2f}",
            f"{own[0]['parameters']:,}",
            f"{len(own)}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


@click.command("papers", help=__doc__)
@click.argument("mnist", type=click.Path(path_type=Path), default=Path(REAL, "mnist/mnist.npz") if REAL else None)
@click.option(
    "--out", type=click.Path(path_type=Path), default="runs/papers", show_default=True, help="Folder of the runs."
)
@click.option("--row", "rows", type=click.Choice(list(ROWS)), multiple=True, help="Only this row; may be repeated.")
@click.option("--recipe", type=click.Choice(RECIPES), default=RECIPES[0], show_default=True)
@click.option("--seeds", type=click.IntRange(1), default=1, show_default=True)
@click.option(
    "--scale", type=click.Choice(["full", "tiny"]), default="full", help="Tiny: noise and few units, for tests."
)
def main(mnist: Path | None, out: Path, rows: tuple[str, ...], recipe: str, seeds: int, scale: str) -> None:
    if scale == "full" and mnist is None:
        raise click.UsageError(
            "expected the path of mnist.npz, or FASTDRAW_REAL_DATA, which names a folder with mnist/mnist.npz"
        )
    try:
        data = Data.read(mnist) if scale == "full" and mnist else Data.tiny()
        train_rows(data, out, rows or tuple(ROWS), recipe, seeds, tiny=scale == "tiny")
    except (OSError, FastdrawError, vaekit.TrainingError) as error:
        raise click.ClickException(str(error)) from error


def train_rows(data: Data, out: Path, names: tuple[str, ...], recipe_name: str, seeds: int, *, tiny: bool) -> None:
    """Train and measure what the folder lacks, and write the table anew after each row."""
    store = LocalStore(make_folder(out))
    print(machine(), flush=True)
    for seed in range(seeds):
        for name in names:
            run_of = f"{name}-{recipe_name}-{seed}"
            if not (out / run_of / "row.json").exists():
                recipe = ROWS[name].recipe(recipe_name)
                if tiny:
                    recipe = recipe.changed(options={**recipe.options, "units": (8, 8)}, latent_dim=2, epochs=2)
                measured = run(name, recipe, seed, data, out / run_of, *((10, 0) if tiny else (SAMPLES, 2)))
                row = {"recipe": recipe_name} | measured
                store.write(f"{run_of}/row.json", json.dumps(row, indent=1).encode())
            found = [json.loads(path.read_text()) for path in sorted(out.glob("*/row.json"))]
            found.sort(key=lambda one: list(ROWS).index(one["row"]))
            text = table(found)
            store.write("papers.json", json.dumps(found, indent=1).encode())
            store.write("papers.md", f"{text}\n".encode())
            print(text, flush=True)


if __name__ == "__main__":
    main()
