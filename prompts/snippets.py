"""Snippets: parts of prompts in files of their own, to be added to a prompt."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from .document import Message, OutputRules, Prompt
from .errors import PromptError
from .fields import FieldReader
from .files import read_side_text
from .parse import over

SHIPPED_SNIPPETS = Path(__file__).with_name("snippets")
"""The folder of the snippets that ship."""

_PLACES = ("system", "user", "examples", "prefill", "variables", "sampling", "output")


@dataclass(frozen=True)
class Snippet:
    """Part of a prompt; `part` holds only what is to be added, and its file.

    A snippet file has the keys of a prompt file except messages, tags and include; `name` is
    required. `problem` says why a file is none; then it has a name and nothing to add.
    """

    part: Prompt
    problem: str | None = None

    @property
    def name(self) -> str:
        return self.part.name

    @property
    def description(self) -> str:
        return self.part.description

    @property
    def where(self) -> tuple[str, ...]:
        """The fields of a prompt that it adds to."""
        empty = Prompt("")
        return tuple(it for it in _PLACES if getattr(self.part, it) != getattr(empty, it))

    @property
    def text(self) -> str:
        """Its texts, as they would be added."""
        return "\n\n".join(text for _, _, text in self.part.text_fields())


def load_snippet(path: Path) -> Snippet:
    """The snippet in a TOML file. Raises PromptError, with line and field where there is one."""
    reader = FieldReader(read_side_text(path, "snippet"), str(path), path)
    own = reader.read()
    for key in ("messages", "tags", "include"):
        if key in own:
            raise reader.fail((key,), f"a snippet has no {key}")
    if "name" not in own:
        raise reader.missing("name", "a snippet needs a name")
    snippet = Snippet(replace(over(Prompt(""), own), path=path))
    if not snippet.where:
        raise reader.missing("system", f"a snippet needs one of {', '.join(_PLACES)}")
    return snippet


def snippets(folders: Sequence[Path] = ()) -> list[Snippet]:
    """The snippets in `folders` and those that ship, by name.

    A file takes the place of one with the same file name in a later folder, so that a copy of a
    shipped one can be changed.
    """
    paths: dict[str, Path] = {}
    for folder in (*folders, SHIPPED_SNIPPETS):
        for path in sorted(folder.glob("*.toml")):
            paths.setdefault(path.name, path)
    found = [_listed(path) for path in paths.values()]
    return sorted(found, key=lambda snippet: snippet.name.casefold())


def _listed(path: Path) -> Snippet:
    try:
        return load_snippet(path)
    except PromptError as error:
        return Snippet(Prompt(path.stem, path=path), str(error))


def apply(snippet: Snippet, prompt: Prompt) -> Prompt:
    """A new prompt: the old one with what the snippet holds.

    System and user texts are added as paragraphs, examples and stop strings at the end; a prefill,
    sampling settings and a grammar or schema take the place of the prompt's. In a prompt of
    messages, the system message and the last of the user's grow. Variables that the prompt has
    already stay as they are. What is in the prompt already is not added again.
    """
    part = snippet.part
    known = {variable.name for variable in prompt.variables}
    rules, asked = prompt.output, part.output
    form = asked.grammar is not None or asked.schema is not None
    new = tuple(example for example in part.examples if example not in prompt.examples)
    changed = replace(
        prompt,
        prefill=part.prefill or prompt.prefill,
        variables=(*prompt.variables, *(v for v in part.variables if v.name not in known)),
        sampling={**prompt.sampling, **part.sampling},
        output=OutputRules(
            tuple(dict.fromkeys((*rules.stop, *asked.stop))),
            asked.grammar if form else rules.grammar,
            asked.schema if form else rules.schema,
        ),
    )
    if new:
        changed = changed.with_examples((*prompt.examples, *new))
    return _with_user(_with_system(changed, part.system), part.user)


def _with_system(prompt: Prompt, text: str) -> Prompt:
    if prompt.messages and prompt.messages[0].role == "system":
        return _with_message(prompt, 0, text)
    return replace(prompt, system=_paragraph(prompt.system, text))


def _with_user(prompt: Prompt, text: str) -> Prompt:
    if prompt.user:
        return replace(prompt, user=_paragraph(prompt.user, text))
    return _with_message(prompt, len(prompt.messages) - 1, text)


def _with_message(prompt: Prompt, number: int, text: str) -> Prompt:
    messages = list(prompt.messages)
    message = messages[number]
    messages[number] = Message(message.role, _paragraph(message.content, text))
    return replace(prompt, messages=tuple(messages))


def _paragraph(before: str, text: str) -> str:
    if not text or f"\n\n{text}\n\n" in f"\n\n{before}\n\n":
        return before
    return f"{before}\n\n{text}" if before.strip() else text
