"""The code blocks of the documentation run, and its API pages list every public name.

The blocks of a page run one after the other, in a folder with ``quickdraw/``: what ``fastdraw sample`` writes, with
fewer drawings. Shell blocks call the two commands in this process. A block after ``<!-- skip: next -->`` does not run:
it needs a network, a cluster or minutes. A Python block that begins with ``# name.py`` is that file.
"""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path
from unittest import mock

import keras
import pytest
from click.testing import CliRunner
from sybil import Example
from sybil.document import Document
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

import fastdraw
import fastdraw.cli
import vaekit
import vaekit.cli
from fastdraw.quickdraw.doodles import write_sample
from fastdraw.rasters.formats import FORMATS
from fastdraw.settings import STYLES

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]

LONG = ("models.md", "cookbook.md")  # they train

# What would take minutes runs with less.
FEWER = {"epochs=20": "epochs=1", "samples=5000": "samples=50", "fastdraw sample": "fastdraw sample --drawings 100"}


def run_commands(example: Example) -> None:
    """Run the lines of a shell block; of ``vaekit``, which trains for long, only read the arguments."""
    for line in example.parsed.splitlines():
        name, *arguments = shlex.split(line, comments=True) or [""]
        if name == "vaekit":
            vaekit.cli.main.commands[arguments[0]].make_context(arguments[0], arguments[1:])
        elif name:
            assert name == "fastdraw", f"expected a line with fastdraw or vaekit, received {line!r}"
            result = CliRunner().invoke(fastdraw.cli.main, arguments, catch_exceptions=False)
            assert result.exit_code == 0, f"{line}\n{result.output}"


PARSERS = (SkipParser(), PythonCodeBlockParser(), CodeBlockParser("sh", run_commands))


@pytest.fixture(scope="module")
def doodles(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("doodles")
    list(write_sample(folder, count=100))
    return folder


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(page, marks=[pytest.mark.slow] * (page.name in LONG), id=str(page.relative_to(ROOT)))
        for page in PAGES
    ],
)
def test_code_blocks_run(page: Path, doodles: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(doodles, tmp_path / "quickdraw")
    text = page.read_text()
    for whole, part in FEWER.items():
        text = text.replace(whole, part)
    shown = tmp_path / page.name
    shown.write_text(text)
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    monkeypatch.syspath_prepend(tmp_path)
    with mock.patch.dict(STYLES), mock.patch.dict(FORMATS):
        for example in Document.parse(str(shown), *PARSERS).examples():
            if name := re.match(r"# (\w+\.py)\n", str(example.parsed)):
                Path(name[1]).write_text(example.parsed)
            else:
                example.evaluate()


@pytest.mark.parametrize("package", [fastdraw, vaekit], ids=lambda package: package.__name__)
def test_the_api_pages_list_every_public_name(package: object) -> None:
    name = package.__name__
    listed = re.findall(rf"^::: {name}\.(\w+)", (ROOT / f"docs/api/{name}.md").read_text(), re.MULTILINE)
    missing = set(package.__all__) - set(listed)
    assert not missing
