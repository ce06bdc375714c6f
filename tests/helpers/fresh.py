"""Programs in a new Python process."""

from __future__ import annotations

import subprocess
import sys


def fresh_process(program: str) -> str:
    """What a program prints."""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def loaded_modules(program: str) -> set[str]:
    """Top-level modules that are imported when a program ends; what it prints is ignored."""
    modules = "\nimport sys\nprint()\nprint(*{name.split('.')[0] for name in sys.modules})"
    return set(fresh_process(program + modules).splitlines()[-1].split())
