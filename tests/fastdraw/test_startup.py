"""Starting is quick: imports and help texts load no more than they need."""

from __future__ import annotations

import contextlib
from pathlib import Path

import pytest
from fresh import loaded_modules

import fastdraw
from fastdraw.errors import MissingPackageError

HEAVY = {"numpy", "tensorflow", "keras", "torch", "numba", "skimage", "PIL", "rich", "urllib3"}


def test_import_loads_nothing_heavy() -> None:
    loaded = loaded_modules("import fastdraw")
    assert "fastdraw" in loaded
    assert not loaded & (HEAVY | {"click"})


def test_every_help_text_loads_nothing_heavy() -> None:
    program = (
        "from click.testing import CliRunner\n"
        "from fastdraw.cli import main\n"
        "for command in ([], *([name] for name in main.commands)):\n"
        "    assert CliRunner().invoke(main, [*command, '--help']).output.startswith('Usage: ')\n"
    )
    assert not loaded_modules(program) & HEAVY


@pytest.mark.parametrize(
    ("program", "unneeded"),
    [
        ("fastdraw.download_files", {"numba", "PIL"}),
        ("fastdraw.doodles", {"numba", "skimage"}),
        ("fastdraw.ndjson_to_bin", {"numba", "skimage"}),
        ("fastdraw.open_drawings", {"numba", "PIL", "skimage", "rich", "urllib3"}),
    ],
)
def test_public_names_load_what_they_need(program: str, unneeded: set[str]) -> None:
    loaded = loaded_modules(f"import fastdraw\n{program}")
    assert not loaded & (unneeded | {"tensorflow", "keras"})


def test_watching_for_compilation_needs_no_kernels() -> None:
    program = "from fastdraw.progress import show_compilation\nwith show_compilation(): pass"
    assert "numba" not in loaded_modules(program)


@pytest.mark.parametrize(
    ("command", "unneeded"),
    [
        (["inspect"], {"numba", "PIL", "rich"}),
        (["show", "--category", "star", "--out", "sheet.png"], {"numba", "rich"}),
    ],
)
def test_a_look_at_an_indexed_file_needs_no_kernels(
    command: list[str], unneeded: set[str], sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    fastdraw.open_drawings(sample)
    program = f"from fastdraw.cli import main\nmain({[*command, str(sample)]!r}, standalone_mode=False)"
    assert not loaded_modules(program) & unneeded


def test_public_names() -> None:
    assert fastdraw.__all__ == sorted(fastdraw.__all__)
    assert set(fastdraw.__all__) <= set(dir(fastdraw))
    for name in fastdraw.__all__:
        with contextlib.suppress(MissingPackageError):  # not every environment has TensorFlow and torch
            assert getattr(fastdraw, name) is not None
