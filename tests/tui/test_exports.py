"""Runs and comparisons written to files: from the command line, and with `w` from every screen."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from llamadiff.compare.history.entries import Side
from llamadiff.compare.history.forms import pair_text
from llamadiff.compare.history.page import as_html
from llamadiff.compare.history.pair import as_document, compared
from llamadiff.compare.run import Run
from llamadiff.tui.screens.compare import Compare
from llamadiff.tui.screens.history import History
from llamadiff.tui.screens.write_output import WriteOutput

from ..compare.history.runs import answered, forget_what_was_replied_to, keep, made
from ..compare.history.runs import opened as opened_history
from ..conftest import until
from .app import PLAIN, SHOP, StillApp, paste, playground, screen_text, told
from .test_cli import llamadiff
from .test_history_commands import Page

ONE = "<think> Nile? </think> The Nile is long.\n\n1. Its source is far.\n2. It floods.\n\nSo they say."
TWO = "<think> Amazon! </think> The Nile is very long.\n\n1. Its source is near.\n2. It floods.\n\nSo they say."
EVIL = "<script>alert(1)</script><img src=x onerror=y>\"'&amp;\x1b[2J\x00 \u202eabc \ud800 ```\n# x"


def kept(folder: Path, *runs: Run) -> list[Side]:
    """The first output of each of these runs, read back from a history."""
    with opened_history(folder) as history:
        keep(history, *runs)
        return [Side(it, it.run.outputs[0]) for it in (history.recorded(run.id) for run in runs)]


def texts(tmp_path: Path, *said: str) -> dict[str, str]:
    """A comparison of two in all formats."""
    one, two = kept(tmp_path, *(made(it) for it in said))
    pair = compared(one.output, two.output)
    return {form: pair_text(pair, (one, two), form) for form in ("json", "markdown", "html")}


def test_answers_are_compared_in_one_text_and_line_beside_line(tmp_path: Path) -> None:
    written = texts(tmp_path, ONE, TWO)
    found = json.loads(written["json"])
    assert (found["words_added"], found["words_removed"], found["equal"]) == (2, 1, False)
    assert found["first_divergence"]["token"] == 6 and found["a"]["output"]["text"].startswith("<think>")  # fmt: skip
    assert "".join(it["text"] for it in found["pieces"] if it["kind"] != "removed") == TWO.partition("</think> ")[2] + " "  # fmt: skip
    assert found["a"]["run_id"] != found["b"]["run_id"] and found["b"]["model"]["sha256"]
    assert "The Nile is {+very +}long." in written["markdown"]
    assert "source is [-far-]{+near+}." in written["markdown"] and ONE in written["markdown"]
    rows = re.findall(r'<div class="(?:text|gap)[^>]*>(.*?)</div>', written["html"].split('class="beside"')[1])  # fmt: skip
    pairs = list(zip(rows[::2], rows[1::2], strict=False))
    assert ("1. Its source is <del>far</del>.", "1. Its source is <ins>near</ins>.") in pairs
    assert ("2. It floods.", "2. It floods.") in pairs
    page = Page(written["html"])
    assert "+2 −1 words · " in page.text and "parts at token 7" in page.text
    assert "Reasoning of" in page.text and "Amazon!" in page.text


def test_no_format_is_broken_by_what_a_model_says(tmp_path: Path) -> None:
    written = texts(tmp_path, EVIL, f"{EVIL} more")
    page = Page(written["html"])
    assert not {"script", "img", "link", "b", "i", "em", "u"} & set(page.tags)
    assert page.links == [] and "url(" not in written["html"] and "http" not in written["html"]
    assert not set("\x1b\x00\u202e") & set(written["html"])
    assert "<script>alert(1)</script>" in page.text
    assert "\n````text\n" in written["markdown"] and "{+more +}" in written["markdown"]
    for text in written.values():
        text.encode()


def test_equal_texts_are_said_to_be(tmp_path: Path) -> None:
    written = texts(tmp_path, "the same", "the same")
    assert "the same text" in written["markdown"] and json.loads(written["json"])["equal"]
    assert "ins" not in Page(written["html"]).tags


def test_a_conversation_is_exported_turn_by_turn(tmp_path: Path) -> None:
    first = made("Dogs bark.", "Dogs sleep.")
    second = answered(first, "Why so?", "Because.")
    with opened_history(tmp_path) as history:
        keep(history, first, second)
        text = as_html([history.recorded(second.id)])
    forget_what_was_replied_to(tmp_path / "history.db")
    with opened_history(tmp_path) as history:
        alone = history.recorded(second.id)
    cards = Page(text).text.split("B · ")[1]
    order = ["Dogs bark", "Dogs sleep", "Why so?", "the same as A", "Because"]
    places = [cards.replace("bark.sleep", "bark. Dogs sleep").find(it) for it in order[2:]]
    assert places == sorted(places) and -1 not in places
    assert "<del>bark</del>" in text and '<ins class="after">sleep</ins>' in text
    assert "you, to a run that is gone" in as_html([alone])


def test_the_command_writes_a_comparison_in_the_format_asked_for(home: Path) -> None:
    first, other = made("dogs bark", "cats purr"), made("dogs bark loudly")
    kept(home / "state", first, other)
    for name, start in (("x.html", "<!DOCTYPE"), ("x.md", "# A of"), ("x.json", '{\n  "schema"')):
        done = llamadiff("history", "diff", first.id, other.id, "-o", str(home / name))
        assert (done.returncode, done.stdout, done.stderr) == (1, "", "")
        assert (home / name).read_text("utf-8").startswith(start)
    found = json.loads(llamadiff("history", "diff", first.id, other.id, "--json").stdout)
    assert found == json.loads((home / "x.json").read_text())
    same = [f"{first.id}:B", f"{first.id}:B"]
    assert llamadiff("history", "diff", *same, "-o", str(home / "y.html")).returncode == 0
    for args in (["-o", str(home / "x.pdf")], ["-o", str(home / "z" / "x.md")], ["--json", "-o", "x.md"]):  # fmt: skip
        done = llamadiff("history", "diff", *same, *args)
        assert done.returncode == 2 and "Traceback" not in done.stderr
    assert ".json, .md, .markdown, .html, .htm" in llamadiff("history", "diff", *same, "-o", "x.pdf").stderr  # fmt: skip


@asynccontextmanager
async def compared_on_screen(home: Path, size: tuple[int, int]) -> AsyncIterator[Pilot[None]]:
    """Compare, on two outputs of one run."""
    kept(home / "state", made("dogs bark", "dogs purr"))
    async with StillApp(home).run_test(size=size) as pilot:
        await pilot.press("f9")
        await until(lambda: isinstance(pilot.app.screen, History))
        await until(lambda: "dogs" in screen_text(pilot))
        await pilot.press("down", "up")
        yield pilot


async def written(pilot: Pilot[None], path: Path) -> str:
    """What `w` writes to this path."""
    await pilot.press("w")
    await until(lambda: isinstance(pilot.app.screen, WriteOutput))
    await pilot.press("ctrl+u")
    await paste(pilot, str(path))
    await pilot.press("enter")
    await until(lambda: not isinstance(pilot.app.screen, WriteOutput))
    await until(lambda: path.name in told(pilot))
    return path.read_text("utf-8")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)])
async def test_w_writes_what_the_screen_shows_in_every_format(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with compared_on_screen(tmp_path, size) as pilot:
        assert size == (80, 24) or "w write" in screen_text(pilot)
        assert json.loads(await written(pilot, tmp_path / "run.json"))["variants"][1]["outputs"]
        assert "# Run" in await written(pilot, tmp_path / "run.md")
        assert "<del>bark</del>" in await written(pilot, tmp_path / "run.html")
        picture = await written(pilot, tmp_path / "run.svg")
        assert "History" in picture and "Write" not in picture
        await pilot.press("d")
        await until(lambda: isinstance(pilot.app.screen, Compare))
        await until(lambda: "purr" in screen_text(pilot))
        assert "w write" in screen_text(pilot)
        found = json.loads(await written(pilot, tmp_path / "pair.json"))
        assert (found["a"]["name"], found["b"]["name"], found["words_added"]) == ("A", "B", 1)
        assert "# A → B" in await written(pilot, tmp_path / "pair.md")
        assert "side by side" in await written(pilot, tmp_path / "pair.html")
        assert "Compare" in await written(pilot, tmp_path / "pair.svg")


async def test_w_in_the_playground_writes_all_outputs_too(tmp_path: Path) -> None:
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        state = playground(pilot).playground
        state.outputs["C"].follows, state.outputs["C"].reply = state.outputs["A"], "Why?"
        await pilot.press("escape", "3", "b")
        page = Page(await written(pilot, tmp_path / "all.html"))
        assert page.tags.count("section") == 3 and page.text.index("C · ") < page.text.index("A · ")
        assert SHOP in page.text and "Why?" in page.text and "not in C" in page.text
        found = json.loads(await written(pilot, tmp_path / "all.json"))
        assert [it["name"] for it in found["variants"]] == ["C", "A", "B"]
        assert found["variants"][0]["outputs"][0]["text"] == PLAIN
        (turn,) = found["turns"]
        assert turn["variants"][0]["outputs"][0]["text"] == SHOP and turn["diffs"] == []
        assert "<svg" in await written(pilot, tmp_path / "all.svg")


async def test_a_picture_is_not_written_over_a_file_unasked(tmp_path: Path) -> None:
    (tmp_path / "mine.svg").write_text("mine")
    async with StillApp(tmp_path).run_test(size=(120, 40)) as pilot:
        await pilot.press("escape", "w")
        await until(lambda: isinstance(pilot.app.screen, WriteOutput))
        await pilot.press("ctrl+u")
        await paste(pilot, str(tmp_path / "mine.svg"))
        await pilot.press("enter")
        await until(lambda: "already; enter again" in screen_text(pilot))
        assert (tmp_path / "mine.svg").read_text() == "mine"


def test_compared_documents_keep_the_names_they_had(tmp_path: Path) -> None:
    one, two = kept(tmp_path, made("a b"), made("a c"))
    found = as_document(compared(one.output, two.output), (one, two))
    shipped = {"equal", "first_divergence", "words_added", "words_removed", "words_moved", "similarity"}  # fmt: skip
    assert shipped <= set(found)
