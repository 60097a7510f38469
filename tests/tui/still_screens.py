"""Screens over the still playground, with all that they show there already: the same picture every time."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot

from llamadiff.compare.checks.result import Result
from llamadiff.compare.evaluation.answers import Checked
from llamadiff.compare.evaluation.decision.figures import Trained
from llamadiff.compare.evaluation.kept import Kept
from llamadiff.compare.evaluation.measured import Measured
from llamadiff.compare.evaluation.plan import Plan
from llamadiff.compare.evaluation.scoreboard import Pace
from llamadiff.compare.history.evaluations_listed import Entry
from llamadiff.compare.history.history import History
from llamadiff.compare.history.ratings import Rated
from llamadiff.compare.lens import Alternative, Lens, LensToken, View
from llamadiff.compare.run import State
from llamadiff.models.adapters.training import Training
from llamadiff.models.catalog import BUNDLED
from llamadiff.models.engine.protocol import Timings
from llamadiff.tui.evaluating import Evaluating
from llamadiff.tui.screens.evaluate import Evaluate
from llamadiff.tui.screens.evaluation import Evaluation
from llamadiff.tui.screens.lens import LensScreen
from llamadiff.tui.screens.rate import Rate
from llamadiff.tui.screens.sweep import SweepScreen
from llamadiff.tui.screens.versions import Versions
from llamadiff.tui.suites_listed import Listed, Told
from llamadiff.tui.sweep_words import axis_of
from llamadiff.tui.sweeping import Sweeping

from ..compare.evaluation.suites import plan_of, write_rows
from ..compare.history.runs import PROMPT, keep, made
from ..compare.history.runs import opened as opened_history
from .app import LONG, MODEL, PLAIN, SHOP, playground

AT = datetime(2024, 3, 1, 12, tzinfo=UTC)
"""When everything was: long ago, so that its year is told and no time of the day."""
SUITE = """\
name = "Clothing shop"
description = "Does an answer ask for what the shop has to know?"
dataset = { file = "rows.jsonl", tags = "subject" }
[[checks]]
check = "contains"
ignore_case = true
[[variants]]
label = "plain"
prompt = "plain.toml"
adapter = "none"
[[variants]]
label = "engineered"
prompt = "brief.toml"
adapter = "none"
[[variants]]
label = "tuned"
prompt = "plain.toml"
adapter = "shop.gguf"
"""
ASKED = (
    ("My coat has not come yet. What now?", "order number", "delivery"),
    ("These boots are too small.", "size", "exchange"),
    ("The zip of my jacket broke on the first day.", "order number", "fault"),
    ("Can I still send the scarf back?", "date", "return"),
)
SAID = {
    "A": "Boots and coats are clothes that people wear outside when it is cold or wet.",
    "B": "I am sorry to hear that. Please tell me your {0}, and I shall look into it.",
    "C": "Thank you for writing to us. Could you give us your {0}?",
}


def plan(folder: Path) -> Plan:
    """A suite of three variants, and 24 rows."""
    folder.mkdir()
    shutil.copyfile(BUNDLED / "support.gguf", folder / "shop.gguf")
    (folder / "plain.toml").write_text('name = "Plain"\nuser = "{{ message }}"\n')
    (folder / "brief.toml").write_text(
        'name = "Brief"\nsystem = "Ask for what is missing."\nuser = "{{ message }}"\n'
    )
    path = folder / "suite.toml"
    path.write_text(SUITE)
    rows = [
        {"message": f"{asked} ({n + 1})", "expected": expected, "subject": subject}
        for n in range(6)
        for asked, expected, subject in ASKED
    ]
    write_rows(folder, rows)
    found = plan_of(path)
    variants = tuple(replace(it, model=MODEL, model_name="demo-7m") for it in found.variants)
    return replace(found, variants=variants, baseline=variants[0])


def evaluated(folder: Path) -> Kept:
    """An evaluation that is over."""
    it = plan(folder)
    answers: list[Checked] = []
    for row in range(len(it.rows)):
        for variant, good in (("A", row % 5 == 0), ("B", row % 3 != 0), ("C", row % 8 != 0)):
            expected = it.rows[row].expected or ""
            text, score = SAID[variant].format(expected if good else "name"), float(good)
            reason = "" if good else f"not there: {expected!r}"
            answers.append(
                Checked(
                    row, variant, 0, 0, text, text, 17, 12, "stop", None, None, score,
                    (Result(score, reason),),
                )
            )  # fmt: skip
    paces = {
        "A": Pace(3, 0.011, 410.0, (0.05, 0.05, 0.06)),
        "B": Pace(3, 0.019, 405.0, (0.07, 0.07, 0.07)),
        "C": Pace(3, 0.012, 330.0, (0.06, 0.06, 0.06)),
    }
    adapter = it.variants[2].adapters[0].path
    trained = Trained("shop", 1_200_000, 97_280, Training(rows=480, steps=300, seconds=95.0))
    measured = Measured(21.0, len(answers), paces, adapters={adapter: trained}, verdict="Fine-tune")
    return Kept("abcdef", AT, AT, "1.2.3", it, answers, measured)


class StillEvaluate(Evaluate):
    """Has its lists."""

    async def _look(self) -> None:
        self._folders = (Path("/suites"),)
        shop = Path("/suites/shop.toml")
        self._suites = [
            Listed(Path("/suites/sentiment.toml"), "ships", "Sentiment", "Is a review positive, negative or neutral?"),
            Listed(Path("/suites/triage.toml"), "ships", "Triage", "How soon should somebody see a doctor?"),
            Listed(shop, "yours", "Clothing shop", "Does an answer ask for what the shop has to know?", left="stopped at 10 of 24 rows"),
            Listed(Path("/suites/broken.toml"), "yours", "broken", "", "line 3: there is no check contain; did you mean contains?"),
        ]  # fmt: skip
        over = Entry(
            "abcdef", AT, AT, "Clothing shop", str(shop), 24, 24, ("plain", "engineered", "tuned"),
            ("demo-7m",), 72, 72, False, "Fine-tune", (),
        )  # fmt: skip
        stopped = replace(
            over, key="fedcba", ended=None, answers=30, verdict="", changes=("seed 1",)
        )
        self._entries = [stopped, over]
        self._told = None
        self._show()

    async def _told_of(self, item: object) -> Told:
        name = item.name if isinstance(item, Listed) else "Clothing shop"
        problem = item.problem if isinstance(item, Listed) else ""
        facts = [
            ("starts", "with F5, in the background; about 21 s"), ("file", "/suites/shop.toml"),
            ("asks", "24 rows × 3 variants = 72 answers in all"), ("checks", "contains"),
        ]  # fmt: skip
        return Told(problem, name, facts)


async def show_evaluate(pilot: Pilot[None]) -> None:
    """Put the list of suites and evaluations over the playground."""
    await pilot.app.push_screen(StillEvaluate(playground(pilot)))


async def show_evaluation(pilot: Pilot[None], kept: Kept) -> None:
    """Put an evaluation that is over on the screen."""
    it = Evaluating(kept.plan, None, kept=kept)
    await pilot.app.push_screen(Evaluation(playground(pilot), it))


async def show_rating(pilot: Pilot[None], kept: Kept, folder: Path) -> History:
    """Have the answers of an evaluation rated; the history is to be closed."""
    history = History(folder, "1.2.3", lambda trouble: None)
    key = history.evaluations.begin(kept.plan, kept.program)
    history.evaluations.add(key, [*kept.answers])
    history.evaluations.end(key)
    history._change(lambda it: it.execute("UPDATE evaluations SET key = 'abcdef'"))
    history.ratings.begin = lambda what, rater: 7  # type: ignore[method-assign]
    screen = Rate(history, Rated("evaluation", "abcdef"), "anna")
    await pilot.app.push_screen(screen)
    return history


def lens_of(words: list[str], pilot: Pilot[None]) -> Lens:
    """Words as tokens that the third variant finds likelier the longer they are."""
    state = playground(pilot).playground

    def view(mean: float, n: int) -> View:
        likely = (" the", " our", " it", " coats", " dogs")
        top = tuple(
            Alternative(60 + i, word.encode(), -1.9 - 0.4 * i - 0.1 * (n % 3))
            for i, word in enumerate(likely)
        )
        return View(-mean, 1 + round(mean), 1.0 + 0.2 * (n % 4), top)

    tokens = [
        LensToken(sum(word.encode()), word.encode(), view(1.0 + 0.5 * (n % 5), n), view(2.4 / len(word), n))
        for n, word in enumerate(words)
    ]  # fmt: skip
    return Lens(state.variants[0], state.variants[2], tuple(tokens), (None, None))


async def show_lens(pilot: Pilot[None]) -> None:
    """Look at the third variant's output under the first and the third."""
    screen = LensScreen(playground(pilot).session, ("A", "C"), "C")
    words = [word if n == 0 else f" {word}" for n, word in enumerate(SHOP.split(" "))]
    lens, source = lens_of(words, pilot), screen._source
    source._lenses[source._seen("C")] = lens
    source._roundings[id(lens)] = 0.02
    await pilot.app.push_screen(screen)


class StillSweeping(Sweeping):
    """Has its outputs and the likelihoods of the expected text."""

    async def score(self, on_score: object) -> None:
        del on_score


async def show_sweep(pilot: Pilot[None]) -> None:
    """Put a sweep that is done over the playground."""
    home = playground(pilot)
    variant = home.playground.variants[2]
    typed = "scale=0:1.5:0.25"
    it = StillSweeping(home.session, variant, axis_of(typed, variant), 1, typed)
    said = PLAIN.split(" "), SHOP.split(" ")
    for number, output in enumerate(it.run.outputs):
        words = [*said[1][: 3 * number], *said[0][3 * number :]]
        output.text, output.state, output.finish_reason = " ".join(words), State.DONE, "stop"
        output.tokens = [sum(word.encode()) for word in words]
        output.token_ends = [len(" ".join(words[: n + 1])) for n in range(len(words))]
        output.timings = Timings(0.011, 23, 0, len(words), 392.0)
    it.expected = "C"
    it._scores["C"] = [-3.4, -2.7, -1.9, -1.1, -0.6, -0.8, -1.7]
    await pilot.app.push_screen(SweepScreen(home.session, variant, it))


def keep_runs(state: Path) -> None:
    """Have three runs in the history, at a time and with ids that stay."""
    runs = [
        made(PLAIN, SHOP), made(LONG, SHOP, values={"topic": "cats"}), made(PLAIN, PLAIN, SHOP)
    ]  # fmt: skip
    for number, run in enumerate(runs, 1):
        run.id = f"{number:012}"
        for output in run.outputs:
            output.run_id = run.id
    with opened_history(state) as history:
        keep(history, *runs)
        history.tag(runs[0].id, ["good"])
        history.annotate(runs[1].id, "before the new rows")
    _long_ago(state)


def _long_ago(folder: Path) -> None:
    """Have all of a history be of then."""
    at = round(AT.timestamp() * 1000)
    with closing(sqlite3.connect(next(folder.glob("*.db")))) as connection:
        connection.execute("UPDATE runs SET at = ?, ended = ? + 900", (at, at))
        connection.execute("UPDATE versions SET at = ?", (at,))
        connection.commit()


async def show_versions(pilot: Pilot[None], folder: Path) -> History:
    """Put three versions of a prompt over the playground; the history is to be closed."""
    words = ("Tell {{ topic }}", "Tell me about {{ topic }} in a few words.")
    runs = [made(PLAIN, prompt=replace(PROMPT, user=user)) for user in words]
    runs.append(made(LONG, SHOP, prompt=replace(PROMPT, user=words[1], system="Be kind.")))
    for number, run in enumerate(runs, 1):
        run.id = f"{number:012}"
    with opened_history(folder) as history:
        keep(history, *runs)
    _long_ago(folder)
    history = History(folder, "1.2.3", lambda trouble: None)
    await pilot.app.push_screen(Versions(replace(PROMPT, system="Be brief."), history))
    return history
