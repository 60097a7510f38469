"""The verdict in a sentence or two, made from the figures of the table by the rules."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ...statistics.verdict import Outcome as VerdictOutcome
from ...statistics.wording import FADED
from .apart import NEW
from .figures import Before, BreakEven, Decision, Side
from .rules import Outcome, Pair
from .sides import Kind
from .words import after, calls, lead, score, size_of_lead

HEADS: Mapping[Outcome, str] = {
    "neither": "Neither",
    "prompt": "Prompt",
    "fine-tune": "Fine-tune",
    "both": "Both together",
    "undecided": "Not decided",
}
ADAPTED: Sequence[Kind] = ("tuned", "combined")
UNITS = {"seconds": "time", "prompt tokens": "prompt tokens"}
CALLED: Mapping[Kind, str] = {
    "plain": "the plain prompt",
    "prompted": "the engineered prompt",
    "tuned": "the adapter",
    "combined": "the engineered prompt on the adapter",
}
HELD: Mapping[VerdictOutcome, str] = {
    "better": "which is better",
    "worse": "which is worse",
    "same": "no difference that matters",
    "undecided": "not decided",
}
ALONE: Mapping[Kind, str] = {"prompted": "prompting", "tuned": "fine-tuning"}


def verdict(decision: Decision) -> str:
    """What is recommended and why; every figure in it is in the table."""
    ruling = decision.ruling
    head = HEADS[ruling.outcome]
    if decision.waits_for:
        return f"{head}: which of several of a kind is compared is picked once all planned rows are there."
    if not any(it.verdict.difference.rows for it in decision.pairs):
        return f"{head}: no row was scored under two variants."
    if ruling.pick is None:
        parts = [_missing(decision, ruling.open)] if ruling.open else []
        parts += [_untried(ruling.untried)] if ruling.untried else []
        return f"{head}: {'; '.join(parts)}.{_faded(ruling.open)}{_besides(decision)}"
    side = decision.side(ruling.pick)
    assert side is not None
    parts = [*_reasons(decision, side), *_costs(decision, side)]
    said = f"{head}: {'; '.join(parts)}."
    if ruling.open:
        said += f" Whether {CALLED['combined']} is better still is not decided: {_more(decision, ruling.open)}."
        said += _faded(ruling.open)
    return said + _besides(decision)


def left_out(decision: Decision) -> int:
    """The most rows that could not be scored in one of the comparisons."""
    return max((it.verdict.difference.left_out for it in decision.pairs), default=0)


def _besides(decision: Decision) -> str:
    """Which of several adapters it speaks of, and rows without a score."""
    said = "".join((*map(_picked, decision.sides), *map(_before, decision.before)))
    count = left_out(decision)
    return f"{said} {count:,} of {decision.rows:,} rows could not be scored." if count else said


def _picked(side: Side) -> str:
    if side.kind not in ADAPTED or len(side.tried) < 2:
        return ""
    scores = {it.name: f"{it.label}, with {score(it.score)}" for it in side.tried}
    own = scores.pop(side.name)
    named = CALLED[side.kind]
    how = "the one of most rows, beside" if side.settled else "picked before"
    return f" {named[0].upper()}{named[1:]} here is {own}, {how} {' and '.join(scores.values())}."


def _before(it: Before) -> str:
    difference = it.verdict.difference
    if not difference.rows:
        return ""
    named = CALLED[it.kind]
    said = f"{lead(difference.mean, difference.interval)}, {HELD[it.verdict.outcome]}"
    return f" {named[0].upper()}{named[1:]} against {it.label}, which was there before: {said}."


def _faded(pairs: Sequence[Pair]) -> str:
    return f" {FADED}" if any(it.verdict.faded for it in pairs) else ""


def _reasons(decision: Decision, side: Side) -> Iterator[str]:
    kind = side.kind
    named = f"{CALLED[kind]} ({side.label})"
    sure = f"within {100 * decision.margin:g} points, {100 * decision.level:g} % sure"
    better = [it for it in decision.pairs if it.costlier == kind and it.relation == "better"]
    enough = [it for it in decision.pairs if it.cheaper == kind and it.relation == "enough"]
    ahead = [it for it in enough if it.verdict.difference.interval.high < 0]
    equal = [it for it in enough if it not in ahead]
    said = False
    if better:
        against = better[-1:] if kind != "combined" else better[-2:]
        beyond = beyond_training(decision)
        limit = f", on rows like its training; {beyond}" if beyond else ""
        yield f"{named} is better than {_joined(against, 'cheaper')}{limit}"
        said = True
    if ahead:
        yield f"{'it' if said else named} is better than {_joined(ahead, 'costlier')}"
        said = True
    if equal:
        alike = all(it.verdict.difference.interval.within(decision.margin) for it in equal)
        than = "as good as" if alike else "no worse than"
        names = f" and {than.removeprefix('as good ').removeprefix('no worse ')} ".join(
            CALLED[it.costlier] for it in equal
        )
        yield f"{'it' if said else named} is {than} {names} ({sure})"


def _joined(pairs: Sequence[Pair], end: str) -> str:
    return " and than ".join(
        f"{CALLED[it.cheaper if end == 'cheaper' else it.costlier]} by "
        f"{size_of_lead(it.verdict.difference.mean, it.verdict.difference.interval)}"
        for it in pairs
    )


def _costs(decision: Decision, side: Side) -> Iterator[str]:
    if not side.trained:
        yield "it costs nothing to make"
        return
    if sure := [it for it in side.break_even if it.sure]:
        yield _paying(sure)
    lost = [it for it in side.elsewhere if it.verdict.difference.interval.high < 0]
    if lost:
        each = (
            f"{size_of_lead(it.verdict.difference.mean, it.verdict.difference.interval)} on {it.suite}"
            for it in lost
        )
        yield f"it loses {', '.join(each)}"


def _paying(found: Sequence[BreakEven]) -> str:
    paid = [f"in {UNITS[it.unit]} {after(it)}" for it in found if it.calls is not None]
    not_paid = {
        how: " or ".join(
            f"in {UNITS[it.unit]}" for it in found if it.calls is None and after(it) == how
        )
        for how in ("never", "not on average")
    }
    said = ", ".join([*paid, *(f"{how} {units}" for how, units in not_paid.items() if units)])
    return (
        f"training pays for itself {said}" if paid else f"training does not pay for itself: {said}"
    )


def beyond_training(decision: Decision) -> str:
    """What is left on rows unlike the training, where the pick has an adapter and is better than a
    kind without one, but not there; empty where that holds there, too."""
    apart, pick = decision.apart, decision.ruling.pick
    if apart is None or pick not in ADAPTED:
        return ""
    found: list[str] = []
    for it in decision.pairs:
        if it.costlier != pick or it.cheaper in ADAPTED or it.relation != "better":
            continue
        there = apart.new.pair(it)
        difference = there.verdict.difference
        said = lead(difference.mean, difference.interval)
        if there.relation == "open":
            found.append(f"whether it is better than {CALLED[it.cheaper]} is not decided: {said}")
        elif there.relation == "enough":
            found.append(f"{CALLED[it.cheaper]} is enough: {said}")
    return f"on the {apart.new.rows:,} tagged {NEW} {', and '.join(found)}" if found else ""


def _missing(decision: Decision, pairs: Sequence[Pair]) -> str:
    leads = ", ".join(
        f"{CALLED[it.costlier]} {lead(it.verdict.difference.mean, it.verdict.difference.interval)}"
        for it in pairs
    )
    return (
        f"against {CALLED[pairs[0].cheaper]} these leads, in points, may be luck or matter: {leads}; "
        f"{_more(decision, pairs)}"
    )


def _untried(kinds: Sequence[Kind]) -> str:
    names = " and ".join(f"{ALONE[it]} alone" for it in kinds)
    one = len(kinds) == 1
    return f"{names} {'was' if one else 'were'} not tried: add {'it' if one else 'them'}"


def _more(decision: Decision, pairs: Sequence[Pair]) -> str:
    needed = more_rows(decision, pairs)
    if needed is None:
        return "no number of rows within reach would decide it"
    return f"about {calls(needed)} more rows would decide it"


def more_rows(decision: Decision, pairs: Sequence[Pair]) -> int | None:
    """Rows of the dataset that would decide all of them; None if that is out of reach."""
    counts = [it.verdict.more_rows for it in pairs]
    known = [it for it in counts if it is not None]
    return round(max(known) / decision.share) if known and len(known) == len(counts) else None
