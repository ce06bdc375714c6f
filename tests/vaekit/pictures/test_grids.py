"""Pictures: what is where. Models are tiny and know nothing, so that each image differs from every other."""

from __future__ import annotations

from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image

import vaekit
from vaekit import latent, pictures
from vaekit.pictures.sheets import GAP

RNG = np.random.default_rng(0)
SIZE = 8
IMAGES = RNG.random((12, SIZE, SIZE, 1)).astype(np.float32)


def make(kind: type, shape: tuple[int, int, int] = (SIZE, SIZE, 1), latent_dim: int = 3) -> vaekit.AE:
    keras.utils.set_random_seed(0)
    options = {"num_classes": 4} if kind is vaekit.CVAE else {}
    model = kind.for_images(shape, latent_dim, network="mlp", units=(16,), **options)
    for variable in model.decoder.trainable_variables:
        variable.assign(3 * RNG.standard_normal(variable.shape))  # images far from each other
    return model


@pytest.fixture(scope="module")
def vae() -> vaekit.VAE:
    return make(vaekit.VAE)


@pytest.fixture(scope="module")
def cvae() -> vaekit.CVAE:
    return make(vaekit.CVAE)


def cells(picture: np.ndarray, rows: int, columns: int, size: int = SIZE) -> np.ndarray:
    """(rows, columns, size, size[, 3]): what a sheet shows, of which names are left of the columns."""
    side = size + GAP
    assert picture.shape[0] == rows * side + GAP
    left = picture.shape[1] - (columns * side + GAP)
    assert left >= 0
    cuts = [
        [picture[GAP + r * side :, left + GAP + c * side :][:size, :size] for c in range(columns)] for r in range(rows)
    ]
    return np.array(cuts)


def paper(images: np.ndarray) -> np.ndarray:
    """Ink as it is on paper."""
    return 255 - np.rint(np.asarray(images)[..., 0] * 255).astype(np.uint8)


def same(picture: np.ndarray, images: np.ndarray) -> None:
    """A picture of rows and columns of images (rows, columns, height, width, 1), to a grey level."""
    found, expected = cells(picture, *images.shape[:2]), paper(images)
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert len({cell.tobytes() for cell in found.reshape(-1, *found.shape[2:])}) > 1, "all cells are the same"


def test_a_sheet_has_ink_on_paper_or_bright_on_black_and_colours_as_they_are() -> None:
    grey = IMAGES[:6].reshape(2, 3, SIZE, SIZE, 1)
    same(pictures.sheet(grey), grey)
    np.testing.assert_array_equal(cells(pictures.sheet(grey, invert=False), 2, 3), 255 - paper(grey))
    colours = RNG.integers(0, 256, (2, 3, SIZE, SIZE, 3)).astype(np.uint8)
    np.testing.assert_array_equal(cells(pictures.sheet(colours), 2, 3), colours)
    assert (pictures.sheet(grey)[:GAP] == 255).all()


def test_names_are_beside_their_rows() -> None:
    blank = np.zeros((3, 2, 20, 20), np.uint8)
    picture = pictures.sheet(blank, names=["", "Wide name", ""])
    inked = np.flatnonzero((picture < 128).any(axis=1))
    assert inked.min() >= GAP + 20
    assert inked.max() < GAP + 2 * (20 + GAP)
    assert picture.shape[1] > pictures.sheet(blank).shape[1]
    with pytest.raises(ValueError, match="a name for each of 3 rows, received 1"):
        pictures.sheet(blank, names=["a"])


def test_reconstructions_are_below_their_images(vae: vaekit.VAE) -> None:
    made = vae.reconstruct(IMAGES)
    picture = pictures.reconstructions(vae, IMAGES, columns=5)
    same(picture, np.stack([IMAGES[:5], made[:5]]))
    same(pictures.reconstructions(vae, IMAGES, error=True), np.stack([IMAGES, made, np.abs(IMAGES - made)]))
    bytes_ = np.rint(IMAGES[..., 0] * 255).astype(np.uint8)
    same(pictures.reconstructions(vae, bytes_, columns=5), np.stack([IMAGES[:5], vae.reconstruct(bytes_)[:5]]))


def test_reconstructions_of_a_cvae_see_labels(cvae: vaekit.CVAE) -> None:
    labels = np.arange(12) % 4
    picture = pictures.reconstructions(cvae, IMAGES, labels, columns=6)
    same(picture, np.stack([IMAGES[:6], cvae.reconstruct(IMAGES, labels)[:6]]))
    assert (picture != pictures.reconstructions(cvae, IMAGES, columns=6)).any()


def test_samples_have_a_row_for_each_class(vae: vaekit.VAE, cvae: vaekit.CVAE) -> None:
    same(pictures.samples(vae, 2, 3, seed=5), vae.sample(6, 5).reshape(2, 3, SIZE, SIZE, 1))
    z = np.random.default_rng(5).standard_normal((12, 3), np.float32).reshape(4, 3, 3)
    expected = np.stack([cvae.decode(z[label], label) for label in range(4)])
    same(pictures.samples(cvae, columns=3, seed=5), expected)
    assert len(cells(pictures.samples(cvae, 2, 3), 2, 3)) == 2


@pytest.mark.parametrize("options", [{}, {"axes": (2, 0), "spacing": "quantiles"}, {"axes": "principal"}])
def test_each_cell_of_the_grid_is_the_decoding_of_its_code(vae: vaekit.VAE, options: dict) -> None:
    if options.get("axes") == "principal":
        options = options | {"codes": vae.encode(IMAGES)}
    z = latent.grid(4, 5, latent_dim=3, **options)
    picture = pictures.latent_grid(vae, 4, 5, **options)
    same(picture, np.stack([vae.decode(row) for row in z]))
    one = paper(vae.decode(z[1, 3][None]))[0]
    assert np.abs(cells(picture, 4, 5)[1, 3].astype(int) - one).max() <= 1


def test_the_grid_is_decoded_in_one_batch(vae: vaekit.VAE, monkeypatch: pytest.MonkeyPatch) -> None:
    seen = []
    decode = type(vae).decode
    monkeypatch.setattr(type(vae), "decode", lambda self, z: seen.append(len(z)) or decode(self, z))
    pictures.latent_grid(vae)
    assert seen == [100]


def test_a_grid_of_an_autoencoder_lies_where_its_codes_do(cvae: vaekit.CVAE) -> None:
    model = vaekit.cookbook.autoencoder()
    codes = model.encode(RNG.random((20, 32, 32)).astype(np.float32))
    picture = pictures.latent_grid(model, 3, 3, axes="principal", codes=codes)
    middle = paper(model.decode(codes.mean(axis=0)[None]))[0]
    assert np.abs(cells(picture, 3, 3, 32)[1, 1].astype(int) - middle).max() <= 1
    with pytest.raises(ValueError, match="expected codes of data"):
        pictures.latent_grid(model)
    same(
        pictures.latent_grid(cvae, 2, 2, label=3),
        cvae.decode(latent.grid(2, 2, latent_dim=3).reshape(4, 3), 3).reshape(2, 2, SIZE, SIZE, 1),
    )


@pytest.mark.parametrize("kind", ["linear", "spherical"])
def test_interpolation_goes_from_one_image_to_another(vae: vaekit.VAE, kind: str) -> None:
    a, b = vae.encode(IMAGES[:2])
    expected = vae.decode(latent.path(a, b, 5, kind))
    same(pictures.interpolation(vae, IMAGES[0], IMAGES[1], 5, kind=kind), expected[None])
    frames = pictures.walk(vae, IMAGES[[0, 1, 0]], 5, kind=kind)
    assert np.abs(frames[:5].astype(int) - paper(expected)).max() <= 1
    assert np.abs(frames[:5].astype(int) - frames[4:][::-1]).max() <= 1


def test_the_classes_blend_on_the_way(cvae: vaekit.CVAE) -> None:
    a, b = cvae.encode(IMAGES[:2], [1, 2])
    expected = cvae.decode(latent.path(a, b, 3), [[0, 1, 0, 0], [0, 0.5, 0.5, 0], [0, 0, 1, 0]])
    same(pictures.interpolation(cvae, *IMAGES[:2], 3, labels=[1, 2]), expected[None])


def test_classes_go_down_and_style_to_the_right(cvae: vaekit.CVAE) -> None:
    z = np.zeros((5, 3), np.float32)
    z[:, 2] = np.linspace(-1.5, 1.5, 5)
    same(pictures.classes_by_style(cvae, 5, axis=2), np.stack([cvae.decode(z, label) for label in range(4)]))


def test_blends_and_corners(cvae: vaekit.CVAE) -> None:
    z = np.array([1.0, -1.0, 0.5])
    labels = np.array([[0, 1, 0, 0], [0, 0.5, 0, 0.5], [0, 0, 0, 1]])
    same(pictures.blend(cvae, 1, 3, 3, z=z), cvae.decode(np.tile(z, (3, 1)), labels)[None])
    picture = pictures.four_corners(cvae, [3, 1, 0, 2], 3, z=z)
    found = cells(picture, 3, 3)
    for (r, c), row in {
        (0, 0): [0, 0, 0, 1],
        (0, 2): [0, 1, 0, 0],
        (2, 0): [1, 0, 0, 0],
        (2, 2): [0, 0, 1, 0],
        (0, 1): [0, 0.5, 0, 0.5],
        (1, 1): [0.25] * 4,
    }.items():
        assert np.abs(found[r, c].astype(int) - paper(cvae.decode(z[None], [row]))[0]).max() <= 1, (r, c)


def test_neighbours_are_right_of_their_query() -> None:
    codes = np.array([[0.0], [10.0], [1.0], [12.0], [3.0]])
    picture = pictures.neighbours(IMAGES[:5], codes, [0, 3], 2)
    same(picture[:, : SIZE + 2 * GAP], IMAGES[[0, 3]][:, None])
    same(picture[:, SIZE + 3 * GAP :], IMAGES[[[2, 4], [1, 4]]])


def test_progress_shows_images_reconstructions_and_samples(vae: vaekit.VAE) -> None:
    few = IMAGES[:4]
    drawn = vae.sample(8, 0).reshape(2, 4, SIZE, SIZE, 1)
    same(pictures.progress(vae, few), np.concatenate([[few], [vae.reconstruct(few)], drawn]))
    model = make(vaekit.AE)
    same(pictures.progress(model, few), np.stack([few, model.reconstruct(few)]))


def test_colour_images_are_shown_in_colour() -> None:
    model = make(vaekit.VAE, (SIZE, SIZE, 3))
    picture = pictures.latent_grid(model, 2, 2)
    expected = model.decode(latent.grid(2, 2, latent_dim=3).reshape(4, 3)).reshape(2, 2, SIZE, SIZE, 3)
    assert np.abs(cells(picture, 2, 2) - np.rint(expected * 255)).max() <= 1


def test_files_have_the_pixels_and_appear_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    picture = RNG.integers(0, 256, (6, 5)).astype(np.uint8)
    pictures.save(picture, tmp_path / "a.png", zoom=3)
    with Image.open(tmp_path / "a.png") as image:
        np.testing.assert_array_equal(np.asarray(image), np.kron(picture, np.ones((3, 3), np.uint8)))
    frames = np.stack([picture, 255 - picture, picture])
    pictures.save_animation(frames, tmp_path / "a.gif", zoom=1, seconds=0.2)
    with Image.open(tmp_path / "a.gif") as image:
        assert (image.n_frames, image.info["duration"], image.info["loop"]) == (3, 200, 0)
        image.seek(1)
        np.testing.assert_array_equal(np.asarray(image.convert("L")), frames[1])

    before = (tmp_path / "a.png").read_bytes()

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"No space left on device: .*a\.png"):
        pictures.save(picture, tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.gif", "a.png"]


def test_wrong_arguments_are_named(vae: vaekit.VAE, cvae: vaekit.CVAE, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="labels for a CVAE only, received them for a VAE"):
        pictures.reconstructions(vae, IMAGES, np.zeros(12, int))
    with pytest.raises(TypeError, match="a model with a prior, a VAE or a CVAE; received AE"):
        pictures.samples(make(vaekit.AE))
    with pytest.raises(ValueError, match="classes from 0 to 3, received"):
        pictures.blend(cvae, 0, 4)
    with pytest.raises(ValueError, match="four classes, received 3"):
        pictures.four_corners(cvae, [0, 1, 2])
    with pytest.raises(ValueError, match="a latent from 0 to 2, received 3"):
        pictures.classes_by_style(cvae, axis=3)
    with pytest.raises(ValueError, match="as many codes as images, received 3 and 12"):
        pictures.neighbours(IMAGES, np.zeros((3, 2)), [0], 1)
    with pytest.raises(ValueError, match="one image or more"):
        pictures.progress(vae, IMAGES[:0])
    with pytest.raises(ValueError, match=r"name of a picture, such as a\.png"):
        pictures.save(np.zeros((2, 2), np.uint8), tmp_path / "a.txt")
    with pytest.raises(ValueError, match="of uint8, received"):
        pictures.save(np.zeros((2, 2)), tmp_path / "a.png")
    with pytest.raises(FileNotFoundError, match=r"none.a\.png"):
        pictures.save(np.zeros((2, 2), np.uint8), tmp_path / "none" / "a.png")
