"""`python -m llamadiff.tui` is `llamadiff`."""

from .cli.main import main

main()
