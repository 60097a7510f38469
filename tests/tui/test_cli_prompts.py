"""`llamadiff prompts` as a shell runs it, and where a person's own prompts lie."""

from __future__ import annotations

import json
import os
import shlex
from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.prompts.parse import load_prompt

from ..compare.history.runs import keep, made
from ..compare.history.runs import opened as opened_history
from .test_cli import llamadiff

MINE = '# mine\nname = "Mine"\ntags = ["own"]\nuser = "Tell me about {{ topic }}."\n'


@pytest.fixture
def own(home: Path) -> Path:
    """The person's own folder, with a prompt in it."""
    folder = home / "config" / "prompts"
    folder.mkdir(parents=True)
    (folder / "mine.toml").write_text(MINE)
    return folder


def test_list_finds_own_shipped_and_configured_prompts(own: Path, tmp_path: Path) -> None:
    (tmp_path / "team.toml").write_text(MINE.replace("Mine", "Team"))
    (tmp_path / "broken.toml").write_text("name =")
    listed = json.loads(llamadiff("prompts", "list", "--json", LLAMADIFF_PROMPTS=str(tmp_path)).stdout)  # fmt: skip
    assert set(listed[0]) == {"name", "slug", "path", "tags", "description", "shipped", "problem"}
    by_slug = {it["slug"]: it for it in listed}
    assert by_slug["mine"]["path"] == str(own / "mine.toml") and by_slug["mine"]["tags"] == ["own"]
    assert by_slug["team"]["shipped"] is False and by_slug["support"]["shipped"] is True
    assert "not valid TOML" in by_slug["broken"]["problem"]
    done = llamadiff("prompts", "list", "#own")
    assert "mine" in done.stdout and "support" not in done.stdout
    assert "line 1" in llamadiff("prompts", "list", LLAMADIFF_PROMPTS=str(tmp_path)).stderr


def test_own_prompts_are_known_to_every_command(own: Path) -> None:
    done = llamadiff("run", "-p", "mine", "--var", "topic=dogs")
    assert done.returncode == 0 and done.stdout.strip()
    done = llamadiff("run", "-p", "mien")
    assert done.returncode == 2 and "did you mean mine" in done.stderr
    complete = {"_LLAMADIFF_COMPLETE": "bash_complete", "COMP_CWORD": "3"}
    done = llamadiff(COMP_WORDS="llamadiff prompts show mi", **complete)
    assert done.stdout.split() == ["plain,mine"]


def test_show_prints_the_file_and_what_is_seldom_meant(own: Path) -> None:
    done = llamadiff("prompts", "show", "mine")
    assert (done.returncode, done.stdout) == (0, MINE)
    assert "topic is not declared" in done.stderr
    (own / "house.toml").write_text('system = "Be brief."')
    (own / "mine.toml").write_text(MINE + 'include = ["house.toml"]\n')
    document = json.loads(llamadiff("prompts", "show", "mine", "--json").stdout)
    assert (document["system"], document["include"]) == ("Be brief.", [str(own / "house.toml")])
    assert document["warnings"][0]["field"] == "variables.topic"


def test_render_gives_messages_text_or_tokens() -> None:
    render = ("prompts", "render", "tell-me-about", "--var", "topic=cats")
    done = llamadiff(*render, "--layer", "messages")
    assert done.stdout == "── user ──\nTell me about cats.\n"
    document = json.loads(llamadiff(*render, "--layer", "messages", "--json").stdout)
    assert document["messages"] == [{"role": "user", "content": "Tell me about cats."}]
    done = llamadiff(*render)
    assert done.returncode == 0 and done.stdout.endswith("<|assistant|>\n")
    document = json.loads(llamadiff(*render, "--json").stdout)
    assert document["text"] == done.stdout[:-1] and document["message_tokens"] == [5]
    rows = llamadiff(*render, "--layer", "tokens").stdout.splitlines()
    assert [int(row.split()[0]) for row in rows[1:]] == document["tokens"]


def test_export_gives_what_others_take(tmp_path: Path, own: Path) -> None:
    export = ("prompts", "export", "mine", "--format")
    messages = json.loads(llamadiff(*export, "messages", "--templates").stdout)
    assert messages == [{"role": "user", "content": "Tell me about {{ topic }}."}]
    chat = json.loads(llamadiff(*export, "chat", "--var", "topic=cats").stdout)
    assert chat["messages"][0]["content"] == "Tell me about cats."
    assert llamadiff(*export, "text", "--var", "topic=cats").stdout == "Tell me about cats.\n"
    out = tmp_path / "out.toml"
    done = llamadiff(*export, "toml", "-o", str(out))
    assert done.stdout == f"{out}\n" and 'name = "Mine"' in out.read_text()
    tokens = llamadiff(*export, "tokens", "--var", "topic=cats").stdout.split()
    text = llamadiff(*export, "prompt", "--var", "topic=cats").stdout
    assert "Tell me about cats." in text and "<|user|>" in text
    command = shlex.split(llamadiff(*export, "curl", "--var", "topic=cats").stdout)
    body = json.loads(command[command.index("-d") + 1])
    assert command[0] == "curl" and body["prompt"] == list(map(int, tokens))
    assert body["n_predict"] == 512 and body["seed"] == 0


def test_import_puts_prompts_among_ones_own(tmp_path: Path, home: Path) -> None:
    (tmp_path / "Ask me.txt").write_text("Who is {{ name }}?\n---\nWhy?")
    (tmp_path / "chat.json").write_text('[{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "x"}]')  # fmt: skip
    files = (str(tmp_path / "Ask me.txt"), str(tmp_path / "chat.json"))
    done = llamadiff("prompts", "import", *files, "--tag", "new")
    own = home / "config" / "prompts"
    assert done.stdout.split() == [str(own / f"{it}.toml") for it in ("ask-me-1", "ask-me-2", "chat")]  # fmt: skip
    assert "chat: the answer at the end is left out." in done.stderr
    assert (own.stat().st_mode & 0o777) == 0o700
    assert 'tags = ["new"]' in (own / "chat.toml").read_text()
    assert llamadiff("prompts", "render", "chat", "--layer", "messages").stdout.endswith("Hi\n")
    before = {path: path.read_text() for path in own.iterdir()}
    (tmp_path / "fresh.txt").write_text("Hi")
    done = llamadiff("prompts", "import", str(tmp_path / "fresh.txt"), *files)
    assert done.stdout.split() == [
        str(own / f"{it}.toml") for it in ("fresh", "ask-me-1-2", "ask-me-2-2", "chat-2")
    ]
    assert {path: path.read_text() for path in before} == before


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("show", "sentimnt"), "did you mean sentiment"),
        (("show",), "PROMPT"),
        (("render", "support", "--var", "x=1"), "support"),
        (("render", "support", "-m", "no-such-model"), "no-such-model"),
        (("export", "support", "--format", "yaml"), "yaml"),
        (("export", "support", "--templates"), "--templates goes with"),
        (("export", "support", "--var", "message=a"), "leave out --var"),
        (("export", "support", "-o", "/no/such/x"), "cannot be written"),
        (("import", "/no/such.txt"), "there is no text file"),
        (("import", "/no/such.yaml"), "must end in"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_mistakes_are_one_line(arguments: tuple[str, ...], says: str) -> None:
    done = llamadiff("prompts", *arguments)
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and says.lower() in done.stderr.lower()


def test_control_characters_of_a_prompt_do_not_reach_a_terminal(own: Path) -> None:
    import pty
    import subprocess

    from .test_cli import LLAMADIFF

    (own / "bad.toml").write_text('name = "B"\nuser = "a\\u001b[2Jb"\n')
    ours, theirs = pty.openpty()
    subprocess.run([LLAMADIFF, "prompts", "render", "bad"], stdout=theirs, stderr=subprocess.DEVNULL, check=True)  # fmt: skip
    os.close(theirs)
    seen = b""
    while True:
        try:
            chunk = os.read(ours, 4096)
        except OSError:
            break
        if not chunk:
            break
        seen += chunk
    os.close(ours)
    assert b"\x1b" not in seen and b"[2Jb" in seen


def test_a_version_leads_to_its_runs(own: Path, home: Path) -> None:
    first = load_prompt(own / "mine.toml")
    one, two = made("a", prompt=first), made("b", prompt=replace(first, user="Other"))
    with opened_history(home / "state") as history:
        keep(history, one, two)
        history.saved(first)
        history.name_version(history.versions(first)[0].id, "the good one")
    newer, older = json.loads(llamadiff("prompts", "versions", "mine", "--json").stdout)
    assert (newer["name"], newer["saved"], older["saved"], older["runs"]) == ("the good one", False, True, 1)  # fmt: skip
    shown = llamadiff("prompts", "versions", "mine").stdout
    assert "the good one" in shown and "yes" in shown
    listed = llamadiff("history", "list", "--version", str(older["id"]), "--json").stdout
    assert [run["run_id"] for run in json.loads(listed)] == [one.id]
    diff = ("prompts", "versions", "mine", "--diff", str(older["id"]))
    done = llamadiff(*diff, str(newer["id"]))
    assert done.stdout.startswith("user\n") and "{+Other+}" in done.stdout
    (change,) = json.loads(llamadiff(*diff, str(newer["id"]), "--json").stdout)
    assert change == {"field": "user", "before": first.user, "after": "Other"}
    assert "no difference" in llamadiff(*diff, str(older["id"])).stderr
    done = llamadiff(*diff, "99")
    assert done.returncode == 2 and "has no version 99" in done.stderr
