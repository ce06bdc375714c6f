"""Settings of an image, their options, and where these are documented."""

from __future__ import annotations

import dataclasses
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

import fastdraw
from fastdraw.cli import main
from fastdraw.loader.options import BatchOptions
from fastdraw.settings import STYLES, FileOptions, ImageOptions, Settings


def test_options_are_the_fields_of_settings_and_documented_once() -> None:
    assert list(FileOptions.__annotations__) == [field.name for field in dataclasses.fields(Settings)]
    assert fastdraw.Drawings.rasterize.__doc__ is not None
    for name in ImageOptions.__annotations__:
        assert f"\n        {name} : " in fastdraw.Drawings.rasterize.__doc__
    assert fastdraw.batches.__doc__ is not None
    for name in set(BatchOptions.__annotations__) - set(ImageOptions.__annotations__):
        assert f"\n    {name} : " in fastdraw.batches.__doc__


@pytest.mark.parametrize("style", STYLES)
def test_defaults(style: str) -> None:
    settings = Settings.of(style=style, size=None, invert=None)
    assert settings == Settings(style, STYLES[style].default_size)
    assert settings.shape == (settings.size,) * 2
    assert Settings.of() == Settings.of(style="pillow", line_width=2, packed=False, flat=False)


@pytest.mark.parametrize("style", [name for name, style in STYLES.items() if not style.uses_line_width])
def test_a_line_width_that_would_be_ignored_is_an_error(sample: Path, tmp_path: Path, style: str) -> None:
    options = {"style": style, "line_width": 2}
    drawings = fastdraw.open_drawings(sample)[:8]
    for call in (
        drawings.rasterize,
        lambda **options: fastdraw.rasterize_files(sample, tmp_path / "out", **options),
        lambda **options: fastdraw.batches(drawings, 4, **options),
    ):
        with pytest.raises(ValueError, match=rf"\('pillow',\); received 2 with style '{style}'"):
            call(**options)
    command = ["rasterize", str(sample), "--out", str(tmp_path / "out"), "--style", style, "--line-width", "2"]
    result = CliRunner().invoke(main, command)
    assert result.exit_code == 1
    assert f"received 2 with style '{style}'" in result.output
    assert not (tmp_path / "out").exists()


def test_numbers_of_numpy_become_ints() -> None:
    settings = Settings.of(size=np.int32(28), line_width=np.uint8(3))  # type: ignore[arg-type]
    assert (type(settings.size), type(settings.line_width)) == (int, int)


@pytest.mark.parametrize("name", ["invert", "packed", "flat"])
def test_switches_are_bools(name: str) -> None:
    assert Settings.of(**{name: np.True_}) == Settings.of(**{name: True})
    for wrong in ("no", 1, 0.0, np.ones(2, bool)):
        with pytest.raises(TypeError, match=f"expected {name} to be True or False, received"):
            Settings.of(**{name: wrong})


def test_needs_neither_numpy_nor_numba() -> None:
    code = "import sys, fastdraw.settings; print({'numpy', 'numba'} & set(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout == "set()\n"
