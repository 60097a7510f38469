"""Drafts: kept as typed, also when the program is killed; nobody takes away another's."""

import sqlite3
import subprocess
import sys
import zlib
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llamadiff.compare.history import database
from llamadiff.compare.history.drafts import MOST_SETTLED, MOST_UNDO, Draft, Drafts

from .runs import PROMPT, opened

ROOT = Path(__file__).parents[3]
MINE = replace(PROMPT, path=Path("/prompts/mine.toml"))
OLD = replace(PROMPT, user="as it was")
OTHER = replace(PROMPT, path=Path("/prompts/other.toml"))


def found(drafts: Drafts, *but: str) -> Draft:
    draft = drafts.newest(MINE, but)
    assert draft is not None
    return draft


def typed(words: str) -> str:
    return PROMPT.user + words


def test_a_draft_is_brought_back_as_it_was_saved_last(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        drafts = history.drafts
        assert drafts.newest(MINE) is None and drafts.free() == []
        for i in range(50):
            drafts.save("a", replace(MINE, user=typed("!" * i)), PROMPT, bytes([i]))
        assert found(drafts).prompt.user == typed("!" * 49)
        drafts.save("b", OTHER, None)
    with opened(tmp_path) as history:
        drafts = history.drafts
        again = found(drafts)
        assert (again.prompt.user, again.undo, again.base) == (typed("!" * 49), b"1", PROMPT)
        assert again.at.tzinfo is not None and again.prompt.path == MINE.path
        assert [draft.id for draft in drafts.free(["a"])] == ["b"]
        drafts.drop("a")
        assert drafts.newest(MINE) is None
    with opened(tmp_path) as history:
        assert history.drafts.newest(MINE) is None
        assert history.drafts.newest(OTHER) is not None


def test_two_who_type_in_one_prompt_keep_a_draft_each(tmp_path: Path) -> None:
    with opened(tmp_path) as one, opened(tmp_path) as other:
        one.drafts.save("one", replace(MINE, user=typed(" first")), PROMPT)
        one.flush()
        assert other.drafts.newest(MINE) is None, "it is being typed"
        other.drafts.save("other", replace(MINE, user=typed(" second")), PROMPT)
        other.flush()
        assert [draft.id for draft in one.drafts.free()] == ["one"]
        other.drafts.drop("other")
        other.flush()
        assert found(one.drafts).prompt.user == typed(" first")
        other.drafts.save("other", MINE, OLD)
    with opened(tmp_path) as history:
        assert {draft.id for draft in history.drafts.free()} == {"one", "other"}


def test_a_draft_that_one_goes_on_with_is_nobody_elses(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        history.drafts.save("before", MINE, OLD)
    with opened(tmp_path) as one, opened(tmp_path) as other:
        draft = found(one.drafts)
        one.drafts.take(draft, "now")
        one.flush()
        assert other.drafts.free() == []
        assert found(one.drafts) == replace(draft, id="now") and one.drafts.free(["now"]) == []
    with opened(tmp_path) as history:
        assert [it.id for it in history.drafts.free()] == ["now"]


def test_drafts_of_a_killed_program_are_anybodys(tmp_path: Path) -> None:
    script = (
        "import os, signal, sys; from pathlib import Path; "
        "from tests.compare.history.test_drafts import MINE; from tests.compare.history.runs import *\n"
        "with opened(Path(sys.argv[1])) as history:\n"
        "    history.drafts.save('a', MINE, None); history.flush(); os.kill(os.getpid(), signal.SIGKILL)"
    )
    subprocess.run([sys.executable, "-c", script, str(tmp_path)], cwd=ROOT, check=False)
    with opened(tmp_path) as history:
        assert found(history.drafts).id == "a"
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        # Of another machine nobody can tell, so that it has a day.
        connection.execute("UPDATE drafts SET owner = ?", ('["elsewhere", 1, 1.0]',))
        connection.commit()
        with opened(tmp_path) as history:
            assert history.drafts.newest(MINE) is None
        connection.execute("UPDATE drafts SET at = at - 90000000")
        connection.commit()
    with opened(tmp_path) as history:
        assert history.drafts.newest(MINE) is not None


def test_a_draft_that_cannot_be_read_is_left_out_and_told_once(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        for key in ("a", "b", "c"):
            history.drafts.save(key, MINE, OLD)
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        no_prompt = zlib.compress(b'{"name":"X","messages":[{"role":"user"}]}')
        connection.execute("UPDATE drafts SET content = ? WHERE id = 'a'", (no_prompt,))
        connection.execute("UPDATE drafts SET base = ? WHERE id = 'b'", (b"no zlib",))
        connection.commit()
    trouble: list[str] = []
    with opened(tmp_path, trouble) as history:
        assert [draft.id for draft in history.drafts.free()] == ["c"]
        assert found(history.drafts).id == "c"
        assert len(trouble) == 2 and all("A draft is left out." in it for it in trouble)


def test_a_prompt_that_could_not_run_is_a_draft_all_the_same(tmp_path: Path) -> None:
    broken = replace(MINE, user="{{ \ud83d", output=replace(PROMPT.output, schema={"a": None}))
    with opened(tmp_path) as history:
        history.drafts.save("a", broken, None)
    with opened(tmp_path) as history:
        assert found(history.drafts).prompt == broken


def test_undo_steps_without_end_are_left_out(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        history.drafts.save("a", MINE, None, b"u" * (MOST_UNDO + 1))
        draft = found(history.drafts)
        assert (draft.prompt, draft.undo) == (PROMPT, b"")


def test_what_is_saved_during_a_commit_is_written_by_the_next(tmp_path: Path) -> None:
    meanwhile = replace(MINE, user="typed meanwhile")
    with opened(tmp_path) as history:
        history.drafts.save("a", MINE, None)
        history.flush()
        with closing(database.open_for_writing(history.file)[0]) as connection:
            history.drafts.save("a", MINE, None)
            committed = history.drafts.write(connection)
            history.drafts.save("a", meanwhile, None)
            committed()
        assert found(history.drafts).prompt == meanwhile
    with opened(tmp_path) as history:
        assert found(history.drafts).prompt == meanwhile


def test_undo_steps_alone_are_kept_of_the_newest_and_no_draft_to_be_listed(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        history.drafts.save("typed", MINE, OLD)
        history.drafts.save("settled", MINE, PROMPT, b"steps")
        assert found(history.drafts).id == "typed", "words that are nowhere else come first"
        assert found(history.drafts, "typed").undo == b"steps"
        assert [it.id for it in history.drafts.free()] == ["typed"]
        for number in range(MOST_SETTLED + 5):
            path = Path(f"/prompts/{number}.toml")
            history.drafts.save(f"{number}", replace(PROMPT, path=path), PROMPT)
        history.flush()
    with closing(sqlite3.connect(tmp_path / "history.db")) as connection:
        kept = {key for (key,) in connection.execute("SELECT id FROM drafts")}
    assert len(kept) == 1 + MOST_SETTLED and {"typed", f"{MOST_SETTLED + 4}"} < kept
    assert "settled" not in kept
