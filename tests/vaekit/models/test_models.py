"""Models: plain Keras from end to end, in every precision, and true to their formulas."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest

import vaekit
from vaekit import cookbook, losses, networks
from vaekit.training import set_precision

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (64, 16, 16)).astype(np.uint8)
LABELS = np.arange(64) % 3
SHAPE = (16, 16, 1)


def make(kind: type = vaekit.VAE, **options: object) -> vaekit.AE:
    keras.utils.set_random_seed(0)
    options = {"network": "mlp", "units": (32,)} | options
    if kind is vaekit.CVAE:
        options = {"num_classes": 3} | options
    model = kind.for_images(SHAPE, 4, **options)
    model.compile(keras.optimizers.Adam(1e-3))
    return model


@pytest.mark.parametrize(
    ("name", "count"), [("autoencoder", 35_085), ("conv_vae", 276_013), ("mlp_vae", 807_700), ("mlp_cvae", 817_940)]
)
def test_the_books_networks_have_its_parameters(name: str, count: int) -> None:
    model = getattr(cookbook, name)()
    assert model.count_params() == count
    assert model.compiled
    size = model.to_images.image_shape[0]
    assert model.reconstruct(np.zeros((2, size, size), np.uint8)).shape == (2, size, size, 1)


def test_the_books_autoencoder_learns_the_mean_over_pixels() -> None:
    model = cookbook.autoencoder()
    images = RNG.random((8, 32, 32, 1)).astype(np.float32)
    measures = model.evaluate(images, verbose=0, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] / 32**2, rel=1e-5)
    p = model.predict(images, verbose=0).astype(np.float64)
    assert measures["loss"] == pytest.approx(-(images * np.log(p) + (1 - images) * np.log(1 - p)).mean(), rel=1e-4)


@pytest.mark.parametrize("network", ["mlp", "residual", "conv"])
@pytest.mark.parametrize("num_classes", [0, 3])
@pytest.mark.parametrize("shape", [(8, 8, 1), (28, 28, 1), (17, 40, 3)])
def test_networks_fit_any_image(network: str, num_classes: int, shape: tuple[int, int, int]) -> None:
    size = {"mlp": {"units": (8, 4)}, "residual": {"units": 8}, "conv": {"filters": (4, 4), "units": 8, "blocks": 1}}
    encoder, decoder, rest = networks.build(network, shape, 5, num_classes=num_classes, **size[network], beta=2.0)
    assert rest == {"beta": 2.0}
    labels = [np.eye(num_classes)[[0, 1]]] if num_classes else []
    images, codes = np.zeros((2, *shape)), np.zeros((2, 5))
    features = encoder([images, *labels] if labels else images)
    assert len(features.shape) == 2
    logits = decoder([codes, *labels] if labels else codes)
    assert tuple(logits.shape) == (2, *shape)
    assert logits.dtype in ("float32", np.float32) or "float32" in str(logits.dtype)


def test_a_wrong_network_is_named() -> None:
    with pytest.raises(ValueError, match=r"expected network to be one of .* received 'cnn'"):
        vaekit.VAE.for_images(SHAPE, network="cnn")
    with pytest.raises(ValueError, match="expected images of 8 pixels or more"):
        networks.conv((4, 4, 1), 2)


@pytest.mark.parametrize("kind", [vaekit.AE, vaekit.VAE, vaekit.CVAE])
def test_fit_lowers_the_loss_and_reports_its_terms(kind: type) -> None:
    model = make(kind)
    targets = (LABELS,) if kind is vaekit.CVAE else ()
    history = model.fit(IMAGES, *targets, epochs=10, batch_size=16, verbose=0).history
    assert history["loss"][-1] < history["loss"][0]
    measures = model.evaluate(IMAGES, *targets, verbose=0, return_dict=True)
    kl = measures.get("kl", 0)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] + kl, rel=1e-5)
    assert set(measures) == {"loss", "reconstruction"} | ({"kl"} if kind is not vaekit.AE else set())
    expected = 256 * np.log(2)  # of grey paper, which any model beats or comes near
    assert measures["reconstruction"] < 1.1 * expected


def test_evaluate_is_the_evidence_lower_bound() -> None:
    model = make()
    mean, log_var = model.encode_distribution(IMAGES)
    kl = 0.5 * (np.exp(log_var) + mean**2 - 1 - log_var).sum(1).mean()
    measures = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert measures["kl"] == pytest.approx(kl, rel=1e-4)


def test_calls_are_without_chance_and_predict_reconstructs() -> None:
    model = make()
    images = IMAGES[:5]
    first = model.predict(images, verbose=0)
    assert first.shape == (5, *SHAPE)
    assert 0 <= first.min() < first.max() <= 1
    np.testing.assert_array_equal(model.predict(images, verbose=0), first)
    np.testing.assert_array_equal(model.reconstruct(images), first)
    np.testing.assert_allclose(model.decode(model.encode(images)), first, atol=1e-6)
    np.testing.assert_allclose(model(images), first, atol=1e-6)


def test_samples_follow_their_seed() -> None:
    model = make()
    np.testing.assert_array_equal(model.sample(3, seed=1), model.sample(3, seed=1))
    assert (model.sample(3, seed=1) != model.sample(3, seed=2)).any()
    codes = np.random.default_rng(1).standard_normal((3, 4), np.float32)
    np.testing.assert_array_equal(model.sample(3, seed=1), model.decode(codes))


def test_labels_come_as_ints_rows_and_mixtures() -> None:
    model = make(vaekit.CVAE)
    rows = np.eye(3, dtype=np.float32)[LABELS]
    np.testing.assert_array_equal(model.encode(IMAGES, LABELS), model.encode(IMAGES, rows))
    reconstructions = model.reconstruct(IMAGES, LABELS)
    np.testing.assert_allclose(model.predict((IMAGES, LABELS), verbose=0), reconstructions, atol=1e-6)
    codes = np.zeros((2, 4))
    half = model.decode(codes, [0.5, 0.0, 0.5])
    assert (half != model.decode(codes, 0)).any()
    np.testing.assert_array_equal(model.decode(codes), model.decode(codes, np.full(3, 1 / 3)))
    turns = model.sample(4, seed=0, labels=[0, 1, 2, 0])
    np.testing.assert_allclose(model.sample(4, seed=0), turns, atol=1e-6)
    losses = [
        model.fit(*given, batch_size=64, verbose=0, shuffle=False).history["loss"][0]
        for model, given in (
            (make(vaekit.CVAE), (IMAGES, LABELS)),
            (make(vaekit.CVAE), (IMAGES, rows)),
            (make(vaekit.CVAE), ((IMAGES, LABELS),)),
        )
    ]
    assert losses[0] == losses[1] == losses[2]
    with pytest.raises(ValueError, match="rows of 3 that sum to 1"):
        model.decode(codes, [0.5, 0.5, 0.5])
    with pytest.raises(ValueError, match="labels from 0 to 2"):
        model.decode(codes, 3)


def test_a_data_set_of_pairs_is_taken_as_it_is() -> None:
    tf = pytest.importorskip("tensorflow")
    data = tf.data.Dataset.from_tensor_slices((IMAGES[..., None] / np.float32(255), LABELS)).batch(32)
    for kind in (vaekit.AE, vaekit.VAE, vaekit.CVAE):
        model = make(kind)
        model.fit(data, validation_data=data, verbose=0)
    assert len(make(vaekit.VAE).encode(data)) == len(IMAGES)
    with pytest.raises(TypeError, match="expected an array"):
        model.encode(data)


def test_a_corrupted_image_is_compared_with_the_clean_one() -> None:
    blank = make(vaekit.AE, corruption=vaekit.layers.MaskSquares(16))
    seen_nothing = make(vaekit.AE)
    loss = blank.train_on_batch(IMAGES, return_dict=True)["reconstruction"]
    # What the network makes of an empty image, against the images themselves.
    p = seen_nothing.reconstruct(np.zeros_like(IMAGES))[..., 0].astype(np.float64)
    x = IMAGES / 255
    assert loss == pytest.approx(-(x * np.log(p) + (1 - x) * np.log(1 - p)).sum((1, 2)).mean(), rel=1e-4)
    assert blank.evaluate(IMAGES, verbose=0)[0] != pytest.approx(loss, rel=1e-4)


def test_beta_weighs_the_divergence_and_may_change_between_epochs() -> None:
    model = make(beta=3.0)
    measures = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"] + 3 * measures["kl"], rel=1e-5)
    model.beta = 0.0
    measures = model.evaluate(IMAGES, verbose=0, return_dict=True)
    assert measures["loss"] == pytest.approx(measures["reconstruction"], rel=1e-5)
    assert measures["kl"] > 0


def test_free_bits_make_the_first_nats_free() -> None:
    free = make(free_bits=1.5)
    mean, log_var = free.encode_distribution(IMAGES)
    kl = np.asarray(losses.normal_kl(mean, log_var)).mean(0)
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
    [{"objective": "iw"}, {"importance_samples": 5}, {"beta": -1}, {"objective": "iwae", "free_bits": 1.0}],
)
def test_options_that_make_no_sense_are_refused(options: dict) -> None:
    with pytest.raises(ValueError, match="expected"):
        make(**options)


def test_sample_weights_count() -> None:
    weights = np.zeros(64)
    weights[:8] = 8
    # Keras drops the weights of data that have no targets.
    weighted = make(vaekit.AE).evaluate(IMAGES, LABELS, batch_size=64, sample_weight=weights, verbose=0)[0]
    assert weighted == pytest.approx(make(vaekit.AE).evaluate(IMAGES[:8], verbose=0)[0], rel=1e-4)


@pytest.mark.parametrize("options", [{"jit_compile": True}, {"steps_per_execution": 4}, {"run_eagerly": True}])
def test_ways_to_compile_agree(options: dict) -> None:
    plain, other = make(vaekit.AE), make(vaekit.AE)
    other.compile(keras.optimizers.Adam(1e-3), **options)
    expected = plain.fit(IMAGES, batch_size=16, shuffle=False, verbose=0).history["loss"]
    assert other.fit(IMAGES, batch_size=16, shuffle=False, verbose=0).history["loss"] == pytest.approx(
        expected, rel=1e-4
    )


def test_half_precision_stays_close_to_single() -> None:
    results = {}
    for name in ("float32", "mixed_float16", "mixed_bfloat16"):
        model = make(vaekit.CVAE, network="residual", units=32, blocks=1)
        set_precision(model, name)
        optimizer = keras.optimizers.Adam(1e-3)
        if name == "mixed_float16":
            optimizer = keras.optimizers.LossScaleOptimizer(optimizer, initial_scale=1024.0)
        model.compile(optimizer)
        results[name] = model.fit(IMAGES, LABELS, batch_size=16, epochs=8, shuffle=False, verbose=0).history["loss"][-1]
    assert list(results.values()) == pytest.approx([results["float32"]] * 3, rel=0.01)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_extreme_images_and_posteriors_stay_finite(policy: str) -> None:
    keras.utils.set_random_seed(0)
    model = vaekit.VAE.for_images((64, 64, 1), 8, network="mlp", units=(16,))
    set_precision(model, policy)
    model.compile("sgd")
    ink = np.concatenate([np.zeros((500, 64, 64), np.uint8), np.full((500, 64, 64), 255, np.uint8)])
    for bias in (0.0, 1e4, -1e4):  # of the log-variance: beyond its limits
        model.log_var_head.bias.assign(np.full(8, bias))
        measures = model.evaluate(ink, batch_size=1000, verbose=0, return_dict=True)
        assert np.isfinite(list(measures.values())).all()
        assert np.isfinite(model.predict(ink[::100], verbose=0)).all()
    model.log_var_head.bias.assign(np.zeros(8))
    model.fit(ink, batch_size=1000, epochs=2, verbose=0)
    assert all(np.isfinite(np.asarray(weight)).all() for weight in model.get_weights())


def test_a_saved_model_goes_on_in_a_fresh_process(tmp_path: Path) -> None:
    models = {
        "ae": make(vaekit.AE, corruption=vaekit.layers.SaltAndPepper(0.1)),
        "vae": make(vaekit.VAE, beta=2.0, objective="iwae", importance_samples=2, network="residual", units=8),
        "cvae": make(vaekit.CVAE, network="conv", filters=(4, 4), units=8),
        "book": cookbook.mlp_vae(),
    }
    models["ae"].compile("adadelta", loss=losses.Ink(weight=1.0))
    np.save(tmp_path / "images.npy", IMAGES)
    large = np.zeros((4, 28, 28), np.uint8)
    for name, model in models.items():
        given = (large,) if name == "book" else (IMAGES, LABELS)
        model.fit(*given, epochs=2, verbose=0)
        model.save(tmp_path / f"{name}.keras")
        np.save(tmp_path / f"{name}.npy", model.predict(large if name == "book" else IMAGES, verbose=0))
    models["vae"].decoder.save(tmp_path / "decoder.keras")
    script = """
import sys, numpy as np, keras, vaekit
from pathlib import Path
folder = Path(sys.argv[1])
images = np.load(folder / "images.npy")
for name in ("ae", "vae", "cvae", "book"):
    model = keras.saving.load_model(folder / f"{name}.keras", safe_mode=True)
    given = np.zeros((4, 28, 28), np.uint8) if name == "book" else images
    np.testing.assert_allclose(model.predict(given, verbose=0), np.load(folder / f"{name}.npy"), atol=1e-6)
    before = int(model.optimizer.iterations)
    assert before > 0
    model.fit(given, None if name == "book" else np.arange(64) % 3, verbose=0)
    assert int(model.optimizer.iterations) > before
    if name == "ae":
        assert model.loss.weight == 1 and model.corruption.rate == 0.1, model.loss
    if name == "vae":
        assert (model.beta, model.objective, model.importance_samples) == (2, "iwae", 2)
decoder = keras.saving.load_model(folder / "decoder.keras")
assert decoder(np.zeros((1, 4))).shape == (1, 16, 16, 1)
print("the same")
"""
    done = subprocess.run([sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert done.stdout.strip().endswith("the same"), done.stderr[-2000:]


def test_replicas_share_a_batch() -> None:
    """A batch over two devices has the loss and the gradient of the same batch on one."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("tf.distribute is TensorFlow's")
    import tensorflow as tf

    devices = [device.name.removeprefix("/physical_device:") for device in tf.config.list_physical_devices("CPU")]
    if len(devices) < 2:
        devices = ["CPU:0"]  # TensorFlow has started with one; the scaling is tested with it all the same
    with tf.distribute.MirroredStrategy(devices).scope():
        mirrored = make(vaekit.AE)
    plain = make(vaekit.AE)
    mirrored.set_weights(plain.get_weights())
    for model in (plain, mirrored):
        model.compile(keras.optimizers.SGD(1e-3))
        model.fit(IMAGES, batch_size=64, verbose=0)
    for ours, expected in zip(mirrored.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(ours, expected, atol=1e-5)
