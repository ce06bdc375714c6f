"""The report page: what is on it, that the plane's tiles are the decodings, and how it behaves in a browser."""

from __future__ import annotations

import base64
import io
import json
import os
import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from click.testing import CliRunner
from models import tiny_model
from PIL import Image

import vaekit
from vaekit import pictures
from vaekit.cli import main
from vaekit.report.page import write_report

SIZE = 8
RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (60, SIZE, SIZE)).astype(np.uint8)
LABELS = np.arange(60) % 4
NAMES = ["apple", "<b>bee</b>", "cat & dog", "door"]


class Page(HTMLParser):
    """Figures, images and links of a page."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        self.text = path.read_text(encoding="utf-8")
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]

    @property
    def ids(self) -> list[str | None]:
        return [attributes["id"] for attributes in self.all("section")]

    @property
    def plane(self) -> dict[str, Any]:
        found = re.search(r'id="plane-data">(.*?)</script>', self.text, re.DOTALL)
        assert found is not None
        return json.loads(found[1])

    def tile(self, sheet: int, row: int, column: int) -> np.ndarray[Any, Any]:
        picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(self.plane["sheets"][sheet]))))
        return picture[row * SIZE : (row + 1) * SIZE, column * SIZE : (column + 1) * SIZE]


@pytest.fixture(scope="module")
def cvae() -> Any:
    return tiny_model(vaekit.CVAE, contrast=4, num_classes=4)


@pytest.fixture(scope="module")
def cvae_page(cvae: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    write_report(cvae, IMAGES, path, labels=LABELS, names=NAMES, title="Four <kinds>")
    return path


def expected_tile(model: Any, z: Any, *label: int) -> np.ndarray[Any, Any]:
    """Dark ink on white."""
    image = model.decode(np.asarray(z, np.float32)[None], *label)[0, ..., 0]
    return 255 - np.rint(image * 255).astype(int)


def test_a_page_needs_nothing_but_itself_and_says_what_it_shows(cvae_page: Path) -> None:
    page = Page(cvae_page)
    assert not re.search(r"https?://", page.text)
    assert not page.all("link")
    assert all("src" not in script for script in page.all("script"))
    images = page.all("img")
    assert all(image["alt"] for image in images)
    assert all((image.get("src") or "data:").startswith("data:") for image in images)
    captions = re.findall(r"<figcaption[^>]*>(.*?)</figcaption>", page.text, re.DOTALL)
    assert len(captions) == len(page.all("figure")) == len(images)
    assert all(len(caption) > 20 for caption in captions)
    assert page.ids[:2] == ["plane", "reconstructions"]
    assert {"samples", "latent-grid", "paths", "classes-and-style", "codes", "neighbours"} <= set(page.ids)
    assert {"#" + str(name) for name in page.ids} == {link["href"] for link in page.all("a")}
    # Names are text, not markup.
    assert len(page.all("option")) == 4
    assert not page.all("b")
    assert "Four &lt;kinds&gt;" in page.text
    for name in ("CVAE", "float32", "ELBO", "Active latents"):
        assert name in page.text


def test_a_tile_is_the_decoding_of_its_place_and_class(cvae: Any, cvae_page: Path) -> None:
    page = Page(cvae_page)
    plane = page.plane
    assert len(plane["sheets"]) == 4
    assert plane["x"][0] == -2.5
    assert plane["y"][0] == 2.5  # upward
    for label, row, column in (0, 0, 0), (1, 0, 30), (2, 30, 0), (3, 7, 22), (0, 15, 15):
        wanted = expected_tile(cvae, [plane["x"][column], plane["y"][row]], label)
        assert np.abs(page.tile(label, row, column) - wanted).max() <= 1
    assert np.abs(page.tile(0, 3, 4).astype(int) - page.tile(1, 3, 4)).max() > 20  # the test can tell classes apart


def test_the_plane_of_many_latents_is_that_of_the_codes(tmp_path: Path) -> None:
    model = tiny_model(vaekit.VAE, 5, contrast=4)
    write_report(model, IMAGES, tmp_path / "report.html")
    page = Page(tmp_path / "report.html")
    assert "principal axes" in page.text
    assert not page.all("select")
    z = vaekit.latent.grid(31, 31, axes="principal", limit=2.5, codes=model.encode(IMAGES))
    for row, column in (0, 0), (30, 3), (11, 29):
        assert np.abs(page.tile(0, row, column) - expected_tile(model, z[row, column])).max() <= 1


def test_a_model_without_a_prior_has_a_plane_of_its_codes_but_no_samples(tmp_path: Path) -> None:
    model = tiny_model(vaekit.AE, 2, contrast=4)
    write_report(model, IMAGES, tmp_path / "report.html", labels=LABELS)
    page = Page(tmp_path / "report.html")
    assert "plane" in page.ids
    assert not {"samples", "classes-and-style"} & set(page.ids)
    assert "ELBO" not in page.text
    write_report(tiny_model(vaekit.AE, 1, contrast=4), IMAGES, tmp_path / "report.html")
    assert "plane" not in Page(tmp_path / "report.html").ids


def test_what_cannot_be_reported_is_refused_and_leaves_the_old_page(cvae: Any, tmp_path: Path) -> None:
    out = tmp_path / "report.html"
    out.write_text("old")
    for images, options in (
        (IMAGES[:1], {}),
        (IMAGES, {"labels": LABELS[:5]}),
        (IMAGES, {"labels": LABELS + 1}),
        (IMAGES, {"names": ["one"]}),
    ):
        with pytest.raises(ValueError, match="expected"):
            write_report(cvae, images, out, **options)
    assert out.read_text() == "old"
    with pytest.raises(FileNotFoundError, match="nowhere"):
        write_report(tiny_model(vaekit.AE, 2, contrast=4), IMAGES, tmp_path / "nowhere/report.html")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["report.html"]


def test_the_command_reports_on_a_run(cvae: Any, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    cvae.save(tmp_path / "run/best.keras")
    (tmp_path / "run/history.csv").write_text("epoch,loss,val_loss\n1,3.0,3.5\n2,2.0,2.5\n")
    mnist, out = tmp_path / "mnist.npz", tmp_path / "page.html"
    np.savez(mnist, x_train=IMAGES, y_train=LABELS, x_test=IMAGES, y_test=LABELS)

    def command(*words: object) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["report", *map(str, words), "--mnist", str(mnist), "--out", str(out)])
        assert result.exception is None or isinstance(result.exception, SystemExit)
        return result.exit_code, result.output

    status, said = command(tmp_path / "run")
    assert status == 1
    assert "expected the categories of training, 4; received 10" in said
    tiny_model(vaekit.VAE, 3, contrast=4).save(tmp_path / "run/best.keras")
    saved = tmp_path / "pictures"
    assert command(tmp_path / "run", "--limit", 20, "--pictures", saved)[0] == 0
    model = keras.models.load_model(tmp_path / "run/best.keras")
    assert (np.asarray(Image.open(saved / "samples.png")) == pictures.samples(model, columns=6, inked=True)).all()
    names = {"training.png", "reconstructions.png", "samples.png", "latent-grid.png", "codes.png", "neighbours.png"}
    assert {path.name for path in saved.iterdir()} == names | {"paths.png", "paths-2.png", "paths-3.gif"}
    assert Image.open(saved / "paths-3.gif").n_frames > 12
    assert "<dd>20</dd>" in out.read_text()
    assert "training" in Page(out).ids
    out.unlink()
    foreign = tmp_path / "foreign.keras"
    foreign.write_bytes(b"not a model")
    for words, message in (
        ((foreign,), "foreign.keras: expected a .keras file"),
        ((tmp_path,), "expected the folder of a run, received one without best.keras"),
        ((tmp_path / "missing",), "missing: expected a .keras file, the folder of a run, an address or real7"),
        ((tmp_path / "run", "--data", tmp_path), "expected one of --data and --mnist"),
    ):
        status, said = command(*words)
        assert status
        assert message in said
        assert "Traceback" not in said
    assert not out.exists()


@pytest.fixture
def browser() -> Iterator[Any]:
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    with api.sync_playwright() as playwright:
        own = playwright.chromium.executable_path
        if chromium is None and not os.path.exists(own):
            pytest.skip("no Chromium here: apt-get install chromium, or playwright install chromium")
        # Its sandbox refuses to run as root, which containers do.
        running = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield running
        running.close()


def test_in_a_browser_the_drawing_follows_pointer_keys_finger_and_class(browser: Any, cvae_page: Path) -> None:
    page_data = Page(cvae_page)
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    problems: list[str] = []
    requests: list[str] = []
    page.on("console", lambda message: problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(cvae_page.as_uri())
    page.wait_for_function("document.querySelector('.map img').naturalWidth > 0")

    def seen() -> np.ndarray[Any, Any]:
        picture = page.evaluate("document.querySelector('#plane canvas').toDataURL()").partition(",")[2]
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("L"))

    def shows(sheet: int, row: int, column: int) -> None:
        np.testing.assert_array_equal(seen(), page_data.tile(sheet, row, column))

    page.locator(".map").scroll_into_view_if_needed()
    box = page.locator(".map").bounding_box()
    assert box is not None

    def place(row: int, column: int) -> tuple[float, float]:
        return box["x"] + (column + 0.5) / 31 * box["width"], box["y"] + (row + 0.5) / 31 * box["height"]

    shows(0, 15, 15)
    page.mouse.move(*place(2, 27))
    shows(0, 2, 27)
    page.mouse.move(*place(25, 4))
    shows(0, 25, 4)
    assert page.locator("#plane output").inner_text() == "z1 = -1.83, z2 = -1.67"

    page.mouse.move(0, 0)
    page.locator(".map").focus()
    for key in ("ArrowUp", "ArrowUp", "ArrowRight", "ArrowLeft", "ArrowLeft", "ArrowDown"):
        page.keyboard.press(key)
    shows(0, 24, 3)
    for _ in range(5):
        page.keyboard.press("ArrowLeft")
    shows(0, 24, 0)  # it stops at the edge
    page.keyboard.press("Home")
    shows(0, 15, 15)

    page.touchscreen.tap(*place(9, 20))
    shows(0, 9, 20)

    page.locator("#plane select").select_option("cat & dog")
    page.wait_for_function("document.querySelector('.map img').complete")
    shows(2, 9, 20)

    assert page.evaluate("document.documentElement.scrollWidth") <= 390  # nothing sticks out on a phone
    assert problems == []
    assert [url for url in requests if not url.startswith("data:")] == [cvae_page.as_uri()]
    context.close()
