"""Benchmarks take too long to run as tests. They import, and the chart of their results is up to date."""

from __future__ import annotations

import functools
import importlib
import importlib.util
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"


@pytest.mark.parametrize("name", sorted(path.stem for path in BENCHMARKS.glob("*.py") if path.stem != "conftest"))
def test_benchmark_imports(name: str) -> None:
    importlib.import_module(name)


def test_chart_shows_the_table() -> None:
    chart = importlib.import_module("chart")
    rows = chart.ratios(chart.RESULTS.read_text())
    assert len(rows) > 5
    assert chart.CHART.read_text() == chart.chart(rows), "run: python benchmarks/chart.py"


def test_bars_of_ratios_below_one_go_left() -> None:
    chart = importlib.import_module("chart").chart([("a", "b", "0.10"), ("c", "d", "1,000")])
    assert 'x="480" y="52" width="75.0"' in chart
    assert 'x="555" y="76" width="225.0"' in chart


@pytest.fixture
def bench_all(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Result]:
    """The command ``bench_all.py`` on a few doodles and without TensorFlow, in ``tmp_path``."""
    bench, contests, measuring = map(importlib.import_module, ("bench_all", "contests", "measuring"))
    records = b"".join(path.read_bytes() for path in sorted(sample.glob("*.bin")))
    monkeypatch.setattr(measuring, "source_records", lambda folder: records)
    monkeypatch.setattr(bench, "CONTESTS", contests.CONTESTS[:-1])
    monkeypatch.setattr(bench, "Scale", lambda: contests.Scale(drawings=700, google=60, loop=30, rounds=2))
    monkeypatch.chdir(tmp_path)
    return lambda *arguments: CliRunner().invoke(bench.main, arguments)


def test_the_table_of_all_rivals(bench_all: Callable[..., Result], tmp_path: Path) -> None:
    drawn = "draw 32x32, style `pillow`"
    before = {"task": drawn, "baseline": "loop over Pillow", "ratio": 1e9}
    Path("before.json").write_text(json.dumps({"instructions": "none", "limits": [], "rows": [before]}))
    result = bench_all("--out", "new/folder", "--against", "before.json")
    assert result.exit_code == 0, result.output
    assert f"Warning: {drawn} / loop over Pillow: " in result.output
    content = json.loads((tmp_path / "new/folder/table.json").read_text())
    assert content["instructions"] in {"AVX-512", "AVX2", "AVX", "SVE", "NEON", "baseline instructions"}
    assert content["cores"] >= 1
    assert content["versions"]["numpy"] == np.__version__
    pairs = {(row["task"], row["baseline"]) for row in content["rows"]}
    assert len(pairs) == len(content["rows"])
    assert pairs >= {
        (drawn, "loop over Pillow"),
        (f"{drawn}, two threads", drawn),
        (f"{drawn}, two threads", "`np.copyto` of the images"),
        ("draw 32x32 to packed bits", "loop over Pillow"),
        ("draw 32x32, style `line-aa`", "loop over scikit-image, `line-aa`"),
        ("draw 28x28, style `google`, two threads", "draw 28x28, style `google`"),
        ("find the records of a `.bin` file", "loop over `struct`"),
        ("`batches` of 128, shuffled", "`rasterize`, shuffled"),
    }
    for package, baseline in (("aggdraw", "loop over aggdraw"), ("cc, pkg-config", "loop in C over libcairo")):
        measured = any(pair[1] == baseline for pair in pairs)
        assert measured != any(missing.startswith(package) for missing in content["missing"])
    for row in content["rows"]:
        assert 0 < row["lowest"] <= row["ratio"] <= row["highest"]
    markdown = (tmp_path / "new/folder/table.md").read_text()
    assert result.output.endswith(markdown + "\n")
    assert ("Not installed, so not measured: " in markdown) == bool(content["missing"])
    assert content["instructions"] in markdown
    assert markdown.count("\n| ") == len(pairs) + 2
    assert (tmp_path / "new/folder/chart.svg").read_text().count('fill="#005ab5"') == len(pairs)


def test_a_wrong_image_is_not_timed(bench_all: Callable[..., Result], monkeypatch: pytest.MonkeyPatch) -> None:
    loops = importlib.import_module("loops")
    right = loops.pillow_loop

    def wrong(data: bytes, count: int) -> np.ndarray:
        images = right(data, count)
        images[-1, 0, 0] ^= 1
        return images

    monkeypatch.setattr(loops, "pillow_loop", wrong)
    result = bench_all()
    assert result.exit_code == 1
    assert result.output.splitlines()[-1].startswith("Error: pillow: expected the same results as the reference")
    assert json.loads(Path("bench_all/table.json").read_text())["rows"] == []


def test_lines_of_other_packages_are_about_those_of_pillow(sample: Path) -> None:
    loops, contests = importlib.import_module("loops"), importlib.import_module("contests")
    images = loops.pillow_loop((sample / "star.bin").read_bytes(), 30)
    contests.check_alike("same", images, images)
    for wrong in (images.swapaxes(1, 2), images // 4, np.zeros_like(images)):
        with pytest.raises(contests.WrongResultError, match="received others"):
            contests.check_alike("wrong", wrong, images)


def test_an_interrupt_ends_the_measurements_in_one_line(
    bench_all: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(importlib.import_module("bench_all"), "rounds_in_turn", interrupt)
    result = bench_all()
    assert (result.exit_code, result.output.splitlines()[-1]) == (1, "Aborted!")


@pytest.mark.parametrize("content", ["", "[]", '{"rows": [{"task": 1}]}'])
def test_something_else_than_an_earlier_table(bench_all: Callable[..., Result], content: str) -> None:
    Path("before.json").write_text(content)
    result = bench_all("--against", "before.json")
    assert result.exit_code == 1
    assert result.output.startswith("Error: expected the table.json of an earlier run, received before.json")
    assert result.output.count("\n") == 1


def test_ratios_that_fall_are_warned_of(tmp_path: Path) -> None:
    module = importlib.import_module("table")
    row = module.Row.of("a", "b", [10.0, 30.0, 20.0], [10.0, 10.0, 10.0])
    assert (row.ratio, row.lowest, row.highest) == (2, 1, 3)
    table = module.Table({"instructions": "AVX2", "limits": []}, [row])
    (tmp_path / "table.json").write_text(table.json())
    before = module.Before.read(tmp_path / "table.json")
    assert before.slower(table) == []
    slower = [module.Row.of("a", "b", [rate], [10.0]) for rate in (16.0, 14.0)]
    assert before.slower(module.Table(table.about, slower[:1])) == []
    assert before.slower(module.Table(table.about, slower[1:])) == ["a / b: 1.40, before 2.00"]
    assert [module.digits(ratio) for ratio in (1234.5, 99.94, 1.999, 0.5, 0.00123)] == [
        "1,234",
        "99.9",
        "2.00",
        "0.5",
        "0.0012",
    ]
    assert "from a processor with AVX2" in before.slower(module.Table({"instructions": "NEON", "limits": []}))[0]
    assert table.markdown(before).splitlines()[2] == "| a | b | 10 | 20 | 2.00 | 1.00 to 3.00 | 2.00 |"


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
def test_rows_of_papers_train_and_become_a_table(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    papers = importlib.import_module("papers")
    main = functools.partial(papers.main.main, standalone_mode=False)
    options = ["--out", str(tmp_path), "--scale", "tiny"]
    main([*options, "--row", "one-1", "--seeds", "2"])
    finished = tmp_path / "one-1-binarized_mnist-0" / "row.json"
    before = finished.stat().st_mtime_ns
    main([*options, "--row", "one-1"])
    assert finished.stat().st_mtime_ns == before  # nothing is trained again
    rows = ["two-5", "classes-50"]
    main([*options, "--recipe", "burda", *(part for row in rows for part in ("--row", row))])
    found = json.loads((tmp_path / "papers.json").read_text())
    assert [(one["row"], one["recipe"], one["seed"]) for one in found] == [
        ("one-1", "binarized_mnist", 0),
        ("one-1", "binarized_mnist", 1),
        *((row, "burda", 0) for row in rows),
    ]
    assert all(0 < one["nll"] < 100 and one["passes"] == 2 for one in found)
    lines = (tmp_path / "papers.md").read_text().splitlines()
    assert len(lines) == 5
    assert lines[2].startswith("| one layer, k = 1; `binarized_mnist` | 86.76 | 86.35 | ")
    assert lines[2].endswith(" | 2 |")
    assert capsys.readouterr().out.strip().endswith(lines[-1])


@pytest.mark.parametrize("content", [None, b"", b"PK\x03\x04 cut off", b"text"])
def test_papers_of_no_mnist_end_in_a_line(content: bytes | None, tmp_path: Path) -> None:
    papers = importlib.import_module("papers")
    if content is not None:
        (tmp_path / "a.npz").write_bytes(content)
    result = CliRunner().invoke(papers.main, [str(tmp_path / "a.npz"), "--out", str(tmp_path / "runs")])
    assert result.exit_code == 1
    assert isinstance(result.exception, SystemExit)
    assert "a.npz" in result.stderr
    assert result.stderr.count("\n") == 1
    assert not (tmp_path / "runs").exists()


@pytest.mark.slow
def test_feeds_in_memory_are_compared() -> None:
    result = CliRunner().invoke(importlib.import_module("bench_resident").main, ["--scale", "tiny"])
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[1].startswith("checked: losses of 8 steps are equal")
    assert [line.split()[1] for line in lines if line.startswith("| ")][2:] == ["tiny", "default", "convolutional"]
    assert "10,000 drawings: " in lines[-1]


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
