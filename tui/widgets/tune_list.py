"""What can be chosen before a training, a line each, and below it trainings."""

from __future__ import annotations

from ...compare.tuning.work import Unfinished
from ..amounts import moment
from ..safe_text import safe_line
from ..training import Training
from ..training_lines import state_of
from ..tune_form import Field, Heading
from .chosen_lines import ChosenLines, padded

Item = Heading | Field | Training | Unfinished
TITLE = 18


class TuneList(ChosenLines[Item]):
    """Titles and what is chosen; what is not a person's choice is dim."""

    HELP = (
        "What is to be trained. {Tune.change} changes the chosen line, {tune.reset} brings back "
        "what it was at first, {tune.run} trains. An adapter is trained on the model of the selected variant; everything "
        "is checked anew after each change. docs/tuning.md says what is checked, docs/training.md "
        "what the settings mean."
    )

    def key_of(self, item: Item) -> object:
        match item:
            case Field():
                return item.key
            case Training() | Unfinished():
                return item.plan.out
            case Heading():
                return None

    def passes(self, item: Item) -> bool:
        return isinstance(item, Heading)

    def parts_of(self, item: Item) -> list[tuple[str, str]]:
        match item:
            case Heading():
                return [(item.text, "$dim")]
            case Field():
                style = "bold" if item.own else "$secondary"
                return [(f"  {padded(item.title, TITLE)}  ", ""), (safe_line(item.value), style)]
            case Training():
                said, style = state_of(item)
                said += f" {100 * item.share:.0f} %" if item.busy else ""
                return [(f"  {padded(item.name, TITLE)}  ", ""), (said, style)]
            case Unfinished():
                it = item.reached
                said = f"step {it.step:,} of {it.steps:,}, {moment(item.at)}"
                return [(f"  {padded(item.plan.out.stem, TITLE)}  ", ""), (said, "$warning")]
