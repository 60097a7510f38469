"""ctrl+o hands the terminal to $EDITOR and takes it back, in a real terminal."""

from collections.abc import Callable
from pathlib import Path

import pytest

from .tmux import HAS_TMUX, Tmux

pytestmark = pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
Closing = list[Callable[[], object]]


@pytest.mark.parametrize("variable", ["EDITOR", "LLAMADIFF_EDITOR"])
def test_the_prompt_file_is_edited_outside(
    closing: Closing, home: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", "false")
    monkeypatch.setenv(variable, "sed -i s/dogs/otters/")
    tmux = Tmux(120, 40, home)
    closing.append(tmux.close)
    tmux.wait_for("topic = dogs")
    tmux.press("C-o")
    screen = tmux.wait_for("topic = otters")
    assert "edited" in screen


def test_an_editor_that_is_not_there_is_said(
    closing: Closing, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "no-such-editor")
    tmux = Tmux(120, 40, home)
    closing.append(tmux.close)
    tmux.wait_for("topic = dogs")
    tmux.press("C-o")
    tmux.wait_for("cannot start no-such-editor: not found")
    tmux.type("!")
    tmux.wait_for("{{ topic }}.!")


@pytest.mark.parametrize(
    ("editor", "said"), [("rm", "rm removed the file"), ("false", "false ended with 1")]
)
def test_an_editor_that_leaves_no_text_changes_nothing(
    closing: Closing, home: Path, monkeypatch: pytest.MonkeyPatch, editor: str, said: str
) -> None:
    monkeypatch.setenv("VISUAL", editor)
    tmux = Tmux(120, 40, home)
    closing.append(tmux.close)
    tmux.wait_for("topic = dogs")
    tmux.press("C-o")
    tmux.wait_for(said)
    tmux.type("!")
    tmux.wait_for("{{ topic }}.!")
