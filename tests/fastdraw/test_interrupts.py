"""An interrupt while a command is imported ends it without a traceback."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

PROGRAM = """
import sys, time
class Slow:
    def find_spec(self, name, path=None, target=None):
        if name == "click":
            print("importing", flush=True)
            time.sleep(30)
sys.meta_path.insert(0, Slow())
from {package}.__main__ import run
run()
"""


@pytest.mark.parametrize("package", ["fastdraw", "vaekit"])
def test_interrupted_import(package: str) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM.format(package=package)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "importing\n"
    process.send_signal(signal.SIGINT)
    assert process.communicate(timeout=20) == ("", "")
    assert process.returncode == -signal.SIGINT


def test_an_ignored_signal_stays_ignored() -> None:
    program = (
        "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nfrom fastdraw.interrupts import ending_at_once\n"
        "with ending_at_once():\n    print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)\n"
        "print(signal.getsignal(signal.SIGINT) is signal.SIG_IGN)"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True).stdout == "True\nTrue\n"
