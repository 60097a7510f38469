"""The server of `llamadiff serve`: textual-serve's, for pages that come from itself alone."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from .printing import note

CLOSE_S = 5.0
"""At the end: how long what pages have asked for may take, once their apps have ended."""


def is_near(host: str) -> bool:
    """Whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class WebServer(Server):
    """Starts `command` for each page that is opened. `near`: it is reached from this machine alone.

    A page of somebody else in the same browser must not open an app here, which a WebSocket would
    let it do, nor pass for this one under a name of its own. So requests are refused whose origin is
    not the address they are sent to, and all to names that are not this machine's; where it is
    `near`, all but those to itself.
    """

    def __init__(self, command: str, host: str, port: int, *, near: bool) -> None:
        super().__init__(command, host, port, title="llamadiff")
        self._near = near
        self._shown = set[asyncio.Task[Any]]()
        """Pages that are open, each with an app behind it."""
        self._names = {host.lower(), socket.gethostname().lower(), socket.getfqdn().lower()}

    def serve(self, debug: bool = False) -> None:
        """Serve until a signal ends it. Raises OSError where the port cannot be opened."""

        def opened(_: str) -> None:
            note(f"llamadiff is at {self.public_url}; ctrl+c ends it.")

        web.run_app(
            self._make_app(), host=self.host, port=self.port, print=opened, shutdown_timeout=CLOSE_S
        )

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._own_pages)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Say nothing: the port is not open yet."""

    async def on_shutdown(self, app: web.Application) -> None:
        """Have the apps of all pages end; what they are about to write they write."""
        shown = [*self._shown]
        for task in shown:
            task.cancel()
        await asyncio.gather(*shown, return_exceptions=True)

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """A page, until it is closed."""
        task = asyncio.create_task(super().handle_websocket(request))
        self._shown.add(task)
        task.add_done_callback(self._shown.discard)
        return await asyncio.shield(task)

    @web.middleware
    async def _own_pages(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        strange = origin is not None and urlsplit(origin).netloc != request.host
        if strange or not self._is_own(urlsplit(f"//{request.host}").hostname or ""):
            raise web.HTTPForbidden(text="llamadiff answers pages of its own alone.")
        return await handler(request)

    def _is_own(self, name: str) -> bool:
        """Whether a request that is sent to this name or address is meant for this server."""
        return is_near(name) or (not self._near and (name in self._names or _is_address(name)))

    async def handle_index(self, request: web.Request) -> Any:
        """The page, which looks for everything where it was found itself."""
        self.public_url = f"{request.scheme}://{request.host}"
        return await super().handle_index(request)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
