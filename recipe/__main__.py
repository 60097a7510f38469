"""Make the bundled model and its adapters: ``python -m recipe --work FOLDER [--out FOLDER]``."""

import argparse
from pathlib import Path

from .make import BUNDLED, make
from .scale import FULL, TINY


def main() -> None:
    """Read the command line and make everything."""
    parser = argparse.ArgumentParser(prog="python -m recipe", description=__doc__)
    parser.add_argument(
        "--work", type=Path, required=True, help="folder for checkpoints and training records"
    )
    parser.add_argument("--out", type=Path, default=BUNDLED, help="folder for the GGUF files")
    parser.add_argument("--tiny", action="store_true", help="a quick run that tests the way")
    given = parser.parse_args()
    for path in make(TINY if given.tiny else FULL, given.work, given.out):
        print(path)


if __name__ == "__main__":
    main()
