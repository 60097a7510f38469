"""The log: what llamadiff never should have done is in it with a traceback, or why it is not."""

import logging
import os
import pty
import select
import subprocess
import sys
import time
from pathlib import Path

import pytest

from llamadiff.tui.cli.commands import exit_code
from llamadiff.tui.log import LogFile, keep_log
from llamadiff.tui.paths import log_dir


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LLAMADIFF_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture(autouse=True)
def no_log_is_left():
    """Of this test, nor of those before it."""
    remove_logs()
    yield
    remove_logs()


def remove_logs() -> None:
    root = logging.getLogger()
    for it in [it for it in root.handlers if isinstance(it, LogFile)]:
        root.removeHandler(it)


def odd() -> Exception:
    try:
        raise RuntimeError("oddity")
    except RuntimeError as error:
        return error


def test_it_is_made_with_the_first_thing_there_is_to_say(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_log()
    file = log_dir() / "llamadiff.log"
    assert not file.exists()
    assert exit_code(odd()) == 3 and str(file) in capsys.readouterr().err
    text = file.read_text()
    assert "Traceback" in text and text.count("RuntimeError: oddity") == 1
    keep_log()
    logging.getLogger("part").warning("a part warns")
    assert file.read_text().count("a part warns") == 1


def test_where_it_cannot_be_written_that_is_said(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (log_dir() / "llamadiff.log").mkdir()
    assert exit_code(odd()) == 3
    said = capsys.readouterr().err
    assert "RuntimeError: oddity; and no log can be written" in said


FAILING = """
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.cli.main import main

def fail(self):
    raise RuntimeError("oddity")

LlamadiffApp.action_help = fail
main([])
"""


def test_an_app_that_fails_leaves_the_terminal_and_says_one_line(home: Path) -> None:
    ours, theirs = pty.openpty()
    app = subprocess.Popen(
        [sys.executable, "-c", FAILING],
        stdin=theirs, stdout=theirs, stderr=theirs, env={**os.environ, "TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(theirs)
    said, end = b"", time.monotonic() + 60
    while time.monotonic() < end:
        if not select.select([ours], [], [], 0.2)[0]:
            if b"all commands" in said:
                os.write(ours, b"\x1bOP")  # F1; once its keys are taken
            continue
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # Linux: the other end is closed
            part = b""
        if not part:
            break
        said += part
    os.close(ours)
    assert app.wait(60) == 3
    last = said.decode().replace("^[OP", "").rstrip().splitlines()[-1]  # F1s that came too late
    assert "something unexpected happened (RuntimeError); the details are in" in last
    assert b"Traceback" not in said
    assert "RuntimeError: oddity" in (log_dir() / "llamadiff.log").read_text()
