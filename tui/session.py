"""What the Playground does: load, preview and run, one after the other and told in words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from ..compare.errors import MISTAKES, CompareError
from ..compare.shares import percent
from ..models.errors import MissingFile, ModelError
from .fit import Misfit
from .following_up import FollowUps
from .model_facts import ModelFacts
from .sentences import for_app
from .services import Services, import_history, made_ready
from .state import Playground
from .widgets.top_bar import Status

if TYPE_CHECKING:
    from ..compare.history.history import History
    from ..compare.preview import Preview
    from ..compare.run import Run
    from ..compare.runner import Runner
    from ..compare.variants import StackedAdapter, Variant
    from ..models.catalog import Catalog
    from ..prompts.document import Prompt
    from ..prompts.library import Library
    from .drafts import Drafting
    from .setup import Setup


class Session:
    """The playground's state and the services that act on it.

    `on_change` is called when something shown may have changed; `on_trouble` with a sentence.
    """

    def __init__(
        self, setup: Setup, on_change: Callable[[], None], on_trouble: Callable[[str], None]
    ) -> None:
        self.playground = Playground(setup)
        self._setup = setup
        self._services = Services(setup, self._engine_died)
        self._on_change = on_change
        self._on_trouble = on_trouble
        self._state = "starting"
        self._load: str | None = None
        """How far a load under way has come; None while there is none."""
        self.models = ModelFacts()
        self._said: set[str] = set()
        """What has been said of adapters that are odd on their base."""
        self.behind = FollowUps(lambda: self.history, on_change)
        self.runner = self._services.runner
        self.run_now: Run | None = None
        self.last: Run | None = None
        """The newest run, over or not."""

    @cached_property
    def catalog(self) -> Catalog:
        """The models and adapters on this disk, looked for when it is first asked."""
        from ..models.catalog import Catalog

        setup = self._setup
        return Catalog(setup.model_folders, own=setup.adapters_folder, cache_dir=setup.cache_dir)

    @cached_property
    def history(self) -> History | None:
        """What is remembered; None where that is not wanted. It tells its troubles itself."""
        if self._setup.state_dir is None:
            return None
        from importlib.metadata import version

        from ..compare.history.history import History

        loop = asyncio.get_running_loop()

        def trouble(sentence: str) -> None:
            with contextlib.suppress(RuntimeError):  # the app has ended meanwhile
                loop.call_soon_threadsafe(self._on_trouble, sentence)

        return History(self._setup.state_dir, version("llamadiff"), trouble)

    @cached_property
    def library(self) -> Library:
        """The person's own prompts, and those that ship."""
        from ..prompts.library import Library

        return Library(self._setup.prompt_folders)

    @property
    def prompts_folder(self) -> Path:
        """Where the person's own prompts are."""
        return next(iter(self._setup.prompt_folders), Path())

    @property
    def passing(self) -> bool:
        """Whether these, and all else that is kept, go away at the end, as the tour's do."""
        return self._setup.passing

    @property
    def cache_dir(self) -> Path:
        """Where converted adapters are."""
        return self._setup.cache_dir

    @property
    def snippet_folders(self) -> Sequence[Path]:
        """Where the person's own snippets are."""
        return self._setup.snippet_folders

    async def count_tokens(self, variant: Variant, text: str) -> int:
        """How many tokens a text has for a variant's base model. Raises as `load`."""
        runner = await self._services.runner()
        model = await runner.load(variant)
        return len((await runner.engine.tokenize(model, text, add_special=False)).tokens)

    @property
    def running(self) -> bool:
        """Whether a run is under way."""
        return self.run_now is not None

    @property
    def status(self) -> Status:
        """What the top bar says now."""
        playground, variant = self.playground, self.playground.current
        quantization, facts = self.models.of(variant)
        # A run under way and a failure are not hidden by a load in the background.
        loading = self._load is not None and self._state not in ("running", "failed")
        state, detail = self._state, ""
        if variant and state != "running" and (misfit := playground.misfits.of(variant)):
            detail = "(file is gone)" if misfit.gone else "(does not fit)"
            loading, state = False, "failed"
        return Status(
            model=variant.model_name if variant else "",
            quantization=quantization,
            facts=facts,
            state="loading" if loading else state,
            detail=self._load or "" if loading else detail,
            seed=playground.seed_shown,
            live=playground.live,
            exact=playground.exact,
            repeats=playground.repeats,
        )

    def _say(self, state: str) -> None:
        self._state = state
        self._on_change()

    def _loading(self, progress: str | None) -> None:
        self._load = progress
        self._on_change()

    def _engine_died(self, sentence: str) -> None:
        self._say("failed")
        self._on_trouble(f"{sentence} Every text is kept; press {{run.start}} to run again.")

    # ---------------------------------------------------------------- loading

    async def choose(self) -> None:
        """Make the ready variants if none were given."""
        try:
            if not self.playground.variants:
                self.playground.open(await self.ready())
                self._on_change()
        except MISTAKES as error:
            self._say("failed")
            self._on_trouble(str(error))

    async def ready(self) -> list[Variant]:
        """The ready variants: on the person's model, or where that cannot be, on the bundled one.
        Raises ModelError or PromptError."""
        if model := self._setup.configured.config.model:
            try:
                return await asyncio.to_thread(made_ready, self.catalog, model)
            except ModelError as error:
                where = self._setup.configured.sources.get("model", "")
                self._on_trouble(f"{error} It is the model of {where}; this is the bundled one.")
        return await asyncio.to_thread(made_ready, self.catalog, "")

    async def bring_back(self, drafting: Drafting) -> list[str]:
        """Go on with the drafts of what was opened; the variants that this changed."""
        await asyncio.to_thread(import_history)
        if self.history is None:
            return []
        try:
            return await drafting.catch_up(self.history.drafts)
        except CompareError as error:
            self._on_trouble(str(error))
            return []

    def keep(self, drafting: Drafting) -> None:
        """Keep what is typed and not saved."""
        if self.history is not None:
            drafting.keep(self.history.drafts)

    async def open(self) -> None:
        """Start the engine and load the model of the selected variant."""

        from ..models.engine.client import EngineError
        from ..prompts.suggest import did_you_mean

        try:
            await self.load()
            known = await self.learn_variables(self.playground.variants)
            for name in self._setup.values.keys() - known:
                hint = did_you_mean(name, known)
                self._on_trouble(f"There is no variable {name}{hint or '.'}")
        except (*MISTAKES, EngineError) as error:
            self._say("failed")
            self._on_trouble(str(error))

    async def load(self) -> None:
        """Have the selected variant's base model resident. Raises as the runner's `load`."""
        variant = self.playground.current
        if variant is None:
            return
        runner = await self._services.runner()
        if variant.model not in self.models:
            self._loading("")
        try:
            loaded = await runner.load(variant, lambda f: self._loading(percent(f)))
            facts = await asyncio.to_thread(runner.facts, variant.model)
            self.models.note(variant.model, facts.quantization or "", loaded.info)
        finally:
            self._loading(None)
        if self._state == "starting":
            self._say("ready")

    async def unload(self, variant: Variant) -> bool:
        """Free the variant's base model; False when it was not in memory."""
        runner = await self._services.runner()
        settings = runner.settings_of(variant)
        if runner.engine.resident(variant.model, settings) is None:
            return False
        await runner.engine.unload(variant.model, settings)
        self.models.forget(variant.model)
        self._on_change()
        return True

    async def learn_variables(self, variants: Iterable[Variant]) -> set[str]:
        """See which variables these variants' prompts use; all that they know. Raises PromptError."""
        runner = await self._services.runner()
        values, known = self.playground.values, set[str]()
        for prompt in [variant.prompt for variant in variants]:
            names = await asyncio.to_thread(runner.renderer.template_variables, prompt)
            values.set_used(prompt, names)
            known |= {variable.name for variable in values.variables(prompt)}
        return known

    async def check(
        self, variant: Variant, adapters: tuple[StackedAdapter, ...]
    ) -> tuple[str, ...]:
        """See whether `variant` could run with this stack.

        Gives what is odd about that and has not been said before, a sentence each. Raises
        ModelError or EngineError.
        """
        runner = await self._services.runner()
        stacked = replace(variant, adapters=adapters)
        await runner.load(stacked)
        odd = await asyncio.to_thread(runner.odd, [stacked])
        new = tuple(sentence for sentence in odd if sentence not in self._said)
        self._said.update(new)
        return new

    # -------------------------------------------------------------- previewing

    async def preview(self, variant: Variant) -> Preview | str:
        """A variant's prompt as the model will see it, or why it cannot be used."""
        from ..models.engine.client import EngineError

        playground = self.playground
        try:
            runner = await self._services.runner()
            names = await asyncio.to_thread(runner.renderer.template_variables, variant.prompt)
            playground.values.set_used(variant.prompt, names)
            if misfit := await self._misfit(runner, variant):
                return for_app(misfit.sentence)
            await self.load()
            return await runner.preview(playground.values.filled(variant), {})
        except (*MISTAKES, EngineError) as error:
            return for_app(str(error))

    async def _misfit(self, runner: Runner, variant: Variant) -> Misfit | None:
        """Why the variant's adapters do not fit its model; that is told in its pane."""
        misfits = self.playground.misfits
        before, found = misfits.of(variant), None
        try:
            await asyncio.to_thread(runner.odd, [variant])
        except ModelError as error:
            found = Misfit(str(error), isinstance(error, MissingFile))
        misfits.note(variant, found)
        output = self.playground.outputs.get(variant.name)
        if found is None and self._state == "failed" and misfits.over(variant, output):
            self._say("ready")
        elif found != before:
            self._on_change()
        return found

    # ----------------------------------------------------------------- running

    def begin(self, names: Iterable[str] | None = None, reply: str | None = None) -> Run | None:
        """A new run of these variants, or of all, but for the pinned ones; None when there are none.

        Conversations go on: with a reply, or their last turn is made anew. What an unfinished run
        before was still doing is part of it. The caller ends that one and has `carry_out` do this.
        """

        from ..compare.run import new_run

        playground = self.playground
        wanted = set(playground.names if names is None else names)
        lost = sorted(filter(playground.talk.lost, wanted - playground.talk.pinned))
        wanted -= {*lost}
        if self.run_now is not None:
            going = self.run_now.unfinished
            wanted |= {it for it in playground.names if going & {*playground.siblings(it)}}
        wanted -= playground.talk.pinned
        variants = [v for v in playground.variants if v.name in wanted]
        if lost:
            self._on_trouble(f"Not again: what {', '.join(lost)} replied to is gone.")
        if not variants:
            if playground.talk.pinned and not lost:
                self._on_trouble("All of these are pinned; {talk.pin} lets one run again.")
            return None
        values = playground.values.known_to(variants)
        try:
            run = new_run(variants, values, seed=playground.seed, exact=playground.exact, repeats=playground.repeats)  # fmt: skip
        except ModelError as error:
            self._on_trouble(str(error))
            return None
        playground.talk.begin(run, reply)
        self.run_now = self.last = run
        playground.started(run, playground.seed)
        self._say("running")
        return run

    async def carry_out(self, run: Run) -> None:
        """Fill the run's outputs until all are over. Cancelling this ends it at once."""

        from ..compare.run import State
        from ..models.engine.client import EngineError

        followed = False
        try:
            runner = await self._services.runner()
            if self.history is not None:
                self.history.begin(run)
            await runner.run(run)
            self.behind.begin(runner, run)
            followed = True
        except (*MISTAKES, EngineError) as error:
            for output in run.outputs:
                if not output.state.over:
                    output.state, output.error = State.FAILED, str(error)
        finally:
            run.give_up()
            self._ended(run)
            if self.history is not None and not followed:
                self.history.end(run)

    def _ended(self, run: Run) -> None:
        from ..compare.run import State

        if self.run_now is run:
            self.run_now = None
        if self.last is run:
            states = {output.state for output in run.outputs}
            failed, stopped = State.FAILED in states, State.CANCELLED in states
            self._say("failed" if failed else "stopped" if stopped else "done")

    async def stop(self) -> bool:
        """Have the engine stop what streams; False when the run has not got that far."""
        return self.run_now is not None and await self.stop_run(self.run_now)

    async def stop_run(self, run: Run) -> bool:
        """As `stop`, for this run."""

        from ..compare.run import State

        if any(o.state in (State.WAITING, State.LOADING) for o in run.outputs):
            return False
        (await self._services.runner()).cancel(run)
        return True

    async def stop_unseen(self) -> None:
        """Have the engine stop what the run under way makes of variants that are gone."""
        playground, run = self.playground, self.run_now
        if run is not None:
            seen = {it for name in playground.names for it in playground.siblings(name)}
            if unseen := run.unfinished - seen:
                (await self._services.runner()).cancel_some(run, unseen)

    def saved(self, prompt: Prompt, kept: Prompt) -> None:
        """Take note that the selected variant's prompt is in a file now, as `kept`."""
        self.playground.saved(prompt, kept)
        if self.history is not None:
            self.history.saved(kept)

    async def close(self) -> None:
        """End the engine and the helper, and write down what is not yet."""
        self.behind.cancel()
        if self.run_now is not None:
            self.run_now.give_up()
        if "history" in vars(self) and self.history is not None:
            await asyncio.to_thread(self.history.close)
        await self._services.close()
