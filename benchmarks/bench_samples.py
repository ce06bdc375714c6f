"""Samples of drawings: the recipe ``drawings`` beside the book's networks and that of keras.io, at equal time.

    python benchmarks/bench_samples.py quickdraw/ --out runs/samples --seeds 3

Each model is trained on the training drawings; the recipe first, the others for as many seconds as it took. Then all
are measured on the test drawings, by a judge that was trained on the training drawings. Samples of every model are
inked, see `vaekit.pictures.ink`, and also measured grey. Run it again after an interruption, and it resumes; what is
finished is read from the folder, which also gets a sheet of samples of each model, and ``samples-0.png`` of all.

Recognised: the share of samples that the judge names as asked; not of models without classes. Fréchet distance,
precision and recall: of the judge's features, to as many test drawings. Novelty: distance to the nearest training
drawing, divided by that of test drawings. NLL: importance-weighted, in nats/image.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
from measuring import REAL, machine
from PIL import Image, ImageDraw

import fastdraw
import vaekit
from vaekit import cookbook, evaluate, networks, pictures

BATCH = 128
OURS = "ladder (recipe drawings)"
SAMPLES = 100  # of the NLL
COMPARED = 1600  # images, at most


def mlp_cvae(classes: int) -> vaekit.AE:
    """The network of the book's recipe 13.6, for 32x32 pixels."""
    return vaekit.CVAE(*networks.mlp((32, 32, 1), 2, num_classes=classes), 2, classes)


def keras_io(classes: int) -> vaekit.AE:
    """The network of the VAE example of keras.io, with labels."""
    return vaekit.CVAE(
        *networks.conv((32, 32, 1), 2, num_classes=classes, filters=(32, 64), units=16, activation="relu"), 2, classes
    )


RIVALS: dict[str, Callable[[int], vaekit.AE]] = {
    "conv_vae (book, 64 latents, no classes)": lambda classes: cookbook.conv_vae(),
    "mlp_cvae (book, 2 latents)": mlp_cvae,
    "keras.io VAE (2 latents, with labels)": keras_io,
}


def run_folder(out: Path, name: str, seed: int) -> Path:
    return out / f"{name.split()[0].lower()}-{seed}"


class Clock(keras.callbacks.Callback):
    """Counts the seconds of a run over interruptions, and ends it when they are spent."""

    def __init__(self, path: Path, limit: float | None) -> None:
        super().__init__()
        self.path, self.limit = path, limit
        self.seconds = json.loads(path.read_text()) if path.exists() else 0.0

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds += time.perf_counter() - self.began
        self.path.write_text(json.dumps(self.seconds))
        if self.limit is not None and self.seconds >= self.limit:
            self.model.stop_training = True


@dataclasses.dataclass
class Bench:
    """Drawings in three parts, a judge, and the folder of runs."""

    training: Any
    validation: Any
    test: Any
    folder: Path
    epochs: int | None

    def __post_init__(self) -> None:
        self.names = list(self.training.categories)
        self.images, self.labels = self.training.rasterize(), self.training.labels
        test, labels = self.test.rasterize(), self.test.labels
        order = np.random.default_rng(0).permutation(len(test))
        half = min(len(test) // 2, COMPARED)
        self.asked = labels[order[:half]]
        self.some, self.others = test[order[:half]], test[order[half : 2 * half]]
        path = self.folder / "judge.keras"
        began = time.perf_counter()
        if not path.exists():
            evaluate.Judge.train(self.images, self.labels).save(path)
            print(f"judge: trained in {time.perf_counter() - began:.0f} s", flush=True)
        self.judge = evaluate.Judge.load(path)
        self.near = self.images[:: -(-len(self.images) // 5000)]  # training drawings to look for copies of

    def run(self, name: str, seed: int, limit: float | None) -> dict[str, Any]:
        """Train and measure a model, or read what was measured."""
        folder = run_folder(self.folder, name, seed)
        done = folder / "scores.json"
        if done.exists():
            return json.loads(done.read_text())
        keras.utils.set_random_seed(seed)
        recipe = vaekit.recipes.find("drawings", "cvae")
        ours = name == OURS
        model = recipe.model("cvae", (32, 32, 1), len(self.names)) if ours else RIVALS[name](len(self.names))
        if not ours and not model.compiled:
            model.compile(keras.optimizers.Adam(1e-3))
        options = {"labels": "int" if isinstance(model, vaekit.CVAE) else None}
        augment = recipe.augment if ours else None
        folder.mkdir(parents=True, exist_ok=True)
        clock = Clock(folder / "seconds.json", limit)
        if limit is None or clock.seconds < limit:
            vaekit.train(
                model,
                fastdraw.batches(self.training, BATCH, shuffle=True, seed=seed, augment=augment, **options),
                validation=fastdraw.batches(self.validation, BATCH, **options),
                out=folder,
                recipe=recipe if ours else None,
                precision="float32",
                epochs=self.epochs if ours else 100_000,
                seed=seed,
                callbacks=[clock],
                verbose=0,
            )
        model = keras.models.load_model(folder / "best.keras", compile=False)
        scores = {"model": name, "seed": seed, "parameters": model.count_params(), "seconds": clock.seconds}
        scores |= self.measure(model)
        names = self.names if isinstance(model, vaekit.CVAE) else None
        pictures.save(pictures.samples(model, columns=12, names=names, inked=True), folder / "samples.png", zoom=2)
        done.write_text(json.dumps(scores, indent=1))
        return scores

    def measure(self, model: vaekit.VAE) -> dict[str, Any]:
        """The columns of the table."""
        began = time.perf_counter()
        conditional = isinstance(model, vaekit.CVAE)
        count = len(self.asked)
        made = model.sample(count, seed=0, labels=self.asked) if conditional else model.sample(count, seed=0)
        inked, grey = (self.score(images) for images in (pictures.ink(made), made))
        if not conditional:
            inked["recognised"] = grey["recognised"] = None
        few = slice(None, 500)
        nll = evaluate.nll(model, self.some[few], self.asked[few] if conditional else None, samples=SAMPLES)
        return {"ink": inked, "grey": grey, "nll": nll, "measured_in": time.perf_counter() - began}

    def score(self, images: Any) -> dict[str, Any]:
        return dataclasses.asdict(evaluate.score_samples(images, self.asked, self.judge, self.near, self.others))


def table(rows: list[dict[str, Any]], floor: dict[str, Any]) -> str:
    """The mean of the seeds, and their range, as Markdown."""
    columns = ["recognised", "frechet", "precision", "recall", "novelty"]
    heads = ["training", *columns, "recognised, grey", "frechet, grey", "NLL"]
    lines = [f"| model | {' | '.join(heads)} |", f"| --- {'| ---: ' * len(heads)}|"]

    def cell(values: list[Any]) -> str:
        if None in values:
            return "-"
        spread = f" ({min(values):.3g} to {max(values):.3g})" if len(values) > 1 else ""
        return f"{np.mean(values):.3g}{spread}"

    lines.append(f"| real drawings | | {' | '.join(cell([floor[column]]) for column in columns)} | | | |")
    for name in dict.fromkeys(row["model"] for row in rows):
        own = [row for row in rows if row["model"] == name]
        cells = [cell([row["ink"][column] for row in own]) for column in columns]
        cells += [cell([row["grey"][column] for row in own]) for column in ("recognised", "frechet")]
        cells.append(cell([row["nll"] for row in own]))
        minutes = np.mean([row["seconds"] for row in own]) / 60
        lines.append(f"| {name}, {own[0]['parameters']:,} parameters | {minutes:.1f} min | {' | '.join(cells)} |")
    return "\n".join(lines)


def below_each_other(sheets: dict[str, Path], rows: int = 7) -> Image.Image:
    """The first rows of the sheets of several models, with their names."""
    images = {name: Image.open(path).convert("L") for name, path in sheets.items()}
    heights = [min(image.height, rows * 68 + 4) for image in images.values()]
    whole = Image.new("L", (max(image.width for image in images.values()), sum(heights) + 24 * len(images)), 255)
    top = 0
    for (name, image), height in zip(images.items(), heights, strict=True):
        ImageDraw.Draw(whole).text((4, top + 4), name, fill=0, font_size=14)
        whole.paste(image.crop((0, 0, image.width, height)), (0, top + 24))
        top += height + 24
    return whole.convert("1")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    default = Path(REAL) / "quickdraw" / "real7" if REAL else None
    parser.add_argument("data", nargs="?" if default else None, default=default, help="folder of .bin files")
    parser.add_argument("--out", type=Path, default=Path("runs/samples"), help="folder of the runs")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--epochs", type=int, help="of the recipe; by default its own")
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    print(machine(), flush=True)
    parts = fastdraw.open_drawings(arguments.data).split(validation=0.1, test=0.1)
    bench = Bench(*parts, folder=arguments.out, epochs=arguments.epochs)
    rows = []
    for seed in range(arguments.seeds):
        ours = bench.run(OURS, seed, None)
        rows += [ours, *(bench.run(name, seed, ours["seconds"]) for name in RIVALS)]
        sheets = {name: run_folder(arguments.out, name, seed) / "samples.png" for name in (OURS, *RIVALS)}
        below_each_other(sheets).save(arguments.out / f"samples-{seed}.png")
        text = table(rows, bench.score(bench.some))
        (arguments.out / "table.md").write_text(text + "\n")
        print(f"\nafter seed {seed}:\n{text}", flush=True)


if __name__ == "__main__":
    main()
