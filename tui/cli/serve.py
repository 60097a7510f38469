"""`llamadiff serve`: the app in a browser."""

from __future__ import annotations

import errno
import os
import shlex
import socket
import sys

import click

from .printing import note

LOOPBACK = "127.0.0.1"


@click.command("serve")
@click.option(
    "--host",
    default=LOOPBACK,
    metavar="ADDRESS",
    help="The address it is reached at; another than this machine's own opens it to others. [127.0.0.1]",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8000, metavar="N", help="The port. [8000]"
)
def serve_command(host: str, port: int) -> None:
    """Show the app in a browser: each page that is opened has an app of its own.

    There is no password: whoever reaches the address can run models and read and write files as you.
    On its own it is reached from this machine alone, by all its users. ctrl+c ends it.
    """
    try:
        from .web import WebServer, is_near
    except ModuleNotFoundError as missing:
        if (missing.name or "").partition(".")[0] not in ("textual_serve", "aiohttp"):
            raise
        raise click.UsageError(
            "this needs textual-serve: pip install 'llamadiff[serve]'."
        ) from None
    near = is_near(host)
    if not near:
        note(
            f"warning: whoever reaches port {port} of {host} can run models and read and write "
            "files as you; there is no password."
        )
    command = shlex.join([sys.executable, "-m", "llamadiff.tui"])
    for name in ("TMUX", "STY"):  # a page is in no terminal of the server's
        os.environ.pop(name, None)
    os.environ["TERM"] = "xterm-256color"
    server = WebServer(command, host, port, near=near)
    try:
        server.serve()
    except OSError as error:
        if isinstance(error, socket.gaierror):
            said = f"{host} is no name of this machine: {error.strerror}."
        elif error.errno == errno.EADDRINUSE:
            said = f"port {port} of {host} is taken; give another with --port."
        elif error.errno in (errno.EADDRNOTAVAIL, errno.EACCES) or error.errno is None:
            said = f"{host} port {port} cannot be opened: {error.strerror or error}."
        else:
            raise
        raise click.UsageError(said) from None
