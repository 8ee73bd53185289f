"""The command: writes a log to standard output and what it holds to a file."""

import argparse
import sys
from pathlib import Path

from tests.dialcore.generator import Generator
from tests.dialcore.world import SHAPES


def main() -> None:
    """Read the arguments and write."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.dialcore", description="Write a log like DIAL Core."
    )
    parser.add_argument("--lines", type=int, default=200, metavar="N")
    parser.add_argument("--seed", type=int, default=1, metavar="S")
    parser.add_argument("--shape", choices=sorted(SHAPES), default="sample")
    parser.add_argument("--totals", type=Path, metavar="FILE", help="write what the log holds as JSON")
    arguments = parser.parse_args()
    generator = Generator(arguments.seed, arguments.shape)
    sys.stdout.buffer.writelines(generator.lines(arguments.lines))
    if arguments.totals:
        arguments.totals.write_text(generator.totals.to_json(), "utf-8")


if __name__ == "__main__":
    main()
