"""Objectives: the formulas, their contract in every precision, and one that a user writes."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from fresh import fresh_process
from keras import ops
from models import tiny_model

import vaekit
from vaekit import losses
from vaekit.models import ELBO, IWAE, Objective, Reconstruction
from vaekit.training.precision import POLICIES, compile_for

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (64, 16, 16)).astype(np.uint8)
LABELS = np.arange(64) % 3

make = partial(tiny_model, latent_dim=4, shape=(16, 16, 1))


@keras.saving.register_keras_serializable("tests")
class NoisyCodes(Objective):
    """An autoencoder of codes with noise, and a penalty on their size."""

    measures = ("reconstruction", "size")

    def __init__(self, weight: float = 1.0, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.weight = weight
        self.seed_generator = keras.random.SeedGenerator(0)

    def __call__(self, model: Any, images: Any, labels: list[Any], training: bool = False) -> Any:
        codes = model.codes([model.corrupt(images, training), *labels], training)
        noise = keras.random.normal(ops.shape(codes), seed=self.seed_generator)
        reconstruction = model.reconstruction_loss(images, model.logits([codes + noise, *labels], training))
        size = ops.sum(ops.square(codes), axis=1)
        return reconstruction + self.weight * size, {"reconstruction": reconstruction, "size": size}

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"weight": self.weight}


def test_a_users_objective_trains_and_loads_in_a_fresh_process(tmp_path: Path) -> None:
    model = make(vaekit.AE, objective=NoisyCodes(2.0))
    measures = model.train_on_batch(IMAGES, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] + 2 * measures["size"], rel=1e-5)
    model.save(tmp_path / "model.keras")
    np.save(tmp_path / "codes.npy", model.encode(IMAGES))
    helpers = Path(__file__).parents[2] / "helpers"
    program = f"""
import sys
sys.path[:0] = [{str(helpers)!r}, {str(Path(__file__).parent)!r}]
import keras, numpy as np
from test_objectives import IMAGES, NoisyCodes
model = keras.models.load_model({str(tmp_path / "model.keras")!r})
assert type(model.objective) is NoisyCodes and model.objective.weight == 2
np.testing.assert_allclose(model.encode(IMAGES), np.load({str(tmp_path / "codes.npy")!r}), atol=1e-6)
print(sorted(model.train_on_batch(IMAGES, return_dict=True)))
"""
    assert fresh_process(program) == "['loss', 'reconstruction', 'size']\n"


CONTRACTS = {
    "reconstruction": (vaekit.AE, Reconstruction),
    "elbo": (vaekit.CVAE, lambda: ELBO(0.1)),
    "iwae": (vaekit.CVAE, lambda: IWAE(3)),
    "users": (vaekit.AE, NoisyCodes),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CONTRACTS)
def test_contract(name: str, policy: str) -> None:
    kind, build = CONTRACTS[name]
    objective = build()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert again.get_config() == objective.get_config()
    model = make(kind, objective=objective, corruption=vaekit.layers.SaltAndPepper(0.1))
    compile_for(model, policy)
    images, *labels = model.inputs_of(IMAGES, LABELS)
    for training in (False, True):
        loss, measures = objective(model, images, labels, training)
        assert tuple(loss.shape) == (64,)
        assert tuple(measures) == objective.measures
        for tensor in (loss, *measures.values()):
            assert keras.backend.standardize_dtype(tensor.dtype) == "float32"
            assert np.isfinite(keras.ops.convert_to_numpy(tensor)).all()
    assert np.isfinite(model.train_on_batch(IMAGES, LABELS)).all()
    # Random generators of an objective are the model's, so that every backend updates them and resumed runs repeat.
    known = {id(variable) for variable in model.non_trainable_variables}
    assert known >= {id(variable) for variable in objective.non_trainable_variables}


@pytest.mark.parametrize(
    ("options", "objective"),
    [
        ({"free_bits": 0.5}, ELBO(0.5)),
        ({"objective": "iwae", "importance_samples": 3}, IWAE(3)),
    ],
)
def test_names_stand_for_objectives(options: dict[str, Any], objective: Objective) -> None:
    by_name, by_instance = make(**options), make(objective=objective)
    assert by_name.evaluate(IMAGES, verbose=0) == by_instance.evaluate(IMAGES, verbose=0)
    assert by_name.get_config()["objective"] == options.get("objective", "elbo")


def test_measures_must_be_those_declared() -> None:
    class Other(Reconstruction):
        measures = ("error",)

    with pytest.raises(ValueError, match=r"Other: expected the measures .* \['error'\]; received \['reconstruction'\]"):
        make(vaekit.AE, objective=Other()).evaluate(IMAGES, verbose=0)


def test_kl_is_that_of_the_posterior() -> None:
    model = make()
    mean, log_var = model.encode_distribution(IMAGES)
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(1).mean()
    measures = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert measures["kl"] == pytest.approx(kl, rel=1e-4)


def test_beta_weighs_the_kl_term_and_may_change_between_epochs() -> None:
    model = make(beta=3.0)
    measures = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] + 3 * measures["kl"], rel=1e-5)
    model.beta = 0.0
    measures = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"], rel=1e-5)
    assert measures["kl"] > 0


def test_free_bits_cost_nothing() -> None:
    free = make(free_bits=1.5)
    mean, log_var = free.encode_distribution(IMAGES)
    kl = keras.ops.convert_to_numpy(losses.normal_kl(mean, log_var)).mean(0)
    assert (kl < 1.5).any()
    measures = free.evaluate(IMAGES, batch_size=64, verbose=0, return_dict=True)
    assert measures["loss"] - measures["reconstruction"] == pytest.approx(np.maximum(kl, 1.5).sum(), rel=1e-4)


def test_importance_weighting_tightens_the_bound() -> None:
    bounds = {}
    for samples in (1, 50):
        model = make(objective="iwae", importance_samples=samples)
        model.sampling.seed_generator.state.assign([1, 2])
        bounds[samples] = np.mean([model.evaluate(IMAGES, verbose=0)[0] for _ in range(5)])
    assert bounds[50] < bounds[1]
    elbo = np.mean([make().evaluate(IMAGES, verbose=0)[0] for _ in range(5)])
    assert bounds[1] == pytest.approx(elbo, rel=0.02)


@pytest.mark.parametrize(
    "options",
    [
        {"objective": "iw"},
        {"importance_samples": 5},
        {"objective": "iwae", "importance_samples": 0},
        {"beta": -1},
        {"free_bits": -1},
        {"objective": "iwae", "free_bits": 1.0},
        {"objective": ELBO(), "free_bits": 1.0},
        {"objective": IWAE(2), "importance_samples": 2},
    ],
)
def test_contradictory_options_are_rejected(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make(**options)
