"""The command: what it prints, and that every error is one clear line and a non-zero exit status."""

from __future__ import annotations

import os
import pty
import re
import subprocess
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from command import FASTDRAW, run
from PIL import Image

import fastdraw
from fastdraw.cli import main


@pytest.fixture
def files(sample: Path, tmp_path: Path) -> Path:
    """A folder with sound.bin, empty.bin, cut.bin, a text file and a line of broken ndjson."""
    content = next(sample.glob("*.bin")).read_bytes()
    (tmp_path / "sound.bin").write_bytes(content)
    (tmp_path / "empty.bin").touch()
    (tmp_path / "cut.bin").write_bytes(content[:-3])
    (tmp_path / "file.txt").write_text("text")
    (tmp_path / "cut.ndjson").write_text('{"word": "cat"')
    (tmp_path / "sound.ndjson").write_text('{"drawing": [[[0, 255], [7, 1]]]}')
    return tmp_path


def test_version_and_commands() -> None:
    assert run("--version").stdout == f"fastdraw {fastdraw.__version__}\n"
    lines = run("--help").stdout.splitlines()
    listed = [line.split()[0] for line in lines[lines.index("Commands:") + 1 :]]
    assert listed == ["convert", "demo", "download", "inspect", "rasterize", "sample", "show", "verify", "warmup"]


def test_every_option_has_a_help_text() -> None:
    for name, command in main.commands.items():
        assert command.help, name
        for option in command.params:
            assert isinstance(option, click.Argument) or option.help, f"{name} {option.opts}"


@pytest.mark.parametrize("command", [[FASTDRAW], [sys.executable, "-m", "fastdraw"]], ids=["script", "module"])
def test_the_installed_command(tmp_path: Path, command: list[str]) -> None:
    def run(*arguments: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*command, *map(str, arguments)], capture_output=True, text=True)

    assert run("--help").stdout.startswith("Usage: fastdraw [OPTIONS] COMMAND")
    assert run("--version").stdout == f"fastdraw {fastdraw.__version__}\n"
    missing = run("inspect", tmp_path / "missing.bin")
    assert (missing.returncode, missing.stdout) == (1, "")
    assert missing.stderr.startswith(f"fastdraw: {tmp_path / 'missing.bin'}: no such file")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        ("inspect missing.bin", "missing.bin: no such file"),
        ("rasterize missing.bin --out out", "missing.bin: no such file"),
        ("show missing.bin --out a.png", "missing.bin: no such file"),
        ("convert missing.bin a.ndjson", "missing.bin: expected a file, no such file"),
        ("convert missing.ndjson a.bin", "missing.ndjson: expected a file, no such file"),
        ("inspect cut.bin", "cut.bin: damaged at byte"),
        ("rasterize cut.bin --out out", "cut.bin: damaged at byte"),
        ("rasterize sound.bin cut.bin --out out", "cut.bin: damaged at byte"),
        ("show cut.bin --out a.png", "cut.bin: damaged at byte"),
        ("convert cut.bin a.ndjson", "cut.bin: damaged at byte"),
        ("convert cut.bin out --to png", "cut.bin: damaged at byte"),
        ("convert sound.bin out --to png --style google --size 1000", "google"),
        ("rasterize sound.bin --out out --format parquet --packed", "packed"),
        ("convert cut.ndjson a.bin", "cut.ndjson: damaged at byte 0: line 1"),
        ("rasterize sound.bin --out file.txt", "file.txt: expected a folder"),
        ("rasterize sound.bin --out file.txt/out", "file.txt/out: expected a folder"),
        ("show sound.bin --out missing/a.png", "missing/a.png: No such file or directory"),
        ("show sound.bin --out a.xyz", "a.xyz: expected the name of a picture"),
        ("show sound.bin --out a.png --category dragon", "expected categories among ['sound'], received ['dragon']"),
        ("convert sound.bin a.txt", "a.txt: expected the name of a .ndjson file"),
        ("convert file.txt a.bin", "file.txt: expected drawings, received text that begins with 'text'"),
        ("convert sound.bin empty.bin a.bin", "a.bin: expected an existing folder for 2 files"),
        ("sample file.txt", "file.txt: expected a folder"),
        ("sample file.txt/out", "file.txt/out: expected a folder"),
        ("demo file.txt/out", "expected a folder"),
        ("show sound.bin --out file.txt/a.png", "file.txt/a.png: Not a directory"),
        ("convert sound.bin file.txt/a.ndjson", "file.txt/a.ndjson: Not a directory"),
        ("convert sound.ndjson file.txt/a.bin", "file.txt/a.bin: Not a directory"),
        ("convert sound.ndjson missing/a.bin", "missing/a.bin: No such file or directory"),
        ("sample out --categories 99", "expected at most 15 categories, received 99"),
        ("demo file.txt", "expected a folder"),
        ("rasterize sound.bin ./sound.bin --out out", "two of 'sound'"),
    ],
)
def test_errors_are_one_line_and_leave_nothing(files: Path, command: str, message: str) -> None:
    before = {path.name for path in files.iterdir()}
    result = run(*command.split(), cwd=files)
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert line.startswith("fastdraw: ")
    assert message in line
    left = {path.name for path in files.rglob("*")} - before
    assert not [name for name in left if not name.endswith(".bin.index")]


@pytest.mark.parametrize(
    "options", ["--size 7", "--style crayon", "--line-width 0", "--threads 0", "--errors ignore", ""]
)
def test_wrong_options(files: Path, options: str) -> None:
    out = ["--out", "out"] if options else []
    result = run("rasterize", "sound.bin", *out, *options.split(), cwd=files)
    assert result.exit_code == 2
    assert "Traceback" not in result.stderr


def test_an_empty_file_is_a_category_without_drawings(files: Path) -> None:
    assert run("inspect", "empty.bin", cwd=files).exit_code == 0
    assert run("rasterize", "empty.bin", "--out", "out", cwd=files).exit_code == 0
    assert fastdraw.open_rasters(files / "out")["empty"].shape == (0, 32, 32)
    assert run("show", "empty.bin", "--out", "a.png", cwd=files).exit_code == 0
    assert run("convert", "empty.bin", "a.ndjson", cwd=files).exit_code == 0
    again = run("convert", "a.ndjson", "again.bin", cwd=files)
    assert again.exit_code == 1
    assert again.stderr == "fastdraw: a.ndjson: expected drawings, received an empty file; get the file again\n"


def test_inspect_counts(sample: Path, files: Path) -> None:
    result = run("inspect", sample)
    assert result.exit_code == 0
    drawings = fastdraw.open_drawings(sample)
    lines = result.stdout.splitlines()
    for label, name in enumerate(drawings.categories):
        part = drawings[drawings.labels == label]
        rows = part.metadata
        times = np.sort(rows["timestamp"].astype("datetime64[s]")).astype("datetime64[D]")
        assert lines[1 + label].split() == [
            name,
            "200",
            f"{sum(len(drawing) for drawing in part):,}",
            f"{sum(stroke.shape[1] for drawing in part for stroke in drawing):,}",
            f"{rows['recognized'].mean():.1%}",
            str(len(set(rows["country"]))),
            str(times[0]),
            str(times[-1]),
            "none",
        ]
    assert lines[-1].split()[:3] == ["3", "files", "600"]
    damaged = run("inspect", files / "sound.bin", files / "cut.bin")
    assert damaged.exit_code == 1
    offset = re.search(r"damaged at byte (\d+)", damaged.stderr).group(1)
    assert f"at byte {int(offset):,}" in damaged.stdout.splitlines()[2]
    assert "1 damaged" in damaged.stdout.splitlines()[3]


def test_show_draws_what_rasterize_draws(sample: Path, tmp_path: Path) -> None:
    def sheet(*options: str) -> np.ndarray:
        assert run("show", sample, "--out", tmp_path / "sheet.png", *options).exit_code == 0
        return np.asarray(Image.open(tmp_path / "sheet.png"))

    pixels = sheet("--count", "5", "--size", "48")
    images = fastdraw.open_drawings(sample).rasterize(size=48, invert=True)
    left = pixels.shape[1] - 4 - 5 * 52
    rows = [pixels[top : top + 48, left : left + 48] for top in (4, 56, 108)]
    cells = [row for row in rows if (images == row).all(axis=(1, 2)).any()]
    assert len(cells) == 3  # the first of each row is some drawing, pixel for pixel
    assert pixels.shape[0] == 3 * 52 + 4
    assert (sheet("--count", "5", "--size", "48") == pixels).all()
    assert (sheet("--count", "5", "--size", "48", "--seed", "1") != pixels).any()
    name = fastdraw.open_drawings(sample).categories[1]
    assert sheet("--category", name, "--count", "30", "--size", "48").shape[0] == 2 * 52 + 4


def test_convert_and_its_warning(files: Path) -> None:
    assert run("convert", "sound.bin", "sound.ndjson", cwd=files).exit_code == 0
    (files / "folder").mkdir()
    result = run("convert", "sound.ndjson", "folder", cwd=files)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "folder/sound.bin\n", "")
    assert (files / "folder/sound.bin").read_bytes() == (files / "sound.bin").read_bytes()
    other = run("convert", "sound.ndjson", "other.bin", cwd=files)
    assert other.exit_code == 0
    assert "'sound'" in other.stderr
    assert len(other.stderr.splitlines()) == 1


def test_sample_is_seeded(tmp_path: Path) -> None:
    for folder, seed in (("a", 0), ("b", 0), ("c", 1)):
        result = run("sample", tmp_path / folder, "--categories", 2, "--drawings", 5, "--seed", seed)
        assert result.exit_code == 0
        assert len(result.stdout.splitlines()) == 2
    first, same, other = ([path.read_bytes() for path in sorted((tmp_path / f).glob("*.bin"))] for f in "abc")
    assert first == same != other
    assert len(fastdraw.open_drawings(tmp_path / "a")) == 10


def test_progress_in_lines_and_quiet(sample: Path, tmp_path: Path) -> None:
    result = run("rasterize", sample, "--out", tmp_path / "out")
    assert result.exit_code == 0
    names = fastdraw.open_drawings(sample).categories
    assert sorted(result.stderr.splitlines()) == [f"{name}: 200 of 200 drawings" for name in names]
    assert "600 rasters" in result.stdout
    quiet = run("rasterize", sample, "--out", tmp_path / "quiet", "--quiet", "--style", "line", "--invert")
    assert (quiet.exit_code, quiet.stdout, quiet.stderr) == (0, "", "")
    assert fastdraw.open_rasters(tmp_path / "quiet").settings.style == "line"


def test_salvage_says_what_is_left_out(files: Path) -> None:
    result = run("rasterize", "cut.bin", "--out", "out", "--errors", "salvage", "--quiet", cwd=files)
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert re.search(r"kept 199 drawings and left out the last \d+ bytes", line)
    assert len(fastdraw.open_rasters(files / "out")) == 199


def test_inspect_and_show_salvage(files: Path) -> None:
    (files / "noise.bin").write_bytes(b"\xff" * 100)
    for command, status in (
        ("inspect cut.bin noise.bin --errors salvage", 0),
        ("inspect noise.bin --errors salvage", 1),
        ("inspect cut.bin noise.bin", 1),
        ("show cut.bin --out a.png --errors salvage", 0),
    ):
        result = run(*command.split(), cwd=files)
        assert result.exit_code == status
        lines = result.stderr.splitlines()
        assert [name for name in ("cut.bin", "noise.bin") if name in command] == [
            re.search(r": (\w+\.bin): ", line).group(1) for line in lines
        ]


@pytest.mark.parametrize(
    ("command", "hint"),
    [
        (
            "rasterize cut.bin --out out",
            "; get the file again, or keep the records before the damage with --errors salvage",
        ),
        (
            "show cut.bin --out a.png",
            "; get the file again, or keep the records before the damage with --errors salvage",
        ),
        (
            "convert cut.bin a.ndjson",
            "; get the file again, or keep the records before the damage with --errors salvage",
        ),
        ("inspect cut.bin", ""),
    ],
)
def test_advice_about_damage_is_for_this_command(files: Path, command: str, hint: str) -> None:
    (line,) = run(*command.split(), cwd=files).stderr.splitlines()
    assert re.search(r"cut\.bin: damaged at byte \d+: record 199 is cut off: [^;]*, received \d+" + hint + "$", line)


@pytest.mark.parametrize("command", ["rasterize noise.bin --out out", "show noise.bin --out a.png --errors salvage"])
def test_no_advice_to_salvage_what_has_no_drawing(files: Path, command: str) -> None:
    (files / "noise.bin").write_bytes(b"\xff" * 100)
    assert run(*command.split(), cwd=files).stderr.endswith("; get the file again, or leave it out\n")
    with pytest.raises(fastdraw.BinFormatError, match=r"; get the file again, or leave it out$"):
        fastdraw.open_drawings(files / "noise.bin", errors="salvage")


def test_convert_salvages_the_files_that_have_drawings(files: Path) -> None:
    (files / "noise.bin").write_bytes(b"\xff" * 100)
    (files / "page.ndjson").write_text("<!DOCTYPE html>")
    (files / "new").mkdir()
    result = run("convert", "noise.bin", "cut.bin", "page.ndjson", "new", "--errors", "salvage", cwd=files)
    assert (result.exit_code, os.listdir(files / "new")) == (0, ["cut.ndjson"])
    kept, *without = result.stderr.splitlines()
    assert kept.startswith("fastdraw: cut.bin: kept 199 drawings")
    for line, name in zip(without, ("noise.bin", "page.ndjson"), strict=True):
        assert line.startswith(f"fastdraw: {name}: ")
        assert line.endswith("; the file is left out")
    assert run("convert", "noise.bin", "page.ndjson", "new", "--errors", "salvage", cwd=files).exit_code == 1


def test_live_bar_on_a_terminal(sample: Path, tmp_path: Path) -> None:
    screen, terminal = pty.openpty()
    command = [FASTDRAW, "rasterize", sample, "--out", tmp_path / "out"]
    environment = os.environ | {"TERM": "xterm-256color", "COLUMNS": "120"}
    process = subprocess.Popen(command, stdout=terminal, stderr=terminal, stdin=terminal, env=environment)
    os.close(terminal)
    shown = b""
    try:
        while data := os.read(screen, 4096):
            shown += data
    except OSError:  # the other end is closed
        pass
    os.close(screen)
    assert process.wait() == 0
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", shown.decode())
    assert "drawings/s" in text
    assert "614.4/614.4 kB" in text


@pytest.mark.parametrize(
    "field", ['"key_id": Infinity', f'"drawing": {"[" * 200_000}{"]" * 200_000}'], ids=["inf", "deep"]
)
def test_ndjson_that_no_writer_writes(files: Path, field: str) -> None:
    start = '{"word": "cat", "countrycode": "US", "timestamp": "2017-03-26 23:57:14 UTC", "recognized": true, '
    (files / "odd.ndjson").write_text(f'{start}"key_id": "5", "drawing": [], {field}}}')
    result = run("convert", "odd.ndjson", "cat.bin", cwd=files)
    assert result.exit_code == 1
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.slow
def test_demo(tmp_path: Path) -> None:
    command = [FASTDRAW, "demo", str(tmp_path / "demo")]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert "fastdraw:" not in result.stderr  # TensorFlow may remark on the machine
    assert "10,000 drawings in" in result.stdout
    assert float(re.search(r"(\d+) times as fast", result.stdout).group(1)) > 1
    for name in ("bin", "rasters", "sheet.png", "cvae/best.keras", "reconstructions.png", "samples.png"):
        assert str(tmp_path / "demo" / name) in result.stdout
    assert len(fastdraw.open_rasters(tmp_path / "demo/rasters")) == 10_000
    assert Image.open(tmp_path / "demo/sheet.png").size[1] > 600
    first, last = re.search(r"from (\d+) to (\d+) nats/image", result.stdout).groups()
    assert int(last) < 0.8 * int(first)
    # A row for each of ten categories, and names before them.
    assert Image.open(tmp_path / "demo/samples.png").size == pytest.approx((800, 684), abs=80)
