"""Holds the sentence of a decision against the cells of the table, each figure against its own."""

from __future__ import annotations

import re

from llamadiff.compare.evaluation.decision.figures import Decision
from llamadiff.compare.evaluation.decision.sides import KINDS, Kind
from llamadiff.compare.evaluation.decision.table import NAMES, written
from llamadiff.compare.evaluation.decision.verdict import CALLED

NUMBER = r"[-+]?\d[\d,]*(?:\.\d+)?"
ENDS = rf"({NUMBER})(?: points)? \(({NUMBER}) to ({NUMBER})\)"


def wrong_figures(found: Decision) -> list[str]:
    """What the sentence says that the cell it comes from does not, with signs and sides."""
    return _Said(found).wrong()


class _Said:
    def __init__(self, found: Decision) -> None:
        self._texts = written(found)
        self._rest = self._texts.verdict
        self._kind = found.ruling.pick
        self._rows = {row.title: row.cells for row in self._texts.rows}
        self._columns = [side.kind for side in found.sides if side.kind != "plain"]
        self._labels = [side.label for side in found.sides]
        self._wrong: list[str] = []

    def wrong(self) -> list[str]:
        for kind in KINDS:
            self._each(
                rf"whether it is better than {CALLED[kind]} is not decided: {ENDS}", kind, self._new
            )
            self._each(rf"{CALLED[kind]} is enough: {ENDS}", kind, self._new)
            self._each(rf"than {CALLED[kind]} by {ENDS}", kind, self._better)
        against = re.search(r"against (.*?) these leads", self._rest)
        for kind in reversed(KINDS):  # the name of both ends with the adapter's
            if against:
                cheaper = next(it for it in KINDS if CALLED[it] == against[1])
                self._each(rf"{CALLED[kind]} {ENDS}", kind, lambda k, n, c=cheaper: self._has("objective", k, self._lead(c, n)))  # fmt: skip
        self._each(rf"{ENDS} on (\w+)", self._kind, self._lost)
        self._each(r"in (time|prompt tokens) ((?:after|not before) [\d,]+ calls(?:, if ever| \([^)]*\))?)", self._kind, self._paid)  # fmt: skip
        self._each(r"about ([\d,]+) more rows would decide it", None, self._anywhere("when to use"))
        self._each(r"on the ([\d,]+) tagged new", None, self._anywhere("new rows"))
        for label in self._labels:
            self._rest = self._rest.replace(f"({label})", "")
        left = re.findall(NUMBER, self._rest)
        notes = re.findall(NUMBER, " ".join(self._texts.notes))
        return [*self._wrong, *(it for it in left if it not in notes)]

    def _each(self, pattern: str, kind: Kind | None, check) -> None:
        for each in re.finditer(pattern, self._rest):
            check(kind, each.groups())
        self._rest = re.sub(pattern, "", self._rest)

    def _cell(self, title: str, kind: Kind | None) -> tuple[str, ...]:
        return self._rows[title][self._columns.index(kind)] if kind in self._columns else ()

    def _has(self, title: str, kind: Kind | None, line: str) -> None:
        if not any(it == line or it.startswith(f"{line},") for it in self._cell(title, kind)):
            self._wrong.append(f"{line!r} is not under {title} of {kind}")

    def _lead(self, cheaper: Kind, numbers: tuple[str, ...]) -> str:
        mean, low, high = numbers
        return f"against {NAMES[cheaper]} {mean} ({low} to {high})"

    def _better(self, other: Kind, numbers: tuple[str, ...]) -> None:
        """The pick leads by so much; the costlier one of the two has it in its column."""
        assert self._kind is not None
        mean, low, high = (it.lstrip("+") for it in numbers)
        if KINDS.index(other) < KINDS.index(self._kind):
            self._has(
                "objective", self._kind, self._lead(other, (f"+{mean}", f"+{low}", f"+{high}"))
            )
        else:
            self._has(
                "objective", other, self._lead(self._kind, (f"-{mean}", f"-{high}", f"-{low}"))
            )

    def _new(self, other: Kind, numbers: tuple[str, ...]) -> None:
        cell = self._cell("new rows", self._kind)
        end = next(i for i, line in enumerate(cell) if "others: " in line)
        line = self._lead(other, numbers)
        if not any(it == line or it.startswith(f"{line},") for it in cell[:end]):
            self._wrong.append(f"{line!r} is not among new rows of {self._kind}")

    def _lost(self, kind: Kind | None, said: tuple[str, ...]) -> None:
        mean, low, high, suite = said
        line = f", -{mean} (-{high} to -{low}) to the base"
        title = "control" if suite == "Instructions" else "flexibility"
        cell = self._cell(title, kind)
        if cell == ("as fine-tuning",):
            cell = self._cell(title, "tuned")
        if not any(f"{suite}: " in it and line in it for it in cell):
            self._wrong.append(f"{suite}{line} is not in a cell of {kind}")

    def _paid(self, kind: Kind | None, said: tuple[str, ...]) -> None:
        unit, after = said
        if not any(it.startswith(f"in {unit}: {after};") for it in self._cell("break-even", kind)):
            self._wrong.append(f"{unit} {after} is not under break-even of {kind}")

    def _anywhere(self, title: str):
        def check(kind: Kind | None, said: tuple[str, ...]) -> None:
            cells = " ".join(line for cell in self._rows[title] for line in cell)
            if said[0] not in re.findall(NUMBER, cells):
                self._wrong.append(f"{said[0]} is not under {title}")

        return check
