"""The short form of the campaign of `fuzzing`: mutated files neither crash nor lose a drawing in silence."""

from __future__ import annotations

from pathlib import Path

import pytest
from fuzzing import Seeds, run


@pytest.fixture(scope="module")
def seeds(tmp_path_factory: pytest.TempPathFactory) -> Seeds:
    return Seeds(tmp_path_factory.mktemp("seeds"))


@pytest.mark.parametrize(
    ("kind", "count", "kinds"),
    [("bin", 1500, 3), ("ndjson", 2000, 2), ("manifest", 700, 2), ("csv", 1000, 3), ("npz", 1000, 3)],
)
def test_mutated_files(kind: str, count: int, kinds: int, seeds: Seeds, tmp_path: Path) -> None:
    outcomes, failures = run(kind, seeds, tmp_path, range(count))
    assert not failures, f"{len(failures)} failures, the first at seed {failures[0][0]}:\n{failures[0][1]}"
    assert len(outcomes) == kinds, outcomes  # the mutations reach all outcomes
