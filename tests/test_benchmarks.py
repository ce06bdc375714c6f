"""Benchmarks take too long to run as tests. They import, and the chart of their results is up to date."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCHMARKS.glob("*.py") if path.stem != "conftest"))
def test_benchmark_imports(name: str) -> None:
    importlib.import_module(name)


def test_chart_shows_the_table() -> None:
    chart = importlib.import_module("chart")
    rows = chart.ratios(chart.RESULTS.read_text())
    assert len(rows) > 5
    assert chart.CHART.read_text() == chart.chart(rows), "run: python benchmarks/chart.py"
