"""Recipes: the models and runs they make, and what changes them."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import keras
import numpy as np
import pytest

import fastdraw
import vaekit
from vaekit import recipes

IMAGES = np.random.default_rng(0).integers(0, 256, (90, 8, 8)).astype(np.uint8)
LABELS = np.arange(90) % 3
TINY = recipes.Recipe(network="mlp", options={"units": (8,)}, latent_dim=2, epochs=2, batch_size=30, prior=2)


@pytest.mark.parametrize("kind", ["ae", "vae", "cvae"])
@pytest.mark.parametrize("name", recipes.NAMED)
def test_every_recipe_makes_every_kind_of_model(name: str, kind: str) -> None:
    recipe = recipes.find(name, kind)
    model = recipe.model(kind, (16, 16, 1), num_classes=3)
    assert type(model) is recipes.KINDS[kind]
    assert kind != "ae" or not recipe.warm_up  # which has no KL term
    assert model.reconstruct(np.zeros((2, 16, 16))).shape == (2, 16, 16, 1)
    optimizer = recipe.make_optimizer(10_000)
    assert type(optimizer).__name__.lower() == recipe.optimizer
    assert float(keras.ops.convert_to_numpy(optimizer.learning_rate)) == pytest.approx(recipe.learning_rate)
    assert recipe.optimizer != "adam" or optimizer.epsilon == recipe.epsilon


def test_stages_are_those_of_burda() -> None:
    rate = recipes.burda("vae").make_optimizer(3280 * 7).get_config()["learning_rate"]
    schedule = keras.optimizers.schedules.deserialize(rate)
    begins = np.cumsum([0, *(7 * 3**i for i in range(8))])  # step of each stage, and of the end
    for i in range(8):
        rates = [float(keras.ops.convert_to_numpy(schedule(step))) for step in (begins[i], begins[i + 1] - 1)]
        assert rates == pytest.approx([0.001 * 10 ** (-i / 7)] * 2, rel=1e-6)
    assert begins[-1] == 3280 * 7


def test_train_takes_epochs_batches_optimizer_and_prior_of_the_recipe(tmp_path: Path) -> None:
    recipe = TINY.changed(schedule="cosine", warm_up=4)
    model = recipe.model("cvae", (8, 8, 1), num_classes=3)
    history = vaekit.train(model, (IMAGES, LABELS), recipe=recipe, out=tmp_path, verbose=0)
    assert len(history["loss"]) == 2
    assert int(model.optimizer.iterations) == 2 * 3
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0, abs=1e-9)
    assert model.beta == 0.25
    best = keras.models.load_model(tmp_path / "best.keras")
    for trained in (model, best):
        assert trained.prior.means.shape == (3, 2, 2)

    again = recipe.model("cvae", (8, 8, 1), num_classes=3)  # the run is over: nothing is fitted anew
    vaekit.train(again, (IMAGES, LABELS), recipe=recipe, out=tmp_path, verbose=0)
    assert len(vaekit.read_history(tmp_path / "history.csv")["loss"]) == 2


def test_arguments_come_before_the_recipe(tmp_path: Path) -> None:
    model = TINY.model("vae", (8, 8, 1))
    model.compile(keras.optimizers.SGD(0.0))
    options = {"epochs": 1, "batch_size": 45, "out": tmp_path, "verbose": 0}
    vaekit.train(model, IMAGES, recipe=TINY.changed(prior=0), **options)
    assert type(model.optimizer).__name__ == "SGD"
    assert int(model.optimizer.iterations) == 2
    assert model.prior is None


def test_steps_per_epoch_shorten_epochs_and_bound_endless_data(tmp_path: Path) -> None:
    model = TINY.model("vae", (8, 8, 1))
    recipe = TINY.changed(batch_size=9, prior=0, schedule="linear")
    vaekit.train(model, IMAGES, recipe=recipe, steps_per_epoch=4, out=tmp_path, verbose=0)
    assert int(model.optimizer.iterations) == 8
    assert float(keras.ops.convert_to_numpy(model.optimizer.learning_rate)) == pytest.approx(0, abs=1e-9)
    with pytest.raises(ValueError, match="expected steps_per_epoch to be 1 or more, received 0"):
        vaekit.train(model, IMAGES, epochs=1, steps_per_epoch=0, out=tmp_path)


def test_data_without_end(sample: Path, tmp_path: Path) -> None:
    data = fastdraw.to_keras_dataset(
        fastdraw.open_drawings(sample)[::20], 10, size=8, labels="int", shuffle=True, seed=0, epochs=None
    )
    recipe = TINY.changed(schedule="linear")
    model = recipe.model("cvae", (8, 8, 1), num_classes=3)
    with pytest.raises(ValueError, match=r"expected data that knows the number of its batches, for the schedule"):
        vaekit.train(model, data, recipe=recipe, out=tmp_path, verbose=0)
    vaekit.train(model, data, recipe=recipe, steps_per_epoch=2, out=tmp_path, verbose=0)
    assert int(model.optimizer.iterations) == 4
    assert model.prior.means.shape == (3, 2, 2)


def test_a_change_of_network_drops_the_options_of_the_old_one() -> None:
    drawings = recipes.find("drawings", "cvae")
    assert drawings.changed(network="mlp", epochs=None) == dataclasses.replace(drawings, network="mlp", options={})
    assert drawings.changed(network="ladder", latent_dim=3).options == drawings.options


def test_what_is_no_recipe_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"expected recipe to be one of .* received 'best'"):
        vaekit.train(TINY.model("vae", (8, 8, 1)), IMAGES, recipe="best", out=tmp_path)
    with pytest.raises(ValueError, match="expected schedule to be one of"):
        recipes.Recipe(schedule="exponential")
    with pytest.raises(ValueError, match="expected kind to be one of"):
        TINY.model("gan", (8, 8, 1))
    with pytest.raises(ValueError, match="expected epochs, or a recipe that has them; received neither"):
        vaekit.train(TINY.model("vae", (8, 8, 1)), IMAGES, out=tmp_path)


def test_a_prior_of_few_images_is_left_out_with_a_line(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    model = TINY.model("cvae", (8, 8, 1), num_classes=3)
    vaekit.train(model, (IMAGES[:30], LABELS[:30]), recipe=TINY, out=tmp_path, verbose=0)
    assert model.prior is None
    assert "no prior was fitted: expected 20 images of each class, received 10" in caplog.text
