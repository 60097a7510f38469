"""Chats that every chat template is tried with, and what transformers makes of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, cast

from llamadiff.prompts.document import Message
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.helper import Renderer

BOS, EOS = "<s>", "</s>"
WEATHER = {
    "type": "function",
    "function": {
        "name": "weather",
        "description": "The weather in a town, é & <b>",
        "parameters": {
            "type": "object",
            "properties": {
                "town": {"type": "string", "description": "Its name"},
                "days": {"type": "integer"},
            },
            "required": ["town"],
        },
    },
}
PAGES = [{"title": "Dogs", "text": "Dogs bark.\n"}, {"title": "Cats", "text": "Cats do not."}]


@dataclass(frozen=True)
class Conversation:
    """Messages as (role, content), the start of the answer, and the template's arguments."""

    turns: tuple[tuple[str, str], ...]
    prefill: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict[str, Any])
    end: bool = True


ASKED = (("user", "Tell me about dogs."),)
BRIEF = (("system", "Be brief."), *ASKED)
LONG = (
    ("system", "You know dogs.\n\nAnswer in one line."),
    ("user", "Hi"),
    ("assistant", "Hello, what about dogs?"),
    ("user", "Which is the smallest?"),
    ("assistant", "The chihuahua.\nIt weighs 2 kg."),
    ("user", "And the largest?"),
)
CONVERSATIONS = {
    "user": Conversation(ASKED),
    "system": Conversation(BRIEF),
    "turns": Conversation(LONG),
    "turns without system": Conversation(LONG[1:]),
    "answered": Conversation((*BRIEF, ("assistant", "Dogs bark.")), end=False),
    "prefill": Conversation(BRIEF, "Dogs are"),
    "prefill after turns": Conversation(LONG[1:], "The largest is the "),
    "unicode": Conversation(
        (("system", "Réponds 漢字 🦙"), ("user", ' <|x|> "é" \\ {{ no }} {% no %} \u2028\t \n'))
    ),
    "thought": Conversation(
        (*ASKED, ("assistant", "<think>\nHm.\n</think>\n\nThey bark."), ("user", "Why?"))
    ),
    "tools": Conversation(BRIEF, arguments={"tools": [WEATHER]}),
    "documents": Conversation(ASKED, arguments={"documents": PAGES}),
    "thinking": Conversation(BRIEF, arguments={"enable_thinking": True, "thinking": True}),
    "no thinking": Conversation(BRIEF, arguments={"enable_thinking": False, "thinking": False}),
    "effort": Conversation(ASKED, arguments={"reasoning_effort": "high"}),
    "empty": Conversation((("user", ""),)),
}


def ours(renderer: Renderer, template: str, chat: Conversation) -> str:
    """What llamadiff renders. Raises PromptError."""
    return renderer.render_chat(
        template,
        [Message(role, content) for role, content in chat.turns],
        bos_token=BOS,
        eos_token=EOS,
        arguments=chat.arguments,
        prefill=chat.prefill,
        add_generation_prompt=chat.end,
    ).text


def theirs(template: str, chat: Conversation) -> str:
    """What transformers renders. Raises what the template or transformers raises."""
    from transformers.utils.chat_template_utils import render_jinja_template

    messages = [{"role": role, "content": content} for role, content in chat.turns]
    begun = [{"role": "assistant", "content": chat.prefill}] if chat.prefill else []
    rendered, _ = cast("Any", render_jinja_template)(
        conversations=[messages + begun],
        chat_template=template,
        add_generation_prompt=chat.end and not begun,
        continue_final_message=bool(begun),
        bos_token=BOS,
        eos_token=EOS,
        **chat.arguments,
    )
    return rendered[0]


@dataclass(frozen=True)
class Compared:
    """What both rendered, or the sentences they refused it with; None where one did not."""

    ours: str | None
    theirs: str | None
    our_refusal: str = ""
    their_refusal: str = ""

    @property
    def equal(self) -> bool:
        return self.theirs is not None and self.ours == self.theirs

    @property
    def refused(self) -> bool:
        """Both refuse it, and ours says why in their words."""
        why = self.their_refusal.strip().rstrip(".").splitlines() or [""]
        return self.ours is None and self.theirs is None and why[0][:60] in self.our_refusal


def compare(renderer: Renderer, template: str, chat: Conversation) -> Compared:
    """Both renderings. The date in a template may change between the two, but not twice."""
    before = _compare(renderer, template, chat)
    return before if before.equal or before.refused else _compare(renderer, template, chat)


def _compare(renderer: Renderer, template: str, chat: Conversation) -> Compared:
    mine, refusal = None, ""
    try:
        mine = ours(renderer, template, chat)
    except PromptError as error:
        refusal = str(error)
    try:
        return Compared(mine, theirs(template, chat), refusal)
    except Exception as error:
        return Compared(mine, None, refusal, str(error))
