"""What a terminal does to the app, and the app to a terminal: far away, resized, left, gone, shared."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TextIO, cast

import psutil
import pytest
from textual.drivers._writer_thread import MAX_QUEUED_WRITES, WriterThread

from llamadiff.tui import clipboard
from llamadiff.tui.clipboard import MOST, SCREEN_PIECE, copy, sequence
from llamadiff.tui.glyphs import PLAIN
from llamadiff.tui.pasting import ANSWER, ASK
from llamadiff.tui.terminal_app import TerminalApp
from llamadiff.tui.tty_driver import Outlet

from ..conftest import until
from .test_tmux import ENDLESS, Closing, start
from .tmux import HAS_TMUX, LLAMADIFF, Tmux

MOUSE_OFF, LEFT = b"\x1b[?1003l", b"\x1b[?1049l"
HERE = sequence("here", {}).encode()
needs_tmux = pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")


@pytest.fixture
def endless(tmp_path: Path) -> str:
    """A prompt whose answer goes on until it is stopped."""
    path = tmp_path / "endless.toml"
    path.write_text(ENDLESS)
    return str(path)


class Pty:
    """A program in a pseudo-terminal of 120 × 40 that takes what is written only while `reading`, and
    answers only while `answering`."""

    def __init__(self, *arguments: str, program: str = LLAMADIFF) -> None:
        self.seen = b""
        self.reading = self.answering = True
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            size = {"COLUMNS": "120", "LINES": "40", "TERM": "xterm-256color"}
            os.execve(program, [program, *arguments], {**os.environ, **size})
        self._answered, self._closed = 0, False
        self._reading = threading.Thread(target=self._read, daemon=True)
        self._reading.start()

    def _read(self) -> None:
        while not self._closed:
            if self.answering and self._answered < self.asked:
                self._answered += 1
                self.send(ANSWER)
            try:
                if not self.reading:
                    time.sleep(0.01)
                elif select.select([self._fd], [], [], 0.01)[0]:
                    self.seen += os.read(self._fd, 65536)
            except OSError:
                return

    @property
    def asked(self) -> int:
        return self.seen.count(ASK.encode())

    @property
    def waits(self) -> bool:
        """Whether the app has asked and has no answer."""
        return self._answered < self.asked

    def send(self, keys: str) -> None:
        os.write(self._fd, keys.encode())

    def wait_for(self, wanted: str | Callable[[], object], start: int = 0) -> None:
        end = time.monotonic() + 60
        while not (wanted.encode() in self.seen[start:] if isinstance(wanted, str) else wanted()):
            assert time.monotonic() < end, f"{wanted!r} did not appear"
            time.sleep(0.01)

    @property
    def exit_code(self) -> int | None:
        """None as long as it runs."""
        done, status = os.waitpid(self.pid, os.WNOHANG)
        return os.waitstatus_to_exitcode(status) if done else None

    def close(self) -> None:
        with contextlib.suppress(ProcessLookupError, ChildProcessError):
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self._closed = True
        self._reading.join()  # its number is another file's soon
        os.close(self._fd)


def test_streams_wait_for_a_terminal_that_has_not_shown_them_and_keys_do_not(
    closing: Closing, endless: str
) -> None:
    app = Pty("-p", endless, "-c", "60000", "--no-mouse")
    closing.append(app.close)
    app.wait_for("ready")
    app.send("\x12")  # ctrl+r: run
    app.wait_for("streaming")
    app.wait_for(lambda: app.asked > 2)
    app.answering = False
    app.wait_for(lambda: app.waits)
    asked = app.asked
    for letter in "ⴰⴱⴳ":
        at = len(app.seen)
        app.send(letter)
        app.wait_for(letter, at)
    assert app.asked == asked
    app.answering = True
    app.wait_for(lambda: app.asked > asked + 2)
    app.answering = False
    app.wait_for(lambda: app.waits)
    app.send("\x1b")
    app.wait_for("stopped")  # and what came last is shown without an answer
    assert b"\x1b[?1000h" not in app.seen and b"\x1b[?1003h" not in app.seen


SMALL = """
import os, pathlib, sys
from textual.app import ComposeResult
from textual.widgets import Static
from llamadiff.tui import tty_driver
from llamadiff.tui.terminal_app import TerminalApp

if sys.argv[2:] == ["byte by byte"]:
    tty_driver._read = lambda fd: os.read(fd, 1)

class Small(TerminalApp):
    count = 0
    def compose(self) -> ComposeResult:
        yield Static("hello")
    def on_key(self, event) -> None:
        if event.key == "q":
            self.exit()
        if event.key == "c":
            self.copy_to_clipboard("here")
        self.count += 1
        line = "".join(chr(33 + (self.count + at) % 90) for at in range(119))
        self.query_one(Static).update(f"{line}\\n" * 38 + f"key {self.count}", layout=False) if event.key == "x" else None
        pathlib.Path(sys.argv[1]).write_text(f"{self.count}")
    def on_unmount(self) -> None:
        pathlib.Path(sys.argv[1]).write_text("saved")

app = Small()
app.run()
print("ended", file=sys.stderr)
sys.exit(app.ended_by or 0)
"""
"""The least app in a terminal: it paints all of it at each key, and writes down how many there were."""


@pytest.fixture
def noted(tmp_path: Path) -> Path:
    """Where the small app writes."""
    return tmp_path / "noted"


@pytest.fixture
def small(closing: Closing, noted: Path) -> Pty:
    app = Pty("-c", SMALL, str(noted), program=sys.executable)
    closing.append(app.close)
    app.wait_for("hello")
    app.wait_for(lambda: app.asked and not app.waits)
    return app


def press(small: Pty, noted: Path, keys: str, before: int = 0) -> None:
    """Each once the app has had the one before; it had so many before."""
    for number, key in enumerate(keys, before + 1):
        small.send(key)
        small.wait_for(lambda number=number: noted.exists() and noted.read_text() == f"{number}")


def test_what_a_terminal_still_has_to_say_is_heard_before_it_is_left(small: Pty) -> None:
    small.answering = False
    small.send("q")
    small.wait_for(lambda: small.waits)
    assert MOUSE_OFF in small.seen.rpartition(ASK.encode())[0] and LEFT not in small.seen
    small.answering = True
    small.wait_for(lambda: small.exit_code == 0)
    assert LEFT in small.seen


def test_characters_whose_bytes_come_one_by_one_are_typed(closing: Closing, noted: Path) -> None:
    app = Pty("-c", SMALL, str(noted), "byte by byte", program=sys.executable)
    closing.append(app.close)
    app.wait_for("hello")
    app.send("é日x")
    app.wait_for(lambda: noted.exists() and noted.read_text() == "3")
    app.send("q")
    app.wait_for(lambda: app.exit_code == 0)


def test_a_slow_line_is_given_back_as_it_was(small: Pty, noted: Path) -> None:
    """What is still to be shown leaves room for that, and for what was copied."""
    small.reading = small.answering = False
    press(small, noted, "x" * 20 + "c" + "x" * 80 + "q")
    small.reading = small.answering = True
    small.wait_for(lambda: small.exit_code == 0)
    assert MOUSE_OFF in small.seen and LEFT in small.seen and b"\x1b[<u" in small.seen
    assert HERE in small.seen


def test_a_copy_waits_for_a_slow_line(small: Pty, noted: Path) -> None:
    small.reading = small.answering = False
    press(small, noted, "x" * 100 + "c")
    small.reading = small.answering = True
    small.wait_for(lambda: HERE in small.seen)
    small.wait_for("Sent 4 characters")


def test_a_terminal_that_was_another_size_for_a_moment_is_drawn_anew(small: Pty) -> None:
    at = len(small.seen)
    os.kill(small.pid, signal.SIGWINCH)
    small.wait_for("hello", at)


def test_a_terminal_that_takes_nothing_keeps_nobody_waiting(small: Pty, noted: Path) -> None:
    """The app goes on, is shown as it is once that is possible, and can be ended meanwhile."""
    for before in (0, 100):
        small.reading = small.answering = False
        press(small, noted, "x" * 100, before)
        assert f"key {before + 100}".encode() not in small.seen
        if not before:
            small.reading = small.answering = True
            small.wait_for("key 100")
    os.kill(small.pid, signal.SIGTERM)
    small.wait_for(lambda: small.exit_code == signal.SIGTERM)
    assert noted.read_text() == "saved" and b"ended" not in small.seen


def test_a_terminal_that_is_gone_ends_the_app(noted: Path) -> None:
    """Also where no signal says so: reading from it then gives nothing, at once and for ever."""
    command = [sys.executable, "-c", SMALL, str(noted)]
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
    assert done.returncode == 0 and noted.read_text() == "saved"


# ------------------------------------------------------------------ copying


@needs_tmux
def test_a_copy_is_in_tmuxs_buffer_and_a_suspended_app_goes_on(
    closing: Closing, home: Path
) -> None:
    bash = shutil.which("bash")
    if bash is None:
        pytest.skip("needs bash")
    tmux = Tmux(120, 40, home, "--norc", "-i", program=bash)
    closing.append(tmux.close)
    tmux.type(f"sh -c '{LLAMADIFF} --user \"Tell me about dogs.\"; true'\n")  # a wrapper, as uv run
    tmux.wait_for("ready")
    tmux.press("F5")
    tmux.wait_for("done")
    tmux.press("Escape")
    tmux.wait_for(lambda screen: "leave editor" not in screen)
    tmux.press("y")
    tmux.wait_for("tmux's buffer and to the")
    assert len(tmux.buffer) > 20 and tmux.buffer[:20] in tmux.screen()

    before = tmux.wait_for(lambda screen: "buffer" not in screen)
    tmux.press("C-p")
    tmux.wait_for("Search")
    tmux.type("suspend")
    tmux.wait_for("Back to the shell")
    tmux.press("Enter")
    tmux.wait_for("Stopped")
    tmux.type("fg\n")
    tmux.wait_for(lambda screen: screen == before)


class Sent(list[str]):
    """What was written to a terminal."""

    @property
    def all(self) -> str:
        return "".join(self)


def test_a_copy_is_wrapped_for_what_passes_it_on() -> None:
    plain = "\x1b]52;c;aGVsbG8=\x07"
    assert sequence("hello", {"TERM": "xterm"}) == plain
    assert sequence("hello", {"TERM": "tmux-256color"}) == (f"{plain}\x1bPtmux;\x1b{plain}\x1b\\")
    pieces = sequence("hello" * 200, {"TERM": "screen", "STY": "1.pts"}).split("\x1b\\")
    assert pieces.pop() == "" and len(pieces) == 3
    assert all(it.startswith("\x1bP") and len(it) <= SCREEN_PIECE + 2 for it in pieces)
    assert "".join(it[2:] for it in pieces) == sequence("hello" * 200, {})


def test_what_no_clipboard_takes_is_saved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    sent = Sent()
    assert "clipboard (OSC 52)" in copy("é" * (MOST // 2), sent.append, {"TERM": "xterm"})
    assert sent.all
    sent.clear()
    for text, term, why in (
        (
            "é" * (MOST // 2 + 1),
            "xterm",
            "37,498 characters are more than terminals take: saved to",
        ),
        ("a\r\nb", "linux", "This terminal has no clipboard: saved to"),
    ):
        said = copy(text, sent.append, {"TERM": term})
        (file,) = tmp_path.glob("llamadiff-*.txt")
        assert said == f"{why} {file}." and file.read_bytes() == text.encode()
        file.unlink()
    for _ in range(3):  # in one second
        copy("a", sent.append, {"TERM": "linux"})
    assert len([*tmp_path.glob("llamadiff-*.txt")]) == 3
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    said = copy("a", sent.append, {"TERM": "linux"})
    assert said.endswith(
        "no file can be written where llamadiff was started: No such file or directory."
    )
    assert not sent


async def test_what_is_copied_first_is_there_first(monkeypatch: pytest.MonkeyPatch) -> None:
    there, second = list[str](), threading.Event()

    def slow(text: str, _: object) -> str:
        if text == "first":
            second.wait(0.2)
        there.append(text)
        second.set()
        return text

    monkeypatch.setattr(clipboard, "copy", slow)
    app = TerminalApp()
    async with app.run_test():
        for text in ("first", "second"):
            app.copy_to_clipboard(text)
        await until(lambda: len(there) == 2)
    assert there == ["first", "second"]


def test_a_tmux_that_does_not_answer_is_gone_round(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: str, text: str = "") -> bytes:
        raise FileNotFoundError

    monkeypatch.setattr(clipboard, "_tmux", missing)
    sent = Sent()
    assert "OSC 52" in copy("hello", sent.append, {"TMUX": "/tmp/gone,1,0", "TERM": "screen"})
    assert sent.all.endswith("\x1b\\")


# ------------------------------------------------------- ended, resized, shared


@needs_tmux
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM"])
def test_an_app_that_a_signal_ends_keeps_what_there_was(
    closing: Closing, home: Path, endless: str, name: str
) -> None:
    arguments = ("-p", endless, "-c", "60000")
    tmux = start(closing, home, 120, 40, *arguments)
    tmux.press("F5")
    tmux.wait_for("streaming")
    tmux.press("C-End")
    tmux.type(" Please be brief.")
    tmux.wait_for("Please be brief.")
    app = psutil.Process(tmux.pid)
    everything = [app, *app.children(recursive=True)]
    if name == "SIGHUP":
        tmux.close()  # its terminal is gone with it
    else:
        app.terminate()
    _, alive = psutil.wait_procs(everything, timeout=30)
    assert not alive
    (run,) = runs()
    assert run["ended"] and all(output["tokens"] for output in run["outputs"])
    start(closing, home, 120, 40, *arguments).wait_for("Please be brief.")


def runs() -> list[dict[str, Any]]:
    """What the history has, the newest first."""
    done = subprocess.run([LLAMADIFF, "history", "list", "--json"], capture_output=True, check=True)
    return json.loads(done.stdout)


@needs_tmux
def test_two_at_once_on_one_home_lose_nothing(closing: Closing, home: Path) -> None:
    both = [Tmux(120, 40, home) for _ in range(2)]
    closing.extend(tmux.close for tmux in both)
    for tmux in both:
        tmux.wait_for("ready")
    for _ in range(2):
        for tmux in both:
            tmux.press("F5")
        for tmux in both:
            tmux.wait_for("running")
        for tmux in both:
            tmux.wait_for("done")
    for tmux in both:
        tmux.press("C-q")
    for tmux in both:
        tmux.wait_for(lambda _, it=tmux: not it.alive, 30)
    assert len(runs()) == 4


@needs_tmux
def test_a_storm_of_sizes_while_streaming_ends_in_the_last_one(
    closing: Closing, home: Path, endless: str
) -> None:
    tmux = start(closing, home, 120, 40, "-p", endless, "-c", "60000")
    tmux.press("F5")
    tmux.wait_for("streaming")
    app = psutil.Process(tmux.pid)
    memory = app.memory_info().rss
    for number in range(200):
        tmux.resize(60 + number * 7 % 80, 16 + number * 5 % 40)
    tmux.resize(80, 24)
    screen = tmux.wait_for(lambda screen: "esc stop" in screen and "streaming" in screen)
    assert len(screen.splitlines()) == 24
    assert app.memory_info().rss - memory < 64e6
    tmux.press("Escape")
    tmux.wait_for("stopped")


@needs_tmux
def test_a_linux_console_gets_characters_that_its_font_has(closing: Closing, home: Path) -> None:
    env = shutil.which("env") or "env"
    tmux = Tmux(80, 24, home, "TERM=linux", LLAMADIFF, program=env)
    closing.append(tmux.close)
    tmux.wait_for("ready")
    tmux.press("F5")
    tmux.wait_for("done")
    tmux.press("F1")
    screen = tmux.wait_for("Help")
    for text in (tmux.screen(), screen):
        assert not {it for it in text if ord(it) > 255} - set("─│┌┐└┘├┤┬┴┼█▀▄▌▐░▒▓←↑→↓≤≥√•")
    assert all(len(plain) == 1 for plain in PLAIN.values())


def test_what_is_written_to_a_terminal_that_is_gone_keeps_nothing_waiting() -> None:
    """Textual's writer ends with the first write that fails; its queue of 30 is full soon."""
    master, slave = os.openpty()
    with os.fdopen(slave, "w", closefd=False) as file:
        os.close(master)
        writer = WriterThread(cast("TextIO", Outlet(file, lambda: None)))
        writer.start()
        for _ in range(2 * MAX_QUEUED_WRITES):
            writer.write("lost")
        writer.stop()
        assert not writer.is_alive()
        os.dup2(
            os.open(os.devnull, os.O_WRONLY), slave
        )  # where the rest goes as the file is closed
    os.close(slave)
