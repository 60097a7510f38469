"""What cannot be written is left out and told: nothing else is lost by it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from llamadiff.prompts.document import Prompt

from .runs import PROMPT, answered, finish, grow, keep, made, opened, start

UNWRITABLE = replace(PROMPT, template={"x": object()})


def test_a_draft_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    trouble: list[str] = []
    with opened(tmp_path, trouble) as history:
        drafts = history.drafts
        drafts.save("before", PROMPT, None)
        drafts.save("broken", UNWRITABLE, None)
        drafts.save("after", PROMPT, None)
        history.flush()
        drafts.save("broken", UNWRITABLE, None)
        keep(history, made("a run goes on being recorded"))
        drafts.save("later", PROMPT, None)
        assert {draft.id for draft in drafts.free()} == {"before", "after", "later"}
        assert len(history.page()) == 1
    assert len(trouble) == 1 and "A draft cannot be kept" in trouble[0]


def test_a_run_that_cannot_be_written_takes_no_other_with_it(tmp_path: Path) -> None:
    trouble: list[str] = []
    with opened(tmp_path, trouble) as history:
        streaming = start()
        grow(streaming.outputs[0], "well so far")
        history.begin(streaming)
        history.flush()
        broken = made("x", prompt=UNWRITABLE)
        huge = made("y")
        huge.outputs[0].seed = 2**70
        keep(history, broken, huge)
        history.drafts.save("a", PROMPT, None)
        finish(streaming.outputs[0])
        finish(streaming.outputs[1])
        history.end(streaming)
        assert [entry.id for entry in history.page()] == [streaming.id]
        assert [draft.id for draft in history.drafts.free()] == ["a"]
    assert len(trouble) == 2 and all("The history leaves out a run" in it for it in trouble)


def test_what_was_removed_does_not_come_back_with_a_reply(tmp_path: Path) -> None:
    trouble: list[str] = []
    first, other = made("a secret"), made("dogs bark")
    with opened(tmp_path, trouble) as history:
        keep(history, first, other)
        history.remove([first.id])
        second = answered(first, "And then?", "more of it")
        keep(history, second)
        keep(history, answered(other, "And cats?", "cats purr"))
        assert [entry.reply for entry in history.page()] == ["And cats?", ""]
        assert trouble == [
            "The history leaves out this run: what it replies to is not in the history any more."
        ]
        keep(history, answered(second, "And then?", "the end"))
        assert len(history.page()) == 2 and len(trouble) == 2
    data = b"".join(file.read_bytes() for file in tmp_path.glob("history.db*"))
    assert b"a secret" not in data and b"dogs bark" in data


def test_half_a_character_anywhere_is_written(tmp_path: Path) -> None:
    run = made("a", values={"topic": "\ud800"})
    run.outputs[0].no_effect = "the adapter \udcff changes nothing"
    run.outputs[0].error = "\udcff"
    with opened(tmp_path) as history:
        keep(history, run)
        assert history.open(run.id).outputs[0].no_effect == "the adapter ? changes nothing"


def test_dates_that_toml_has_are_written(tmp_path: Path) -> None:
    dated = Prompt("dated", user="u", template={"today": date(1979, 5, 27)})
    with opened(tmp_path) as history:
        keep(history, made("a", prompt=dated))
        (version,) = history.versions(dated)
        assert history.version(version.id).template == {"today": "1979-05-27"}
