"""``python -m fastdraw``."""

from fastdraw.cli import main

main(prog_name="fastdraw")
