"""`llamadiff history` beyond looking: marks, runs made again, pages, and what is kept how long."""

import json
import os
import sqlite3
import subprocess
import time
from html.parser import HTMLParser
from pathlib import Path

import pytest
from textual.command import CommandList, CommandPalette

from llamadiff.compare.history.history import History
from llamadiff.compare.history.page import as_html
from llamadiff.compare.run import State
from llamadiff.tui.config.current import history_days

from ..compare.history.runs import aged, answered, forget_what_was_replied_to, keep, made
from ..compare.history.runs import opened as opened_history
from ..conftest import until
from .app import StillApp, playground, setup, told
from .test_cli import PROMPT, llamadiff

VARIANTS = ("--variant", "label=plain", "--variant", "label=tuned,adapter=support@0.8")


def test_tags_and_notes_are_given_and_taken_off() -> None:
    llamadiff("run", *PROMPT)
    done = llamadiff("history", "tag", "last", "good", "two", "--json")
    assert json.loads(done.stdout)["tags"] == ["good", "two"]
    done = llamadiff("history", "note", "last", "why \x1b[2J not", "--json")
    assert json.loads(done.stdout)["note"] == "why \x1b[2J not"
    assert "\x1b" not in llamadiff("history", "note", "last", "why \x1b[2J not").stderr
    assert "#good #two" in llamadiff("history", "list", "--tag", "good").stdout
    assert "good, two" in llamadiff("history", "tag", "last").stderr
    assert llamadiff("history", "tag", "last", "x", "--clear").returncode == 2
    assert json.loads(llamadiff("history", "tag", "last", "--json").stdout)["tags"] == ["good", "two"]  # fmt: skip
    assert "no tags" in llamadiff("history", "tag", "last", "--clear").stderr
    assert json.loads(llamadiff("history", "show", "last", "--json").stdout)["tags"] == []


def test_a_run_is_made_again_and_compared_with_then(home: Path) -> None:
    prompt = home / "own.toml"
    prompt.write_text('name = "Own"\nuser = "Tell me about {{ topic }}."\n[sampling]\nseed = 5\n')
    first = llamadiff("run", "-p", str(prompt), *VARIANTS, "--var", "topic=cats", "--repeat", "2", "-c", "512", "--json")  # fmt: skip
    then = json.loads(first.stdout)
    prompt.write_text('name = "Own"\nuser = "Something else."\n')
    done = llamadiff("history", "run", "last", "--json")
    now = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert [it["equal"] for it in now["against_then"]] == [True] * 4
    assert now["again"] == then["run_id"] != now["run_id"] and now["changed_files"] == []
    assert now["engine"]["n_ctx"] == 512
    assert now["variants"][1]["outputs"][1]["seed"] == 6
    assert now["variants"][0]["prompt"] == then["variants"][0]["prompt"]
    assert len(json.loads(llamadiff("history", "list", "--json").stdout)) == 2

    with sqlite3.connect(home / "state" / "history.db") as connection:
        connection.execute("UPDATE texts SET text = 'x ' || text WHERE id % 4 = 1")
        connection.execute("UPDATE outputs SET stamp = replace(stamp, '\"model_sha256\":\"', '\"model_sha256\":\"ff')")  # fmt: skip
    done = llamadiff("history", "run", then["run_id"][:6], "--no-history")
    assert done.returncode == 1
    assert done.stdout.count("same as then") == 3 and "[-x -]" in done.stdout
    assert "is not the file it was" in done.stderr
    assert len(json.loads(llamadiff("history", "list", "--json").stdout)) == 2


def test_a_run_that_went_on_in_a_full_context_does_so_again(home: Path) -> None:
    prompt, bias = home / "endless.toml", "".join(f"{token} = -100.0\n" for token in range(8))
    prompt.write_text(f'name = "Endless"\nuser = "Go on."\n[sampling]\nmax_tokens = 300\n[sampling.logit_bias]\n{bias}')  # fmt: skip
    first = llamadiff("run", "-p", str(prompt), "-c", "256", "--context-shift", "--json")
    then = json.loads(first.stdout)
    assert then["engine"]["context_shift"] is True, first.stderr
    assert then["variants"][0]["outputs"][0]["finish_reason"] == "length"
    done = llamadiff("history", "run", "last", "--json")
    assert done.returncode == 0, done.stderr
    now = json.loads(done.stdout)
    assert now["engine"]["context_shift"] is True and now["against_then"][0]["same"]


def test_a_reply_is_made_again_in_its_conversation() -> None:
    first = llamadiff("run", *PROMPT, *VARIANTS, "--reply", "Why?", "--json")
    (then,) = json.loads(first.stdout)["turns"]
    done = llamadiff("history", "run", "last", "--json")
    now = json.loads(done.stdout)
    assert done.returncode == 0, done.stderr
    assert now["again"] == then["run_id"]
    for old, new in zip(then["variants"], now["variants"], strict=True):
        assert new["prompt"] == old["prompt"]
        told = [(it["continues"], it["reply"], it["text"]) for it in (*old["outputs"], *new["outputs"])]  # fmt: skip
        assert told[0] == told[1]


def test_a_reply_without_its_turn_before_is_not_made_again(home: Path) -> None:
    first = made("one", "two")
    reply = answered(first, "Why?", "Because")
    with opened_history(home / "state") as history:
        keep(history, first, reply)
    forget_what_was_replied_to(home / "state" / "history.db")
    done = llamadiff("history", "run", reply.id)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
    assert "what A, B reply to is not in the history any more" in done.stderr
    assert "reply to a run that is gone: Why?" in llamadiff("history", "show", reply.id).stderr


def test_runs_are_listed_with_what_was_asked_and_how_they_went(home: Path) -> None:
    first, stopped = made("Ones"), made("The same", values={"topic": "wolves\x1b"})
    stopped.outputs[0].state = State.CANCELLED
    with opened_history(home / "state") as history:
        keep(history, first, answered(first, "Why so?", "Because"), stopped)
    listed = llamadiff("history", "list").stdout
    assert "stopped · Tell wolves␛ → The same" in listed and "↳ Why so? → Because" in listed
    assert "  Tell dogs → Ones" in listed
    newest, reply, _ = json.loads(llamadiff("history", "list", "--json").stdout)
    assert (newest["asked"], newest["reply"], reply["reply"]) == ("Tell wolves\x1b", "", "Why so?")
    assert newest["outputs"][0]["state"] == "cancelled"


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [f"{name}={value}" for name, value in attrs if name in ("src", "href", "style") or name.startswith("on")]  # fmt: skip

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_page_holds_all_and_needs_nothing(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=y>&amp;\x1b[2J\x00 \u202eabc \ud800"
    run = made(evil, f"{evil} more", values={"topic": "<b>dogs</b>"})
    run.outputs[0].error = "<i>bad</i>"
    run.outputs[1].reply = "<em>so</em>"
    with opened_history(tmp_path) as history:
        keep(history, run)
        history.annotate(run.id, "<u>note</u>")
        history.tag(run.id, ["a&b"])
        text = as_html([history.recorded(run.id)])
    page = Page(text)
    assert not {"script", "img", "link", "b", "i", "em", "u", "iframe"} & set(page.tags)
    assert page.links == [] and "url(" not in text and "http" not in text
    assert {"ins", "div", "details"} <= set(page.tags) and "prefers-color-scheme: dark" in text
    for part in ("<script>alert(1)</script>", "&amp;", "<b>dogs</b>", "<u>note</u>", "a&b", "<i>bad</i>", "<em>so</em>", "3f9a"):  # fmt: skip
        assert part in page.text
    assert not set("\x1b\x00\u202e") & set(text)
    text.encode()


def test_pages_and_markdown_are_exported(home: Path) -> None:
    llamadiff("run", *PROMPT, *VARIANTS)
    for _ in range(2):
        assert llamadiff("history", "export", "last", "last", "-o", str(home / "x.html")).returncode == 0  # fmt: skip
    assert (home / "x.html").read_text("utf-8").count("<h1>") == 2
    for name in ("x.pdf", "x"):
        done = llamadiff("history", "export", "last", "-o", str(home / name))
        assert done.returncode == 2 and not (home / name).exists()
        assert ".json, .md, .markdown, .html, .htm" in done.stderr and done.stderr.count("\n") == 1
    assert not llamadiff("history", "export", "last", "--format", "html", "-o", str(home / "x")).returncode  # fmt: skip
    assert (home / "x").read_text("utf-8").startswith("<!DOCTYPE")
    assert llamadiff("history", "export", "last", "--format", "html").stdout.startswith("<!DOCTYPE")


def old_and_new(folder: Path) -> list[str]:
    """Runs of 20 days ago: plain, tagged, noted; and one of now. Their ids."""
    runs = [made("xylophone"), made("tagged"), made("noted"), made("new")]
    with opened_history(folder) as history:
        keep(history, *runs)
        history.tag(runs[1].id, ["keep"])
        history.annotate(runs[2].id, "keep")
    aged(folder / "history.db", {run.id: 20 for run in runs[:3]})
    return [run.id for run in runs]


def test_a_run_with_replies_is_removed_with_them_alone(home: Path) -> None:
    first = made("Xylophone")
    second = answered(first, "Why?", "Because")
    third = answered(second, "So?", "Yes")
    cached = home / "cache" / "prompts" / "x.kv"
    cached.parent.mkdir(parents=True)
    cached.write_bytes(b"Xylophone")
    with opened_history(home / "state") as history:
        keep(history, first, second, third)
    done = llamadiff("history", "rm", first.id)
    assert (done.returncode, done.stdout) == (2, "") and done.stderr.count("\n") == 1
    assert f"{second.id}, {third.id} go on from the run {first.id}" in done.stderr
    assert "--with-replies" in done.stderr and cached.exists()
    done = llamadiff("history", "rm", second.id)
    assert f"{third.id} goes on from the run {second.id} and repeats" in done.stderr
    assert "Removed 1 run." in llamadiff("history", "rm", third.id).stderr
    assert not cached.exists()
    done = llamadiff("history", "rm", first.id, "--with-replies", "--json")
    assert json.loads(done.stdout) == {"removed": 2, "evaluations": 0, "wiped": True}
    assert b"ylophone" not in (home / "state" / "history.db").read_bytes()


def test_old_runs_that_stay_are_told(home: Path) -> None:
    ids = old_and_new(home / "state")
    done = llamadiff("history", "rm", "--older-than", "10d")
    assert done.stderr.splitlines()[0] == "Removed 1 run."
    assert "2 as old stay: tagged, noted" in done.stderr
    listed = {run["run_id"] for run in json.loads(llamadiff("history", "list", "--json").stdout)}
    assert listed == set(ids[1:])


async def test_the_app_removes_what_is_older_than_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from llamadiff.tui import removing
    from llamadiff.tui.screens import history_actions

    monkeypatch.setattr(history_actions, "RETIRE_AFTER_S", 0.01)
    retire, retired = removing.retire, list[float]()

    def listening(history: History, folder: Path, days: float) -> None:
        retire(history, folder, days)
        retired.append(days)

    monkeypatch.setattr(removing, "retire", listening)
    ids = old_and_new(tmp_path / "state")
    prompts = tmp_path / "cache" / "prompts"
    prompts.mkdir(parents=True)
    for name, age in (("old", 20), ("new", 0)):
        (prompts / name).touch()
        os.utime(prompts / name, (time.time() - age * 86_400,) * 2)
    for days, left in ((30.0, ids), (10.0, ids[1:])):
        app = StillApp(tmp_path)
        app.setup = replace(setup(tmp_path), history_days=days)
        async with app.run_test() as pilot:
            await until(lambda days=days: days in retired)
            history = playground(pilot).session.history
            assert history is not None
            assert sorted(run.id for run in history.page()) == sorted(left)
    assert b"xylophone" not in (tmp_path / "state" / "history.db").read_bytes()
    assert [it.name for it in prompts.iterdir()] == ["new"]


def test_commands_remove_it_too_and_say_when_the_setting_is_wrong(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = old_and_new(home / "state")
    monkeypatch.setenv("LLAMADIFF_HISTORY_DAYS", "10")
    assert llamadiff("run", *PROMPT).returncode == 0
    listed = {run["run_id"] for run in json.loads(llamadiff("history", "list", "--json").stdout)}
    assert ids[0] not in listed and set(ids[1:]) <= listed and len(listed) == 4
    monkeypatch.setenv("LLAMADIFF_HISTORY_DAYS", "soon")
    done = llamadiff("run", *PROMPT)
    assert done.returncode == 0 and "'soon'" in done.stderr and "Traceback" not in done.stderr
    monkeypatch.setenv("LLAMADIFF_HISTORY_DAYS", "")
    assert history_days() is None


async def test_a_picture_of_the_screen_is_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await pilot.press("ctrl+p", *"picture")
        await until(lambda: isinstance(pilot.app.screen, CommandPalette))
        found = pilot.app.screen.query_one(CommandList)
        await until(lambda: any("picture" in str(it.prompt) for it in found.options[:1]))
        await pilot.press("enter", "enter")
        await until(lambda: "The screen is in" in told(pilot))
    (file,) = tmp_path.glob("*.svg")
    assert "Informative" in file.read_text("utf-8")
    assert time.time() - file.stat().st_mtime < 60


def test_colour_is_for_terminals_alone() -> None:
    import pty

    from .test_cli import LLAMADIFF

    llamadiff("run", *PROMPT, *VARIANTS)
    assert "\x1b" not in llamadiff("history", "diff", "last:A", "last:B").stdout
    ours, theirs = pty.openpty()
    with subprocess.Popen([LLAMADIFF, "history", "diff", "last:A", "last:B"], stdout=theirs) as it:
        os.close(theirs)
        said = b""
        while True:
            try:
                piece = os.read(ours, 4096)
            except OSError:
                break
            if not piece:
                break
            said += piece
        assert it.wait() == 1
    os.close(ours)
    assert b"\x1b[" in said and "\N{SYMBOL FOR ESCAPE}".encode() not in said
