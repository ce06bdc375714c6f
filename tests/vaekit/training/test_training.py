"""Training: checkpoints, exact resume, and errors."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import keras
import numpy as np
import pytest
from models import tiny_model

import fastdraw
import vaekit
from fastdraw.errors import FastdrawError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (100, 8, 8)).astype(np.uint8)
LABELS = np.arange(100) % 3


def make(seed: int = 0) -> vaekit.CVAE:
    return tiny_model(vaekit.CVAE, seed=seed, corruption=vaekit.layers.SaltAndPepper(0.1))


def run(out: Path, epochs: int, seed: int = 0, **options: object) -> tuple[vaekit.CVAE, vaekit.training.History]:
    model = make(seed)
    options = {"validation": (IMAGES[:20], LABELS[:20]), "batch_size": 16, "verbose": 0} | options
    return model, vaekit.train(model, (IMAGES, LABELS), epochs=epochs, out=out, **options)


def test_a_resumed_run_ends_at_the_same_bits(tmp_path: Path) -> None:
    whole, history = run(tmp_path / "whole", 4)
    run(tmp_path / "parts", 2)
    resumed, again = run(tmp_path / "parts", 4, seed=99)
    assert again == history
    for ours, expected in zip(resumed.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    assert (tmp_path / "parts/history.csv").read_text() == (tmp_path / "whole/history.csv").read_text()
    assert vaekit.read_history(tmp_path / "whole/history.csv") == history
    assert len(history["val_loss"]) == 4
    # A finished run has nothing left to do, and the model gets its weights.
    finished, _ = run(tmp_path / "whole", 4, seed=98)
    np.testing.assert_array_equal(finished.get_weights()[0], whole.get_weights()[0])
    # Without resuming it starts again.
    assert run(tmp_path / "whole", 1, resume=False)[1] == {name: values[:1] for name, values in history.items()}


def test_batches_of_fastdraw_resume_in_their_order(tmp_path: Path, sample: Path) -> None:
    pytest.importorskip("tensorflow")
    drawings = fastdraw.open_drawings(sample)[::6]

    def fit(out: str, epochs: int) -> vaekit.CVAE:
        data = fastdraw.to_tf_dataset(drawings, 16, size=8, line_width=1, labels="int", shuffle=True, seed=1)
        model = make()
        vaekit.train(model, data, epochs=epochs, out=tmp_path / out, verbose=0)
        return model

    whole = fit("whole", 3)
    fit("parts", 2)
    for ours, expected in zip(fit("parts", 3).get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)


def test_every_feed_gives_the_same_run(tmp_path: Path, sample: Path) -> None:
    """And a resumed one reads on in its order."""
    drawings = fastdraw.open_drawings(sample)[::6]
    options = {"size": 8, "line_width": 1, "labels": "int", "shuffle": True, "seed": 1}

    def fit(out: str, epochs: int, feed: object) -> vaekit.CVAE:
        model = make()
        vaekit.train(
            model,
            feed,
            epochs=epochs,
            out=tmp_path / out,
            verbose=0,
            validation=fastdraw.batches(drawings, 50, size=8, line_width=1, labels="int"),
        )
        return model

    whole = fit("whole", 2, fastdraw.batches(drawings, 16, **options))
    fit("parts", 1, fastdraw.batches(drawings, 16, **options))
    again = fit("parts", 2, fastdraw.batches(drawings, 16, **options))
    for ours, expected in zip(again.get_weights(), whole.get_weights(), strict=True):
        np.testing.assert_array_equal(ours, expected)
    direct, plain = make(), fastdraw.batches(drawings, 16, **options)
    losses = direct.fit(plain, epochs=2, verbose=0).history["loss"]
    assert losses == pytest.approx(vaekit.read_history(tmp_path / "whole/history.csv")["loss"], rel=0.02)
    assert plain.state_dict()["epoch"] == 2


def test_arrays_on_disk_are_read_by_rows(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "images.h5", "w") as file:
        file["x"] = IMAGES
        model, other = make(), make()
        history = vaekit.train(model, (file["x"], LABELS), epochs=1, out=tmp_path / "h5", verbose=0)
    assert history == vaekit.train(other, (IMAGES, LABELS), epochs=1, out=tmp_path / "numpy", verbose=0)


def test_images_outside_0_to_1_are_rejected(tmp_path: Path) -> None:
    model = make()
    wrong = IMAGES.astype(np.float32)
    for call in (
        lambda: vaekit.train(model, (wrong, LABELS), epochs=1, out=tmp_path),
        lambda: model.fit(wrong, LABELS),
        lambda: model.evaluate(wrong, LABELS),
        lambda: vaekit.evaluate.elbo(model, wrong, LABELS),
        lambda: model.fit(IMAGES.astype(np.int64), LABELS),
    ):
        with pytest.raises(ValueError, match="expected images as uint8, or with values from 0 to 1; received"):
            call()


def test_best_and_last_are_plain_keras_models(tmp_path: Path) -> None:
    model, history = run(tmp_path, 3)
    last = keras.saving.load_model(tmp_path / "last.keras")
    best = keras.saving.load_model(tmp_path / "best.keras")
    np.testing.assert_allclose(last.predict(IMAGES, verbose=0), model.predict(IMAGES, verbose=0), atol=1e-6)
    at = int(np.argmin(history["val_loss"]))
    np.testing.assert_array_equal(int(best.optimizer.iterations), (at + 1) * 7)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["best.keras", "history.csv", "last.keras", "logs"]


def test_tensorboard_reads_the_logs(tmp_path: Path) -> None:
    accumulator = pytest.importorskip("tensorboard.backend.event_processing.event_accumulator")
    run(tmp_path, 1)
    _, history = run(tmp_path, 2)
    for part, name in (("train", "loss"), ("validation", "val_loss")):
        events = accumulator.EventAccumulator(str(tmp_path / "logs" / part))
        events.Reload()
        values = [event.tensor_proto.float_val[0] for event in events.Tensors("epoch_loss")]
        assert values == pytest.approx(history[name])


@pytest.mark.slow
def test_a_killed_run_resumes(tmp_path: Path) -> None:
    _, history = run(tmp_path / "whole", 5)
    script = """
import sys
sys.path[:0] = sys.argv[1:3]
from pathlib import Path
from test_training import run
run(Path(sys.argv[3]), 5)
"""
    helpers = Path(__file__).parents[2] / "helpers"
    arguments = [sys.executable, "-c", script, str(helpers), str(Path(__file__).parent), str(tmp_path / "killed")]
    process = subprocess.Popen(arguments, env=os.environ | {"TF_CPP_MIN_LOG_LEVEL": "3"})
    while not (tmp_path / "killed/last.keras").exists():
        assert process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert run(tmp_path / "killed", 5)[1] == history


def test_a_loss_that_is_not_finite_stops_and_names_the_step(tmp_path: Path) -> None:
    run(tmp_path, 2)
    before = (tmp_path / "last.keras").read_bytes()

    class Poison(keras.callbacks.Callback):
        def on_train_batch_begin(self, batch: int, logs: object = None) -> None:
            if batch == 3:
                self.model.jax_state_sync() if keras.backend.backend() == "jax" else None
                self.model.mean_head.bias.assign(np.full(2, np.nan))

    with pytest.raises(
        vaekit.TrainingError, match=r"loss is nan at step 4 of epoch 3; .*last\.keras has the model after epoch 2"
    ):
        run(tmp_path, 5, callbacks=[Poison()])
    assert (tmp_path / "last.keras").read_bytes() == before
    assert run(tmp_path, 3)[1]["loss"][-1] > 0


def test_labels_outside_the_classes_are_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="labels from 0 to 2, received 0 to 3"):
        vaekit.train(make(), (IMAGES, LABELS + (LABELS == 2)), epochs=1, out=tmp_path)
    with pytest.raises(ValueError, match="labels from 0 to 2, received -1 to 1"):
        vaekit.train(make(), (IMAGES, LABELS), validation=(IMAGES, LABELS - 1), epochs=1, out=tmp_path)


@pytest.mark.slow
def test_patience_stops_without_improvement(tmp_path: Path) -> None:
    model = make()
    model.compile(keras.optimizers.SGD(0.0))
    options = {"validation": (IMAGES, LABELS), "epochs": 50, "verbose": 0, "patience": 3, "out": tmp_path}
    history = vaekit.train(model, (IMAGES, LABELS), **options)
    best = int(np.argmin(history["val_loss"]))
    assert len(history["loss"]) == best + 4 < 50
    assert vaekit.train(model, (IMAGES, LABELS), **options) == history


def test_a_checkpoint_of_another_model_is_rejected(tmp_path: Path) -> None:
    run(tmp_path, 1)
    other = tiny_model(vaekit.VAE, 3)
    with pytest.raises(vaekit.TrainingError, match="received others: model CVAE before, VAE now"):
        vaekit.train(other, IMAGES, epochs=2, out=tmp_path, verbose=0)
    with pytest.raises(vaekit.TrainingError, match=r"last\.keras: expected a checkpoint of a model like this one"):
        vaekit.train(other, IMAGES, epochs=2, out=tmp_path, verbose=0, resume="changed")
    (tmp_path / "last.keras").write_bytes(b"cut off")
    with pytest.raises(vaekit.TrainingError, match="expected a checkpoint"):
        run(tmp_path, 2)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, "expected epochs to be 1 or more"),
        ({"epochs": 1.5}, "expected epochs to be an integer"),
        ({"epochs": None}, "expected epochs, or a recipe that has them"),
        ({"batch_size": 0}, "expected batch_size to be 1 or more"),
        ({"precision": "float64"}, "expected precision to be one of"),
        ({"patience": 0}, "expected patience to be 1 or more"),
        ({"validation": 0.1}, "expected images, or batches of images; received 0.1"),
        ({"validation": IMAGES[:0]}, "expected images, received none"),
        ({"model": keras.Sequential()}, "expected a model of vaekit, received Sequential"),
        ({"out": Path(__file__)}, "expected a folder or a new name, found a file"),
    ],
)
def test_wrong_arguments_are_rejected(tmp_path: Path, options: dict, message: str) -> None:
    with pytest.raises((ValueError, TypeError, FastdrawError), match=message):
        vaekit.train(**{"model": make(), "data": (IMAGES, LABELS), "epochs": 1, "out": tmp_path, **options})


def test_a_list_of_images_is_an_array(tmp_path: Path) -> None:
    losses = [
        vaekit.train(tiny_model(vaekit.VAE), given, epochs=1, out=tmp_path / name, verbose=0)["loss"]
        for name, given in (("array", IMAGES), ("list", list(IMAGES)))
    ]
    assert losses[0] == losses[1]


def test_labels_must_be_as_many_as_images(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="as many labels as images"):
        vaekit.train(make(), (IMAGES, LABELS[:-1]), epochs=1, out=tmp_path)


def test_a_run_is_not_resumed_with_other_numbers_of_its_loss_or_optimizer(tmp_path: Path) -> None:
    def train(epochs: int, scale: float = 0.5, resume: object = True, **options: float) -> None:
        model = tiny_model(vaekit.VAE)
        model.compile(keras.optimizers.Adam(1e-3, **options), loss=vaekit.likelihoods.Gaussian(scale=scale))
        vaekit.train(model, IMAGES, epochs=epochs, out=tmp_path, verbose=0, resume=resume)

    train(1)
    for options, message in (
        ({"scale": 0.1}, "loss scale 0.5 before, 0.1 now"),
        ({"beta_1": 0.5}, "optimizer beta_1 0.9 before, 0.5 now"),
    ):
        with pytest.raises(vaekit.TrainingError, match=message):
            train(2, **options)
    train(2, scale=0.1, resume="changed")
    train(3, scale=0.1)


def test_a_run_is_not_resumed_with_other_arguments(tmp_path: Path) -> None:
    def train(epochs: int, images: np.ndarray = IMAGES, rate: float = 1e-3, resume: object = True, **options: object):  # type: ignore[no-untyped-def]
        model = tiny_model(vaekit.VAE, **options)
        model.compile(keras.optimizers.Adam(rate))
        history = vaekit.train(
            model, images, epochs=epochs, out=tmp_path, batch_size=50, verbose=0, resume=resume, seed=1
        )
        return model, history

    train(1)
    for options, message in (
        ({"beta": 2.0}, "received others: beta 1.0 before, 2.0 now; train into another folder"),
        ({"rate": 0.5}, "learning_rate 0.001.* before, 0.5 now"),
        ({"images": IMAGES[:50]}, "images 100 before, 50 now"),
        ({"activation": "tanh"}, "encoder Dense.*relu.* before, Dense.*tanh.* now"),
        ({"corruption": vaekit.layers.SaltAndPepper(0.5)}, "corruption None before, SaltAndPepper"),
    ):
        with pytest.raises(vaekit.TrainingError, match=message):
            train(2, **options)
    assert len(train(2)[1]["loss"]) == 2
    model, history = train(3, beta=2.0, rate=0.5, resume="changed")
    assert len(history["loss"]) == 3
    assert model.beta == 2
    assert float(model.optimizer.learning_rate) == 0.5
    with pytest.raises(ValueError, match='expected resume to be True, False or "changed"'):
        train(3, resume="yes")


def test_a_model_that_callbacks_changed_resumes(tmp_path: Path) -> None:
    model = tiny_model(vaekit.VAE)
    for epochs in (2, 4):
        callbacks = [
            vaekit.callbacks.KLWarmUp(4),
            keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2),
        ]
        history = vaekit.train(model, IMAGES, epochs=epochs, out=tmp_path, verbose=0, callbacks=callbacks)
    assert len(history["loss"]) == 4


def test_columns_may_come_and_go(tmp_path: Path) -> None:
    class Column(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
            logs["mine"] = epoch

    held_out = (IMAGES[:20], LABELS[:20])
    run(tmp_path, 1, validation=None)
    run(tmp_path, 2, validation=held_out, callbacks=[Column()])
    _, history = run(tmp_path, 3, validation=None)
    assert np.isnan(history["val_loss"]).tolist() == [True, False, True]
    assert np.isnan(history["mine"]).tolist() == [True, False, True]
    again = vaekit.read_history(tmp_path / "history.csv")
    assert {name: len(values) for name, values in again.items()} == dict.fromkeys(history, 3)
    assert vaekit.plots.curves(history).ndim == 3
