"""A hub on this machine's loopback: the few answers that fetching needs, and ways to fail."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

COMMIT = "c0ffee" + "0" * 34


@dataclass
class Hub:
    """One repository, `owner/model`. Its switches may be turned while it runs."""

    files: dict[str, bytes] = field(default_factory=dict[str, bytes])
    status: int = 200
    """Of the answer about the repository."""
    error: str = ""
    """The hub's word for a refusal, as `GatedRepo`."""
    ranges: bool = True
    lies: bool = False
    """Send other bytes than were promised."""
    cut_after: list[int] = field(default_factory=list[int])
    """Bytes after which the next transfers are cut off; -1 for not at all."""
    stall: bool = False
    """Stop in the middle, without an end."""
    transfers: list[tuple[str, int]] = field(default_factory=list[tuple[str, int]])
    """Name and first byte of each transfer."""
    asked: list[str] = field(default_factory=list[str])
    """Paths of all requests."""
    url: str = ""

    def digest(self, name: str) -> str:
        """As the hub names it: SHA-256 of large files, git's SHA-1 of JSON."""
        data = self.files[name]
        if name.endswith(".json"):
            return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
        return hashlib.sha256(data).hexdigest()

    def listing(self) -> dict[str, object]:
        siblings: list[dict[str, object]] = []
        for name, data in self.files.items():
            entry: dict[str, object] = {"rfilename": name, "size": len(data), "blobId": "0" * 40}
            if name.endswith(".json"):
                entry["blobId"] = self.digest(name)
            else:
                entry["lfs"] = {
                    "sha256": self.digest(name),
                    "size": len(data),
                    "pointerSize": 130,
                }
            siblings.append(entry)
        return {"id": "owner/model", "modelId": "owner/model", "sha": COMMIT, "siblings": siblings}


class _Handler(BaseHTTPRequestHandler):
    hub: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, *, body: bool) -> None:
        path = unquote(urlsplit(self.path).path)
        self.hub.asked.append(path)
        if path == "/api/models/owner/model" and self.hub.status == 200:
            return self._send(200, {}, json.dumps(self.hub.listing()).encode())
        name = path.removeprefix("/owner/model/resolve/").partition("/")[2]
        if self.hub.status == 200 and name in self.hub.files:
            return self._send_file(name, body)
        status = self.hub.status if self.hub.status != 200 else 404
        headers = {"X-Error-Code": self.hub.error} if self.hub.error else {}
        self._send(status, headers, b"{}" if body else b"")

    def _send(self, status: int, headers: dict[str, str], data: bytes) -> None:
        self.send_response(status)
        for key, value in {"Content-Length": str(len(data)), **headers}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(data)

    def _send_file(self, name: str, body: bool) -> None:
        hub, data = self.hub, self.hub.files[name]
        headers = {
            "X-Repo-Commit": COMMIT,
            "ETag": f'"{hub.digest(name)}"',
            "Accept-Ranges": "bytes",
        }
        start = 0
        asked = self.headers.get("Range", "")
        if asked and hub.ranges:
            start = int(asked.removeprefix("bytes=").partition("-")[0])
            headers["Content-Range"] = f"bytes {start}-{len(data) - 1}/{len(data)}"
        part = data[start:]
        if not body:
            headers["Content-Length"] = str(len(part))
            return self._send(200, headers, b"")
        hub.transfers.append((name, start))
        if hub.lies:
            part = bytes(len(part))
        cut = hub.cut_after.pop(0) if hub.cut_after else -1
        self.send_response(206 if start else 200)
        for key, value in {**headers, "Content-Length": str(len(part))}.items():
            self.send_header(key, value)
        self.end_headers()
        self.wfile.write(part[:cut] if cut >= 0 else part)
        self.wfile.flush()
        if hub.stall:
            threading.Event().wait(30)
        if cut >= 0:
            self.connection.close()


@contextmanager
def running(hub: Hub) -> Iterator[Hub]:
    """Serve `hub` while the block runs."""
    handler = type("Handler", (_Handler,), {"hub": hub})
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    hub.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield hub
    finally:
        server.shutdown()
        server.server_close()
