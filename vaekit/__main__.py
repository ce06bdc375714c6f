"""The command ``vaekit``, and ``python -m vaekit``."""

from fastdraw.interrupts import ending_at_once


def run() -> None:
    """Run the command."""
    with ending_at_once():
        from vaekit.cli import main
    main(prog_name="vaekit")


if __name__ == "__main__":
    run()
