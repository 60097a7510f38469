"""Which keys matter in the playground, by where the focus is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..diffing import view_name
from ..widgets.prompt_panel import PromptPanel
from ..widgets.rendered_view import RenderedView
from ..widgets.reply_box import ReplyBox
from ..widgets.tab_strip import TabStrip
from ..widgets.variant_list import VariantList

if TYPE_CHECKING:
    from ..widgets.key_bar import Hint
    from .diff_actions import DiffActions


def hints_of(screen: DiffActions) -> Sequence[Hint]:
    """What the bottom line says, the most important first."""
    run: list[Hint] = [("run.start", "run")]
    if screen.session.running:
        run = [("run.stop", "stop")]
    if screen.query_one(RenderedView).has_focus:
        return [
            ("rendered.chat", "chat"), ("rendered.text", "text"),
            ("rendered.tokens", "tokens"), ("rendered.ids", "ids"), ("prompt.tab", "next tab"),
            *run, ("prompt.edit", "edit"),
        ]  # fmt: skip
    if isinstance(screen.focused, TabStrip):
        return [("tabs.left tabs.right", "tab"), *run, ("prompt.edit", "edit")]
    if screen.query_one(PromptPanel).has_focus_within:
        leave: list[Hint] = [] if screen.session.running else [("run.stop", "leave editor")]
        return [
            *run, *leave, ("prompt.tab", "next tab"), ("run.live", "live"),
            ("prompt.save", "save"), ("prompt.external", "$EDITOR"),
        ]  # fmt: skip
    if screen.query_one(ReplyBox).has_focus_within:
        return [
            ("reply.send", "send"), ("reply.leave", "leave"), ("reply.whom", "all or one"),
            ("reply.line", "new line"), *run,
        ]  # fmt: skip
    if screen.query_one(VariantList).has_focus:
        return [
            *run, ("variant.add", "add"), ("variant.adapters", "adapters"),
            ("prompt.pick", "prompt"), ("variant.model", "model"),
            ("variant.sampling", "sampling"), ("variant.scale_down variant.scale_up", "scale"),
            ("prompt.edit", "edit"),
        ]  # fmt: skip
    panes: list[Hint] = [("output.next", "pane")] if screen.board.narrow else []
    if len(screen.playground.siblings(screen.playground.selected)) > 1:
        panes += [("repeats.previous repeats.next", "repeats")]
    return [
        *run, ("output.diff", f"diff: {view_name(screen.playground.view)}"), ("talk.reply", "reply"),
        *panes, ("diff.next diff.previous", "next"),
        ("prompt.edit", "edit"), ("variant.adapters", "adapters"),
        ("variant.scale_down variant.scale_up", "scale"),
        ("variant.baseline", "baseline"),
    ]  # fmt: skip
