"""The examples in docstrings run, and every public function, class and method has one.

They run in a folder with ``quickdraw/``, three ``.bin`` files of doodles, and know ``np``, ``fastdraw``, ``keras`` and
``vaekit`` as if they had been imported.
"""

from __future__ import annotations

import doctest
import importlib
import importlib.util
import inspect
import pkgutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import fastdraw
import vaekit

TORCH = importlib.util.find_spec("torch") is not None
OPTIONS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


def modules() -> Iterator[Any]:
    for package in (fastdraw, vaekit):
        for info in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not info.name.endswith("__main__") and (TORCH or not info.name.endswith(".torch")):
                yield importlib.import_module(info.name)


def examples() -> Iterator[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    for module in (fastdraw, vaekit, *modules()):
        for found in finder.find(module, globs={}):
            if found.examples:
                yield found


@pytest.mark.parametrize("example", examples(), ids=lambda example: example.name)
def test_example(
    example: doctest.DocTest, sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    (tmp_path / "quickdraw").mkdir()
    for path in sample.glob("*.bin"):
        (tmp_path / "quickdraw" / path.name).write_bytes(path.read_bytes())
    monkeypatch.chdir(tmp_path)
    keras.utils.set_random_seed(0)
    example.globs.update(np=np, fastdraw=fastdraw, keras=keras, vaekit=vaekit)
    report: list[str] = []
    failed = doctest.DocTestRunner(optionflags=OPTIONS).run(example, out=report.append).failed
    assert not failed, "".join(report)


def public() -> Iterator[tuple[str, Any]]:
    """Public functions and classes, and the methods that these have of ours."""
    found: dict[str, Any] = {
        f"fastdraw.{name}": getattr(fastdraw, name) for name in fastdraw.__all__ if TORCH or "torch" not in name
    }
    for name in vaekit.__all__:
        thing = getattr(vaekit, name)
        if inspect.ismodule(thing):
            names = getattr(thing, "__all__", [key for key in vars(thing) if not key.startswith("_")])
            inside = {key: getattr(thing, key) for key in names}
            found |= {
                f"vaekit.{name}.{key}": value
                for key, value in inside.items()
                if getattr(value, "__module__", "").startswith(thing.__name__)
            }
        else:
            found[f"vaekit.{name}"] = thing
    for name, thing in found.items():
        if inspect.isfunction(thing) or inspect.isclass(thing):
            yield name, thing


@pytest.mark.parametrize(("name", "thing"), [pytest.param(*pair, id=pair[0]) for pair in public()])
def test_every_public_name_has_an_example(name: str, thing: Any) -> None:
    assert ">>> " in (thing.__doc__ or ""), f"{name}: expected an example in its docstring"
