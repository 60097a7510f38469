"""Run variants: render their prompts, send them to the engine, fill their outputs."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping
from pathlib import Path

from ..models.engine.client import Engine, EngineError, StreamEvent
from ..models.engine.loads import LoadedModel
from ..models.engine.protocol import (
    SCREEN,
    AdapterUse,
    Delta,
    Failed,
    Finished,
    ModelSettings,
    Prefill,
    Priority,
    Request,
    file_version,
)
from ..models.engine.samplers import make_sampling
from ..models.errors import ModelError, named
from ..prompts.errors import PromptError
from ..prompts.rendering.helper import Renderer
from .conversation import alike, beginning_of
from .errors import MISTAKES, CompareError
from .fitting import Fitting
from .hashes import FileHashes
from .prepare import Prepared, check_beginning, previewed, render, tokenized
from .preview import Preview
from .run import Output, Run, Stamp, State, give_up
from .variants import Variant


class Runner(Fitting):
    """Runs things on one engine. Use from one asyncio loop."""

    def __init__(
        self,
        engine: Engine,
        renderer: Renderer,
        *,
        cache_dir: Path,
        settings: ModelSettings | None = None,
        own: Mapping[str, ModelSettings] | None = None,
    ) -> None:
        """`own` are settings that models have of their own, by their names."""
        super().__init__(cache_dir, settings or ModelSettings(), own or {})
        self.engine = engine
        self.renderer = renderer
        self._requests: dict[str, dict[int, Output]] = {}
        """By run: the outputs that were sent to the engine."""
        self._preparing: dict[str, asyncio.Task[dict[Output, Prepared]]] = {}
        self._cancelled: set[str] = set()
        self._hashes = FileHashes(cache_dir)

    # ------------------------------------------------------------------ preparing

    async def load(
        self,
        variant: Variant,
        on_progress: Callable[[float], None] | None = None,
        keep: Collection[LoadedModel] = (),
    ) -> LoadedModel:
        """The variant's base model, checked and resident; the models of `keep` stay so.

        Raises ModelError for a file that cannot be used, an adapter that does not fit, or a
        context that memory cannot hold; EngineError when the engine dies.
        """
        try:
            await asyncio.to_thread(self.check_files, variant)
            settings = self.settings_of(variant)
            return await self.engine.load(variant.model, settings, on_progress, keep)
        except ModelError as error:
            raise ModelError(named(str(error), variant.model, variant.model_name)) from None

    async def prepare(
        self,
        variant: Variant,
        values: Mapping[str, str],
        on_progress: Callable[[float], None] | None = None,
        keep: Collection[LoadedModel] = (),
        output: Output | None = None,
    ) -> Prepared:
        """Render and tokenize a variant's prompt, loading its model first, beside those of `keep`.

        With `output`, the conversation that it goes on with comes after the prompt.

        Raises PromptError, ModelError or CompareError for what a person can put right, and
        EngineError.
        """
        ready = await self._prepare(variant, values, on_progress, keep, output)
        n_ctx, count = ready.model.info.n_ctx, ready.tokens.count
        if count >= n_ctx:
            what = "prompt" if output is None or output.follows is None else "conversation"
            raise CompareError(
                f"{variant.name}: the {what} is {count:,} tokens long, but the context "
                f"holds {n_ctx:,}; shorten the {what} or ask for a larger context."
            )
        return ready

    async def _prepare(
        self,
        variant: Variant,
        values: Mapping[str, str],
        on_progress: Callable[[float], None] | None = None,
        keep: Collection[LoadedModel] = (),
        output: Output | None = None,
    ) -> Prepared:
        sampling = make_sampling(variant.prompt.sampling, variant.sampling)
        loaded = await self.load(variant, on_progress, keep)
        facts = await asyncio.to_thread(self.facts, variant.model)
        prompt, filled = variant.prompt, {**values, **variant.values}
        templates = facts.chat_templates
        chat = await render(self.renderer, loaded, templates, prompt, filled, output)
        tokens = await tokenized(self.engine, chat)
        await check_beginning(self.engine, loaded, variant)
        stop = (*prompt.output.stop, *chat.rendered.default_stop)
        return Prepared(chat, tokens, sampling, stop)

    async def preview(self, variant: Variant, values: Mapping[str, str]) -> Preview:
        """What the model would be given, without running it, be it longer than the context or not.

        Otherwise raises as `prepare` does. Cancelled, it asks no more of the engine.
        """
        ready = await self._prepare(variant, values)
        return await asyncio.to_thread(previewed, self.renderer, ready)

    # -------------------------------------------------------------------- running

    async def run(
        self,
        run: Run,
        *,
        strict: bool = False,
        on_change: Callable[[Output, str], None] | None = None,
    ) -> None:
        """Fill the run's outputs as the engine streams; returns when all of them are over.

        A variant that cannot run says why in its outputs' `error` and leaves the others alone;
        with `strict` the first such mistake is raised before anything is generated. `on_change`
        is called with each piece of text as it arrives, and with none when an output is over.
        """
        try:
            preparing = asyncio.create_task(self._prepare_all(run, strict))
            self._preparing[run.id] = preparing
            try:
                prepared = await preparing
            except asyncio.CancelledError:
                if run.id not in self._cancelled:
                    preparing.cancel()
                    raise
                return
            batches: dict[int, list[tuple[Prepared, Output]]] = {}
            for output in run.outputs:
                if not output.state.over and (ready := prepared.get(output)):
                    batches.setdefault(ready.model.key, []).append((ready, output))
            if run.id in self._cancelled:
                return
            await asyncio.gather(
                *(self._generate(run, batch, on_change) for batch in batches.values())
            )
        finally:
            self._requests.pop(run.id, None)
            self._preparing.pop(run.id, None)
            self._cancelled.discard(run.id)
            run.give_up()

    def cancel(self, run: Run) -> None:
        """Stop what still runs or loads; those outputs end as cancelled and keep their text."""
        if not run.over:
            self._cancelled.add(run.id)
        if preparing := self._preparing.get(run.id):
            preparing.cancel()
        self.engine.cancel(list(self._requests.get(run.id, {})))

    def cancel_some(self, run: Run, outputs: Collection[Output]) -> None:
        """As `cancel`, for these outputs of a run; the others go on."""
        if run.unfinished <= {*outputs}:
            self.cancel(run)
            return
        sent = self._requests.get(run.id, {})
        self.engine.cancel([number for number, it in sent.items() if it in outputs])
        give_up({*outputs} - {*sent.values()})

    def _values(self, run: Run) -> dict[str, dict[str, str]]:
        """For each variant the run's values that its prompt knows.

        A value that no prompt knows goes to all of them, to be refused by name.
        """
        names: dict[str, set[str]] = {}
        for variant in run.variants:
            names[variant.name] = {variable.name for variable in variant.prompt.variables}
            try:
                names[variant.name].update(self.renderer.template_variables(variant.prompt))
            except PromptError:
                continue  # preparing the variant says so
        known = set().union(*names.values())
        return {
            name: {k: v for k, v in run.values.items() if k in own or k not in known}
            for name, own in names.items()
        }

    async def _prepare_all(self, run: Run, strict: bool) -> dict[Output, Prepared]:
        prepared: dict[Output, Prepared] = {}
        values = await asyncio.to_thread(self._values, run)
        groups = [(variant, same) for variant in run.variants for same in alike(run.of(variant))]
        for variant, same in groups:
            outputs = [output for output in same if not output.state.over]
            if not outputs:
                continue

            def progress(fraction: float, outputs: list[Output] = outputs) -> None:
                for output in outputs:
                    output.progress = fraction

            for output in outputs:
                output.state = State.LOADING
            try:
                kept = [ready.model for ready in prepared.values()]
                ready = await self.prepare(
                    variant, values[variant.name], progress, kept, outputs[0]
                )
                prepared.update(dict.fromkeys(outputs, ready))
            except MISTAKES as mistake:
                if strict:
                    raise
                _fail(outputs, str(mistake), refused=True)
            except EngineError as error:
                if strict:
                    raise
                _fail(outputs, str(error))
        return prepared

    async def _generate(
        self,
        run: Run,
        batch: list[tuple[Prepared, Output]],
        on_change: Callable[[Output, str], None] | None,
    ) -> None:
        hello = self.engine.hello
        outputs: dict[int, Output] = {}
        requests: list[Request] = []
        for ready, output in batch:
            request = self.request(ready, output, logprobs=run.logprobs, exact=run.exact)
            requests.append(request)
            outputs[request.id] = output
            output.state, output.progress = State.PREFILL, 0.0
            output.stamp = Stamp(
                adapter_sha256=(None,) * len(output.variant.adapters),
                prompt_text=ready.text,
                prompt_tokens=ready.tokens.tokens,
                template_source=ready.template_source,
                forced=request.forced,
                sampling=request.sampling,
                info=ready.model.info,
                llama_cpp=hello.llama_cpp if hello else None,
                asked=ready.asked,
            )
        self._requests.setdefault(run.id, {}).update(outputs)
        try:
            async for events in self.engine.generate(batch[0][0].model, requests):
                for event in events:
                    output = outputs[event.id]
                    apply_event(output, event)
                    if on_change and isinstance(event, Delta) and event.text:
                        on_change(output, event.text)
                    elif on_change and output.state.over:
                        on_change(output, "")
        except EngineError as error:
            _fail(outputs.values(), str(error))

    def request(
        self,
        ready: Prepared,
        output: Output,
        *,
        logprobs: int = 0,
        exact: bool = False,
        group: int | None = None,
        priority: Priority = SCREEN,
    ) -> Request:
        """What the engine is asked for an output; without a `group` those of a repeat start together."""
        rules = output.variant.prompt.output
        schema = None
        if rules.schema is not None:
            import json

            schema = json.dumps(rules.schema)
        settings = {"seed": output.seed}
        return Request(
            id=self.engine.new_id(),
            tokens=ready.tokens.tokens,
            adapters=tuple(
                AdapterUse(str(a.path), a.scale, file_version(a.path))
                for a in output.variant.adapters
            ),
            sampling=make_sampling(
                output.variant.prompt.sampling, output.variant.sampling, settings
            ),
            stop=ready.stop,
            grammar=rules.grammar,
            schema=schema,
            logprobs=logprobs,
            group=output.repeat if group is None else group,
            exact=exact,
            priority=priority,
            forced=begins.tokens if (begins := beginning_of(output)) else (),
        )

    # -------------------------------------------------------------------- hashing

    async def hash_files(self, run: Run) -> None:
        """Fill in the SHA-256 of every model and adapter the run used.

        Call after the first tokens: a file of gigabytes takes a while the first time.
        """
        for variant in run.variants:
            model, *adapters = [
                await self._hashes.sha256(file)
                for file in (variant.model, *(a.path for a in variant.adapters))
            ]
            for output in run.of(variant):
                output.stamp.model_sha256 = model
                output.stamp.adapter_sha256 = tuple(adapters)


def apply_event(output: Output, event: StreamEvent) -> None:
    """Let an output grow by one event; one that is over, or was given up, stays as it is."""
    if output.state.over:
        return
    match event:
        case Prefill():
            output.progress = event.done / event.total
        case Delta():
            output.state = State.STREAMING
            start = len(output.text)
            output.text += event.text
            output.tokens += event.tokens
            output.token_ends += [start + end for end in event.ends]
            output.logprobs += event.logprobs
        case Finished():
            output.timings = event.timings
            output.finish_reason = event.reason
            output.state = State.CANCELLED if event.reason == "cancelled" else State.DONE
        case Failed():
            _fail([output], event.message, refused=event.refused)


def _fail(outputs: Iterable[Output], message: str, *, refused: bool = False) -> None:
    for output in outputs:
        if not output.state.over:
            output.state, output.error, output.finish_reason = State.FAILED, message, "error"
            output.refused = refused
