"""Draw ``ratios.svg`` from the ratios in the first table of RESULTS.md.

python benchmarks/chart.py
"""

from __future__ import annotations

import math
from html import escape
from pathlib import Path

RESULTS = Path(__file__).with_name("RESULTS.md")
CHART = RESULTS.with_name("ratios.svg")

LABELS, BARS, ROW, TOP = 480, 300, 24, 48  # pixels
DECADES = 3  # the scale ends at 1000, or later


def ratios(markdown: str) -> list[tuple[str, str, str]]:
    """Task, baseline and ratio of each row of the first table, as they are written there."""
    lines = markdown.splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith("|"))
    heads = _cells(lines[start])
    columns = [heads.index(head) for head in ("task", "what you use today", "ratio")]
    rows = []
    for line in lines[start + 2 :]:
        if not line.startswith("|"):
            break
        task, baseline, ratio = (_cells(line)[column] for column in columns)
        rows.append((task, baseline, ratio))
    return rows


def chart(rows: list[tuple[str, str, str]]) -> str:
    """Horizontal bars on a logarithmic scale, as SVG. They start at 1; those of ratios below it go left."""
    powers = [math.log10(float(ratio.replace(",", ""))) for _, _, ratio in rows]
    first, last = min([0, *map(math.floor, powers)]), max([DECADES, *map(math.ceil, powers)])
    height = TOP + ROW * len(rows) + 10

    def place(power: float) -> float:
        return LABELS + BARS * (power - first) / (last - first)

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{LABELS + BARS + 60}" height="{height}" '
        'font-family="sans-serif" font-size="13">',
        '<rect width="100%" height="100%" fill="white"/>',
        '<text x="10" y="20" font-weight="bold">fastdraw: times as fast as what you use today (log scale)</text>',
    ]
    for decade in range(first, last + 1):
        x = place(decade)
        parts.append(f'<text x="{x:g}" y="{TOP - 8}" text-anchor="middle" fill="#666">{10.0**decade:g}</text>')
        parts.append(f'<path d="M{x:g} {TOP - 4}V{height - 8}" stroke="#ccc"/>')
    for i, ((task, baseline, ratio), power) in enumerate(zip(rows, powers, strict=True)):
        y = TOP + ROW * i
        left, right = place(min(power, 0)), place(max(power, 0))
        parts += [
            f'<text x="{LABELS - 10}" y="{y + 16}" text-anchor="end">{escape(task)}'
            f'<tspan fill="#666"> / {escape(baseline)}</tspan></text>',
            f'<rect x="{left:g}" y="{y + 4}" width="{right - left:.1f}" height="{ROW - 8}" fill="#005ab5"/>',
            f'<text x="{right + 6:.1f}" y="{y + 16}">{ratio}</text>',
        ]
    return "\n".join([*parts, "</svg>", ""])


def _cells(line: str) -> list[str]:
    return [cell.strip().replace("`", "").replace("*", "") for cell in line.strip().strip("|").split("|")]


if __name__ == "__main__":
    CHART.write_text(chart(ratios(RESULTS.read_text())))
    print(CHART)
