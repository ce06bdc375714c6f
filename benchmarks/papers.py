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

import argparse
import dataclasses
import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
from bench_samples import Clock
from measuring import REAL, machine

import vaekit
from vaekit import evaluate
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
        with np.load(path) as mnist:
            x, y, x_test, y_test = (mnist[name] for name in ("x_train", "y_train", "x_test", "y_test"))
        return cls((x[:-HELD_OUT], y[:-HELD_OUT]), (x[-HELD_OUT:], y[-HELD_OUT:]), (x_test, y_test))

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


def main(given: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(REAL) / "mnist" / "mnist.npz" if REAL else None
    parser.add_argument("mnist", type=Path, nargs="?", default=default, help="mnist.npz, as Keras downloads it")
    parser.add_argument("--out", type=Path, default=Path("runs/papers"), help="folder of the runs")
    parser.add_argument("--row", choices=ROWS, action="append", help="only this row; may be repeated")
    parser.add_argument("--recipe", choices=RECIPES, default=RECIPES[0])
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument(
        "--scale", choices=["full", "tiny"], default="full", help="tiny: noise and few units, for tests"
    )
    arguments = parser.parse_args(given)
    tiny = arguments.scale == "tiny"
    if not tiny and arguments.mnist is None:
        parser.error("expected the path of mnist.npz, or FASTDRAW_REAL_DATA, which names a folder with mnist/mnist.npz")
    data = Data.tiny() if tiny else Data.read(arguments.mnist)
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    for seed in range(arguments.seeds):
        for name in arguments.row or ROWS:
            folder = arguments.out / f"{name}-{arguments.recipe}-{seed}"
            done = folder / "row.json"
            if not done.exists():
                recipe = ROWS[name].recipe(arguments.recipe)
                if tiny:
                    recipe = recipe.changed(options={**recipe.options, "units": (8, 8)}, latent_dim=2, epochs=2)
                measured = run(name, recipe, seed, data, folder, *((10, 0) if tiny else (SAMPLES, 2)))
                done.write_text(json.dumps({"recipe": arguments.recipe} | measured, indent=1))
            found = [json.loads(path.read_text()) for path in sorted(arguments.out.glob("*/row.json"))]
            found.sort(key=lambda one: list(ROWS).index(one["row"]))
            text = table(found)
            (arguments.out / "papers.json").write_text(json.dumps(found, indent=1))
            (arguments.out / "papers.md").write_text(text + "\n")
            print(text, flush=True)


if __name__ == "__main__":
    main()
