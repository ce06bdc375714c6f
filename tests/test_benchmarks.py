"""Benchmarks take too long to run as tests. They import, and the chart of their results is up to date."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
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


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_training_on_a_gpu_runs_on_a_cpu(backend: str, tmp_path: Path) -> None:
    if importlib.util.find_spec(backend) is None:
        pytest.skip(f"{backend} is not installed")
    command = [sys.executable, str(BENCHMARKS / "bench_gpu.py"), "--scale", "tiny", "--out", str(tmp_path)]
    environment = os.environ | {"KERAS_BACKEND": backend, "PYTHONPATH": str(BENCHMARKS.parent)}
    environment.pop("FASTDRAW_REAL_DATA", None)
    subprocess.run(command, env=environment, check=True, timeout=500)
    content = json.loads((tmp_path / f"gpu-{backend}.json").read_text())
    assert content["notes"][-1]["text"] == "finished"
    assert not any("skipped" in note["text"] for note in content["notes"])
    assert {row["feed"] for row in content["rows"]} == {"one batch", "resident", "batches", "arrays"}
    assert (tmp_path / f"gpu-{backend}.md").read_text().count("| mlp VAE |") == 8
