"""For the API pages: parameters instead of ``**options: Unpack[SomeTypedDict]``, with those of base classes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from griffe import Attribute, Class, ExprSubscript, Extension, Function, Parameter, ParameterKind


class UnpackOptions(Extension):
    """An extension of griffe, which mkdocstrings reads docstrings with.

    Griffe's own ``unpack_typeddict`` expects the options to be documented in the ``TypedDict``, and ignores its bases.
    """

    def on_function(self, *, func: Function, **_: Any) -> None:
        """Replace the variadic parameter of a function, unless its docstring documents that."""
        documented = func.docstring.value if func.docstring else ""
        for parameter in list(func.parameters):
            hint = parameter.annotation
            if (
                parameter.kind is ParameterKind.var_keyword
                and isinstance(hint, ExprSubscript)
                and hint.canonical_path == "typing.Unpack"
                and f"**{parameter.name}" not in documented
            ):
                del func.parameters[parameter.name]
                for option in _options(func.modules_collection[hint.slice.canonical_path]):
                    if option.name not in func.parameters:
                        func.parameters.add(
                            Parameter(
                                option.name,
                                annotation=option.annotation,
                                kind=ParameterKind.keyword_only,
                                default="...",
                            )
                        )


def _options(typed_dict: Class) -> Iterator[Attribute]:
    for base in typed_dict.bases:
        if base.canonical_path != "typing.TypedDict":
            yield from _options(typed_dict.modules_collection[base.canonical_path])
    yield from typed_dict.attributes.values()
