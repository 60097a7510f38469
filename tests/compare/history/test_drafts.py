"""Drafts: kept as typed, also when the program is killed."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path

from llamadiff.compare.history import database
from llamadiff.compare.history.content import identity
from llamadiff.compare.history.drafts import MOST_UNDO

from .runs import PROMPT, opened

KEY = identity(PROMPT)


def test_a_draft_is_loaded_as_it_was_saved_last(tmp_path: Path) -> None:
    typed = [replace(PROMPT, user=PROMPT.user + "!" * i) for i in range(50)]
    with opened(tmp_path) as history:
        assert history.drafts.load(KEY) is None
        for i, prompt in enumerate(typed):
            history.drafts.save(KEY, prompt, bytes([i]))
        here = history.drafts.load(KEY)
        assert here is not None and here.prompt == typed[-1]
        history.drafts.save("other", PROMPT)
    with opened(tmp_path) as history:
        again = history.drafts.load(KEY)
        assert again is not None and (again.prompt, again.undo) == (typed[-1], bytes([49]))
        assert again.at.tzinfo is not None
        history.drafts.drop(KEY)
        assert history.drafts.load(KEY) is None
    with opened(tmp_path) as history:
        assert history.drafts.load(KEY) is None
        assert history.drafts.load("other") is not None


def test_a_prompt_that_could_not_run_is_a_draft_all_the_same(tmp_path: Path) -> None:
    broken = replace(PROMPT, user="{{ \ud83d", output=replace(PROMPT.output, schema={"a": None}))
    with opened(tmp_path) as history:
        history.drafts.save(KEY, broken)
    with opened(tmp_path) as history:
        draft = history.drafts.load(KEY)
        assert draft is not None and draft.prompt == broken


def test_undo_steps_without_end_are_left_out(tmp_path: Path) -> None:
    with opened(tmp_path) as history:
        history.drafts.save(KEY, PROMPT, b"u" * (MOST_UNDO + 1))
        draft = history.drafts.load(KEY)
        assert draft is not None and (draft.prompt, draft.undo) == (PROMPT, b"")


def test_what_is_saved_during_a_commit_is_written_by_the_next(tmp_path: Path) -> None:
    typed = replace(PROMPT, user="typed meanwhile")
    with opened(tmp_path) as history:
        history.drafts.save(KEY, PROMPT)
        history.flush()
        with closing(database.open_for_writing(history.file)[0]) as connection:
            history.drafts.save(KEY, PROMPT)
            committed = history.drafts.write(connection)
            history.drafts.save(KEY, typed)
            committed()
        here = history.drafts.load(KEY)
        assert here is not None and here.prompt == typed
    with opened(tmp_path) as history:
        again = history.drafts.load(KEY)
        assert again is not None and again.prompt == typed
