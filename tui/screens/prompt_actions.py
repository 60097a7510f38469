"""What happens to prompts in the playground: drafts, changes from outside, versions, snippets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from textual import work
from textual.timer import Timer
from textual.worker import WorkerFailed

from ...compare.errors import CompareError
from ...prompts.errors import PromptError
from ..safe_text import safe_line
from ..sentences import for_app
from .variant_actions import VariantActions

if TYPE_CHECKING:
    from ...compare.history.drafts import Draft
    from ...compare.variants import Variant
    from ...prompts.document import Prompt
    from ...prompts.merge import Conflict
    from ..drafts import Drafting, Texts
    from ..outside import Outside

KEEP_PAUSE_S = 0.5
"""How long after a change a draft is handed to the history, which writes it within a second."""
LOOK_PAUSE_S = 0.8
"""How often the files of prompts are looked at."""


class PromptActions(VariantActions):
    """The part of the playground that changes prompts; the screen shows what came of it."""

    def __init__(self) -> None:
        super().__init__()
        self._outside: Outside | None = None
        self._drafting: Drafting | None = None
        self._keeping: Timer | None = None
        self._looking = False

    # ------------------------------------------------------ drafts and their files

    async def begin_drafts(self, texts: Texts) -> None:
        """Keep drafts from now on, go on with those of the last time, and watch the files.

        Whatever becomes of that, and is told, the app goes on.
        """
        from ..drafts import Drafting
        from ..outside import Outside

        self._drafting = Drafting(self.playground, texts)
        self._outside = Outside(self.playground)
        self.set_interval(LOOK_PAUSE_S, self._look_outside)
        work = self._bring_back_all(self._drafting)
        with suppress(WorkerFailed):
            await self.run_worker(work, group="drafts", exit_on_error=False).wait()

    async def _bring_back_all(self, drafting: Drafting) -> None:
        await self._bring_back(drafting)
        drafts = await asyncio.to_thread(self._waiting_drafts())
        count = sum(draft.prompt.path is None for draft in drafts)
        if count:
            said = f"{count} prompts were" if count > 1 else "A prompt was"
            self.app.notify(
                f"{said} never saved; {{prompt.pick}} has the draft{'s' * (count > 1)}.", timeout=8
            )

    async def _bring_back(self, drafting: Drafting) -> None:
        changed = await self.session.bring_back(drafting)
        if changed:
            self.changed(changed)
            self._look_outside()

    def _waiting_drafts(self) -> Callable[[], list[Draft]]:
        """What reads the drafts of prompts that are not on the screen; none if that cannot be."""
        history, drafting = self.session.history, self._drafting
        if history is None or drafting is None:
            return list
        drafts, shown = history.drafts, drafting.shown

        def read() -> list[Draft]:
            with suppress(CompareError):
                return drafts.free(shown)
            return []

        return read

    def leave_drafts(self) -> None:
        if self._drafting is not None:
            self._drafting.leave_alone()

    def keep_soon(self) -> None:
        """A prompt may have been changed: keep the draft in a moment. Or opened: look for one."""
        self._keeping = self._keeping or self.set_timer(KEEP_PAUSE_S, self.keep_drafts)
        if self._drafting is not None and self._drafting.behind:
            self.run_worker(self._bring_back(self._drafting), group="drafts", exit_on_error=False)

    def keep_drafts(self) -> None:
        """Have drafts kept."""
        self._keeping = None
        if self._drafting is not None:
            self.session.keep(self._drafting)

    def _look_outside(self) -> None:
        if self.is_current and self._outside is not None and not self._looking:
            self._looking = True
            self.run_worker(self._take_news(self._outside), group="outside", exit_on_error=False)

    async def _take_news(self, outside: Outside) -> None:
        """Take in what other programs changed in the files of prompts, and say so."""
        try:
            found = await outside.look()
        finally:
            self._looking = False
        for news in found:
            name = safe_line(news.path.name)
            if news.conflict is not None:
                self._ask_which(outside, news.document, news.conflict)
            elif news.deleted:
                self.app.notify(f"{name} was deleted by another program; yours is kept, and saving writes it again.", severity="warning", timeout=8)  # fmt: skip
            elif news.problem:
                self.app.notify(
                    f"{name} was changed by another program and cannot be used now; yours is kept. "
                    f"{news.problem}",
                    severity="warning", timeout=8,
                )  # fmt: skip
            else:
                self.changed(news.names)
                self.app.notify(f"{name} was changed on disk; that is in here now.", timeout=5)  # fmt: skip

    @work(group="dialog", exit_on_error=False)
    async def _ask_which(self, outside: Outside, document: str, conflict: Conflict) -> None:
        from .both_changed import BothChanged

        chosen = await self.app.push_screen_wait(BothChanged(conflict))
        if chosen is not None and document in self.playground.documents.all():
            self.changed(outside.settle(document, chosen, conflict.on_disk))

    def action_drop_draft(self) -> None:
        variant = self.playground.current
        if variant is None:
            return
        if not self.playground.documents.edited(variant):
            self._forget_draft(variant)
            return
        document, original = (
            self.playground.documents.of(variant),
            self.playground.documents.original(variant),
        )
        self.changed(self.playground.put(document, original))
        self.app.notify(
            "As it is in its file; ctrl+z in the editor brings your words back.", timeout=4
        )

    def _forget_draft(self, variant: Variant) -> None:
        """Drop the draft of a prompt as it was opened: there is one if it has no file."""
        if variant.prompt.path is not None or self._drafting is None:
            self.app.notify("This prompt is as it was opened.", timeout=3)
            return
        self._drafting.forget(variant)
        self.changed(self.playground.put(self.playground.documents.of(variant), variant.prompt))
        self.app.notify("This prompt has no file, and no draft of it is kept now.", timeout=4)

    # --------------------------------------------- versions, snippets, examples

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_versions(self) -> None:
        from ..drafts import in_place_of
        from .versions import Versions

        variant, history = self.playground.current, self.session.history
        if variant is None:
            return
        if history is None:
            self.app.notify("Nothing is remembered (--no-history), so there are no versions.")
            return
        before = variant.prompt
        chosen = await self.app.push_screen_wait(Versions(before, history))
        if chosen is not None:
            prompt = in_place_of(before, chosen)
            self.changed(self.playground.put(self.playground.documents.of(variant), prompt))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_add_snippet(self) -> None:
        from ...prompts.snippets import apply
        from .pick_snippet import PickSnippet

        variant = self.playground.current
        snippet = await self.app.push_screen_wait(PickSnippet(self.session.snippet_folders))
        if variant is None or snippet is None:
            return
        prompt = apply(snippet, variant.prompt)
        if prompt == variant.prompt:
            self.app.notify(f"All of {safe_line(snippet.name)} is in the prompt already.", timeout=4)  # fmt: skip
        else:
            self._add_beside(prompt, snippet.name)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_add_examples(self) -> None:
        from .pick_examples import PickExamples

        variant = self.playground.current
        if variant is None:
            return
        prompt = variant.prompt
        dialog = PickExamples(prompt, partial(self.session.count_tokens, variant))
        examples = await self.app.push_screen_wait(dialog)
        if examples:
            title = f"{len(examples)} example{'s' * (len(examples) != 1)}"
            self._add_beside(prompt.with_examples((*prompt.examples, *examples)), title)

    def _add_beside(self, prompt: Prompt, added: str) -> None:
        """A copy of the selected variant with a prompt that something was added to."""
        name = f"{prompt.name} + {added}"
        made = self.playground.add_with(replace(prompt, name=name, path=None, loaded=None))
        if made is None:
            self.app.notify("There is no room for another variant.", timeout=4)
            return
        self.list_changed([made.name])
        said = f"{made.name} is {safe_line(name)}; {{run.start}} runs it, {{variant.undo}} takes it back."
        self.app.notify(said, timeout=5)

    # -------------------------------------------------------------- the library

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_pick_prompt(self) -> None:
        from ...prompts.document import Prompt
        from .pick_prompt import PickPrompt

        dialog = PickPrompt(self.session.library, self._waiting_drafts())
        chosen = await self.app.push_screen_wait(dialog)
        variant = self.playground.current
        if variant is None or chosen is None:
            return
        if isinstance(chosen, Prompt):
            self._update(replace(variant, prompt=chosen, label=""))
        else:
            await self._use_draft(variant, chosen)

    async def _use_draft(self, variant: Variant, draft: Draft) -> None:
        """Have a variant go on with a draft, in its file if that is still there."""
        from ...prompts.parse import load_prompt

        prompt = replace(draft.prompt, path=None)
        if draft.prompt.path is not None:
            with suppress(PromptError):
                prompt = await asyncio.to_thread(load_prompt, draft.prompt.path)
        history, drafting = self.session.history, self._drafting
        if history is None or drafting is None:
            return
        self.playground.update(replace(variant, prompt=prompt, label=""))
        shown = self.playground.get(variant.name)
        assert shown is not None
        drafting.go_on(self.playground.documents.of(shown), draft, history.drafts)
        self.changed([variant.name])
        self._look_outside()

    async def use_prompt(self, path: Path) -> str:
        """Have the selected variant use the prompt in a file; why not, if it cannot."""
        from ...prompts.parse import load_prompt

        variant = self.playground.current
        if variant is None:
            return "There is no variant yet."
        try:
            prompt = await asyncio.to_thread(load_prompt, path)
        except PromptError as error:
            return for_app(str(error))
        self.playground.update(replace(variant, prompt=prompt, label=""))
        self.changed([variant.name])
        return ""

    def moved(self, before: Path, path: Path) -> None:
        """Take note that a prompt's file has another name now."""
        if self.session.history is not None:
            self.session.history.moved(before, path)
        for document, variant in self.playground.documents.all().items():
            if variant.prompt.path == before:
                original = replace(self.playground.documents.original(variant), path=path)
                self.playground.put(document, replace(variant.prompt, path=path), original=original)
