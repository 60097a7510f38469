"""What makes an app under a pilot cheap: nothing is done twice, or for a terminal that is not there.

Textual paints sixty times a second, reads its style sheets anew for each app, and matches all rules
with all below a widget whose focus or classes change. Half of a test's processor time was this.
"""

from __future__ import annotations

from time import monotonic
from typing import Any

import pytest
from textual._compositor import Compositor
from textual.css.model import RuleSet
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.widget import Widget

PAINTED_EVERY_S = 0.5
_parsed: dict[tuple[object, ...], list[RuleSet]] = {}


def paint_seldom(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have what no terminal shows painted now and then only.

    A test that looks at the screen has all of it drawn; layouts and styles are as ever.
    """
    paint, last = Compositor.render_update, 0.0

    def render_update(self: Compositor, full: bool = False, **options: Any) -> Any:
        nonlocal last
        if not full and monotonic() - last < PAINTED_EVERY_S:
            return None  # what changed stays so for the next time
        last = monotonic()
        return paint(self, full, **options)

    monkeypatch.setattr(Compositor, "render_update", render_update)


def read_style_sheets_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have apps share what was made of a style sheet, which nothing changes."""
    parse = Stylesheet._parse_rules

    def parsed(self: Stylesheet, css: str, *where: Any, **options: Any) -> list[RuleSet]:
        key = (css, where, *sorted(options.items()), *sorted(self._variables.items()))
        if key not in _parsed:
            _parsed[key] = parse(self, css, *where, **options)
        return _parsed[key]

    monkeypatch.setattr(Stylesheet, "_parse_rules", parsed)


def style_what_changed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a widget keep its styles while nothing is another that its rules look at."""
    apply = Stylesheet.apply

    def applied(self: Stylesheet, node: DOMNode, **options: Any) -> None:
        if not isinstance(node, Widget):
            apply(self, node, **options)
            return
        rules, state = self.rules, _seen_by_rules(self, node)
        of, was = node.__dict__.get("_styled", (None, None))
        if of is rules and was == state:
            node.notify_style_update()
            return
        apply(self, node, **options)
        node.__dict__["_styled"] = rules, state

    monkeypatch.setattr(Stylesheet, "apply", applied)


def _seen_by_rules(sheet: Stylesheet, widget: Widget) -> tuple[object, ...]:
    """What decides which rules hold for a widget and its component classes."""
    names = widget._selector_names | {f".{it}" for it in widget._get_component_classes()}
    looked_at = sorted(_pseudo_classes(sheet, frozenset(names)))
    return tuple(
        (type(it), it.id, it.classes, *(name for name in looked_at if it.has_pseudo_class(name)))
        for it in widget.css_path_nodes
    )


def _pseudo_classes(sheet: Stylesheet, names: frozenset[str]) -> frozenset[str]:
    """All that the rules look at whose last selector has one of the names."""
    known = sheet.__dict__.setdefault("_looked_at", {})
    if known.get("rules") is not sheet.rules:
        known.clear()
        known["rules"] = sheet.rules
    if names not in known:
        rules = sheet.rules_map
        found = [rule.pseudo_classes for name in names for rule in rules.get(name, ())]
        known[names] = frozenset().union(*found)
    return known[names]
