"""Public names, their parameters and the commands' options are at least those of version 0.1.0."""

from __future__ import annotations

import inspect
import json
import pkgutil
import typing
from pathlib import Path
from typing import Any

import click
import pytest

import fastdraw.cli
import vaekit.cli

BEFORE = json.loads((Path(__file__).parent / "golden/0.1/interface.json").read_text())
GROUPS = {"fastdraw": fastdraw.cli.main, "vaekit": vaekit.cli.main}


def parameters(function: Any) -> set[str]:
    """Names of the parameters, those of an unpacked ``TypedDict`` among them."""
    names = set()
    for parameter in inspect.signature(function).parameters.values():
        if parameter.kind is not parameter.VAR_KEYWORD:
            names.add(parameter.name)
            continue
        hint = typing.get_type_hints(function).get(parameter.name)
        if typing.get_origin(hint) is typing.Unpack:
            names |= set(typing.get_args(hint)[0].__annotations__)
            names |= set(typing.get_type_hints(typing.get_args(hint)[0]))
    return names


def at(name: str) -> Any:
    package, _, rest = name.partition(".")
    found: Any = pkgutil.resolve_name(package)
    for part in rest.split("."):
        found = getattr(found, part)
    return found


@pytest.mark.parametrize("name", BEFORE["names"])
def test_names_and_parameters(name: str) -> None:
    before, now = BEFORE["names"][name], at(name)
    if before.get("parameters"):
        assert set(before["parameters"]) <= parameters(now)
    for member, members_parameters in before.get("members", {}).items():
        assert hasattr(now, member) or not inspect.isclass(now), member
        if members_parameters:
            assert set(members_parameters) <= parameters(getattr(now, member)), member


@pytest.mark.parametrize("name", BEFORE["commands"])
def test_commands_and_options(name: str) -> None:
    group, command = name.split()
    now = {
        option.opts[-1] if isinstance(option, click.Option) else option.name: option
        for option in GROUPS[group].commands[command].params
    }
    for key, before in BEFORE["commands"][name]["options"].items():
        option = now[key]
        assert set(before["opts"]) <= set(option.opts)
        assert option.required <= before["required"]
        if before["choices"]:
            assert isinstance(option.type, click.Choice)
            assert set(before["choices"]) <= set(option.type.choices)
