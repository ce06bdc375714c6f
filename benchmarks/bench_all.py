"""The table "Should I switch?" on your machine: fastdraw against what is installed of its rivals.

    python benchmarks/bench_all.py

Takes less than five minutes on two cores, and writes ``table.md``, ``table.json`` and ``chart.svg``. Each result is
checked before it is timed. The two sides of a ratio take turns; the ratio is the median of those of the rounds. Without
``$FASTDRAW_REAL_DATA`` the data is built-in doodles.
"""

from __future__ import annotations

from fastdraw.interrupts import ending_at_once

with ending_at_once():
    import datetime
    import os
    import tempfile
    from pathlib import Path

    import click
    from chart import chart, ratios
    from contests import CONTESTS, Scale, Source, WrongResultError
    from measuring import DATA, machine, rounds_in_turn, system, two_threads_over_one
    from table import Before, Row, Table

    import fastdraw

PAGE = "table.md"


@click.command(help=__doc__)
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default="bench_all",
    show_default=True,
    help="Folder for the table and the chart.",
)
@click.option(
    "--against",
    type=click.Path(path_type=Path, exists=True, dir_okay=False),
    help="The table.json of an earlier run. Its ratios are put beside these, with a warning where one has fallen.",
)
def main(out: Path, against: Path | None) -> None:
    try:
        before = Before.read(against) if against else None
        with tempfile.TemporaryDirectory(prefix="fastdraw-bench-") as scratch:
            measure(Path(scratch), out, Scale(), before)
    except (OSError, MemoryError, ValueError, WrongResultError) as error:
        raise click.ClickException(str(error)) from error


def measure(scratch: Path, out: Path, scale: Scale, before: Before | None = None) -> None:
    """Measure all contests. The files in `out` are written anew after each, so that an interrupted run keeps them."""
    table = Table(system() | {"fastdraw": fastdraw.__version__, "data": DATA, "date": f"{datetime.date.today()}"})
    table.about |= {"load": os.getloadavg()[0], "scale": scale._asdict(), "missing": [], "two threads over one": []}
    write(table, out, before)
    click.echo(f"Results are written to {out}.")
    source = Source(scratch, scale)
    for prepare in CONTESTS:
        click.echo(f"Measuring: {prepare.__doc__}", err=True)
        contest = prepare(source)
        table.about["two threads over one"].append(two_threads_over_one())
        seconds = rounds_in_turn({name: job.run for name, job in contest.jobs.items()}, scale.rounds)
        rates = {name: [job.drawings / second for second in seconds[name]] for name, job in contest.jobs.items()}
        table.rows += [Row.of(*pair, *(rates[name] for name in pair)) for pair in contest.pairs]
        table.about["missing"] = source.missing
        table.about["versions"] |= source.versions
        write(table, out, before)
    click.echo((out / PAGE).read_text())


def write(table: Table, out: Path, before: Before | None) -> None:
    """Write the Markdown, the JSON and the chart."""
    out.mkdir(parents=True, exist_ok=True)
    rows = table.markdown(before)
    heading = f"{machine()}; {table.about['data']}; load {table.about['load']:.1f}."
    (out / PAGE).write_text("\n\n".join([heading, rows.strip(), *table.notes(before)]) + "\n")
    (out / "table.json").write_text(table.json())
    (out / "chart.svg").write_text(chart(ratios(rows)))


if __name__ == "__main__":
    main()
