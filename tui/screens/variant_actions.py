"""What a person does to the list of variants: add, remove, scale, and choose in dialogs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from textual import work
from textual.binding import BindingType

from ...models.errors import ModelError, named
from ...prompts.errors import PromptError
from ..keys import PLAYGROUND_KEYS
from ..safe_text import safe_line
from ..sentences import for_app
from .mistakes import TellsMistakes
from .odd import tell_odd
from .paned import Paned

if TYPE_CHECKING:
    from ...compare.variants import Variant
    from ...prompts.document import Prompt
    from ..session import Session
    from ..state import Playground as State


class VariantActions(TellsMistakes, Paned[None]):
    """The part of the playground that changes variants; the screen shows what came of it."""

    BINDINGS: ClassVar[list[BindingType]] = [*PLAYGROUND_KEYS]

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self._drafts: dict[str, tuple[Prompt, str]] = {}
        """By variant: its prompt, and the document with a mistake that $EDITOR made of it."""

    @property
    def playground(self) -> State:
        return self.session.playground

    def changed(self, names: Iterable[str], *, at_once: bool = False) -> None:
        """Told the names of the variants that ask something else now."""
        raise NotImplementedError

    def list_changed(self, names: Iterable[str]) -> None:
        """As `changed`, when another variant may be selected now: the focus goes with it."""
        raise NotImplementedError

    def leave_drafts(self) -> None:
        """What is open now is as it was recorded: no drafts of it are gone on with."""
        raise NotImplementedError

    def start(self, names: Iterable[str] | None = None, reply: str | None = None) -> None:
        """Run these variants, or all; with a reply, the next turn of their conversations."""
        raise NotImplementedError

    def action_run(self) -> None:
        """Run every variant."""
        raise NotImplementedError

    # ---------------------------------------------------------------- the list

    def action_add_variant(self) -> None:
        if self.playground.add() is not None:
            self.list_changed([self.playground.selected])

    def action_remove_variant(self) -> None:
        gone = self.playground.remove()
        if gone is None:
            self.app.notify("The last variant stays.", timeout=3)
            return
        self.list_changed(())
        self.app.notify(f"Removed {gone.name}; {{variant.undo}} brings it back.", timeout=3)

    def action_undo(self) -> None:
        if self.playground.undo():
            state = self.playground
            self.list_changed([name for name in state.names if state.stale(name)])

    def action_baseline(self) -> None:
        self.playground.choose_baseline()
        self.changed(())

    def action_rescale(self, step: float) -> None:
        variant = self.playground.rescale(step)
        if variant is not None:
            self.changed([variant.name], at_once=True)
        elif (current := self.playground.current) is not None and not current.adapters:
            self.app.notify(
                f"{current.name} has no adapter; {{variant.adapters}} adds one.", timeout=3
            )

    def action_fork_prompt(self) -> None:
        prompt = self.playground.fork_prompt()
        if prompt is None:
            self.app.notify("No other variant shares this prompt.", timeout=3)
        else:
            self.changed(())

    # ----------------------------------------------------------------- dialogs

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_pick_model(self) -> None:
        from .pick_model import PickModel

        variant = self.playground.current
        found = await self.app.push_screen_wait(PickModel(self.session.catalog))
        if variant is not None and found is not None:
            name, path = found
            self._update(replace(variant, model=path, model_name=name))

    @work(group="unload", exclusive=True, exit_on_error=False)
    async def action_unload_model(self) -> None:
        variant = self.playground.current
        if variant is None:
            return
        if self.session.running:
            self.notify("Stop the run first ({run.stop}).", severity="warning")
        elif await self.session.unload(variant):
            self.notify(f"{safe_line(variant.model_name)} is unloaded; running loads it again.")

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_pick_adapters(self) -> None:
        from .pick_adapters import PickAdapters

        variant = self.playground.current
        if variant is None:
            return
        dialog = PickAdapters(variant, self.session)
        stack = await self.app.push_screen_wait(dialog)
        if stack is not None:
            self._update(replace(variant, adapters=stack))
            if dialog.runs:
                self.action_run()

    async def use_model(self, name: str, path: Path) -> str:
        """Have the selected variant run on this base model; why not, if it cannot."""
        from ...models.engine.client import EngineError
        from ...models.gguf.check import check_model

        variant = self.playground.current
        if variant is None:
            return "There is no variant yet."
        try:
            await asyncio.to_thread(check_model, path)
            if variant.adapters:
                await self.session.check(
                    replace(variant, model=path, model_name=name), variant.adapters
                )
        except (ModelError, EngineError) as error:
            return for_app(named(str(error), path, name))
        self._update(replace(variant, model=path, model_name=name))
        return ""

    async def use_adapter(self, name: str, path: Path, say: Callable[[str], None]) -> str:
        """Put this adapter on top of the selected variant's stack; why not, if it cannot be.

        A PEFT folder is converted first; `say` is told how far that has come.
        """

        from ...compare.variants import StackedAdapter
        from ...models.engine.client import EngineError
        from ..conversion import readable

        variant = self.playground.current
        if variant is None:
            return "There is no variant yet."
        try:
            usable = await readable(path, variant.model, self.session.cache_dir, say)
            path = usable.path
            if any(adapter.path.resolve() == path.resolve() for adapter in variant.adapters):
                return f"{variant.name} has {name} already; {{variant.scale_down}} and {{variant.scale_up}} in the playground scale it."
            stack = (*variant.adapters, StackedAdapter(name, path))
            odd = await self.session.check(variant, stack)
        except (ModelError, EngineError) as error:
            return for_app(str(error))
        self._update(replace(variant, adapters=stack))
        tell_odd(self.app, (*usable.notes, *odd))
        return ""

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_sampling(self) -> None:
        from .sampling import SamplingDialog

        variant = self.playground.current
        if variant is None:
            return
        dialog = SamplingDialog(variant, self.playground.seed)
        chosen = await self.app.push_screen_wait(dialog)
        if chosen is not None:
            sampling, seed = chosen
            if seed != self.playground.seed:
                self.playground.seed = seed
                self.changed(self.playground.names)
            self._update(replace(variant, sampling=sampling))

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_label(self) -> None:
        from .ask import Ask

        variant = self.playground.current
        if variant is None:
            return
        label = await self.app.push_screen_wait(
            Ask(f"Label of {variant.name}", variant.label, variant.prompt.name)
        )
        if label is not None:
            self.playground.update(replace(variant, label=label.strip()))
            self.changed(())

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_save_prompt(self) -> None:
        from .save_prompt import own_file, save

        variant = self.playground.current
        if variant is None:
            return
        prompt = self.playground.values.declared(variant)
        path = own_file(prompt)
        if path is None or not path.exists():
            await self._save_as(variant, prompt)
            return
        try:
            saved = await save(self.app, prompt, path)
        except PromptError as error:
            self.tell_error(for_app(str(error)))
        else:
            self._saved(variant, saved)

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_save_prompt_as(self) -> None:
        variant = self.playground.current
        if variant is not None:
            await self._save_as(variant, self.playground.values.declared(variant))

    async def _save_as(self, variant: Variant, prompt: Prompt) -> None:
        from .save_prompt import SavePrompt

        folder = self.session.prompts_folder
        self._saved(variant, await self.app.push_screen_wait(SavePrompt(prompt, folder)))

    def _saved(self, variant: Variant, saved: Prompt | None) -> None:
        if saved is not None:
            self.session.saved(variant.prompt, saved)
            self.changed([variant.name] if saved != variant.prompt else ())
            said, folder = f"Saved {saved.name} as {saved.path}", self.session.prompts_folder
            if (
                self.session.passing
                and saved.path is not None
                and saved.path.is_relative_to(folder)
            ):
                said += ", which goes with the tour: {prompt.save_as} saves it elsewhere"
            self.app.notify(f"{said}.", timeout=4)

    def _update(self, variant: Variant) -> None:
        if variant != self.playground.get(variant.name):
            self.playground.update(variant)
            self.changed([variant.name])

    # ------------------------------------------------------------------ $EDITOR

    @work(group="dialog", exclusive=True, exit_on_error=False)
    async def action_external_editor(self) -> None:
        from ...prompts.parse import parse_prompt
        from ...prompts.save import dump_prompt

        variant = self.playground.current
        if variant is None:
            return
        origin, draft = self._drafts.get(variant.name, (None, ""))
        try:
            text = draft
            if origin != variant.prompt:
                text = await asyncio.to_thread(dump_prompt, variant.prompt)
            edited = self._in_editor(text)
            if edited is None or edited == text:
                return
            self._drafts[variant.name] = (variant.prompt, edited)
            prompt = parse_prompt(edited, variant.prompt.name, path=variant.prompt.path)
            prompt = replace(prompt, loaded=variant.prompt.loaded)
        except PromptError as error:
            self.app.notify(
                f"{error} – {{prompt.external}} opens it again.",
                severity="error",
                timeout=8,
            )
            return
        del self._drafts[variant.name]
        self._take(prompt)

    def _take(self, prompt: Prompt) -> None:
        changed = self.playground.edit_prompt(prompt)
        self.changed(changed)

    def _in_editor(self, text: str) -> str | None:
        """The text as a person left it in $VISUAL or $EDITOR; None when that is not possible."""
        import tempfile

        from ..external import edit_file

        try:
            with tempfile.TemporaryDirectory(prefix="llamadiff-") as folder:
                file = Path(folder) / "prompt.toml"
                file.write_text(text, "utf-8")
                problem = edit_file(self.app, file)
                if not problem:
                    return file.read_text("utf-8", errors="replace")
        except OSError as error:
            problem = f"The file for the editor cannot be used: {error.strerror or error}."
        self.tell_error(problem)
        return None
