"""The app in a browser: a real server on loopback, and who it answers."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from llamadiff.tui.cli import serve
from llamadiff.tui.cli.commands import run_command

from ..conftest import until

aiohttp = pytest.importorskip("aiohttp", reason="needs the extra `serve`")
LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")


def free_port() -> int:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        return it.getsockname()[1]


@pytest.fixture
def server(home: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A server that has started, and its address."""
    port = free_port()
    process = subprocess.Popen(
        [LLAMADIFF, "serve", "--port", str(port)], stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    said = process.stderr.readline()
    assert said == f"llamadiff is at http://127.0.0.1:{port}; ctrl+c ends it.\n"
    yield process, f"http://127.0.0.1:{port}"
    with contextlib.suppress(ProcessLookupError):
        process.kill()
    process.wait()


async def test_the_app_is_in_the_browser_and_answers_keys(
    server: tuple[subprocess.Popen[str], str],
) -> None:
    """Its address is told once it can be reached there, and it ends with its pages open."""
    process, address = server
    async with aiohttp.ClientSession() as client:
        async with client.get(address.replace("127.0.0.1", "localhost")) as page:
            text = await page.text()
            assert page.status == 200 and "llamadiff" in text
            assert f"{address.replace('http', 'ws').replace('127.0.0.1', 'localhost')}/ws" in text
        for headers in ({"Origin": "http://example.org"}, {"Host": "example.org"}):
            async with client.get(address, headers=headers) as refused:
                assert refused.status == 403
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await client.ws_connect(f"{address}/ws", origin="http://example.org")

        seen = b""
        async with client.ws_connect(f"{address}/ws?width=80&height=24", origin=address) as socket:
            async with asyncio.timeout(60):
                while b"llamadiff" not in seen:
                    message = await socket.receive()
                    seen += message.data if isinstance(message.data, bytes) else b""
                await socket.send_json(["stdin", "\x1bOP"])
                while b"Help" not in seen:
                    message = await socket.receive()
                    seen += message.data if isinstance(message.data, bytes) else b""
            closed = children(process)
            assert closed
        await until(lambda: not alive(closed))
        async with client.ws_connect(f"{address}/ws?width=80&height=24", origin=address) as socket:
            await until(lambda: children(process))
            async with asyncio.timeout(60):
                while b"llamadiff" not in (await socket.receive()).data:
                    pass
            shown = children(process)
            process.send_signal(signal.SIGINT)
            async with asyncio.timeout(30):
                while (await socket.receive()).type != aiohttp.WSMsgType.CLOSED:
                    pass
        assert await asyncio.to_thread(process.wait, 30) == 0
        assert not alive(shown)


def children(process: subprocess.Popen[str]) -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def alive(processes: list[psutil.Process]) -> bool:
    return any(it.is_running() and it.status() != "zombie" for it in processes)


def test_a_taken_port_is_told_in_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as it:
        it.bind(("127.0.0.1", 0))
        it.listen()
        port = it.getsockname()[1]
        assert run_command(["serve", "--port", str(port)]) == 2
    said = f"llamadiff: port {port} of 127.0.0.1 is taken; give another with --port.\n"
    assert capsys.readouterr().err == said


def test_another_address_is_warned_of(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from llamadiff.tui.cli.web import WebServer

    served: list[bool] = []
    monkeypatch.setattr(WebServer, "serve", lambda it: served.append(it._near))
    for host, near in (("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False)):
        assert run_command(["serve", "--host", host]) == 0
        assert served[-1] is near
        assert ("as you; there is no password" in capsys.readouterr().err) is not near


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("textual_serve", "textual_serve.server"):
        monkeypatch.setitem(sys.modules, name, None)
    monkeypatch.delitem(sys.modules, f"{serve.__package__}.web", raising=False)
    assert run_command(["serve"]) == 2
    assert "pip install 'llamadiff[serve]'" in capsys.readouterr().err


def test_a_server_answers_to_this_machines_names_and_addresses_alone() -> None:
    from llamadiff.tui.cli.web import WebServer

    names = ["localhost", "127.0.0.2", "::1", "192.168.1.4", "box.lan", "example.org", ""]
    for near, own in ((True, names[:3]), (False, names[:5])):
        server = WebServer("", "box.lan", 8000, near=near)
        assert [it for it in names if server._is_own(it)] == own
