"""The list of the Evaluate screen: suites, and below them evaluations."""

from __future__ import annotations

from rich.cells import cell_len

from ..amounts import moment
from ..key_names import with_keys
from ..safe_text import safe_line
from ..suites_listed import Heading, Item, Listed, Past
from .chosen_lines import ChosenLines, padded

MOST_NAME = 24


class ItemTable(ChosenLines[Item]):
    """Suites with where they come from, evaluations with when they were and how far they came."""

    HELP = "Suites, and evaluations already made: ✗ marks a suite with a mistake."

    def key_of(self, item: Item) -> object:
        match item:
            case Listed():
                return item.path
            case Past():
                return item.entry.key
            case Heading():
                return None

    def passes(self, item: Item) -> bool:
        return isinstance(item, Heading)

    def parts_of(self, item: Item) -> list[tuple[str, str]]:
        if isinstance(item, Heading):
            return [(item.text, "$dim")]
        names = max((cell_len(_name(it)) for it in self.items), default=0)
        parts = [(f"  {padded(_name(item), min(MOST_NAME, names))}  ", "")]
        if isinstance(item, Listed):
            if item.problem:
                problem = item.problem.removeprefix(str(item.path)).lstrip(",: ")
                return [*parts, (f"✗ {safe_line(with_keys(self, problem))}", "$error")]
            origin = {"ships": "ships", "yours": "yours", "opened": "file"}[item.origin]
            left = [(f"{item.left}  ", "$warning")] * bool(item.left)
            return [
                *parts,
                (f"{origin:<5}  ", "$secondary"),
                *left,
                (safe_line(item.about), "$dim"),
            ]
        times = max(cell_len(moment(it.entry.at)) for it in self.items if isinstance(it, Past))
        style = "$accent" if item.share is not None else "$warning" if item.stopped else "$secondary"  # fmt: skip
        changes = [(f" · {safe_line(item.changes)}", "$dim")] * bool(item.changes)
        when = padded(moment(item.entry.at), times) + "  "
        return [*parts, (when, "$dim"), (item.state, style), *changes]


def _name(item: Item) -> str:
    match item:
        case Listed():
            return safe_line(item.name)
        case Past():
            return safe_line(item.entry.suite)
        case Heading():
            return ""
