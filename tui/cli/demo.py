"""`llamadiff demo`: the guided tour, hands-free."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import click

from .app import need_terminal


@click.command("demo")
@click.option("--loop", is_flag=True, help="Begin anew at the end, until a key is pressed.")
@click.option(
    "--speed",
    type=click.FloatRange(0.1, 100),
    default=1.0,
    metavar="X",
    help="So many times as fast. [1]",
)
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
def demo_command(loop: bool, speed: float, no_mouse: bool) -> None:
    """Show what llamadiff does on the bundled model: types, presses keys, pauses to read.

    Any key stops it; you are in the app then, at that place of the tour, and esc ends that. It has a
    folder of its own, which goes with it: nothing of yours is changed, and of what you have only models
    and adapters are looked for.
    """
    need_terminal()
    from ..setup import Setup
    from ..tour.demo import DemoApp
    from ..tour.folder import setup_in
    from ..tour.player import Player
    from ..welcome import welcomed
    from .commands import EndedError

    with TemporaryDirectory(prefix="llamadiff-demo-", ignore_cleanup_errors=True) as name:
        folder = Path(name)
        setup = setup_in(folder, Setup(cache_dir=folder, log_dir=folder))
        welcomed(setup.state_dir)
        app = DemoApp(setup, Player(speed, loop=loop))
        app.run(mouse=not no_mouse)
    if app.failure is not None:
        raise app.failure
    if app.ended_by is not None:
        raise EndedError(app.ended_by)
