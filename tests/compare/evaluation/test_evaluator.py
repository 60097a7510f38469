"""Evaluations on the real engine: every row answered, its mistakes its own, and the same again."""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation import judging
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.pace import measure_paces
from llamadiff.compare.evaluation.pausing import Pause
from llamadiff.compare.evaluation.scoreboard import scoreboard
from llamadiff.compare.history.history import History
from llamadiff.compare.lens import mean_logprob
from llamadiff.compare.runner import Runner
from llamadiff.models.engine.client import Engine, LoadedModel
from llamadiff.models.engine.protocol import Request
from llamadiff.models.engine.residents import MAX_SEQUENCES
from llamadiff.prompts.rendering.helper import Renderer

from .suites import CHECKS, VARIANTS, evaluated, plan_of, write_rows, write_suite


@pytest.fixture
async def runner(engine: Engine, tmp_path: Path) -> AsyncIterator[Runner]:
    with Renderer() as renderer:
        yield Runner(engine, renderer, cache_dir=tmp_path / "cache")


async def test_every_row_is_answered_by_every_variant_and_repeat(
    runner: Runner, tmp_path: Path
) -> None:
    plan = plan_of(write_suite(tmp_path, 7, "repeats = 3\n" + CHECKS))
    answers = await evaluated(runner, plan)
    assert [it.place for it in answers] == sorted(
        place for group in plan.groups() for place in group.places
    )
    assert len(answers) == 7 * 2 * 3
    assert all(it.error is None and it.text and it.score in (0, 1) for it in answers)
    assert {it.seed for it in answers if it.repeat == 2} == {2}
    assert len({it.text for it in answers if it.variant == "A" and it.row == 0}) > 1
    board = scoreboard(plan, answers)
    assert board.rows == board.planned == 7
    assert board.lines[0].verdict is None and board.lines[1].verdict is not None
    assert sum(tag.rows for tag in board.lines[1].tags) == 7
    noise = board.lines[1].noise
    assert noise is not None and noise.rows == 7


async def test_what_is_missing_alone_gives_the_same_as_all_of_it(
    runner: Runner, tmp_path: Path
) -> None:
    plan = plan_of(write_suite(tmp_path, 30))
    whole = await evaluated(runner, plan)
    groups: list[list[Checked]] = []
    await evaluated(runner, plan, on_group=groups.append)
    kept = [it for group in groups[1::2] for it in group]
    again = await evaluated(runner, plan, kept)
    assert {it.place for it in again}.isdisjoint({it.place for it in kept})
    assert sorted([*kept, *again], key=lambda it: it.place) == whole


async def test_a_chat_of_several_turns_is_asked_to_its_end(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "ask.toml").write_text('name = "Ask"\nuser = "{{ user }}!"\nprefill = "So:"\n')
    ask = '[[variants]]\nprompt = "ask.toml"\nmax_tokens = 4\n'
    counted = '[[checks]]\ncheck = "length"\nunit = "tokens"\n'
    path = write_suite(tmp_path, 1, '[[checks]]\ncheck = "likelihood"\n' + CHECKS + counted, ask)
    said = ("Hi", "<think>hm</think>Hello", "My coat", "Yes?", "It tore", "Sorry")
    roles = ("user", "assistant") * 3
    row = {"messages": [{"role": r, "content": it} for r, it in zip(roles, said, strict=True)]}
    (tmp_path / "rows.jsonl").write_text(json.dumps(row | {"subject": "x"}))
    plan = plan_of(path)
    asked: list[str] = []
    generate = runner.engine.generate

    async def listening(model: LoadedModel, requests: Sequence[Request]) -> Any:
        for request in requests:
            pieces = await runner.engine.pieces(model, request.tokens)
            asked.append(b"".join(pieces).decode())
        async for events in generate(model, requests):
            yield events

    runner.engine.generate = listening  # type: ignore[method-assign]
    (answer,) = await evaluated(runner, plan)
    assert answer.error is None and answer.answer == "So:" + answer.text
    (variant,) = plan.variants
    loaded = await runner.load(variant)
    count = len((await runner.engine.tokenize(loaded, "So:", add_special=False)).tokens)
    assert count and answer.results[-1].reason == f"has {count + 4} tokens"
    assert answer.prompt_tokens and answer.logprob is not None
    (prompt,) = asked
    places = [prompt.index(it) for it in ("Hi!", "Hello", "My coat", "Yes?", "It tore", "So:")]
    assert places == sorted(places) and prompt.count("So:") == 1
    assert "hm" not in prompt and "Sorry" not in prompt
    paces = await measure_paces(runner, plan, Pause())
    assert paces["A"].calls == 1 and asked[-1] == prompt


@pytest.mark.parametrize(("variants", "repeats"), [(1, 1), (3, 1), (3, 3), (2, 5), (1, 20), (9, 2)])
async def test_what_is_decoded_together_depends_on_nothing_that_is_done(
    runner: Runner, tmp_path: Path, variants: int, repeats: int
) -> None:
    # One stack of so many variants beside one of a single variant, whose groups have other sizes.
    tables = [table(f"v{i}", "none") for i in range(variants)] + [table("tuned", "support")]
    path = write_suite(tmp_path, 13, f"repeats = {repeats}\n" + CHECKS, "".join(tables))
    plan = plan_of(path)
    waves: list[list[Wave]] = []
    generate = runner.engine.generate

    def listening(model: LoadedModel, requests: Sequence[Request]) -> Any:
        by_lane: dict[tuple[object, ...], list[list[Request]]] = {}
        for request in requests:
            groups = by_lane.setdefault(request.adapters, [])
            if not groups or groups[-1][0].group != request.group:
                groups.append([])
            groups[-1].append(request)
        for groups in by_lane.values():
            waves[-1] += engine_waves(groups)
        return generate(model, requests)

    runner.engine.generate = listening  # type: ignore[method-assign]
    waves.append([])
    whole = await evaluated(runner, plan)
    for kept in (plan.groups()[::2], plan.groups()[1::2], plan.groups()[:-1]):
        waves.append([])
        places = {place for group in kept for place in group.places}
        done = [it for it in whole if it.place in places]
        again = await evaluated(runner, plan, done)
        assert len(again) == len(whole) - len(done)
        assert not Counter(waves[-1]) - Counter(waves[0])
    assert sum(map(len, waves[0])) == len(whole)


Wave = tuple[tuple[object, ...], ...]


def engine_waves(groups: Sequence[Sequence[Request]]) -> Iterator[Wave]:
    """What the engine decodes as one batch: groups of a lane, as long as they fit in it."""
    widest = max(max(map(len, groups)), min(sum(map(len, groups)), MAX_SEQUENCES))
    width = 1 << (widest - 1).bit_length()
    wave: list[Request] = []
    for group in groups:
        if wave and len(wave) + len(group) > width:
            yield tuple(map(identity, wave))
            wave = []
        wave += group
    yield tuple(map(identity, wave))


def identity(request: Request) -> tuple[object, ...]:
    return tuple(request.tokens), request.adapters, request.sampling.seed


def table(label: str, adapter: str) -> str:
    """A variant that says little."""
    return (
        f'[[variants]]\nlabel = "{label}"\nprompt = "support"\nadapter = "{adapter}"\n'
        "max_tokens = 2\n"
    )


async def test_a_row_that_cannot_be_asked_is_its_own_error(runner: Runner, tmp_path: Path) -> None:
    path = write_suite(tmp_path, 1)
    long = "word " * 2000
    rows = [{"message": text, "expected": "thank you"} for text in ("Hello.", long, "Where is it?")]
    write_rows(tmp_path, [{**row, "subject": "x"} for row in rows])
    plan = plan_of(path)
    answers = await evaluated(runner, plan)
    failed = {plan.rows[it.row].values["message"] for it in answers if it.error}
    assert failed == {long}
    errors = [it for it in answers if it.error]
    assert len(errors) == 2 and all("context" in (it.error or "") for it in errors)
    assert all(it.score is None and it.prompt_tokens is None for it in errors)
    board = scoreboard(plan, answers)
    assert [line.errors for line in board.lines] == [1, 1]
    assert all(line.score.rows == 2 for line in board.lines)


async def test_identical_variants_answer_alike(runner: Runner, tmp_path: Path) -> None:
    twice = VARIANTS.replace('"tuned"', '"same"').replace('adapter = "support"', 'adapter = "none"')
    plan = plan_of(write_suite(tmp_path, 12, variants=twice))
    answers = await evaluated(runner, plan)
    said = {name: [it.text for it in answers if it.variant == name] for name in "AB"}
    assert said["A"] == said["B"]


async def test_likelihood_needs_no_text(runner: Runner, tmp_path: Path) -> None:
    plan = plan_of(write_suite(tmp_path, 3, '[[checks]]\ncheck = "likelihood"\n'))
    answers = await evaluated(runner, plan)
    assert all(it.text == "" and it.error is None for it in answers)
    for it in answers:
        row, variant = plan.rows[it.row], plan.variants["AB".index(it.variant)]
        values = {"message": row.values["message"]}
        wanted = await mean_logprob(runner, variant, values, row.expected or "")
        assert it.logprob == pytest.approx(wanted, abs=1e-3)
        assert it.score == pytest.approx(math.exp(wanted), rel=1e-2)


async def test_a_prompt_that_asks_about_no_column_is_told_before_anything_runs(
    runner: Runner, tmp_path: Path
) -> None:
    path = write_suite(tmp_path, 3, variants='[[variants]]\nprompt = "tell-me-about"\n')
    with pytest.raises(CompareError, match="uses topic, the dataset has message, subject"):
        await evaluated(runner, plan_of(path))


async def test_own_functions_check(runner: Runner, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(
        "def polite(answer, row):\n    print('noise')\n"
        "    return ('thank' in answer.lower(), 'looked at ' + row['subject'])\n"
        "def broken(answer, row):\n    return 1 / 0\n"
        "def ends(answer, row):\n    import os\n    os._exit(0)\n"
    )
    checks = "".join(
        f'[[checks]]\nname = "{name}"\ncheck = "code"\nfunction = "own.py:{name}"\nweight = {weight}\n'
        for name, weight in (("polite", 1), ("broken", 0), ("ends", 0))
    )
    plan = plan_of(write_suite(tmp_path, 2, checks))
    answers = await evaluated(runner, plan)
    for it in answers:
        polite, broken, ends = it.results
        assert it.score == polite.score == float("thank" in it.text.lower())
        assert polite.reason.startswith("looked at ")
        assert broken.score is None and "ZeroDivisionError" in broken.reason
        assert ends.score is None and "ended its helper process" in ends.reason


async def test_old_evaluations_go_with_old_runs(runner: Runner, tmp_path: Path) -> None:
    plan = plan_of(write_suite(tmp_path, 2))
    answers = await evaluated(runner, plan)
    history = History(tmp_path / "state", "test", print)
    try:
        key = history.evaluations.begin(plan, "test")
        assert history.evaluations.unfinished(plan) == key
        history.evaluations.add(key, answers)
        history.evaluations.end(key)
        assert history.evaluations.answers(key) == answers
        (entry,) = history.evaluations.entries()
        assert (entry.rows, entry.planned, entry.answers, bool(entry.ended)) == (2, 2, 4, True)
        assert history.evaluations.unfinished(plan) is None
        history.retire(datetime.now(UTC) - timedelta(days=1))
        assert len(history.evaluations.entries()) == 1
        assert history.retire(datetime.now(UTC) + timedelta(days=1)) == 1
        assert history.evaluations.entries() == [] and history.evaluations.answers(key) == []
        found = b"".join(file.read_bytes() for file in (tmp_path / "state").iterdir())
        assert all(answer.text.encode() not in found for answer in answers)
    finally:
        history.close()


async def test_a_judge_that_likes_a_place_is_for_nobody(runner: Runner, tmp_path: Path) -> None:
    checks = '[[checks]]\ncheck = "judge"\nrubric = "Be friendly."\n'
    greedy = VARIANTS.replace("1.0", "0.0").replace("24", "12")
    path = write_suite(tmp_path, 6, checks, greedy)
    plain = await evaluated(runner, plan_of(path))
    assert all(
        it.score in (0, 0.5, 1) and "the judge is for it" in it.results[0].reason for it in plain
    )
    # What the base says is expected now: both answers are the same, whatever is in which place.
    plan = plan_of(path)
    said = {plan.rows[it.row].values["message"]: it.text for it in plain if it.variant == "A"}
    write_rows(
        tmp_path, [{"message": m, "expected": text, "subject": "x"} for m, text in said.items()]
    )
    again = await evaluated(runner, plan_of(path))
    assert all(it.score == 0.5 for it in again if it.variant == "A")
    write_rows(tmp_path, [{"message": message, "subject": "x"} for message in said])
    alone = await evaluated(runner, plan_of(path))
    assert all(it.score in (0, 0.5, 1) for it in alone)


JUDGE = '[[checks]]\ncheck = "judge"\nrubric = "Be long."\nagainst = "baseline"\n'


async def test_a_judge_compares_with_the_baseline(
    runner: Runner, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A judge that is for the longer answer, and says 1 of two that are alike."""
    asked: list[tuple[str, str]] = []

    async def said(_: object, __: object, questions: Any, **___: object) -> list[str]:
        pairs = [(it["first"], it["second"]) for _, it, _ in questions]
        asked.extend(pairs)
        return ["1" if len(a) >= len(b) else "2" for a, b in pairs]

    monkeypatch.setattr(judging, "_said", said)
    variants = VARIANTS + VARIANTS.replace("base", "base2").replace("tuned", "tuned2")
    plan = plan_of(write_suite(tmp_path, 20, "repeats = 2\nbaseline = 'tuned'\n" + JUDGE, variants))
    answers = await evaluated(runner, plan)
    assert len(answers) == plan.answers
    base = {(it.row, it.repeat): it.answer for it in answers if it.variant == "B"}
    for it in answers:
        mine, other = it.answer, base[it.row, it.repeat]
        longer = (len(mine) > len(other)) - (len(mine) < len(other))
        assert it.score == (1 + longer) / 2
    assert {it.score for it in answers if it.variant == "A"} >= {0.0, 1.0}
    assert {it.results[0].reason for it in answers if it.variant == "B"} == {
        "it is the baseline's answer"
    }
    assert Counter(asked) == Counter((b, a) for a, b in asked)
    assert len(asked) == 2 * 20 * 2 * 3


@pytest.mark.parametrize(("rows", "repeats"), [(40, 1), (4, 5)])
async def test_judged_against_the_baseline_what_is_missing_alone_gives_the_same(
    runner: Runner, tmp_path: Path, rows: int, repeats: int
) -> None:
    greedy = VARIANTS.replace("24", "12") + table("other", "none")
    plan = plan_of(write_suite(tmp_path, rows, f"repeats = {repeats}\n" + JUDGE, greedy))
    groups: list[list[Checked]] = []
    whole = await evaluated(runner, plan, on_group=groups.append)
    assert all(it.error is None and it.score in (0, 0.5, 1) for it in whole)
    with_baseline = [group for group in groups if group[0].variant == "A"]
    for kept in (groups[1::2], with_baseline, [it for it in groups if it not in with_baseline]):
        before = [it for group in kept for it in group]
        again = await evaluated(runner, plan, before)
        assert sorted([*before, *again], key=lambda it: it.place) == whole


async def test_beside_a_baseline_that_could_not_answer_nothing_is_judged(
    runner: Runner, tmp_path: Path
) -> None:
    (tmp_path / "long.toml").write_text(
        f'name = "Long"\nuser = "{"word " * 2000} {{{{ message }}}}"\n'
    )
    long = '[[variants]]\nlabel = "long"\nprompt = "long.toml"\nadapter = "none"\n'
    plan = plan_of(write_suite(tmp_path, 2, JUDGE, long + VARIANTS))
    answers = await evaluated(runner, plan)
    assert all((it.error is not None) == (it.variant == "A") for it in answers)
    assert all(it.score is None for it in answers)
