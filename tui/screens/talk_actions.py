"""What a person does with outputs: reply to them, pin, copy and write them, with another seed."""

from __future__ import annotations

from collections.abc import Sequence

from textual import on, work

from ..widgets.output_board import OutputBoard
from ..widgets.reply_box import ReplyBox
from .variant_actions import VariantActions


class TalkActions(VariantActions):
    """The part of the playground that goes on with outputs."""

    _to_all = True

    # ------------------------------------------------------------------ replying

    def action_reply(self) -> None:
        if not self._addressed():
            self.app.notify(self._nobody(), timeout=4)
            return
        self.query_one(ReplyBox).open(self._whom())

    def _addressed(self) -> list[str]:
        """Who would get the reply."""
        state = self.playground
        return state.talk.can_go_on(state.names if self._to_all else [state.selected])

    def _whom(self) -> str:
        names = self._addressed()
        everyone = self._to_all and len(names) == len(self.playground.names)
        said = f"all {len(names)}" if everyone and len(names) > 1 else ", ".join(names)
        return f"reply to {said}{self._which(names)}" if said else "reply to nobody"

    def _which(self, names: Sequence[str]) -> str:
        """Which of their outputs get the reply, where there are several."""
        state = self.playground
        if all(len(state.siblings(name)) < 2 for name in names):
            return ""
        each = state.talk.is_for_each(names, state.repeats)
        return ", each output its own" if each else f", the output{'s' * (len(names) > 1)} shown"

    def _nobody(self) -> str:
        state = self.playground
        changed = [name for name in state.names if state.talk.turns(name) and state.stale(name)]
        if self.session.running:
            return "They are still answering; {run.stop} stops them."
        if any(state.talk.lost(name) for name in state.names):
            return "What this replied to is gone, so it cannot be gone on with."
        if changed:
            return "What they were asked was changed since; {run.start} asks that first."
        return "There is no answer yet to reply to; {run.start} runs."

    @on(ReplyBox.WhomAsked)
    def _other_addressee(self) -> None:
        self._to_all = not self._to_all
        self.query_one(ReplyBox).say_whom(self._whom())

    @on(ReplyBox.Left)
    def _reply_left(self) -> None:
        self._close_reply(keep=True)

    def _close_reply(self, *, keep: bool) -> None:
        self.query_one(ReplyBox).close(keep=keep)
        self.query_one(OutputBoard).focus_pane(self.playground.selected)

    @on(ReplyBox.Sent)
    def _reply_sent(self, event: ReplyBox.Sent) -> None:
        names = self._addressed()
        if self.session.running or not names:
            self.app.notify(self._nobody(), timeout=4)
        elif event.text.strip():
            left = [name for name in self.playground.names if name not in names]
            last, own_before = self.session.last, self.playground.own_before
            self.start(names, event.text)
            if self.session.last is last:  # which has said why
                return
            self._close_reply(keep=False)
            for pane in filter(None, map(self.query_one(OutputBoard).pane, names)):
                pane.text.follow()
            if own_before and not self.playground.own_before:
                self.app.notify(self._without_before(), timeout=5)
            if left and self._to_all:
                why = "pinned, without an answer, or asked something else since"
                self.app.notify(f"Not to {', '.join(left)}: {why}.", timeout=5)

    def action_take_back(self) -> None:
        if self.session.running:
            self.app.notify("Stop the run first ({run.stop}).", timeout=3)
            return
        own_before = self.playground.own_before
        names, reply = self.playground.talk.take_back()
        if not names:
            self.app.notify("There is no turn to take back.", timeout=3)
            return
        self.query_one(ReplyBox).propose(reply)
        self.changed(())
        said = f"Took back the last turn of {', '.join(names)}; {{talk.reply}} has what you said."
        if own_before and not self.playground.own_before:
            said = f"{said} {self._without_before()}"
        self.app.notify(said, timeout=5)

    def _without_before(self) -> str:
        return f"Nothing was said before to this: it is compared with {self.playground.baseline}."

    def action_thoughts(self) -> None:
        self.playground.talk.thoughts = not self.playground.talk.thoughts
        self.query_one(OutputBoard).show()

    def on_output_pane_fold_clicked(self) -> None:
        self.action_thoughts()

    # --------------------------------------------------- pinning, seeds, keeping

    def action_pin(self) -> None:
        name, pinned = self.playground.selected, self.playground.talk.pinned
        output = self.playground.outputs.get(name)
        repeats = self.playground.siblings(name)
        if name in pinned:
            pinned.discard(name)
        elif output is None or not output.state.over or not output.text:
            self.app.notify(f"{name} has nothing to pin yet.", timeout=3)
            return
        elif not all(it.state.over for it in repeats):
            self.app.notify(
                f"{name} has repeats to come; {{talk.pin}} pins it once they are over.", timeout=4
            )
            return
        else:
            pinned.add(name)
        self.changed(())

    def action_new_seed(self) -> None:
        self.playground.talk.new_seed()
        self.changed(())
        self.start()

    def action_copy(self) -> None:
        from ...compare.reasoning import answer_of

        output = self.playground.shown(self.playground.selected)
        text = answer_of(output) if output is not None else ""
        if text:
            self.app.copy_to_clipboard(text)
        else:
            self.app.notify(f"{self.playground.selected} has not said anything yet.", timeout=3)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_write(self) -> None:
        from ..exporting import of_output
        from .write_output import write

        state = self.playground
        output = state.shown(state.selected)
        if output is None or not output.text:
            self.app.notify(f"{state.selected} has not said anything yet.", timeout=3)
            return
        order = dict.fromkeys([state.baseline, *state.names])
        said = [it for name in order if (it := state.shown(name)) is not None and it.text]
        values = state.values.known_to([it.variant for it in said])
        await write(self.app, of_output(output, said, values))
