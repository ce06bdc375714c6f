"""Objectives: the formulas, their contract in every precision, and one that a user writes."""

from __future__ import annotations

import itertools
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
from vaekit.models import ELBO, IWAE, DReG, Objective, Reconstruction
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


@pytest.mark.slow
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
    "dreg": (vaekit.CVAE, lambda: DReG(3)),
    "users": (vaekit.AE, NoisyCodes),
}


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("name", CONTRACTS)
def test_contract(name: str, policy: str) -> None:
    kind, build = CONTRACTS[name]
    objective = build()
    again = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(objective))
    assert again.get_config() == objective.get_config()
    layers = {"corruption": vaekit.layers.SaltAndPepper(0.1), "binarization": vaekit.layers.Binarize()}
    model = make(kind, objective=objective, **layers)
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
        ({"objective": "dreg", "importance_samples": 3}, DReG(3)),
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
        {"objective": "dreg", "free_bits": 1.0},
    ],
)
def test_contradictory_options_are_rejected(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="expected"):
        make(**options)


def test_a_loss_of_binarised_images_is_of_what_the_encoder_sees() -> None:
    class Seen(Reconstruction):
        def __call__(self, model: Any, images: Any, labels: list[Any], training: bool = False) -> Any:
            seen.append((ops.convert_to_numpy(images), ops.convert_to_numpy(model.corrupt(images, training))))
            return super().__call__(model, images, labels, training)

    seen: list[Any] = []
    model = make(vaekit.AE, objective=Seen(), binarization=vaekit.layers.Binarize(seed=0))
    model.compile("adam", run_eagerly=True)
    half = np.full((64, 16, 16), 0.5, np.float32)
    for training in (model.train_on_batch, model.test_on_batch):
        for _ in range(2):
            training(half)
    model.train_on_batch(half, np.zeros_like(half))  # target images are drawn as well
    images = [images for images, _ in seen]
    assert all(0.45 < drawn.mean() < 0.55 and set(np.unique(drawn)) == {0, 1} for drawn in images[:4])
    assert all((first != second).mean() > 0.4 for first, second in itertools.pairwise(images[:4]))
    for drawn, corrupted in seen[:4]:
        np.testing.assert_array_equal(drawn, corrupted)
    assert images[4].max() == 0
    assert 0.45 < seen[4][1].mean() < 0.55
    assert model.reconstruct(half).shape == (64, 16, 16, 1)  # of the grey images


COPIES = 800_000  # the standard error of a gradient is 0.0013 at most


def one_latent(objective: Objective, beta: float) -> vaekit.VAE:
    """Two pixels, one latent, and heads whose biases alone are trained, by a step of the gradient."""
    images, codes = keras.Input((1, 2, 1)), keras.Input((1,))
    encoder = keras.Model(images, ops.zeros_like(keras.layers.Flatten()(images)))
    decoder = keras.Model(codes, keras.layers.Reshape((1, 2, 1))(keras.layers.Dense(2)(codes)))
    model = vaekit.VAE(encoder, decoder, 1, beta, objective=objective)
    decoder.set_weights([np.array([[2.0, -1.0]]), np.array([0.1, -0.3])])
    model.mean_head.set_weights([np.zeros((2, 1)), np.array([0.4])])
    model.log_var_head.set_weights([np.zeros((2, 1)), np.array([-0.5])])
    model.compile(keras.optimizers.SGD(1.0))
    return model


def gradients(objective: Objective, beta: float) -> tuple[Any, Any]:
    """Means over many draws of the gradients of the mean and the log-variance, and those of the decoder."""
    model = one_latent(objective, beta)
    model.sampling.seed_generator.state.assign([1, 2])

    def weights() -> tuple[Any, Any]:
        heads = [model.mean_head.bias, model.log_var_head.bias]
        return tuple(
            np.concatenate([ops.convert_to_numpy(weight).ravel() for weight in some])
            for some in (heads, model.decoder.weights)
        )

    before = weights()
    model.train_on_batch(np.tile(np.float32([[[1, 0]]]), (COPIES, 1, 1)))
    return tuple(was - now for was, now in zip(before, weights(), strict=True))


def exact(beta: float) -> np.ndarray:
    """The gradient of the bound of two samples for mean and log-variance, by quadrature and central differences."""
    nodes, shares = np.polynomial.hermite_e.hermegauss(80)
    shares = shares / shares.sum()

    def loss(mean: float, log_var: float) -> float:
        z = mean + np.exp(log_var / 2) * nodes
        logits = np.stack([2 * z + 0.1, -z - 0.3])
        log_p = logits[0] - np.logaddexp(0, logits).sum(axis=0)
        log_weights = log_p + beta * (-(z**2) / 2 + nodes**2 / 2 + log_var / 2)
        both = np.logaddexp(log_weights[:, None], log_weights[None]) - np.log(2)
        return -shares @ both @ shares

    small = 1e-4
    of_mean = (loss(0.4 + small, -0.5) - loss(0.4 - small, -0.5)) / (2 * small)
    of_log_var = (loss(0.4, -0.5 + small) - loss(0.4, -0.5 - small)) / (2 * small)
    return np.array([of_mean, of_log_var])


@pytest.mark.parametrize("beta", [1.0, 2.0])
def test_gradients_of_importance_weighted_bounds(beta: float) -> None:
    expected = exact(beta)
    assert (np.abs(expected) > 0.03).all()
    encoders, decoders = zip(*(gradients(objective(2), beta) for objective in (IWAE, DReG)), strict=True)
    for found in encoders:
        np.testing.assert_allclose(found, expected, atol=0.005)
    assert (encoders[0] != encoders[1]).all()
    np.testing.assert_allclose(*decoders, rtol=1e-4, atol=1e-5)


def test_dreg_has_the_value_of_iwae_and_no_ladder() -> None:
    values = []
    for objective in (IWAE(3), DReG(3)):
        model = make(objective=objective)
        model.sampling.seed_generator.state.assign([1, 2])
        values.append(model.train_on_batch(IMAGES))
    np.testing.assert_allclose(*values, rtol=1e-5)
    ladder = make(network="ladder", filters=(4, 4), objective=DReG(3))
    with pytest.raises(ValueError, match="expected codes that are drawn at once for DReG, received the network Ladder"):
        ladder.train_on_batch(IMAGES)
