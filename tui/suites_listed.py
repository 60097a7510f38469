"""What the Evaluate screen lists: suites with their mistakes, and evaluations with their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from ..compare.errors import MISTAKES
from ..compare.evaluation.plan import Plan
from ..compare.evaluation.reading import load_suite
from ..compare.evaluation.shipped import SHIPPED, shipped_suites, suites_in
from ..compare.evaluation.variants import called
from .amounts import moment, span
from .safe_text import safe_line
from .sentences import for_app

if TYPE_CHECKING:
    from ..compare.history.evaluations import Evaluations
    from ..compare.history.evaluations_listed import Entry

Origin = Literal["ships", "yours", "opened"]
MOST_PAST = 200
THEIRS = "the playground's variants, without the suite's requirements"
NOT_TIMED = "how long it takes is not known before its first run here"
MOST_TIMED = 10
"""Evaluations looked at for how long one takes."""


@dataclass(frozen=True)
class Heading:
    """A line above others."""

    text: str


@dataclass(frozen=True)
class Listed:
    """A suite's file; with a `problem` it cannot be run."""

    path: Path
    origin: Origin
    name: str
    about: str
    problem: str = ""
    left: str = ""
    """How far its newest evaluation came, where that was stopped."""


@dataclass(frozen=True)
class Past:
    """An evaluation of the history; `share` is how far it is where it runs now."""

    entry: Entry
    share: float | None = None
    paused: bool = False

    @property
    def stopped(self) -> bool:
        return self.entry.ended is None and self.share is None and not self.entry.running

    @property
    def state(self) -> str:
        entry = self.entry
        if self.share is not None:
            return f"{'paused' if self.paused else 'running'}, {100 * self.share:.0f} %"
        if entry.ended is None and entry.running:
            return "running in another llamadiff"
        if entry.ended is None and entry.done == entry.rows:
            return f"stopped, all {entry.rows:,} rows are there"
        if entry.ended is None:
            return f"stopped at {entry.done:,} of {entry.rows:,} rows"
        if entry.verdict:
            return f"{entry.verdict} · {entry.rows:,} rows"
        return f"finished, {entry.rows:,} rows"

    @property
    def changes(self) -> str:
        """What it has otherwise than the one of its suite before it."""
        return "; ".join(self.entry.changes)


Item = Heading | Listed | Past


@dataclass(frozen=True)
class Told:
    """What the details say of an item: a problem, a title, facts; and the plan where there is one."""

    problem: str
    title: str
    facts: list[tuple[str, str]]
    plan: Plan | None = None


def find_suites(folders: Sequence[Path], opened: Iterable[Path]) -> list[Listed]:
    """All suites: those that ship, a person's own, and others that were opened or run. Reads files."""
    found: dict[Path, Origin] = dict.fromkeys(shipped_suites(), "ships")
    found |= dict.fromkeys(suites_in(folders), "yours")
    known = {path.resolve() for path in found}
    for path in opened:
        if path.resolve() not in known and path.is_file():
            known.add(path.resolve())
            found[path] = "opened"
    return [_listed(path, origin) for path, origin in found.items()]


def _listed(path: Path, origin: Origin) -> Listed:
    try:
        suite = load_suite(path)
    except MISTAKES as mistake:
        return Listed(path, origin, path.stem, "", for_app(str(mistake)))
    return Listed(path, origin, suite.name, suite.description)


def listed_items(
    suites: Sequence[Listed],
    entries: Sequence[Entry],
    typed: str,
    running: Mapping[str, tuple[float, bool]],
    folder: Path | None = None,
) -> list[Item]:
    """The lines to show, of those that have all the words typed; a person's own are in `folder`."""
    words = typed.casefold().split()

    def fits(*texts: str) -> bool:
        whole = " ".join(texts).casefold()
        return all(word in whole for word in words)

    past = [Past(it, *running.get(it.key, (None, False))) for it in entries]
    newest = {it.entry.path: it for it in reversed(past)}
    left = {path: it.state for path, it in newest.items() if it.stopped}
    own = [replace(it, left=left.get(str(it.path.resolve()), "")) for it in suites]
    own = [it for it in own if fits(it.name, it.about, str(it.path), it.origin, it.problem)]
    where = f"; your own are in {safe_line(str(folder))}" if folder is not None else ""
    past = [it for it in past if fits(it.entry.suite, it.entry.path, it.state, it.changes, *it.entry.models, *it.entry.variants, "finished" * (it.entry.ended is not None), moment(it.entry.at))]  # fmt: skip
    return [
        *([Heading(f"Suites{where}")] * bool(own)), *own,
        *([Heading("Evaluations, newest first")] * bool(past)), *past,
    ]  # fmt: skip


def told_of_plan(plan: Plan, *, own: bool) -> list[tuple[str, str]]:
    """Facts of an evaluation that would be begun, or was."""
    suite = plan.suite
    repeats = f", {plan.repeats} times each" if plan.repeats > 1 else ""
    facts = [("asks", "the suite's own variants" if own else THEIRS)]
    for number, variant in enumerate(plan.variants):
        mark = "◆" if variant.name == plan.baseline.name else " "
        adapted = "+".join(map(str, variant.adapters)) or "no adapter"
        named = f"{called(variant)}: " if variant.label else ""
        what = f"{mark} {variant.name} {named}{variant.prompt.name}, {adapted}"
        facts.append(("variants" if not number else "", what))
    facts.append(("model", ", ".join(dict.fromkeys(it.model_name for it in plan.variants))))
    facts.append(("rows", f"{len(plan.rows):,}{repeats}, {plan.answers:,} answers in all"))
    if plan.planned.to_run != len(plan.rows):
        facts.append(("planned", f"{plan.planned.to_run:,} rows"))
    if tags := list(dict.fromkeys(tag for row in plan.rows for tag in row.tags)):
        more = f" and {len(tags) - 8} more" if len(tags) > 8 else ""
        facts.append(("tags", ", ".join(tags[:8]) + more))
    for number, named in enumerate(suite.checks):
        weight = "" if named.weight == 1 else " (counts nothing)" if not named.weight else f" × {named.weight:g}"  # fmt: skip
        kind = type(named.check).__name__
        what = named.name if named.name.replace("-", "").casefold() == kind.casefold() else f"{named.name}: {kind}"  # fmt: skip
        facts.append(("checks" if not number else "", what + weight))
    if suite.elsewhere:
        names = (Path(it).stem for it in suite.elsewhere)
        facts.append(("elsewhere", f"then its adapters on {', '.join(names)}"))
    for number, it in enumerate(suite.require):
        facts.append(("requires" if not number else "", it.text))
    return facts


def about_how_long(kept: Evaluations | None, plan: Plan, entries: Sequence[Entry]) -> str:
    """How long a plan takes here, by what evaluations took before. Reads a file."""
    if kept is None:
        return NOT_TIMED
    path = str(plan.suite.path.resolve())
    order = sorted(entries, key=lambda it: it.path != path)[:MOST_TIMED]
    models = {it.model for it in plan.variants}
    for entry in order:
        took = kept.measured(entry.key)
        if not took.answers or not took.seconds:
            continue
        alike = entry.path == path
        if alike or {it.model for it in kept.plan(entry.key).variants} == models:
            seconds = took.seconds / took.answers * plan.answers
            by = "" if alike else f", going by {safe_line(entry.suite)}"
            return f"about {span(seconds)}{by}"
    return NOT_TIMED


def unfinished(kept: Evaluations | None, plan: Plan, entries: Sequence[Entry]) -> str:
    """What there is of a run of the same that was stopped. Reads a file."""
    key = kept.unfinished(plan) if kept is not None else None
    count = next((it.answers for it in entries if it.key == key), 0)
    if not count:
        return ""
    return f"{count:,} of {plan.answers:,} answers are there from a run that was stopped; {{evaluate.run}} on that one, below, goes on with it"


def shown_path(path: Path) -> str:
    """Where a file is, in few words where it ships."""
    return f"{path.name}, ships with llamadiff" if path.parent == SHIPPED else str(path)
