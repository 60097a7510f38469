"""A variant's prompt made into what the model is given: rendered, tokenized, and taken apart again."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING

from ..models.engine.client import Engine
from ..models.engine.loads import LoadedModel
from ..models.engine.protocol import ModelInfo, Sampling, SpecialTexts, Tokens
from ..models.errors import ModelError
from ..prompts.document import Message
from ..prompts.rendering.choose import choose_template
from ..prompts.rendering.helper import RenderedChat, RenderedPrompt, Renderer
from ..prompts.rendering.outline import Outline, Span, SystemRole, spans, system_role
from ..prompts.rendering.special import JOINT, Special, without_joints
from .conversation import messages_after
from .errors import CompareError
from .preview import Preview, counts, lookalikes, parts_of, special_places, token_starts
from .warnings import Found, warnings_of

if TYPE_CHECKING:
    from ..prompts.document import Prompt
    from .run import Output
    from .variants import Variant


@dataclass(frozen=True)
class Chat:
    """A prompt rendered for a model: with the template and the arguments that made its text."""

    model: LoadedModel
    source: Prompt
    template: str | None
    arguments: Mapping[str, object]
    special: Special
    prompt: RenderedPrompt
    rendered: RenderedChat
    bos: str
    """The token set before the text, which a template that writes it itself makes empty."""

    @property
    def text(self) -> str:
        """What the model is given."""
        return self.bos + self.rendered.text

    @property
    def messages(self) -> tuple[Message, ...]:
        """The messages as a person reads them."""
        return tuple(
            Message(message.role, without_joints(message.content))
            for message in self.prompt.messages
        )


@dataclass(frozen=True)
class Prepared:
    """A variant ready to run: what the model will be given, exactly.

    `tokens` holds the ids and the byte pieces they stand for.
    """

    chat: Chat
    tokens: Tokens
    sampling: Sampling
    stop: tuple[str, ...]

    @property
    def model(self) -> LoadedModel:
        return self.chat.model

    @property
    def text(self) -> str:
        return self.chat.text

    @property
    def asked(self) -> str:
        """What the messages say, and what the answer was begun with, a blank line apart."""
        said = [message.content for message in self.chat.messages]
        return "\n\n".join(filter(None, [*said, without_joints(self.chat.prompt.prefill)]))

    @property
    def template_source(self) -> str:
        return self.chat.rendered.template_source


async def tokenized(engine: Engine, chat: Chat) -> Tokens:
    """The tokens of a chat. Raises EngineError."""
    first, *rest = chat.rendered.marked.split(JOINT)
    return await engine.tokenize(chat.model, chat.bos + first, *rest, add_special=False)


async def answer_tokens(engine: Engine, chat: Chat, text: str) -> list[int]:
    """The tokens of a text as an answer to a chat; special tokens that are written in it stay text,
    as in the turns of a conversation. Raises EngineError."""
    fenced, _ = chat.special.fenced(text, [(0, len(text))])
    return (await engine.tokenize(chat.model, *fenced.split(JOINT), add_special=False)).tokens


async def check_beginning(engine: Engine, model: LoadedModel, variant: Variant) -> None:
    """Raise CompareError for a beginning that this model would not read as what it is."""
    begins = variant.beginning
    if begins is None:
        return
    try:
        pieces = await engine.pieces(model, begins.tokens)
    except ModelError:
        pieces = []
    if b"".join(pieces).decode("utf-8", "replace") != begins.text:
        raise CompareError(
            f"{variant.name} begins with tokens of another model; give it that model again, or "
            "remove it."
        )


async def render(
    renderer: Renderer,
    model: LoadedModel,
    templates: Mapping[str, str],
    prompt: Prompt,
    values: Mapping[str, str],
    output: Output | None = None,
) -> Chat:
    """The prompt as text for a model that has these chat templates. Raises PromptError.

    The conversation that `output` goes on with comes after it, where there is one.
    """
    return await asyncio.to_thread(_render, renderer, model, templates, prompt, values, output)


def _render(
    renderer: Renderer,
    model: LoadedModel,
    templates: Mapping[str, str],
    prompt: Prompt,
    values: Mapping[str, str],
    output: Output | None,
) -> Chat:
    template, arguments = choose_template(templates, prompt.template)
    special = special_of(model.special, template or "")
    rendered = _with_turns(renderer.render_prompt(prompt, values, special), output, special)
    info = model.info
    chat = renderer.render_chat(
        template,
        rendered.messages,
        bos_token=info.bos,
        eos_token=info.eos,
        arguments=arguments,
        prefill=rendered.prefill,
    )
    bos = bos_before(info, chat)
    return Chat(model, prompt, template, arguments, special, rendered, chat, bos)


def bos_before(info: ModelInfo, chat: RenderedChat) -> str:
    """The token set before a chat's text; none where the model wants none or the text begins so."""
    return info.bos if info.add_bos and not chat.text.startswith(info.bos) else ""


def _with_turns(
    rendered: RenderedPrompt, output: Output | None, special: Special
) -> RenderedPrompt:
    """With the conversation before an output; special tokens that are written in it stay text."""
    said = messages_after(output, rendered.prefill) if output is not None else ()
    messages = (*rendered.messages, *(as_text(it, special) for it in said))
    parts = (*rendered.parts, *("conversation" for _ in said))
    return replace(rendered, messages=messages, parts=parts)


def as_text(message: Message, special: Special) -> Message:
    """A message in which whatever is written like a special token stays text."""
    content = message.content
    return Message(message.role, special.fenced(content, [(0, len(content))])[0])


@lru_cache(maxsize=8)
def special_of(texts: SpecialTexts, template: str) -> Special:
    """The tokens that only the author of a prompt writes: control tokens, and those that were added
    to the vocabulary for this template. A word that was added for being frequent is none."""
    return Special([*texts.control, *(text for text in texts.added if text in template)])


def previewed(renderer: Renderer, ready: Prepared) -> Preview:
    """What a person is shown of a prompt; takes some milliseconds for a long one."""
    chat, ids, texts = ready.chat, ready.tokens.tokens, ready.tokens.texts
    prefill = without_joints(chat.prompt.prefill)
    contents = [message.content for message in chat.messages]
    names = list(chat.prompt.parts)
    if prefill:
        contents.append(prefill)
        names.append("prefill")
    text, before = chat.text, len(chat.bos)
    roles = [message.role for message in chat.messages]
    outline = _outline(renderer, chat, roles, prefill=bool(prefill))
    found = spans(text[before:], contents, outline)
    places: list[Span | None] = [
        (span[0] + before, span[1] + before) if span else None for span in found
    ]
    starts = token_starts(text, ids, texts)
    tokens, around = counts(starts, places)
    special = special_places(ids, texts, chat.special)
    preview = Preview(
        messages=chat.messages,
        text=text,
        tokens=ids,
        texts=texts,
        starts=starts,
        message_tokens=tuple(tokens[: len(chat.messages)]),
        template_source=ready.template_source,
        n_ctx=ready.model.info.n_ctx,
        prefill=prefill,
        spans=tuple(places),
        special=special,
        lookalikes=lookalikes(text, starts, special, chat.special),
        parts=parts_of(names, tokens, around),
    )
    return preview.with_warnings(
        warnings_of(
            Found(
                chat.source,
                chat.prompt.used,
                preview,
                names,
                _system_role(renderer, chat),
                chat.prompt.fenced,
                chat.template,
                chat.arguments,
            )
        )
    )


def _outline(
    renderer: Renderer, chat: Chat, roles: Sequence[str], *, prefill: bool = False
) -> Outline | None:
    info = chat.model.info
    return renderer.outline(
        chat.template,
        roles,
        bos_token=info.bos,
        eos_token=info.eos,
        arguments=chat.arguments,
        prefill=prefill,
    )


def _system_role(renderer: Renderer, chat: Chat) -> SystemRole:
    if not any(message.role == "system" for message in chat.prompt.messages):
        return "own"
    alone, both = (_outline(renderer, chat, roles) for roles in (["user"], ["system", "user"]))
    return system_role(both, alone)
