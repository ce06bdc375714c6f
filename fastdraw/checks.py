"""Checks of arguments that several functions have in common. Needs no NumPy."""

from __future__ import annotations

import numbers
from collections.abc import Iterable
from typing import Any, Literal


def integer(name: str, value: Any, least: int, most: int | None = None) -> int:
    """Return ``value`` as an int; raise if it is not an integer from ``least`` to ``most``, both included."""
    if not isinstance(value, numbers.Integral) or isinstance(value, bool):
        raise TypeError(f"expected {name} to be an integer, received {value!r}")
    return int(_within(name, value, least, most))


def number(name: str, value: Any, least: float, most: float | None = None) -> float:
    """Return ``value`` as a float; raise if it is not a number from ``least`` to ``most``, both included."""
    if not is_number(value):
        raise TypeError(f"expected {name} to be a number, received {value!r}")
    return float(_within(name, value, least, most))


def is_number(value: Any) -> bool:
    """Whether a value is a real number, of Python or of NumPy, and no truth value."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)


def _within(name: str, value: Any, least: float, most: float | None) -> Any:
    if not (least <= value and (most is None or value <= most)):
        allowed = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"expected {name} to be {allowed}, received {value}")
    return value


def boolean(name: str, value: Any) -> bool:
    """Return ``value`` as a bool; raise if it is neither True nor False, of Python or of NumPy."""
    if not (isinstance(value, bool) or (str(getattr(value, "dtype", None)) == "bool" and value.shape == ())):
        raise TypeError(f"expected {name} to be True or False, received {value!r}")
    return bool(value)


def names(name: str, value: Any) -> list[str]:
    """Return a name, or several, as a list; raise if they are anything but strings."""
    given: list[Any] = [value] if isinstance(value, str) else list(value) if isinstance(value, Iterable) else [None]
    if isinstance(value, bytes) or not all(isinstance(each, str) for each in given):
        raise TypeError(f"expected {name} to be a name or several, received {value!r}")
    return given


def one_of(name: str, value: Any, allowed: Iterable[Any]) -> Any:
    """Return ``value``; raise if it is not among ``allowed``."""
    allowed = tuple(allowed)
    if value not in allowed:
        raise ValueError(f"expected {name} to be one of {allowed}, received {value!r}")
    return value


def known_options(options: Iterable[str], allowed: Iterable[str]) -> None:
    """Raise if an option, passed by keyword, has a name that is not among ``allowed``."""
    allowed = tuple(allowed)
    for name in options:
        if name not in allowed:
            raise TypeError(f"expected options among {', '.join(allowed)}; received {name!r}")


def check_labels(labels: Any) -> Literal["int", "onehot"] | None:
    """Return how labels are given; raise if that is not known."""
    checked: Literal["int", "onehot"] | None = one_of("labels", labels, (None, "int", "onehot"))
    return checked


def check_dtype(dtype: Any) -> Literal["float32", "uint8"]:
    """Return the type of pixels; raise if it is neither of these."""
    checked: Literal["float32", "uint8"] = one_of("dtype", dtype, ("float32", "uint8"))
    return checked
