"""Training from `fastdraw.resident` on a processor, beside images in memory and `to_tf_dataset`; and its memory.

    python benchmarks/bench_resident.py [--scale tiny]

Each feed goes to ``fit`` of the same models, in batches of 128, shuffled, and gives the same images: that is checked
first. `to_tf_dataset` needs TensorFlow's backend. The memory is that of a process of its own, which keeps 10 million
drawings.
"""

from __future__ import annotations

from fastdraw.interrupts import ending_at_once

with ending_at_once():
    import gc
    import math
    import sys
    import tempfile
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    import click
    import keras
    import numpy as np
    from bench_gpu import Clock
    from measuring import DATA, device, job, machine, write_repeated

    import fastdraw
    import vaekit

BATCH = 128
ROUNDS = 3
STEPS_CHECKED = 8
MODELS: dict[str, Callable[[], keras.Model]] = {
    "tiny": lambda: vaekit.VAE.for_images((32, 32, 1), 2, network="mlp", units=(16,)),
    "default": lambda: vaekit.VAE.for_images((32, 32, 1), 64),
    "convolutional": lambda: vaekit.VAE.for_images((32, 32, 1), 64, network="conv"),
}
STEPS = {"tiny": 70, "default": 50, "convolutional": 10}  # of an epoch
KEPT = """
import sys, numpy as np, fastdraw
drawings, count = fastdraw.open_drawings(sys.argv[1]), int(sys.argv[2])
feed = fastdraw.resident(drawings[np.arange(count) % len(drawings)], 128, shuffle=True, seed=0)
assert np.asarray(next(iter(feed))).any()
"""


def feeds(drawings: fastdraw.Drawings) -> dict[str, Any]:
    """Feeds for `fit`, the same images in each."""
    images = drawings.rasterize() > 0
    made = {
        "resident": fastdraw.resident(drawings, BATCH, shuffle=True, seed=0),
        "arrays, uint8": images * np.uint8(255),
        "arrays, float32": images.astype(np.float32),
    }
    if keras.backend.backend() == "tensorflow":
        made["to_tf_dataset"] = fastdraw.to_tf_dataset(drawings, BATCH, shuffle=True, seed=0, packed=True).repeat()
    return made


def fit(model: keras.Model, feed: Any, steps: int, epochs: int = 2, shuffle: bool = True) -> tuple[float, float]:
    """The loss and the seconds of the last epoch of so many steps: in the first one, `fit` begins."""
    options = {"batch_size": BATCH} if isinstance(feed, np.ndarray) else {}
    clock = Clock()
    model.fit(feed, steps_per_epoch=steps, epochs=epochs, shuffle=shuffle, callbacks=[clock], verbose=0, **options)
    assert np.isfinite(clock.loss)
    return clock.loss, clock.seconds


def check(drawings: fastdraw.Drawings, made: dict[str, Any]) -> None:
    """From the same weights, the losses of the first steps are the same, whatever feeds the same batches."""
    order: Any = fastdraw.batches(drawings, BATCH, shuffle=True, seed=0, packed=True)
    rows = np.concatenate([rows for rows, _ in zip(order, range(STEPS_CHECKED), strict=False)])
    own = {name: feed for name, feed in made.items() if not isinstance(feed, np.ndarray)}
    own["arrays"] = np.unpackbits(rows, axis=1).reshape(-1, 32, 32).astype(np.float32)
    losses = {}
    for name, feed in own.items():
        keras.utils.set_random_seed(0)
        model = MODELS["tiny"]()
        model.compile("adam")
        losses[name], _ = fit(model, feed, STEPS_CHECKED, epochs=1, shuffle=False)
    assert max(losses.values()) / min(losses.values()) < 1.0001, losses
    print(f"checked: losses of {STEPS_CHECKED} steps are equal, fed by {', '.join(losses)}", flush=True)


@click.command(help=__doc__)
@click.option("--scale", type=click.Choice(["full", "tiny"]), default="full", help="Tiny: few drawings, for tests.")
def main(scale: str) -> None:
    tiny = scale == "tiny"
    print(f"{machine()}; {keras.backend.backend()} on {device()}; {DATA}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "drawings.bin"
        write_repeated(path, 2048 if tiny else 20_000)
        drawings = fastdraw.open_drawings(path)
        made = feeds(drawings)
        check(drawings, made)
        print("| model, steps/s | " + " | ".join(made) + " | resident / float32 |")
        print("| --- |" + " ---: |" * (len(made) + 1), flush=True)
        for name, make in MODELS.items():
            steps = 2 if tiny else STEPS[name]
            assert 2 * steps * BATCH <= len(drawings)  # else the second epoch of `fit` is cut short
            models = {}
            for feed, data in made.items():  # of each its own, so that no model is compiled for two forms
                models[feed] = make()
                models[feed].compile("adam")
                fit(models[feed], data, 2)
            seconds = dict.fromkeys(made, math.inf)
            for _ in range(1 if tiny else ROUNDS):  # in turn, so that a disturbance hits all
                for feed, data in made.items():
                    seconds[feed] = min(seconds[feed], fit(models[feed], data, steps)[1])
            rates = {feed: steps / best for feed, best in seconds.items()}
            ratio = rates["resident"] / rates["arrays, float32"]
            print(f"| {name} | {' | '.join(f'{rate:,.1f}' for rate in rates.values())} | {ratio:.2f} |", flush=True)
        count = 10_000 if tiny else 10_000_000
        del made, models
        gc.collect()
        peak = job(sys.executable, "-c", KEPT, path, count).peak
        print(
            f"resident keeps 128 bytes of an image, arrays 1,024 (uint8) or 4,096 (float32). "
            f"Peak memory of a process with {count:,} drawings: {peak / 1e9:.2f} GB"
        )


if __name__ == "__main__":
    main()
