"""What opens the lens from the playground, and goes on with the branch chosen in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual import work

from .variant_actions import VariantActions

if TYPE_CHECKING:
    from ...compare.run import Output


class LensActions(VariantActions):
    """The part of the playground that looks at an output token by token."""

    looking = False
    """Whether it does: live runs wait, so that the outputs stay which are looked at."""

    def action_lens(self) -> None:
        self._open_lens(at_parting=False)

    def action_parting(self) -> None:
        self._open_lens(at_parting=True)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def _open_lens(self, *, at_parting: bool) -> None:
        from ..lens_source import OWN
        from .lens import LensScreen

        playground = self.playground
        selected, names = playground.selected, playground.names
        if len(names) < 2:
            self.app.notify("This compares two variants; {variant.add} adds one.", timeout=4)
            return
        other = next(name for name in names if name != playground.baseline)
        pair = (playground.baseline, other if selected == playground.baseline else selected)
        spoken = [name for name in (selected, *pair) if _spoken(playground.shown(name))]
        silent = next((name for name in pair if name not in spoken), None)
        if at_parting and silent is not None:
            self.app.notify(
                f"{silent} has not said anything yet; {{run.start}} runs it.", timeout=4
            )
            return
        text = spoken[0] if spoken else OWN
        self.looking = True
        try:
            branch = await self.app.push_screen_wait(
                LensScreen(self.session, pair, text, at_parting=at_parting)
            )
        finally:
            self.looking = False
        if playground.live:
            self.changed(())
        if branch is None or playground.get(branch.source) is None:
            return
        playground.selected = branch.source
        made = playground.add(branch.beginning)
        if made is None:
            self.app.notify("There is no room for another variant.", timeout=4)
            return
        playground.talk.join(made.name, branch.source, branch.place)
        self.list_changed(())
        self.start([made.name])


def _spoken(output: Output | None) -> bool:
    return output is not None and bool(output.tokens)
