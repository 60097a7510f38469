"""The server of `llamadiff serve`: textual-serve's, for pages that come from itself alone."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from aiohttp.typedefs import Handler
from textual_serve.server import Server

from .printing import note

NEAR_NAMES = ("127.0.0.1", "localhost", "::1")


class WebServer(Server):
    """Starts `command` for each page that is opened. `near`: it is reached from this machine alone.

    A page of somebody else in the same browser must not open an app here, which a WebSocket would
    let it do, nor pass for this one under a name of its own. So requests are refused whose origin is
    not the address they are sent to, and where it is `near`, all to other names.
    """

    def __init__(self, command: str, host: str, port: int, *, near: bool) -> None:
        super().__init__(command, host, port, title="llamadiff")
        self._near = near

    def initialize_logging(self) -> None:
        """Leave the log as it is."""

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()
        app.middlewares.append(self._own_pages)
        return app

    async def on_startup(self, app: web.Application) -> None:
        note(f"llamadiff is at {self.public_url}; ctrl+c ends it.")

    @web.middleware
    async def _own_pages(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        origin = request.headers.get("Origin")
        strange = origin is not None and urlsplit(origin).netloc != request.host
        if strange or (self._near and urlsplit(f"//{request.host}").hostname not in NEAR_NAMES):
            raise web.HTTPForbidden(text="llamadiff answers pages of its own alone.")
        return await handler(request)

    async def handle_index(self, request: web.Request) -> Any:
        """The page, which looks for everything where it was found itself."""
        self.public_url = f"{request.scheme}://{request.host}"
        return await super().handle_index(request)
