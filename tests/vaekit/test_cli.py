"""The command ``vaekit``: what it trains, that it resumes, and that each error is one clear line."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path

import keras
import numpy as np
import pytest
from click.testing import CliRunner, Result
from models import tiny_model
from PIL import Image

import vaekit
from vaekit import cli

# A warning of TensorFlow about NumPy, which Python ignores outside of tests; the command would print it.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(argument) for argument in arguments])


@pytest.fixture(scope="module")
def mnist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Noise in the format of MNIST."""
    path = tmp_path_factory.mktemp("mnist") / "mnist.npz"
    rng = np.random.default_rng(0)
    sizes = {"train": 60, "test": 20}
    images = {f"x_{part}": rng.integers(0, 256, (n, 28, 28)).astype(np.uint8) for part, n in sizes.items()}
    np.savez(path, **images, **{f"y_{part}": np.arange(n) % 10 for part, n in sizes.items()})
    return path


def test_train_on_drawings_and_resume(sample: Path, tmp_path: Path) -> None:
    arguments = ["train", "cvae", "--data", sample, "--out", tmp_path, "--network", "mlp", "--latent-dim", 2]
    first = run(*arguments, "--size", 8, "--epochs", 1)
    assert first.exit_code == 0, first.output
    assert "3 classes" in first.output
    assert "held out, in nats/image: " in first.output
    assert run(*arguments, "--size", 8, "--epochs", 3, "--quiet").output == ""
    assert len(vaekit.read_history(tmp_path / "history.csv")["val_loss"]) == 3

    model = keras.models.load_model(tmp_path / "best.keras")
    assert (type(model), model.latent_dim, model.num_classes) == (vaekit.CVAE, 2, 3)
    assert model.sample(4).shape == (4, 8, 8, 1)

    other = run(*arguments, "--size", 16, "--epochs", 3)
    assert other.exit_code == 1
    assert other.output.splitlines()[-1].startswith(f"vaekit: {tmp_path / 'last.keras'}: expected the arguments")
    assert "pass --changed to go on all the same, or --overwrite" in other.output
    assert run(*arguments, "--size", 16, "--epochs", 1, "--overwrite").exit_code == 0


@pytest.mark.parametrize("kind", ["ae", "vae"])
def test_train_on_mnist(mnist: Path, tmp_path: Path, kind: str) -> None:
    options = {"ae": ["--corrupt", 0.2], "vae": ["--beta", 0.5, "--batch-size", 7]}[kind]
    result = run("train", kind, "--mnist", mnist, "--out", tmp_path, "--epochs", 1, "--network", "mlp", *options)
    assert result.exit_code == 0, result.output
    model = keras.models.load_model(tmp_path / "last.keras")
    assert model.to_images.image_shape == (28, 28, 1)
    if kind == "ae":
        assert (type(model), model.corruption.rate) == (vaekit.AE, 0.2)
    else:
        assert (type(model), model.beta) == (vaekit.VAE, 0.5)


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        ("vae", 2, "expected one of --data and --mnist"),
        ("vae --data x --mnist y", 2, "expected one of --data and --mnist"),
        ("ae --data x --beta 2", 2, "expected no --beta for ae"),
        ("vae --data missing", 1, "vaekit: missing: no such file or folder"),
        ("vae --mnist missing.npz", 1, "vaekit: missing.npz: No such file or directory"),
        ("vae --mnist text.npz", 1, "vaekit: text.npz: expected an .npz file with x_train"),
        ("vae --mnist empty.npz", 1, "vaekit: empty.npz: expected an .npz file with x_train"),
        ("vae --mnist other.npz", 1, "vaekit: other.npz: expected an .npz file with x_train"),
        ("vae --data one.bin", 1, "vaekit: expected enough drawings to hold some out, received 1"),
        ("gan --data one.bin", 2, "'gan' is not one of"),
    ],
)
def test_an_error_is_one_line(
    arguments: str, status: int, message: str, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fastdraw

    monkeypatch.chdir(tmp_path)
    Path("text.npz").write_text("text")
    Path("empty.npz").touch()
    np.savez("other.npz", x=np.zeros(3))
    fastdraw.write_drawings("one.bin", [fastdraw.open_drawings(sample)[0]])
    result = run("train", *arguments.split(), "--out", "out")
    assert result.exit_code == status
    assert message in result.output.splitlines()[-1]
    assert not Path("out").exists()


def test_a_report_names_the_custom_layer_that_it_lacks(mnist: Path, tmp_path: Path) -> None:
    class Scale(keras.layers.Layer):
        def call(self, inputs: object) -> object:
            return inputs

    encoder = keras.Sequential([keras.Input((28, 28, 1)), Scale(), keras.layers.Flatten()])
    decoder = keras.Sequential([keras.Input((2,)), keras.layers.Dense(784), keras.layers.Reshape((28, 28, 1))])
    vaekit.VAE(encoder, decoder, 2).save(tmp_path / "model.keras")
    result = run("report", tmp_path / "model.keras", "--mnist", mnist, "--out", tmp_path / "report.html")
    assert result.exit_code == 1
    assert "received one with the class Scale: import what defines it" in result.output


@pytest.mark.slow
def test_a_prior_is_fitted_unless_told_otherwise(sample: Path, tmp_path: Path) -> None:
    options = ["--data", sample, "--network", "mlp", "--latent-dim", 2, "--size", 8, "--epochs", 1, "--quiet"]
    assert run("train", "cvae", "--out", tmp_path / "a", *options).output == ""
    assert keras.models.load_model(tmp_path / "a/best.keras").prior.means.shape == (3, 10, 2)
    assert run("train", "vae", "--out", tmp_path / "b", "--prior", 4, *options).output == ""
    assert keras.models.load_model(tmp_path / "b/best.keras").prior.means.shape == (1, 4, 2)
    assert run("train", "vae", "--out", tmp_path / "c", "--prior", 0, *options).output == ""
    assert keras.models.load_model(tmp_path / "c/best.keras").prior is None
    assert sorted(path.name for path in (tmp_path / "a").iterdir() if path.is_file()) == [
        "best.keras",
        "history.csv",
        "last.keras",
    ]
    result = run("train", "ae", "--out", tmp_path / "d", "--prior", 4, *options)
    assert result.exit_code == 2
    assert "expected no --prior for ae, which has no prior and no KL term" in result.stderr
    result = run("train", "ae", "--out", tmp_path / "d", "--warm-up", 4, *options)
    assert "expected no --warm-up for ae, which has no prior and no KL term" in result.stderr


def test_every_recipe_can_be_named() -> None:
    [option] = [option for option in cli.main.commands["train"].params if option.name == "name"]
    assert list(option.type.choices) == list(vaekit.recipes.NAMED)


@pytest.mark.slow
def test_a_recipe_and_the_options_that_change_it(sample: Path, tmp_path: Path) -> None:
    options = ["--data", sample, "--size", 16, "--epochs", 1, "--steps-per-epoch", 2, "--batch-size", 8, "--prior", 0]
    assert run("train", "cvae", "--out", tmp_path / "a", *options).exit_code == 0
    ladder = keras.models.load_model(tmp_path / "a/best.keras")
    assert type(ladder.decoder) is vaekit.networks.Ladder
    assert int(ladder.optimizer.iterations) == 2
    more = ["--network", "mlp", "--objective", "iwae", "--schedule", "linear", "--learning-rate", 0.01, "--warm-up", 4]
    assert run("train", "vae", "--recipe", "quick", "--out", tmp_path / "b", *options, *more).exit_code == 0
    model = keras.models.load_model(tmp_path / "b/last.keras")
    assert (model.objective, model.importance_samples, model.latent_dim, model.beta) == ("iwae", 5, 64, 0.0)
    assert type(model.optimizer._learning_rate).__name__ == "PolynomialDecay"
    result = run("train", "ae", "--out", tmp_path / "c", "--objective", "iwae", *options[:-2])
    assert result.exit_code == 2
    assert "expected no --objective for ae" in result.stderr


@pytest.mark.slow
def test_augmentation_is_that_of_the_recipe_and_can_be_turned_off(
    sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fastdraw

    seen: list[object] = []
    batches = fastdraw.batches
    monkeypatch.setattr(fastdraw, "batches", lambda *a, **k: seen.append(k.get("augment")) or batches(*a, **k))
    options = ["--data", sample, "--network", "mlp", "--size", 8, "--epochs", 1, "--steps-per-epoch", 1, "--prior", 0]
    for number, more in enumerate([[], ["--no-augment"], ["--recipe", "quick"], ["--recipe", "quick", "--augment"]]):
        assert run("train", "vae", "--out", tmp_path / str(number), *options, *more).exit_code == 0
    training = seen[::2]
    assert training[0] == training[3] == vaekit.recipes.find("drawings", "vae").augment
    assert training[1] is training[2] is None
    assert seen[1::2] == [None] * 4  # held-out drawings are as they are


def test_samples_of_a_run_and_of_the_model_that_comes_with_the_package(tmp_path: Path) -> None:
    tiny_model(vaekit.CVAE).save(tmp_path / "best.keras")
    result = run("samples", tmp_path, "--out", tmp_path / "a.png", "--columns", 5, "--names", "a,b,c", "--zoom", 1)
    assert (result.exit_code, result.output) == (0, f"{tmp_path / 'a.png'}: 15 samples\n")
    with Image.open(tmp_path / "a.png") as picture:
        assert picture.height == 3 * 10 + 2
        assert set(np.unique(np.asarray(picture)[:, -50:])) == {0, 255}  # ink
    assert (
        run("samples", "real7", "--out", tmp_path / "b.png", "--grey").output == f"{tmp_path / 'b.png'}: 84 samples\n"
    )
    with Image.open(tmp_path / "b.png") as picture:
        assert len(np.unique(np.asarray(picture))) > 50


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("nothing", "vaekit: nothing: expected a .keras file, the folder of a run, an address or real7"),
        ("ae.keras", "vaekit: ae.keras: expected a VAE or a CVAE, which have samples; received an AE"),
        ("real7 --names a,b", "vaekit: expected --names for 7 rows, received 2"),
        ("real7 --out no/a.png", "vaekit: no/a.png: expected an existing folder"),
        ("http://127.0.0.1:9/a.keras", "vaekit: http://127.0.0.1:9/a.keras: "),
    ],
)
def test_samples_that_cannot_be_drawn(
    arguments: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    tiny_model(vaekit.AE).save("ae.keras")
    result = run("samples", *arguments.split())
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith(message)


@pytest.mark.slow
def test_a_report_with_what_a_judge_says(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model(vaekit.CVAE, shape=(16, 16, 1)).save(tmp_path / "best.keras")
    train = vaekit.evaluate.Judge.train
    monkeypatch.setattr(vaekit.evaluate.Judge, "train", lambda x, y: train(x, y, steps=5))
    arguments = [
        "report",
        tmp_path,
        "--data",
        sample,
        "--out",
        tmp_path / "r.html",
        "--judge",
        tmp_path / "judge.keras",
    ]
    first = run(*arguments)
    assert first.exit_code == 0, first.output
    page = (tmp_path / "r.html").read_text()
    assert "<dt>Recognised</dt>" in page
    assert "<dt>Fréchet distance</dt>" in page
    assert "of the standard normal prior, one row per class" in page
    monkeypatch.setattr(vaekit.evaluate.Judge, "train", None)  # the second time it is there
    assert run(*arguments).exit_code == 0
    assert (tmp_path / "r.html").read_text() == page


@pytest.mark.parametrize("config", ["[" * 100_000, "{", '{"registered_name": 1.5, "config": {}}', "null"])
def test_damaged_models_are_one_line(tmp_path: Path, config: str) -> None:
    with zipfile.ZipFile(tmp_path / "a.keras", "w") as archive:
        archive.writestr("metadata.json", "{}")
        archive.writestr("config.json", config)
    result = run("samples", tmp_path / "a.keras", "--out", tmp_path / "a.png")
    assert (result.exit_code, os.listdir(tmp_path)) == (1, ["a.keras"])
    assert result.stderr.endswith(
        "a.keras: expected a .keras file of an AE, VAE or CVAE of vaekit, received another or a damaged file\n"
    )
