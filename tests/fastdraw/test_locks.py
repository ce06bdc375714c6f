"""Lock files on odd file systems, and the user's cache folder where there is none."""

from __future__ import annotations

import errno
import fcntl
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

import fastdraw
from fastdraw import storage
from fastdraw.cli import main
from fastdraw.notices import notice_after


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP])
def test_file_systems_without_locks(sample: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def flock(descriptor: int, operation: int) -> None:
        raise OSError(number, "no locks")

    monkeypatch.setattr(fcntl, "flock", flock)
    out = tmp_path / "out"
    result = CliRunner().invoke(main, ["rasterize", str(sample), "--out", str(out)])
    assert result.exit_code == 0
    assert result.stderr.startswith(f"fastdraw: {out}: cannot be locked (no locks); let no other process write to it")
    assert len(fastdraw.open_rasters(out)) == 600


def test_a_folder_that_another_run_writes_to(sample: Path, tmp_path: Path) -> None:
    with storage.locking(tmp_path / ".lock"):
        result = CliRunner().invoke(main, ["rasterize", str(sample), "--out", str(tmp_path)])
    assert result.exit_code == 1
    assert result.stderr.startswith(f"fastdraw: {tmp_path}: another run is writing to this folder")


def test_a_long_wait_is_a_line(caplog: pytest.LogCaptureFixture) -> None:
    with notice_after(0.01, "waiting"):
        time.sleep(0.1)
    with notice_after(60, "waiting"):
        pass
    assert caplog.messages == ["waiting"]


def test_no_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)
    for found in (Path("~/.cache/fastdraw"), None):

        def user_cache_path(name: str, found: Path | None = found) -> Path:
            if found is None:
                raise RuntimeError("could not determine the home directory")
            return found

        monkeypatch.setattr(storage.platformdirs, "user_cache_path", user_cache_path)
        with pytest.raises(fastdraw.FastdrawError, match="set HOME or XDG_CACHE_HOME"):
            fastdraw.load("cat")
    assert not list(tmp_path.iterdir())
