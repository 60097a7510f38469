"""Help for where one is: built from the focused widget's words and the keys bound now."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen, Screen
from textual.widget import Widget
from textual.widgets import Static

from ..dialog_keys import HELP_KEYS
from ..key_names import line_of_keys, with_keys
from ..offered import offered

if TYPE_CHECKING:
    from ..app import LlamadiffApp

_GROUPS = {
    "run": "Running",
    "prompt": "Prompt",
    "variant": "Variants",
    "rendered": "Rendered prompt",
    "output": "Outputs",
    "diff": "Differences",
    "repeats": "Repeats",
    "lens": "Lens",
    "talk": "Conversation",
    "reply": "Reply",
    "heat": "Text",
    "instead": "Instead",
    "sweep": "Sweep",
    "values": "Values",
    "library": "Library",
    "versions": "Versions",
    "history": "History",
    "compare": "Comparing",
    "rate": "Rating",
    "evaluate": "Evaluate",
    "evaluation": "Evaluation",
    "row": "Row",
    "tune": "Tune",
    "training": "Training",
    "lines": "List",
    "pane": "Panes",
    "app": "Everywhere",
    "later": "Where nothing is typed ({run.stop})",
}
_MARKS = (
    ("words the baseline does not have", "underline $added on $added-background"),
    ("words only the baseline has (one text)", "strike $removed on $removed-background"),
    ("moved here unchanged from another place", "italic underline $moved on $moved-background"),
    (
        "moved from here to another place (one text)",
        "italic strike $moved on $moved-background",
    ),
    ("not reached yet by the other output", "italic $dim"),
)
_SIGNS = (
    ("◆", "the baseline, which the others are compared with"),
    ("◂", "the difference that {diff.next} or {diff.previous} went to"),
    ("+ − ~", "added, removed, moved: in the unit of the view"),
    ("% same", "what both texts have in common"),
    ("│", "between what was removed and what replaces it (one text)"),
    ("kind", "repeats alike: nine of ten words in common"),
    ("beyond noise", "all outputs differ more than by chance ({repeats.noise})"),
)


@dataclass(frozen=True)
class Key:
    """One line of the help: the keys of a binding and what it does."""

    group: str
    keys: str
    does: str


class HelpScreen(ModalScreen[None]):
    """Shows the keys of the screen below it."""

    BINDINGS: ClassVar[list[BindingType]] = [*HELP_KEYS]
    DEFAULT_CSS = """
    HelpScreen {
        align: center middle;
        background: $background 70%;
        #help {
            width: 84; max-width: 100%; height: auto; max-height: 95%;
            padding: 1 2; background: $panel; border-left: outer $primary;
            scrollbar-size-vertical: 1;
        }
        Static { height: auto; }
    }
    """

    def __init__(self, here: str, keys: Sequence[Key], later: str = "") -> None:
        super().__init__()
        self._here = here
        self._keys = keys
        self._titles = {**_GROUPS, "later": later or _GROUPS["later"]}

    @classmethod
    def about(cls, screen: Screen[object]) -> HelpScreen:
        """Help for a screen as it is now."""
        here = ""
        node: Widget | None = screen.focused
        while node is not None and not here:
            here = getattr(node, "HELP", "") or ""
            node = node.parent if isinstance(node.parent, Widget) else None
        return cls(here, keys_of(screen), getattr(screen, "LATER", ""))

    def compose(self) -> ComposeResult:
        with VerticalScroll(id="help"):
            yield Static(self._content())

    def on_mount(self) -> None:
        self.query_one("#help").focus()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "tour":
            return hasattr(self.app, "begin_tour") and self.app.check_action(action, parameters)
        return super().check_action(action, parameters)

    def action_tour(self) -> None:
        self.dismiss(None)
        cast("LlamadiffApp", self.app).begin_tour()

    def _content(self) -> Content:
        tour = " · {help.tour} the guided tour" * bool(self.check_action("tour", ()))
        keys = Content.styled(line_of_keys(self, f"   {{help.close}} closes this{tour}"), "$dim")
        lines = [Content.styled("Help", "bold").append(keys), Content()]
        if self._here:
            lines += [Content(with_keys(self, self._here)), Content()]
        if any(key.group == "output" for key in self._keys):
            lines += [*self._marks(), Content()]
        group = ""
        width = max((len(key.keys) for key in self._keys), default=0) + 2
        for key in self._keys:
            if key.group != group:
                group = key.group
                title = with_keys(self, self._titles.get(group, "Here"))
                lines += [Content.styled(title, "bold $primary")]
            lines += [Content.assemble((f"  {key.keys:<{width}}", "$accent"), key.does)]
        return Content("\n").join(lines)

    def _marks(self) -> Iterator[Content]:
        yield Content.styled("Marks", "bold $primary")
        for words, style in _MARKS:
            yield Content.assemble("  ", (words, style))
        for sign, means in _SIGNS:
            yield Content.assemble((f"  {sign:<14}", "$accent"), with_keys(self, means))


def keys_of(screen: Screen[object]) -> list[Key]:
    """The bindings of a screen, those of one action on one line, in groups.

    Those that what has the focus takes for typing come last.
    """
    order = ["", *_GROUPS]
    found = [
        Key((it.group if it.group in _GROUPS else "") if it.now else "later", it.keys, it.does)
        for it in offered(screen)
    ]
    return sorted(found, key=lambda key: order.index(key.group))
