"""The decision table in words: the rows of the question, prompting, fine-tuning and both side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ...statistics.wording import NOT_MEASURED, plus_minus
from .apart import NEW
from .figures import Decision, Elsewhere, Side, Trained
from .sides import SIDES, Kind
from .verdict import UNITS, beyond_training, left_out, more_rows, verdict
from .words import (
    after,
    amount,
    calls,
    duration,
    lead,
    lead_and_noise,
    saves,
    score,
    share,
    size,
    time_of,
)

NOT_RECORDED = "not recorded in the file"
OF_THE_ADAPTER = ("process", "cost to make", "flexibility", "control", "what makes tuning succeed")
"""Rows in which both together often have what fine-tuning has; it is not said twice."""
MOST_TRIED = 4
NAMES: Mapping[Kind, str] = {
    "plain": "the plain prompt",
    "prompted": "prompting",
    "tuned": "fine-tuning",
    "combined": "both",
}
HEADS: Mapping[Kind, str] = {
    "prompted": "Prompting", "tuned": "Fine-tuning", "combined": "Both",
}  # fmt: skip

Cell = tuple[str, ...]
"""Lines."""


@dataclass(frozen=True)
class Row:
    """A row: its title, and what is known of each kind."""

    title: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Written:
    """The whole table, with a column for each kind of `SIDES` that there is a variant of; `head` has
    a title for each, and an empty one for the first column. `notes` say what its figures are."""

    verdict: str
    head: tuple[str, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def written(decision: Decision) -> Written:
    """The table as texts."""
    makers: Mapping[str, Callable[[Decision, Side], Iterator[str]]] = {
        "definition": _definition,
        "process": _process,
        "data needed": _data,
        "cost to make": _making,
        "cost per call": _calling,
        "break-even": _break_even,
        "flexibility": _flexibility,
        "control": _control,
        "objective": _objective,
        **({"new rows": _new_rows} if decision.apart else {}),
        "when to use": _when,
        "what makes tuning succeed": _success,
    }
    rows = tuple(_row(decision, title, make) for title, make in makers.items())
    head = ("", *(HEADS[it] for it in _columns(decision)))
    return Written(verdict(decision), head, rows, tuple(_notes(decision)))


def _row(decision: Decision, title: str, make: Callable[[Decision, Side], Iterator[str]]) -> Row:
    cells: dict[Kind, Cell] = {
        kind: tuple(make(decision, side)) or ("–",) for kind, side in _columns(decision).items()
    }
    if "tuned" in cells and cells["tuned"] == cells.get("combined") and title in OF_THE_ADAPTER:
        cells["combined"] = ("as fine-tuning",)
    return Row(title, tuple(cells.values()))


def _columns(decision: Decision) -> Mapping[Kind, Side]:
    return {kind: side for kind in SIDES if (side := decision.side(kind)) is not None}


# ------------------------------------------------------------------------------ rows


def _definition(decision: Decision, side: Side) -> Iterator[str]:
    text = [part for part in side.differs if part != "adapter"]
    yield f"{side.name} {side.label}"
    if text:
        yield f"text: {', '.join(text)}"
    if "adapter" in side.differs:
        yield f"adapter: {side.stack}"


def _process(decision: Decision, side: Side) -> Iterator[str]:
    tried = sorted(side.tried, key=lambda it: -it.score.mean)
    count = len(tried)
    yield f"{count} tried" if count > 1 else "1 variant tried"
    if count > 1:
        for it in tried[:MOST_TRIED]:
            yield f"{it.label}: {score(it.score)}"
        if count > MOST_TRIED:
            yield f"and {count - MOST_TRIED} others"
    for it in side.trained:
        yield from _training(it)


def _training(it: Trained) -> Iterator[str]:
    steps, losses = it.training.steps, it.training.losses
    if steps is None and not losses:
        yield f"{it.name}: training {NOT_RECORDED}"
        return
    said = "" if steps is None else f"{steps:,} steps"
    if losses:
        fell = f"loss {losses[0][1]:.3g} (step {losses[0][0]:,}) to {losses[-1][1]:.3g}"
        said = f"{said}, {fell}" if said else fell
    yield f"{it.name}: {said}"


def _data(decision: Decision, side: Side) -> Iterator[str]:
    plain = decision.side("plain")
    tried = side.tried
    if side.kind == "prompted" and plain is not None:
        tried = (*plain.tried, *tried)
    for it in sorted(tried, key=lambda it: (it.examples, it.rows_trained or 0, it.label)):
        parts = [it.label]
        if side.kind != "tuned":
            parts.append(f"{it.examples:,} example{'' if it.examples == 1 else 's'}")
        if side.kind != "prompted":
            rows = it.rows_trained
            parts.append(f"rows {NOT_RECORDED}" if rows is None else f"{rows:,} rows")
        yield f"{', '.join(parts)}: {score(it.score)}"


def _making(decision: Decision, side: Side) -> Iterator[str]:
    if not side.trained:
        yield "nothing is trained"
    for it in side.trained:
        seconds, peak = it.training.seconds, it.training.peak_bytes
        yield f"{it.name}: time {NOT_RECORDED if seconds is None else duration(seconds)}"
        yield f"peak memory {NOT_RECORDED if peak is None else size(peak)}"
        parameters = it.parameters or it.training.parameters
        if parameters is not None:
            yield f"{parameters:,} parameters"
        if it.bytes is not None:
            yield size(it.bytes)


def _calling(decision: Decision, side: Side) -> Iterator[str]:
    yield f"{amount(side.tokens)} prompt tokens"
    if side.seconds is not None:
        yield time_of(side.seconds)


def _break_even(decision: Decision, side: Side) -> Iterator[str]:
    for it in side.break_even:
        when = after(it) if it.sure else "too few calls were timed to say"
        yield f"in {UNITS[it.unit]}: {when}; {saves(it)}"
    if side.trained and not side.break_even:
        yield f"what training cost is {NOT_RECORDED}"


def _flexibility(decision: Decision, side: Side) -> Iterator[str]:
    others = [it for it in _elsewhere(decision, side) if not it.instructions]
    if not others:
        yield "no other suites were run"
    for it in others:
        yield _beside(it, side)


def _beside(it: Elsewhere, side: Side) -> str:
    if not side.trained:
        return f"{it.suite}: {score(it.base)}, as the base"
    difference = it.verdict.difference
    noise = "" if it.noise is None else f", noise {plus_minus(it.noise)}"
    said = lead(difference.mean, difference.interval)
    return f"{it.suite}: {score(it.score)}, {said} to the base{noise}"


def _elsewhere(decision: Decision, side: Side) -> Sequence[Elsewhere]:
    """Its own; of prompting what any adapter was held against, once for each suite."""
    if side.trained:
        return side.elsewhere
    found = {it.suite: it for other in decision.sides for it in other.elsewhere}
    return tuple(found.values())


def _control(decision: Decision, side: Side) -> Iterator[str]:
    if side.violations is None:
        yield "form: no check asks for one"
    else:
        yield f"form broken: {share(side.violations)}"
    if side.changing is None:
        yield "seeds: one answer per row"
    else:
        yield f"seeds change {share(side.changing)} of rows"
    for it in _elsewhere(decision, side):
        if it.instructions:
            yield f"told otherwise, {_beside(it, side)}"


def _objective(decision: Decision, side: Side) -> Iterator[str]:
    yield f"score {score(side.score)}"
    yield f"passed {share(side.passed)}"
    for pair in decision.pairs:
        if pair.costlier == side.kind and pair.verdict.difference.rows:
            other = decision.side(pair.cheaper)
            said = lead_and_noise(pair.verdict.difference, side.noise, other and other.noise)
            yield f"against {NAMES[pair.cheaper]} {said}"
    for it in decision.before:
        if it.kind == side.kind and it.verdict.difference.rows:
            difference = it.verdict.difference
            yield f"against {it.label} {lead(difference.mean, difference.interval)}"
    if side.noise is None:
        yield f"noise floor {NOT_MEASURED}"


def _new_rows(decision: Decision, side: Side) -> Iterator[str]:
    assert decision.apart is not None
    for part, called in ((decision.apart.new, f"tagged {NEW}"), (decision.apart.others, "others")):
        yield f"{part.rows:,} {called}: {score(part.scores[side.kind])}"
        for pair in part.pairs:
            if pair.costlier == side.kind and pair.verdict.difference.rows:
                floors = part.noise[side.kind], part.noise[pair.cheaper]
                yield f"against {NAMES[pair.cheaper]} {lead_and_noise(pair.verdict.difference, *floors)}"


def _when(decision: Decision, side: Side) -> Iterator[str]:
    if decision.ruling.pick == side.kind:
        yield "here, on rows like its training" if beyond_training(decision) else "here"
    elif any(side.kind in (it.cheaper, it.costlier) for it in decision.ruling.open):
        yield "not decided"
        if (needed := more_rows(decision, decision.ruling.open)) is not None:
            yield f"about {calls(needed)} more rows would decide it"
    elif decision.ruling.untried:
        yield "not decided"
    else:
        yield "not here"


def _success(decision: Decision, side: Side) -> Iterator[str]:
    for it in side.trained:
        checks = it.training.data_checks
        yield (
            f"{it.name}: data checks {NOT_RECORDED}"
            if not checks
            else f"{it.name}: {' '.join(checks)}"
        )
    if side.rated is None:
        yield "no ratings yet"
    else:
        count = f"{side.rated.ratings:,} rating{'' if side.rated.ratings == 1 else 's'}"
        yield f"chance of being preferred to an average variant: {share(side.rated.chance)}, {count}"


def _notes(decision: Decision) -> Iterator[str]:
    plain = decision.side("plain")
    if plain is not None:
        yield f"The plain prompt, {plain.name} {plain.label}, scores {score(plain.score)} on {decision.rows:,} rows."
    if decision.chosen_on and not decision.waits_for:
        yield (
            f"Where several stood for one kind, the best of {decision.chosen_on:,} rows was taken "
            f"and compared on the other {decision.rows:,}; scores under process and data are those "
            "it was taken by."
        )
        if decision.unused:
            yield (
                f"{decision.unused:,} more of the half by which it was taken were not planned when "
                "all of the several were first compared, and are not used: one choice stays."
            )
    if decision.waits_for:
        yield (
            "Where several stand for one kind, the best is picked by half of the planned rows, once "
            "all of them are there; until then nothing is compared."
        )
    if left := left_out(decision):
        yield (
            f"{left:,} of {decision.rows:,} rows could not be scored under one of two that are "
            "compared, or under both. One scored under one alone counts against whichever is ahead."
        )
    yield (
        f"Up to {100 * decision.margin:g} points do not matter. In brackets are intervals of "
        f"{100 * decision.level:g} %; those of differences hold all together."
    )
    if len(decision.pairs) > 1:
        yield (
            "A pair may have another interval on the scoreboard: there it holds beside the others "
            f"with the baseline, here beside all {len(decision.pairs)} of this table."
        )
    if decision.before:
        labels = " and ".join(it.label for it in decision.before)
        yield (
            f"{labels} {'was' if len(decision.before) == 1 else 'were'} there before: no part of the "
            "verdict, but what was trained now is held against it, in intervals that hold together "
            "by themselves."
        )
    if decision.apart:
        yield (
            f"Rows tagged {NEW} are unlike what adapters were trained on; the intervals of their "
            "differences hold together by themselves, and so do those of the others."
        )
    if any(it.noise for it in decision.sides):
        yield (
            "Noise is how far the noisier of two variants is from itself, run again with other seeds."
        )
    yield from decision.problems
