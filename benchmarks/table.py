"""The table of `bench_all`: as Markdown, as JSON, and beside the ratios of an earlier one."""

from __future__ import annotations

import json
import statistics
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

TOLERANCE = 0.25  # a ratio that falls by less may be noise


@dataclass(frozen=True)
class Row:
    """A task with fastdraw and with a baseline. Rates are drawings/s, of the rounds in the middle."""

    task: str
    baseline: str
    rate: float
    baseline_rate: float
    ratio: float  # the median of the rounds' ratios; lowest and highest are those of single rounds
    lowest: float
    highest: float

    @classmethod
    def of(cls, task: str, baseline: str, rates: list[float], baseline_rates: list[float]) -> Row:
        """The row of rounds in which both took their turns."""
        ratios = [ours / theirs for ours, theirs in zip(rates, baseline_rates, strict=True)]
        middle = statistics.median
        return cls(task, baseline, middle(rates), middle(baseline_rates), middle(ratios), min(ratios), max(ratios))


@dataclass
class Table:
    """Rows, and what is true of all of them."""

    about: dict[str, Any]
    rows: list[Row] = field(default_factory=list)

    def markdown(self, before: Before | None = None) -> str:
        """The table, with the ratios of an earlier one in a column."""
        heads = ["task", "what you use today", "drawings/s", "fastdraw, drawings/s", "ratio", "in single rounds"]
        numbers = len(heads) - 2 + bool(before)
        lines = [[*heads, *(["ratio before"] if before else [])], ["---", "---", *["---:"] * numbers]]
        for row in self.rows:
            lines.append([row.task, row.baseline, f"{row.baseline_rate:,.0f}", f"{row.rate:,.0f}", digits(row.ratio)])
            lines[-1].append(f"{digits(row.lowest)} to {digits(row.highest)}")
            if before:
                ratio = before.ratios.get((row.task, row.baseline))
                lines[-1].append("" if ratio is None else digits(ratio))
        return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)

    def notes(self, before: Before | None = None) -> list[str]:
        """What the machine had to give, what is not in the table, and a warning for each ratio that has fallen."""
        control, missing = self.about["two threads over one"], self.about["missing"]
        notes = []
        if control:
            notes.append(
                f"Two threads that share nothing: {min(control):.2f} to {max(control):.2f} times as fast as one."
            )
        if missing:
            notes.append(f"Not installed, so not measured: {', '.join(missing)}.")
        return notes + [f"Warning: {warning}." for warning in (before.slower(self) if before else [])]

    def json(self) -> str:
        return json.dumps(self.about | {"rows": [asdict(row) for row in self.rows]}, indent=2) + "\n"


@dataclass(frozen=True)
class Before:
    """The ratios of an earlier table, by task and baseline."""

    processor: str  # its instruction set
    ratios: dict[tuple[str, str], float]

    @classmethod
    def read(cls, path: Path) -> Before:
        """Read what `Table.json` wrote.

        Raises
        ------
        ValueError
            If it is something else.
        """
        try:
            content = json.loads(path.read_text())
            ratios = {(row["task"], row["baseline"]): float(row["ratio"]) for row in content["rows"]}
            return cls(_processor(content), ratios)
        except (ValueError, KeyError, TypeError) as error:
            raise ValueError(f"expected the table.json of an earlier run, received {path}: {error!r}") from error

    def slower(self, table: Table) -> list[str]:
        """A warning for each ratio that has fallen by more than noise, and one if the processor is another kind."""
        warnings = []
        here = _processor(table.about)
        if here != self.processor:
            warnings.append(f"the ratios before are from a processor with {self.processor}, these from one with {here}")
        for row in table.rows:
            ratio = self.ratios.get((row.task, row.baseline))
            if ratio is not None and row.ratio < (1 - TOLERANCE) * ratio:
                warnings.append(f"{row.task} / {row.baseline}: {digits(row.ratio)}, before {digits(ratio)}")
        return warnings


def digits(ratio: float) -> str:
    """Three digits, and two of those below one."""
    if ratio < 1:
        return f"{ratio:.2g}"
    return f"{ratio:,.0f}" if ratio >= 100 else f"{ratio:.1f}" if ratio >= 10 else f"{ratio:.2f}"


def _processor(about: dict[str, Any]) -> str:
    return ", ".join([about["instructions"], *about["limits"]])
