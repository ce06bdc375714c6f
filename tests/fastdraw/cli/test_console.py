"""What commands print besides their results: nothing of TensorFlow, options instead of arguments, names as they are."""

from __future__ import annotations

import importlib.util
import os
import signal
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import fastdraw
from fastdraw.cli import main
from fastdraw.cli.hush import hush

TENSORFLOW = """
import os
os.write(2, b'''WARNING: All log messages before absl::InitializeLog() is called are written to STDERR
I0000 00:00:1795688137.769907   12068 cudart_stub.cc:31] Could not find cuda drivers on your machine
2025-09-17 14:44:05.176998: E external/local_xla/xla/cuda_fft.cc:467] Unable to register cuFFT factory
a fatal error
''')
"""


def run(*arguments: object) -> tuple[int, str, str]:
    result = CliRunner().invoke(main, list(map(os.fspath, arguments)))  # type: ignore[arg-type]
    return result.exit_code, result.stdout, result.stderr


@pytest.mark.parametrize("fails", [False, True])
def test_the_log_of_tensorflow_is_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], fails: bool
) -> None:
    (tmp_path / "tensorflow.py").write_text(TENSORFLOW + "\nraise KeyboardInterrupt" * fails)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)
    hush()
    hush()
    if fails:
        with pytest.raises(KeyboardInterrupt):
            importlib.import_module("tensorflow")
    else:
        importlib.import_module("tensorflow")
        del sys.modules["tensorflow"]
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "a fatal error\nafter\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--size", "28"], "(size 32, now 28); choose another folder, or pass --overwrite"),
        (["--tfrecord", "--format", "npy"], "expected --format tfrecord or none with --tfrecord, received 'npy'"),
        (
            ["--verify-official"],
            "--style google, --flat, and nothing else; received style 'pillow', size 32, flat False",
        ),
        (["--packed", "--style", "google"], "expected a style without greys to pack"),
        (["--packed", "--channels", "3"], "expected --channels 1 with --packed, received 3"),
    ],
)
def test_errors_name_options(sample: Path, tmp_path: Path, options: list[str], message: str) -> None:
    out = tmp_path / "line_width"  # the name of a folder stays
    assert run("rasterize", sample, "--out", out, "--quiet") == (0, "", "")
    status, _, error = run("rasterize", sample, "--out", out, *options)
    assert (status, len(error.splitlines())) == (1, 1)
    assert message in error
    assert "(" not in message or str(out) in error


@pytest.mark.skipif(sys.platform == "darwin", reason="names are UTF-8 there")
def test_names_that_are_not_utf_8(sample: Path, tmp_path: Path) -> None:
    name = os.fsdecode(b"caf\xe9")
    source = tmp_path / f"{name}.bin"
    source.write_bytes(next(sample.glob("*.bin")).read_bytes())
    out = tmp_path / "out"
    assert run("rasterize", source, "--out", out, "--quiet") == (0, "", "")
    assert run("rasterize", source, "--out", out, "--quiet") == (0, "", "")
    assert run("verify", out, "--quiet") == (0, "", "")
    rasters = fastdraw.open_rasters(out)
    assert rasters.categories == (name,)
    assert (rasters[:] == fastdraw.open_drawings(source).rasterize()).all()
    text = tmp_path / f"{name}.ndjson"
    result = CliRunner().invoke(main, ["convert", str(source), str(text)])
    assert (result.exit_code, result.stdout_bytes) == (0, os.fsencode(f"{text}\n"))
    assert run("convert", text, tmp_path / f"{name}2.bin")[0] == 0
    assert (tmp_path / f"{name}2.bin").read_bytes() == source.read_bytes()
    assert CliRunner().invoke(main, ["inspect", str(source)]).stdout_bytes.splitlines()[1].startswith(b"caf\xe9 ")


def test_closed_standard_error(
    sample: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    with pytest.raises(SystemExit) as done:
        main(["inspect", str(sample)])
    assert done.value.code == 0
    assert capsys.readouterr().out.startswith("category")


def test_signals_do_afterwards_what_they_did_before(sample: Path) -> None:
    """A handler in Python that stays would be inherited by worker processes, which can miss it while they wait."""
    for before in (signal.SIG_DFL, signal.SIG_IGN):
        signal.signal(signal.SIGTERM, before)
        try:
            assert run("inspect", sample)[0] == 0
            assert run("inspect", sample / "missing.bin")[0] == 1
            assert signal.getsignal(signal.SIGTERM) is before
        finally:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


@pytest.mark.skipif(importlib.util.find_spec("gcsfs") is not None, reason="gcsfs is installed")
def test_addresses_whose_package_is_missing() -> None:
    pytest.importorskip("upath", reason="universal-pathlib is not installed")
    status, _, error = run("inspect", "gs://bucket/cat.bin")
    assert (status, len(error.splitlines())) == (1, 1)
    assert error.startswith("fastdraw: gs://bucket/cat.bin: ")
    assert 'pip install "fastdraw-vaekit[cloud]"' in error
