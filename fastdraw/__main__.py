"""The command ``fastdraw``, and ``python -m fastdraw``."""

from fastdraw.interrupts import ending_at_once


def run() -> None:
    """Run the command."""
    with ending_at_once():
        from fastdraw.cli import main
    main(prog_name="fastdraw")


if __name__ == "__main__":
    run()
