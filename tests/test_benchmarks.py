"""Benchmarks take too long to run as tests. They import, and the chart of their results is up to date."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import subprocess
import sys
import types
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


def test_table_of_samples_has_means_and_ranges() -> None:
    bench = importlib.import_module("bench_samples")
    scores = {"recognised": 0.5, "frechet": 4.0, "precision": 1.0, "recall": 0.25, "novelty": 1.0}
    rows = [
        {"model": "a", "seed": 0, "parameters": 1000, "seconds": 60.0, "ink": scores, "grey": scores, "nll": 100.0},
        {"model": "b", "seed": 0, "parameters": 10, "seconds": 90.0, "ink": scores, "grey": scores, "nll": 90.0},
    ]
    rows.append(rows[0] | {"seed": 1, "seconds": 120.0, "ink": scores | {"recognised": 0.7}})
    rows[1]["ink"] = scores | {"recognised": None}
    *_, real, first, second = bench.table(rows, scores).splitlines()
    assert real.startswith("| real drawings | | 0.5 | 4 | 1 | 0.25 | 1 |")
    assert first.startswith("| a, 1,000 parameters | 1.5 min | 0.6 (0.5 to 0.7) | 4 (4 to 4) |")
    assert second == "| b, 10 parameters | 1.5 min | - | 4 | 1 | 0.25 | 1 | 0.5 | 4 | 90 |"


def test_a_clock_counts_over_interruptions_and_ends_a_run(tmp_path: Path) -> None:
    bench = importlib.import_module("bench_samples")
    path = tmp_path / "seconds.json"
    path.write_text("100.0")
    clock = bench.Clock(path, limit=100.0)
    clock.set_model(types.SimpleNamespace(stop_training=False))
    clock.on_epoch_begin(0)
    clock.on_epoch_end(0)
    assert clock.model.stop_training
    assert 100 < json.loads(path.read_text()) < 101


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
