"""Prompts to messages, and messages to a model's text, both rendered in the limited helper."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from ..document import Message, Prompt, part_of
from ..errors import PromptError
from .client import HelperProcess
from .default_chat import DEFAULT_STOP, default_chat
from .limits import DEADLINE_S, MEMORY_MB
from .outline import Outline, outline_of, stand_in
from .sentences import chat_sentence, prompt_sentence
from .special import Special, without_joints

MAX_OUTLINES = 256
"""Outlines that are remembered."""

MANY, MANY_CHARACTERS = 64, 200_000
"""Requests that go to the helper at once, and what they may hold together: a batch has one deadline."""


@dataclass(frozen=True)
class RenderedPrompt:
    """A prompt with its values filled in: the chat, and the start of the answer.

    `parts[i]` says which part of the prompt `messages[i]` is. `fenced` holds what is written like
    special tokens where an expression gave a part of it, by the names of the variables in whose
    values it is, and under an empty name what is in no single value. It stays text (see `special`):
    the texts have a JOINT in each. `used` are the names that the prompt's templates use.
    """

    messages: tuple[Message, ...]
    prefill: str = ""
    parts: tuple[str, ...] = ()
    fenced: Mapping[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    used: tuple[str, ...] = ()


@dataclass(frozen=True)
class Chatted:
    """A chat to be rendered by a chat template, and the start of its answer (see `render_chat`)."""

    messages: tuple[Message, ...]
    prefill: str = ""
    add_generation_prompt: bool = True


@dataclass(frozen=True)
class RenderedChat:
    """The text a model is given.

    Its special tokens are in it as text, to be parsed when it is tokenized; `marked` has a JOINT
    where no token may lie. A model that wants a token at the start gets it added where the text
    does not begin with it already.

    `template_source` says whose chat template made it; with the default one, which no model was
    trained on, `default_stop` holds the strings that end an answer.
    """

    marked: str
    template_source: Literal["model", "default"]
    default_stop: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The text as it is."""
        return without_joints(self.marked)


class Renderer:
    """Renders templates nobody vouches for, in a helper process with limits.

    Every method raises PromptError, and may be called from any thread.
    """

    def __init__(self, deadline_s: float = DEADLINE_S, memory_mb: int = MEMORY_MB) -> None:
        self._helper = HelperProcess(deadline_s, memory_mb)
        self._outlines: dict[str, Outline | None] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """The helper's process id, None while there is none."""
        return self._helper.pid

    def warm(self) -> None:
        """Start the helper without waiting for it, so that the first rendering finds it ready."""
        self._helper.warm()

    def close(self) -> None:
        """End the helper."""
        self._helper.close()

    def render_prompt(
        self,
        prompt: Prompt,
        values: Mapping[str, str] | None = None,
        special: Special | None = None,
    ) -> RenderedPrompt:
        """The chat and the start of the answer, with `values` over the variables' defaults.

        What expressions give of `special` tokens is fenced, so that it stays text: only who writes
        the prompt says what is a special token, between the tags. Templates compute with values as
        they are.

        Raises PromptError for a variable without a value, a value nothing uses, a name or a
        template that is wrong, and a prompt that says nothing.
        """
        (rendered,) = self.render_prompts(prompt, [values or {}], special)
        if isinstance(rendered, PromptError):
            raise rendered
        return rendered

    def render_prompts(
        self,
        prompt: Prompt,
        cases: Sequence[Mapping[str, str]],
        special: Special | None = None,
    ) -> list[RenderedPrompt | PromptError]:
        """As `render_prompt` with each of these values; what is wrong with one stands in its place."""
        fields = list(prompt.text_fields())
        defaults = {v.name: v.default for v in prompt.variables if v.default is not None}
        filled = [defaults | dict(values) for values in cases]
        asked: list[dict[str, Any]] = [
            {
                "job": "prompt",
                "fields": [(name, text) for _, name, text in fields],
                "values": them,
                "given": list(values),
                "declared": [variable.name for variable in prompt.variables],
            }
            for values, them in zip(cases, filled, strict=True)
        ]
        return [
            found
            if isinstance(found, PromptError)
            else _rendered(prompt, fields, them, found, special)
            for them, found in zip(filled, self._ask_many(asked, prompt), strict=True)
        ]

    def render_messages(
        self, prompt: Prompt, values: Mapping[str, str] | None = None
    ) -> tuple[Message, ...]:
        """The messages of `render_prompt`."""
        return self.render_prompt(prompt, values).messages

    def template_variables(self, prompt: Prompt) -> tuple[str, ...]:
        """The names the prompt's templates use, in the order of the chat, declared or not."""
        fields = [(name, text) for _, name, text in prompt.text_fields()]
        return tuple(self._ask({"job": "variables", "fields": fields}, prompt))

    def render_chat(
        self,
        template: str | None,
        messages: Sequence[Message],
        *,
        bos_token: str,
        eos_token: str,
        arguments: Mapping[str, object] | None = None,
        prefill: str = "",
        add_generation_prompt: bool = True,
    ) -> RenderedChat:
        """The messages as text, through a model's own chat template, as transformers renders them.

        `template` is the jinja2 source a model file carries; without one the text is plain (see
        `default_chat`). `bos_token` and `eos_token` are texts, empty for a model without them.
        `arguments` are the template's own switches (`enable_thinking` …), `tools`, `documents`.
        The answer is begun with `prefill` as transformers continues a last message of the
        assistant's; after a template that allows none, as llama-server does: `prefill` is appended.
        """
        chat = Chatted(tuple(messages), prefill, add_generation_prompt)
        (rendered,) = self.render_chats(
            template, [chat], bos_token=bos_token, eos_token=eos_token, arguments=arguments
        )
        if isinstance(rendered, PromptError):
            raise rendered
        return rendered

    def render_chats(
        self,
        template: str | None,
        chats: Sequence[Chatted],
        *,
        bos_token: str,
        eos_token: str,
        arguments: Mapping[str, object] | None = None,
    ) -> list[RenderedChat | PromptError]:
        """As `render_chat` of each; what is wrong with one stands in its place."""
        if not template:
            return [
                RenderedChat(
                    default_chat(
                        chat.messages,
                        prefill=chat.prefill,
                        add_generation_prompt=chat.add_generation_prompt,
                    ),
                    "default",
                    DEFAULT_STOP,
                )
                for chat in chats
            ]
        asked: list[dict[str, Any]] = [
            {
                "job": "chat",
                "template": template,
                "messages": [{"role": m.role, "content": m.content} for m in chat.messages],
                "arguments": {"bos_token": bos_token, "eos_token": eos_token, **(arguments or {})},
                "prefill": chat.prefill,
                "add_generation_prompt": chat.add_generation_prompt,
            }
            for chat in chats
        ]
        return [
            found if isinstance(found, PromptError) else RenderedChat(found, "model")
            for found in self._ask_many(asked, None)
        ]

    def outline(
        self,
        template: str | None,
        roles: Sequence[str],
        *,
        bos_token: str,
        eos_token: str,
        arguments: Mapping[str, object] | None = None,
        prefill: bool = False,
        add_generation_prompt: bool = True,
    ) -> Outline | None:
        """What `render_chat` writes around messages of these roles; None if that is refused.

        With `prefill` the start of the answer is the last message. Remembered: a chat that is
        being written keeps its outline.
        """
        said = [template, list(roles), bos_token, eos_token, arguments, prefill]
        key = json.dumps([*said, add_generation_prompt])
        if key not in self._outlines:
            words = [stand_in(number) for number in range(len(roles) + 1)]
            try:
                chat = self.render_chat(
                    template,
                    [Message(role, word) for role, word in zip(roles, words, strict=False)],
                    bos_token=bos_token,
                    eos_token=eos_token,
                    arguments=arguments,
                    prefill=words[-1] if prefill else "",
                    add_generation_prompt=add_generation_prompt,
                )
                found = outline_of(chat.text)
            except PromptError:
                found = None
            if len(self._outlines) >= MAX_OUTLINES:
                self._outlines.clear()
            self._outlines[key] = found
        return self._outlines[key]

    def _ask(self, request: dict[str, Any], prompt: Prompt | None) -> Any:
        """The helper's result; its error as a PromptError. `prompt` is None for a chat template."""
        try:
            answer = self._helper.ask(request)
        except PromptError as stopped:
            raise PromptError(str(stopped), source=_source(prompt) if prompt else None) from None
        return _result(answer, prompt)

    def _ask_many(self, requests: Sequence[dict[str, Any]], prompt: Prompt | None) -> list[Any]:
        """As `_ask`, in batches; each has its result or its PromptError."""
        found: list[Any] = []
        for batch in _batches(requests):
            answers: list[Any] = [None] * len(batch)
            if len(batch) > 1:
                # Where one of them takes too much, each is asked alone, to see which.
                with suppress(PromptError, KeyError):
                    answers = self._helper.ask({"job": "many", "requests": batch})["result"]
            for request, answer in zip(batch, answers, strict=True):
                try:
                    if answer is None or answer.get("error", {}).get("kind") == "memory":
                        found.append(self._ask(request, prompt))
                    else:
                        found.append(_result(answer, prompt))
                except PromptError as error:
                    found.append(error)
        return found


def _batches(requests: Sequence[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    """Requests that together keep well within one deadline."""
    batch: list[dict[str, Any]] = []
    size = 0
    for request in requests:
        length = len(str(request))
        if batch and (len(batch) == MANY or size + length > MANY_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(request)
        size += length
    if batch:
        yield batch


def _result(answer: dict[str, Any], prompt: Prompt | None) -> Any:
    """What an answer of the helper's holds; its error as a PromptError."""
    if "error" not in answer:
        return answer["result"]
    error: dict[str, Any] = answer["error"]
    error["message"] = str(error.get("message", "")).rstrip(".")
    line, field = error.get("line"), error.get("field")
    if error["kind"] in ("unknown_value", "no_value"):
        field = f"variables.{error['name']}"
    sentence = chat_sentence(error) if prompt is None else prompt_sentence(error, prompt)
    source = _source(prompt) if prompt else None
    raise PromptError(sentence, source=source, line=line, field=field)


def _source(prompt: Prompt) -> str:
    return str(prompt.path or prompt.name)


def _rendered(
    prompt: Prompt,
    fields: Sequence[tuple[str, str, str]],
    filled: Mapping[str, str],
    answer: Mapping[str, Any],
    special: Special | None,
) -> RenderedPrompt | PromptError:
    """A prompt out of the texts that the helper made of its `fields`."""
    found = answer["texts"]
    texts = [text for text, _ in found]
    fenced: dict[str, tuple[str, ...]] = {}
    if special is not None:
        marked = [special.fenced(text, [(a, b) for a, b in given]) for text, given in found]
        texts = [text for text, _ in marked]
        written = dict.fromkeys(token for _, tokens in marked for token in tokens)
        fenced = _by_value(written, filled, special)
    prefill = texts.pop() if prompt.prefill else ""
    messages = tuple(Message(role, text) for (role, _, _), text in zip(fields, texts, strict=False))
    if not messages or not messages[-1].content.strip():
        return PromptError(
            "the prompt is empty: write something in user", source=_source(prompt), field="user"
        )
    parts = tuple(part_of(name) for _, name, _ in fields)[: len(messages)]
    return RenderedPrompt(messages, prefill, parts, fenced, tuple(answer["used"]))


def _by_value(
    written: Iterable[str], values: Mapping[str, str], special: Special
) -> dict[str, tuple[str, ...]]:
    """Special tokens by the names of those whose values hold them, the others under no name."""
    inside = {name: special.written_in(value) for name, value in values.items()}
    found = {name: tuple(it for it in written if it in texts) for name, texts in inside.items()}
    known = {it for texts in found.values() for it in texts}
    found[""] = tuple(it for it in written if it not in known)
    return {name: texts for name, texts in found.items() if texts}
