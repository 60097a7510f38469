"""Examples as text, through the model's own chat template: what is sent, and what is answered."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from ...models.engine.loads import LoadedModel
from ...prompts.document import Message, Prompt
from ...prompts.errors import PromptError
from ...prompts.rendering.choose import choose_template
from ...prompts.rendering.helper import Chatted, RenderedPrompt, Renderer
from ...prompts.rendering.special import Special, without_joints
from ..errors import CompareError
from ..prepare import as_text, bos_before, special_of
from .examples import Example


@dataclass(frozen=True)
class AnswerText:
    """An answer to be learned. All texts have a JOINT where no token may lie.

    `before` is what inference sends. `answer` is what the template writes after it, and `end` the
    part of that behind the assistant's words. `whole` is both in one, None where the template does
    not begin a chat that has the answer with the words that it asks for the answer with. `prefill` is
    what the prompt begins the answer with.
    """

    before: str
    answer: str
    end: str
    whole: str | None
    prefill: str = ""


@dataclass(frozen=True)
class _Asked:
    """A chat that is answered: what is sent, and what is said."""

    line: int
    messages: tuple[Message, ...]
    prefill: str
    answer: str


class ExampleRenderer:
    """Renders examples for one model. Its methods may take a while: call them in a thread."""

    def __init__(
        self,
        source: Path,
        renderer: Renderer,
        model: LoadedModel,
        templates: Mapping[str, str],
        prompt: Prompt,
    ) -> None:
        """`prompt` is the one of the examples, whose `[template]` applies. Raises PromptError."""
        self._source, self._renderer, self._model = source, renderer, model
        self._template, self._arguments = choose_template(templates, prompt.template)
        self.special: Special = special_of(model.special, self._template or "")

    def rendered(self, examples: Sequence[Example]) -> list[list[AnswerText]]:
        """The answers of each example, in the order in which they are said; of a preference the
        chosen one and the rejected one.

        Raises CompareError, with file and line, for a row that the prompt or the template refuses.
        """
        asked = [self._asked(*it) for it in zip(examples, self._prompts(examples), strict=True)]
        texts = iter(self._texts([it for each in asked for it in each]))
        return [[next(texts) for _ in each] for each in asked]

    def _prompts(self, examples: Sequence[Example]) -> list[RenderedPrompt]:
        """Each example's prompt with its values; those of one prompt are rendered together."""
        places: dict[int, list[int]] = {}
        for place, example in enumerate(examples):
            places.setdefault(id(example.prompt), []).append(place)
        found: dict[int, RenderedPrompt] = {}
        for them in places.values():
            prompt, values = examples[them[0]].prompt, [examples[it].values for it in them]
            rendered = self._renderer.render_prompts(prompt, values, self.special)
            for place, one in zip(them, rendered, strict=True):
                if isinstance(one, PromptError):
                    raise self._wrong(examples[place].line, str(one))
                found[place] = one
        return [found[place] for place in range(len(examples))]

    def _asked(self, example: Example, prompt: RenderedPrompt) -> list[_Asked]:
        """Everything of an example that is answered, special tokens that are written there as text."""
        sent = prompt.messages
        said: list[_Asked] = []
        for answer, reply in example.turns:
            said.append(_Asked(example.line, sent, prompt.prefill, answer))
            turn = (Message("assistant", answer), Message("user", reply))
            sent = (*sent, *(as_text(message, self.special) for message in turn))
        if example.rejected is None:
            return [*said, _Asked(example.line, sent, prompt.prefill, example.answer)]
        pair = (example.answer, example.rejected)
        return [_Asked(example.line, sent, prompt.prefill, answer) for answer in pair]

    def _texts(self, asked: Sequence[_Asked]) -> list[AnswerText]:
        contents = [self._content(it) for it in asked]
        chats: list[Chatted] = []
        for it, content in zip(asked, contents, strict=True):
            chats.append(Chatted(it.messages, it.prefill))
            answered = Message("assistant", it.prefill + content)
            chats.append(Chatted((*it.messages, answered), add_generation_prompt=False))
        info = self._model.info
        rendered = self._renderer.render_chats(
            self._template, chats,
            bos_token=info.bos, eos_token=info.eos, arguments=self._arguments,
        )  # fmt: skip
        texts: list[str] = []
        for place, chat in enumerate(rendered):
            if isinstance(chat, PromptError):
                raise self._wrong(asked[place // 2].line, str(chat))
            texts.append(bos_before(info, chat) + chat.marked)
        pairs = zip(asked, contents, texts[::2], texts[1::2], strict=True)
        return [self._answer(*them) for them in pairs]

    def _content(self, asked: _Asked) -> str:
        """What is said behind the words that the prompt begins the answer with."""
        rest = asked.answer.removeprefix(without_joints(asked.prefill))
        return as_text(Message("assistant", rest), self.special).content

    def _answer(self, asked: _Asked, content: str, before: str, whole: str) -> AnswerText:
        end = self._end([*(message.role for message in asked.messages), "assistant"])
        if whole.startswith(before):
            answer = whole[len(before) :]
            written = end if end and answer.endswith(end) else ""
            return AnswerText(before, answer, written, whole, without_joints(asked.prefill))
        if end is None:
            raise self._wrong(
                asked.line, "the model's chat template does not write out what the assistant says"
            )
        return AnswerText(before, content + end, end, None, without_joints(asked.prefill))

    def _end(self, roles: Sequence[str]) -> str | None:
        """What the template writes behind the last message."""
        info = self._model.info
        outline = self._renderer.outline(
            self._template, roles,
            bos_token=info.bos, eos_token=info.eos, arguments=self._arguments,
            add_generation_prompt=False,
        )  # fmt: skip
        written = outline is not None and outline.order[-1:] == (len(roles) - 1,)
        return outline.around[-1] if outline is not None and written else None

    def _wrong(self, line: int, what: str) -> CompareError:
        return CompareError(f"{self._source}, line {line}: {what}.")
