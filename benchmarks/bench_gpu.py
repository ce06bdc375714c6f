"""Training on a GPU: models, precisions and feeds, and all of Quick, Draw! in one pass.

    KERAS_BACKEND=jax python benchmarks/bench_gpu.py --out results

Needs NumPy, numba, Keras and JAX or torch, no network and no data, and ends after eight minutes at the latest. Results
are checked before they are timed. Each row is printed when it is measured, and ``gpu-<backend>.json`` and ``.md`` are
written to the folder anew after each, so that a run that is stopped keeps its rows. ``--scale tiny`` runs on a CPU.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import os
import sys
import tempfile
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras.src.trainers.data_adapters.data_adapter import DataAdapter
from measuring import DATA, device, machine, source_records

import fastdraw
import vaekit
from fastdraw.kernels.hashing import key
from fastdraw.kernels.order import permute
from fastdraw.loader.on_device import Table
from fastdraw.loader.pipeline import Pipeline
from fastdraw.loader.resident import Resident
from vaekit.training.precision import compile_for

DRAWINGS = 50_426_266  # in Quick, Draw!
FEEDS = ("one batch", "resident", "batches", "arrays")
FULL = [  # the most important first
    ("mlp VAE", "float32"),
    ("conv CVAE", "float32"),
    ("conv CVAE", "mixed_bfloat16"),
    ("default CVAE", "float32"),
    ("default CVAE", "mixed_bfloat16"),
    ("mlp VAE", "mixed_bfloat16"),
    ("mlp VAE", "mixed_float16"),
    ("default CVAE", "mixed_float16"),
    ("conv CVAE", "mixed_float16"),
]


@dataclasses.dataclass(frozen=True)
class Scale:
    """How much to measure. Times are in seconds."""

    drawings: int
    batch: int
    arrays: int  # images in memory, as float32
    curve: tuple[int, int]  # points of a loss curve, and steps of each
    target: float  # time of one measurement
    rounds: int
    passed: int  # drawings of the single pass
    pass_batch: int
    pass_limit: float
    deadline: float
    networks: dict[str, dict[str, Any]]  # options of each model
    cases: list[tuple[str, str]]


SCALES = {
    "full": Scale(
        524_288, 2048, 131_072, (8, 32), 0.7, 3, DRAWINGS, 8192, 100.0, 440.0,
        {"mlp VAE": {}, "default CVAE": {}, "conv CVAE": {}}, FULL,
    ),
    "tiny": Scale(
        2048, 256, 1024, (2, 4), 0.1, 1, 10_000, 1024, 5.0, 300.0,
        {
            "mlp VAE": {"units": (16,)},
            "default CVAE": {"units": 16, "blocks": 1},
            "conv CVAE": {"filters": (2, 4), "units": 16},
        },
        [("mlp VAE", "float32"), ("mlp VAE", "mixed_bfloat16"), ("conv CVAE", "float32")],
    ),
}  # fmt: skip


class Report:
    """What was measured, printed at once and kept in two files."""

    def __init__(self, folder: Path, scale: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / f"gpu-{keras.backend.backend()}"
        self.began = time.monotonic()
        self.content: dict[str, Any] = {
            "device": device(),
            "backend": keras.backend.backend(),
            "machine": machine(),
            "data": DATA,
            "scale": scale,
            "rows": [],
            "notes": [],
        }
        self.lock = threading.Lock()
        self.failed = False
        print(self.title(), flush=True)

    def title(self) -> str:
        content = self.content
        return f"{content['device']}, {content['backend']}; {content['machine']}; {content['data']}"

    def note(self, text: str, **values: Any) -> None:
        print(f"[{time.monotonic() - self.began:5.0f} s] {text}", flush=True)
        with self.lock:
            self.content["notes"].append({"text": text, **values})
            self.write()

    def row(self, **values: Any) -> None:
        print(f"[{time.monotonic() - self.began:5.0f} s] {' | '.join(_cells(values))}", flush=True)
        with self.lock:
            self.content["rows"].append(values)
            self.write()

    def write(self) -> None:
        lines = [f"# {self.content['device']}, {self.content['backend']}", "", self.title(), ""]
        if self.content["rows"]:
            lines += [
                "| model | precision | feed | batch | steps/s | images/s | waits for data | first step |",
                "| --- | --- | --- | ---: | ---: | ---: | ---: | ---: |",
                *(f"| {' | '.join(_cells(row))} |" for row in self.content["rows"]),
                "",
            ]
        lines += [f"- {note['text']}" for note in self.content["notes"]]
        self.path.with_suffix(".json").write_text(json.dumps(self.content, indent=1) + "\n")
        self.path.with_suffix(".md").write_text("\n".join(lines) + "\n")


def _cells(row: dict[str, Any]) -> list[str]:
    return [
        row["model"],
        row["precision"],
        row["feed"],
        f"{row['batch']:,}",
        f"{row['steps_per_second']:,.1f}",
        f"{row['images_per_second']:,.0f}",
        f"{row['waits']:.1%}",
        f"{row['first_step_seconds']:.1f} s",
    ]


class OneBatch(DataAdapter):
    """A batch on the device that never changes: steps without any wait for data."""

    num_batches = batch_size = has_partial_batch = partial_batch_size = None

    def __init__(self, batch: Any) -> None:
        self.batch = batch

    def __iter__(self) -> Iterator[Any]:
        while True:
            yield self.batch

    def get_jax_iterator(self) -> Iterator[Any]:
        return iter(self)

    def get_torch_dataloader(self) -> Any:
        return self


class Clock(keras.callbacks.Callback):
    """Seconds of an epoch, until its last step is done: Keras has read the loss when it calls `on_epoch_end`."""

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        self.seconds = time.perf_counter() - self.began
        self.loss = logs["loss"]


def run(model: keras.Model, feed: Any, steps: int, **options: Any) -> float:
    """Seconds of some steps of `fit`."""
    clock = Clock()
    model.fit(feed, steps_per_epoch=steps, callbacks=[clock], verbose=0, shuffle=False, **options)
    assert np.isfinite(clock.loss), clock.loss
    return clock.seconds


class Benchmark:
    """The sections of the benchmark and what they share."""

    def __init__(self, report: Report, scale: Scale, drawings: fastdraw.Drawings) -> None:
        self.report, self.scale, self.classes = report, scale, len(drawings.categories)
        self.drawings = drawings[np.arange(scale.drawings) % len(drawings)]
        self.repeated = drawings[np.arange(scale.passed) % scale.drawings % len(drawings)]
        self.models: dict[tuple[str, str], keras.Model] = {}
        self.first_steps: dict[str, float] = {}  # the longest, by the kind of network

    def left(self) -> float:
        return self.scale.deadline - (time.monotonic() - self.report.began)

    def model(self, name: str, precision: str) -> keras.Model:
        keras.utils.set_random_seed(0)
        network, kind = name.split()
        network = {"default": "residual"}.get(network, network)
        options = {"network": network, **self.scale.networks[name]}
        if kind == "VAE":
            model = vaekit.VAE.for_images((32, 32, 1), 2, **options)
        else:
            model = vaekit.CVAE.for_images((32, 32, 1), num_classes=self.classes, **options)
        compile_for(model, precision)
        return model

    def options(self, name: str) -> dict[str, Any]:
        return {"shuffle": True, "seed": 0, **({"labels": "int"} if name.endswith("CVAE") else {})}

    def fed_by(self, name: str, feed: str) -> Any:
        """A feed for `fit`, and its further options."""
        size, options = self.scale.batch, self.options(name)
        if feed == "batches":
            made = fastdraw.batches(self.drawings, size, packed=True, epochs=None, **options)
            return (batch if isinstance(batch, tuple) else (batch,) for batch in made), {}
        if feed == "arrays":
            some = self.drawings[: self.scale.arrays]
            if not hasattr(self, "images"):
                self.images = (some.rasterize() > 0).astype(np.float32)[..., None]
            return self.images, {"batch_size": size, **({"y": some.labels} if "labels" in options else {})}
        resident = self.resident(name)
        return (resident if feed == "resident" else OneBatch(next(iter(resident)))), {}

    def resident(self, name: str) -> Resident:
        pipeline = Pipeline(self.drawings, self.scale.batch, packed=True, **self.options(name))
        table = self.table if pipeline.labels else self.unlabelled
        return Resident(table, pipeline)

    def draw(self) -> None:
        """How fast `fastdraw.resident` draws. The kernels are compiled before."""
        size = self.scale.batch
        fastdraw.resident(self.drawings[:size], size, labels="int")
        began = time.perf_counter()
        feed = fastdraw.resident(self.drawings, size, labels="int")
        keras.ops.convert_to_numpy(feed._table.labels[-1:])
        rate = len(self.drawings) / (time.perf_counter() - began)
        self.table = feed._table
        self.unlabelled = Table(0, self.table.rows.shape[1], labelled=False)
        self.unlabelled.rows = self.table.rows
        self.report.note(f"resident: {len(self.drawings):,} drawings at {rate:,.0f} drawings/s", drawing_rate=rate)

    def check(self) -> None:
        """Batches of all feeds are equal, and so are the losses of steps on them."""
        size, options = self.scale.batch, self.options("default CVAE")
        expected: Any = list(fastdraw.batches(self.drawings, size, packed=True, epochs=2, **options))
        resident = self.resident("default CVAE")
        begun = iter(resident)
        got = [next(begun) for _ in range(3)]
        resident.load_state_dict(resident.state_dict())  # cut and resumed
        got += [*resident, *resident]
        assert len(got) == len(expected)
        for one, other in zip(got, expected, strict=True):
            for mine, theirs in zip(one, other, strict=True):
                assert np.array_equal(keras.ops.convert_to_numpy(mine), theirs)
        assert any(rows.any() for rows, _ in expected)
        self.report.note(f"checked: {len(got)} batches of resident and of batches are equal, cut and resumed")

        name, precision = case = "mlp VAE", "float32"
        steps = min(8, len(resident))
        pixels = np.concatenate([np.unpackbits(rows, axis=1) for rows, _ in expected[:steps]])
        losses = {}
        for feed, data, given in (
            ("resident", self.resident(name), {}),
            ("batches", ((rows,) for rows, _ in expected), {}),
            ("arrays", pixels.reshape(-1, 32, 32, 1).astype(np.float32), {"batch_size": size}),
        ):
            self.reset(*case)
            clock = Clock()
            model = self.models[case]
            model.fit(data, steps_per_epoch=steps, callbacks=[clock], verbose=0, shuffle=False, **given)
            losses[feed] = clock.loss
        spread = max(losses.values()) / min(losses.values()) - 1
        self.report.note(
            f"checked: losses of {name}, {precision}, fed by {', '.join(losses)} differ by {spread:.1e} "
            f"after {steps} steps",
            losses=losses,
        )
        assert spread < 1e-4, losses

    def reset(self, name: str, precision: str) -> None:
        """Set a model, which stays compiled, back to its first weights."""
        model, fresh = self.models[name, precision], self.model(name, precision)
        for variables, starts in (
            (model.variables, fresh.variables),
            (model.optimizer.variables, fresh.optimizer.variables),
        ):
            for variable, start in zip(variables, starts, strict=True):
                variable.assign(start)

    def warm(self, name: str, precision: str) -> float | None:
        """Compile a model; the seconds of its first step. None if there is no time for it."""
        expected = self.first_steps.get(name, 20.0) + 5 * self.scale.target
        if self.left() < expected:
            self.report.note(f"skipped {name}, {precision}: {self.left():.0f} s left, it may need {expected:.0f} s")
            return None
        self.models[name, precision] = model = self.model(name, precision)
        began = time.perf_counter()
        run(model, self.resident(name), 1)
        seconds = time.perf_counter() - began
        self.first_steps[name] = max(seconds, self.first_steps.get(name, 0.0))
        return seconds

    def measure(self, name: str, precision: str, first: float, feeds: tuple[str, ...]) -> None:
        """Rows of a model in a precision."""
        model, scale = self.models[name, precision], self.scale
        resident = self.resident(name)
        steps = min(8, len(resident))
        steps = int(np.clip(scale.target * steps / run(model, resident, steps), steps, len(resident)))
        sources: dict[str, Callable[[], Any]] = {feed: lambda feed=feed: self.fed_by(name, feed) for feed in feeds}
        best = dict.fromkeys(sources, float("inf"))
        data = {feed: make() for feed, make in sources.items()}
        if "arrays" in data:
            began = time.perf_counter()
            run(model, data["arrays"][0], 1, **data["arrays"][1])  # float32 images: compiled anew
            arrays_first = time.perf_counter() - began
        for _ in range(scale.rounds):  # in turn, so that a disturbance hits all
            for feed, (source, options) in data.items():
                limit = min(steps, scale.arrays // scale.batch) if feed == "arrays" else steps
                best[feed] = min(best[feed], run(model, source, limit, **options) / limit)
        if "one batch" in best:
            self.steady[name, precision] = best["one batch"]
        for feed, seconds in best.items():
            self.report.row(
                model=name,
                precision=precision,
                feed=feed,
                batch=scale.batch,
                steps_per_second=1 / seconds,
                images_per_second=scale.batch / seconds,
                waits=max(0.0, 1 - self.steady[name, precision] / seconds),
                first_step_seconds=arrays_first if feed == "arrays" else first,
            )
            if feed == "resident":
                self.slowdowns.append(seconds / self.steady[name, precision])

    def curve(self, name: str, precision: str) -> None:
        """The loss in the first steps, from the same weights and batches in each precision."""
        points, steps = self.scale.curve
        self.reset(name, precision)
        model = self.models[name, precision]
        history = model.fit(self.resident(name), steps_per_epoch=steps, epochs=points, verbose=0).history["loss"]
        self.curves[name, precision] = history
        self.report.note(
            f"loss of {name}, {precision}, every {steps} steps: {' '.join(f'{loss:.2f}' for loss in history)}",
            curve=history,
        )
        base = self.curves.get((name, "float32"))
        if base and precision != "float32":
            off = [abs(a / b - 1) for a, b in zip(history, base, strict=True)]
            self.report.note(
                f"{name}: {precision} against float32: largest deviation {max(off):.2%}, at the end {off[-1]:.2%}, "
                f"target 1%: {'met' if max(off) < 0.01 else 'MISSED'}",
                deviation=max(off),
            )

    def one_pass(self) -> None:
        """All of Quick, Draw! once through the steps of the mlp VAE."""
        count, size, name = self.scale.passed, self.scale.pass_batch, "mlp VAE"
        if self.left() < 60 and self.scale.passed == DRAWINGS:
            self.report.note(f"skipped the single pass: {self.left():.0f} s left")
            return
        table = Table(count, self.table.rows.shape[1], labelled=False)
        for start in range(0, count, self.scale.drawings):
            table.write(start, self.table.rows[: count - start], None)
        feed = Resident(table, Pipeline(self.repeated, size, packed=True, shuffle=True, seed=0, drop_remainder=True))
        drawn = keras.ops.convert_to_numpy(self.table.rows)
        places = np.arange(2 * size)
        indices = np.empty(len(places), np.int64)
        permute(key(0, 0, 0), count, places, indices)
        begun = iter(feed)
        got = np.concatenate([keras.ops.convert_to_numpy(next(begun)) for _ in range(2)])
        assert np.array_equal(got, drawn[indices % self.scale.drawings])
        assert indices.max() > count * 0.9

        model = self.model(name, "float32")
        run(model, feed, 1)
        steps, done, seconds = len(feed), 0, 0.0
        portion = max(1, steps // 20)
        limit = min(self.scale.pass_limit, self.left() - 10)
        feed.load_state_dict({**feed.state_dict(), "batch": 0})
        while done + portion <= steps and seconds < limit:
            feed.load_state_dict({**feed.state_dict(), "epoch": 0, "batch": done})
            seconds += run(model, feed, portion)
            done += portion
        whole = seconds * DRAWINGS / (done * size)
        text = f"{done * size:,} of {count:,} drawings ({count * table.rows.shape[1] / 1e9:.2f} GB) on the device"
        self.report.note(
            f"one pass, {name}, float32, batches of {size:,}: {text} in {seconds:.1f} s, "
            f"{done * size / seconds:,.0f} images/s; {DRAWINGS:,} drawings in {whole:.1f} s, "
            f"target 60 s: {'met' if whole < 60 else 'MISSED'}",
            pass_seconds=whole,
        )

    def ratios(self) -> None:
        times = [self.steady.get(("conv CVAE", precision)) for precision in ("float32", "mixed_bfloat16")]
        if all(times):
            ratio = times[0] / times[1]
            self.report.note(
                f"conv CVAE: bfloat16 {ratio:.2f} times as fast as float32, target 1.8: "
                f"{'met' if ratio >= 1.8 else 'MISSED'}",
                bfloat16_ratio=ratio,
            )
        if self.slowdowns:
            worst = max(self.slowdowns)
            self.report.note(
                f"resident against one batch that never changes: at most {worst - 1:.1%} slower, target 5%: "
                f"{'met' if worst <= 1.05 else 'MISSED'}",
                resident_slowdown=worst,
            )

    def __call__(self) -> None:
        self.steady: dict[tuple[str, str], float] = {}
        self.slowdowns: list[float] = []
        self.curves: dict[tuple[str, str], list[float]] = {}
        self.attempt("drawing", self.draw)
        for number, (name, precision) in enumerate(self.scale.cases):
            self.attempt(f"{name}, {precision}", self.case, name, precision, number == 0)
            if number == 0:
                self.attempt("the single pass", self.one_pass)
        self.ratios()
        for name, precision in list(self.models):
            expected = self.first_steps[name] + 3 * self.scale.target
            if (name, precision) == self.scale.cases[0] or precision != "float32":
                continue
            if self.left() < expected:
                self.report.note(f"skipped {name}, {precision}, arrays: {self.left():.0f} s left")
            else:
                self.attempt(f"{name}, {precision}, arrays", self.measure, name, precision, 0.0, FEEDS[3:])

    def case(self, name: str, precision: str, check: bool) -> None:
        """A model in a precision."""
        first = self.warm(name, precision)
        if first is None:
            return
        if check:
            self.check()
        self.curve(name, precision)
        self.measure(name, precision, first, FEEDS if check else FEEDS[:3])

    def attempt(self, what: str, section: Callable[..., None], *arguments: Any) -> None:
        """Run a section; if it fails, the others are still measured."""
        try:
            section(*arguments)
        except Exception as error:  # out of memory, or a compiler that gives up
            traceback.print_exc()
            self.report.failed = True
            self.report.note(f"FAILED: {what}: {type(error).__name__}: {str(error)[:300]}")


def stop(report: Report) -> None:
    report.note("stopped at the deadline; what is not in the table was not measured")
    sys.stdout.flush()
    os._exit(0)  # a compilation cannot be interrupted


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gpu-results"), help="folder of the results")
    parser.add_argument("--scale", choices=SCALES, default="full")
    options = parser.parse_args(arguments)
    scale = SCALES[options.scale]
    report = Report(options.out, options.scale)
    watchdog = threading.Timer(scale.deadline, stop, [report])
    watchdog.daemon = True
    watchdog.start()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawings.bin"
        if "FASTDRAW_REAL_DATA" in os.environ:
            path.write_bytes(source_records(Path(folder) / "sample"))
            drawings = fastdraw.open_drawings(path)
        else:
            source_records(Path(folder) / "sample")
            drawings = fastdraw.open_drawings(Path(folder) / "sample")
        Benchmark(report, scale, drawings)()
    watchdog.cancel()
    report.note("finished")
    if report.failed:
        raise SystemExit("some sections failed, see above")


if __name__ == "__main__":
    main()
