"""Ratings as they are given, kept, taken back, gone on with, and what they say."""

from __future__ import annotations

import json
import sqlite3
import threading
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation.rows import suite_rows
from llamadiff.compare.evaluation.suite import DatasetSpec, Suite
from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Answer, Rated
from llamadiff.compare.rating.document import results_document
from llamadiff.compare.rating.export import export
from llamadiff.compare.rating.results import Results, results
from llamadiff.compare.rating.session import Rating
from llamadiff.compare.rating.source import Source, load_source
from llamadiff.compare.rating.words import question
from llamadiff.compare.run import State
from llamadiff.compare.variants import Variant
from llamadiff.prompts.datasets import ChatRow, PreferenceRow, read_rows
from llamadiff.prompts.document import Prompt, Variable

from ..history.runs import answered, keep, made, opened
from .evaluations import SECRETS, texts, three


def begun(history: History, what: Rated, rater: str = "anna") -> Rating:
    return Rating(load_source(history, what), history.ratings, rater)


def prefers(rating: Rating, word: str) -> Answer:
    """What somebody says who likes an answer with this word."""
    shown = rating.current
    assert shown is not None
    if (word in shown.first) == (word in shown.second):
        return "tie"
    return "first" if word in shown.first else "second"


def said(history: History, what: Rated, rater: str | None = None) -> tuple[Source, Results]:
    source = load_source(history, what)
    kept, seeds = history.ratings.all(what), history.ratings.seeds(what)
    return source, results(source, kept, seeds, rater)


def test_all_are_rated_and_the_ranking_is_what_was_preferred(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history, 12)
        rating = begun(history, what)
        assert rating.goal == rating.pairs == 36 and rating.same == 0
        while rating.current is not None:
            rating.rate(prefers(rating, "plums"))
        assert rating.over and not rating.more() and rating.done == 36
        source, found = said(history, what)
        best = found.ranking[0]
        assert best.name == "B" and (best.wins, best.losses, best.ties) == (24, 0, 0)
        assert found.counts["tie"] == 12 and found.decided == 24
        assert found.firsts == found.counts["first"] == 24 - found.counts["second"]
        document = results_document(source, found)
        assert document["ranking"][0]["label"] == "quokka"
        assert json.loads(json.dumps(document))["ratings"]["tie"] == 12


def test_it_goes_on_where_it_stopped_with_notes_and_edits(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history)
        rating = begun(history, what)
        for _ in range(5):
            rating.rate("first")
        rating.annotate(" odd \ud800")
        rating.edit("Say this.")
        before = rating.current
        assert before is not None and before.edited == "Say this."
    with opened(tmp_path / "state") as history:
        rating = begun(history, what)
        after = rating.current
        assert after is not None and rating.done == 5
        assert replace(after, note="") == replace(before, note="") and after.note == "odd ?"
        rating.rate("both bad")
        rating.rate("skip")
        assert rating.undo() and rating.done == 6  # the skipped one is back
        rating.rate("tie")
        for _ in range(7):
            assert rating.undo()
        assert rating.done == 0 and not rating.undo()
        assert len(history.ratings.all(what)) == 7
    with opened(tmp_path / "state") as history:
        assert begun(history, what).done == 0
        assert begun(history, what, "ben").done == 0


def test_what_is_taken_back_is_shown_again_on_the_same_sides(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        rating = begun(history, three(tmp_path, history))
        rating.rate("first")
        second = rating.current
        rating.rate("first")
        rating.rate("second")
        assert rating.undo() and rating.undo()
        assert rating.current == second
        rating.rate("second")
        assert [it.answer for it in history.ratings.all(rating.source.what)].count("second") == 1


def test_equal_answers_are_ties_in_the_measure_of_what_was_rated(tmp_path: Path) -> None:
    def alike(row: int, variant: str) -> str:
        return texts(row, variant if row >= 6 else "A") + " \n" * (variant == "B")

    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history, 12, alike)
        rating = begun(history, what)
        assert (rating.pairs, rating.same) == (18, 18)
        rating.rate("first")
        few = said(history, what)[1]
        assert few.rated == 1 and few.same <= 6
        while rating.current is not None:
            rating.rate("second")
        _, all_of_them = said(history, what)
        assert all_of_them.same == 18 and sum(it.ties for it in all_of_them.ranking) == 36
        assert all_of_them.counts["tie"] == 0


def test_errors_are_nothing_to_rate(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history, 6, lambda row, it: None if it == "C" else texts(row, it))
        assert begun(history, what).pairs == 6
        what = three(tmp_path, history, 2, lambda row, it: None)
        with pytest.raises(CompareError, match="no answers of two variants yet"):
            begun(history, what)


def test_two_raters_at_once_on_one_database(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history)
    troubles: list[object] = []

    def rate(name: str) -> None:
        try:
            with opened(tmp_path / "state") as own:
                rating = begun(own, what, name)
                while rating.current is not None:
                    rating.rate(prefers(rating, "plums") if name == "anna" else "first")
        except BaseException as error:
            troubles.append(error)

    threads = [threading.Thread(target=rate, args=(name,)) for name in ("anna", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not troubles
    with opened(tmp_path / "state") as history:
        _, both = said(history, what)
        assert {it.name: it.rated for it in both.raters} == {"anna": 36, "ben": 36}
        assert both.between.units == 36 and both.between.alpha is not None
        assert both.between.alpha < 0.6
        _, ben = said(history, what, "ben")
        assert ben.firsts == 36 and 0.5 not in ben.first_interval
        assert [it.name for it in ben.raters] == ["ben"] and ben.between.units == 0
        assert len(set(history.ratings.seeds(what).values())) == 2


def test_checks_against_people(tmp_path: Path) -> None:
    def score(row: int, variant: str) -> float:
        return 1.0 if variant == "B" else 0.0

    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history, 12, texts, score)
        rating = begun(history, what)
        while rating.current is not None:
            rating.rate(prefers(rating, "plums"))
        _, found = said(history, what)
        by_name = {it.name: it for it in found.checks}
        assert list(by_name) == ["score", "contains", "length"]
        good, bad = by_name["contains"], by_name["length"]
        assert (good.sided, good.decided, good.rows) == (24, 24, 12)
        assert good.agreement.alpha == 1 and good.agreement.units == 36
        assert bad.sided == 0 and bad.agreement.alpha is not None and bad.agreement.alpha < 0.1


def test_a_variant_that_always_wins_is_no_agreement_by_chance(tmp_path: Path) -> None:
    def only_two(row: int, variant: str) -> str | None:
        return texts(row, variant) if variant != "C" else None

    def score(row: int, variant: str) -> float:
        return 1.0 if variant == "B" else 0.0

    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history, 20, only_two, score)
        for name in ("anna", "ben"):
            rating = begun(history, what, name)
            while rating.current is not None:
                rating.rate(prefers(rating, "plums"))
        _, found = said(history, what)
        assert found.between.alpha == 1 and found.checks[0].agreement.alpha == 1


def test_preferences_are_read_back_by_the_reader_of_suites(tmp_path: Path) -> None:
    file = tmp_path / "preferred.jsonl"
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history)
        rating = begun(history, what)
        answers: list[Answer] = ["first", "second", "tie", "both bad", "skip"]
        expected: list[tuple[str, str, str]] = []
        for answer in answers:
            it = rating.current
            assert it is not None
            if answer == "first":
                expected.append((it.question, it.first, it.second))
            if answer == "second":
                expected.append((it.question, it.second, it.first))
            rating.rate(answer)
        source, kept = load_source(history, what), history.ratings.all(what)
        done = export(source, kept, "preferences", file)
        assert (done.rows, done.several_prompts) == (2, True)
        assert done.left_out == {"tie": 1, "both bad": 1, "skip": 1}
        rows = [row for row in read_rows(file) if isinstance(row, PreferenceRow)]
        assert [(it.prompt[-1].content, it.chosen, it.rejected) for it in rows] == expected
        table = json.loads(file.read_text().splitlines()[0])
        assert [it["role"] for it in table["prompt"]] == ["user"]
        assert [it["role"] for it in table["chosen"]] == ["assistant"]
        suite = {
            row.values["user"]: row.expected
            for row in suite_rows(Suite("it", file, DatasetSpec(file), (), ()))
        }
        assert suite == {asked: chosen for asked, chosen, _ in expected}
        plan = history.evaluations.plan(what.key)
        keys = {row.key for row in plan.rows}
        assert {row.values["suite_row"] for row in rows} < keys and len(keys) == len(plan.rows)

        before = file.read_bytes()
        with pytest.raises(CompareError, match="is there already; --replace"):
            export(source, kept, "preferences", file)
        with pytest.raises(CompareError, match=r"must end in \.jsonl"):
            export(source, kept, "preferences", tmp_path / "x.csv")
        with pytest.raises(CompareError, match="no answer was edited"):
            export(source, kept, "instructions", file, replace=True)
        with pytest.raises(CompareError, match="cannot be written"):
            export(source, kept, "preferences", tmp_path / "nowhere" / "x.jsonl")
        assert file.read_bytes() == before
        export(source, kept[:1], "preferences", file, replace=True)
        assert len(file.read_text().splitlines()) == 1


def test_edited_answers_are_instructions(tmp_path: Path) -> None:
    file = tmp_path / "written.jsonl"
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history)
        rating = begun(history, what)
        rating.edit("Line one.\n\u2028 „zwei“ 🦙")
        rating.rate("both bad")
        source = load_source(history, what)
        done = export(source, history.ratings.all(what), "instructions", file)
    assert (done.rows, done.left_out) == (1, {})
    (row,) = read_rows(file)
    assert isinstance(row, ChatRow) and row.messages[-1].content == "Line one.\n\u2028 „zwei“ 🦙"
    (row,) = suite_rows(Suite("it", file, DatasetSpec(file), (), ()))
    assert row.expected == "Line one.\n\u2028 „zwei“ 🦙"


def test_a_run_is_rated_and_removed_with_its_ratings(tmp_path: Path) -> None:
    run = made("Dogs bark.", "Dogs sleep.", "Dogs eat.", values={"topic": "dogs"})
    with opened(tmp_path / "state") as history:
        keep(history, run)
        what = history.ratings.find(run.id[:6])
        assert what == Rated("run", run.id) == history.ratings.find("last")
        rating = begun(history, what)
        assert rating.pairs == 3 and rating.current is not None
        assert rating.current.question == "Tell dogs"
        rating.rate("first")
        history.remove([run.id])
        assert not history.ratings.all(what)


def test_an_answer_to_a_reply_is_rated_with_what_was_replied(tmp_path: Path) -> None:
    first = made("Dogs bark.", "Dogs sleep.")
    turn = answered(first, "And cats?", "Cats purr")
    turn.outputs[1].text += " too"
    file = tmp_path / "rows.jsonl"
    with opened(tmp_path / "state") as history:
        keep(history, first, turn)
        rating = begun(history, Rated("run", turn.id))
        assert rating.current is not None and "And cats?" in rating.current.question
        rating.rate("first")
        export(rating.source, history.ratings.all(rating.source.what), "preferences", file)
    (row,) = read_rows(file)
    assert isinstance(row, PreferenceRow)
    asked = ["Tell dogs", "Dogs bark. ", "And cats?"]
    assert [message.content for message in row.prompt] == asked


def test_reasoning_and_begun_answers_tell_no_variant(tmp_path: Path) -> None:
    prompt = Prompt(
        "p", user="{{ topic }}", variables=(Variable("topic", "dogs"),), prefill="On {{ topic }}:"
    )
    run = made("<think>hm</think> Dogs bark.", "Dogs sleep.", prompt=prompt)
    run.outputs[1].state = State.DONE
    with opened(tmp_path / "state") as history:
        keep(history, run)
        shown = begun(history, Rated("run", run.id)).current
    assert shown is not None
    assert {shown.first.strip(), shown.second.strip()} == {
        "On dogs:Dogs bark.",
        "On dogs:Dogs sleep.",
    }


def test_nothing_of_one_prompt_alone_is_in_the_question(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        source = load_source(history, three(tmp_path, history, 3))
        for row in source.rows:
            assert row.question == row.values["message"]
            assert not any(secret in row.question.lower() for secret in SECRETS)


def test_questions_are_what_all_variants_share() -> None:
    def asked(*users: str, **own: tuple[str, ...]) -> str:
        prompts = [Prompt(f"p{n}", user=user) for n, user in enumerate(users)]
        variants = [
            Variant(name, Path("m.gguf"), "m", prompt, values={k: v[n] for k, v in own.items()})
            for n, (name, prompt) in enumerate(zip("AB", prompts, strict=True))
        ]
        return question(variants, {"topic": "dogs", "tone": "dry", "other": "no"})

    assert asked("On {{ topic }}.", "On {{ topic }}.") == "On dogs."
    assert asked("On {{ topic }}.", "Write of {{ topic }}!") == "dogs"
    assert asked("{{ topic }}", "{{ topic | upper }}, {{ tone }}") == "topic: dogs\ntone: dry"
    own = asked("{{ task }} {{ topic }}", "{{ task }} {{ topic }}", task=("Say it:", "Tell:"))
    assert own == "dogs"
    mixed = asked("{{ tone }} {{ topic }}", "{{ tone }} {{ topic }}", tone=("dry", "wet"))
    assert mixed == "dogs"
    assert asked("Dogs?", "Write of dogs.") == ""


def test_what_people_rated_is_not_removed_for_its_age(tmp_path: Path) -> None:
    run, other = made("Dogs bark.", "Dogs sleep."), made("a", "b")
    with opened(tmp_path / "state") as history:
        keep(history, run, other)
        rated, unrated = (three(tmp_path, history, 2) for _ in range(2))
        begun(history, rated).rate("first")
        begun(history, Rated("run", run.id)).rate("tie")
        begun(history, Rated("run", other.id))
        begun(history, unrated)  # looked at alone
        assert history.retire(datetime.now(UTC) + timedelta(days=1)) == 2
        assert [it.key for it in history.evaluations.entries()] == [rated.key]
        assert history.find("last") == run.id


def test_names(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        with pytest.raises(CompareError, match="nothing that could be rated"):
            history.ratings.find("last")
        older, newer = (three(tmp_path, history, 2) for _ in range(2))
        assert history.ratings.find("last") == history.ratings.find("suite") == newer
        keep(history, alone := made("one"))
        assert history.ratings.find("last") == Rated("run", alone.id)
        assert history.ratings.find(older.key[:8]) == older
        with pytest.raises(CompareError, match="There is no evaluation and no run 'nobody'"):
            history.ratings.find("nobody")
        with pytest.raises(CompareError, match="has one variant alone"):
            begun(history, history.ratings.find("last"))


def test_a_database_of_before_gets_ratings(tmp_path: Path) -> None:
    with opened(tmp_path / "state") as history:
        what = three(tmp_path, history, 2)
    file = tmp_path / "state" / "history.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.executescript(
            "DROP TABLE ratings; DROP TABLE raters;"
            "DELETE FROM migrations WHERE name = 'm008_ratings';"
        )
    with opened(tmp_path / "state") as history:
        begun(history, what).rate("first")
        assert len(history.ratings.all(what)) == 1
