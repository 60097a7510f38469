"""What a prompt document holds."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

ROLES = ("system", "user", "assistant")

OWN_ARGUMENTS = ("messages", "add_generation_prompt")
"""What a chat template is given by the program itself."""

_WORDS = "and else if in is not or true false none True False None loop self super caller"
RESERVED = frozenset(_WORDS.split())
"""Words with a meaning of their own in a template, which a variable cannot have for a name."""


@dataclass(frozen=True)
class Variable:
    """A value the prompt's templates use; without a default it has to be given."""

    name: str
    default: str | None = None
    description: str = ""


@dataclass(frozen=True)
class Example:
    """A few-shot turn: what a user could have said, and the answer wanted."""

    user: str
    assistant: str


@dataclass(frozen=True)
class ExampleData:
    """Where examples come from: `count` rows of the dataset `data`, chosen by `seed`.

    Without a count it is all of them. `user` and `assistant` are templates over a row's columns,
    both empty where the rows say themselves what was asked and answered.
    """

    data: Path
    count: int | None = None
    seed: int = 0
    user: str = ""
    assistant: str = ""


@dataclass(frozen=True)
class Message:
    """One turn of a chat; `role` is one of `ROLES`."""

    role: str
    content: str


@dataclass(frozen=True)
class OutputRules:
    """What the answer may be: stop strings, and at most one of a GBNF grammar and a JSON Schema."""

    stop: tuple[str, ...] = ()
    grammar: str | None = None
    schema: Mapping[str, object] | None = field(default=None, hash=False)


@dataclass(frozen=True)
class Loaded:
    """A file as it was read: the SHA-256 of its bytes, the prompt that they were, their text."""

    sha256: str
    prompt: Prompt
    text: str = field(repr=False)


@dataclass(frozen=True)
class Prompt:
    """A prompt document. The texts in `text_fields` are jinja2 templates over the variables.

    The chat it stands for is the system text, the examples, `messages`, and `user`, whichever are
    not empty, in that order; a system message among `messages` stands for the system text. The
    answer starts with `prefill`. `template` holds what the model's chat template is given besides
    (`enable_thinking`, `tools` …); its `name` chooses one of several. `sampling` is plain data,
    checked by whoever samples.

    Every field holds what applies, wherever it was said: `examples` those that `example_data`
    gave, and all others what the files of `include` gave where this prompt says nothing itself.
    `inherited` is what these files gave, None without them.

    `path` is the file it came from and `loaded` that file as it was read; they and `inherited` are
    no part of its identity.
    """

    name: str
    description: str = ""
    system: str = ""
    user: str = ""
    messages: tuple[Message, ...] = ()
    prefill: str = ""
    variables: tuple[Variable, ...] = ()
    examples: tuple[Example, ...] = ()
    template: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    sampling: Mapping[str, object] = field(default_factory=dict[str, object], hash=False)
    output: OutputRules = OutputRules()
    tags: tuple[str, ...] = ()
    include: tuple[Path, ...] = ()
    example_data: ExampleData | None = None
    inherited: Prompt | None = field(default=None, compare=False, repr=False)
    path: Path | None = field(default=None, compare=False)
    loaded: Loaded | None = field(default=None, compare=False, repr=False)

    @property
    def slug(self) -> str:
        """The short name it is addressed by: its file's stem, else made from `name`."""
        if self.path is not None:
            return self.path.stem
        return re.sub(r"[^\w]+", "-", self.name.lower()).strip("-") or "prompt"

    def standalone(self) -> Prompt:
        """The same prompt with all that other files gave it written out, and needing none."""
        return replace(self, include=(), inherited=None, example_data=None, loaded=None)

    def with_examples(self, examples: tuple[Example, ...]) -> Prompt:
        """The prompt with these examples of its own instead of those it had, or a dataset gave."""
        return replace(self, examples=examples, example_data=None)

    def text_fields(self) -> Iterator[tuple[str, str, str]]:
        """(role, field, text) of every template, in the order of the chat; the prefill comes last."""
        turns = [
            (message.role, f"message {number}", message.content)
            for number, message in enumerate(self.messages, start=1)
        ]
        if self.system:
            yield "system", "system", self.system
        while turns and turns[0][0] == "system":
            yield turns.pop(0)
        for number, example in enumerate(self.examples, start=1):
            yield "user", f"user of example {number}", example.user
            yield "assistant", f"assistant of example {number}", example.assistant
        yield from turns
        if self.user:
            yield "user", "user", self.user
        if self.prefill:
            yield "assistant", "prefill", self.prefill


def part_of(field: str) -> str:
    """The part of the prompt that a field of `text_fields` belongs to: `system`, `example 1`,
    `history`, `user` or `prefill`."""
    if field.startswith("message "):
        return "history"
    return field.removeprefix("user of ").removeprefix("assistant of ")
