"""Reads a prompt document out of TOML text, with what the files it includes give."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from pathlib import Path

from .document import Loaded, Message, OutputRules, Prompt
from .errors import PromptError
from .fields import FieldReader, Fields
from .files import as_text, read_bytes, read_side_text

MOST_INCLUDED = 50
"""How many files one prompt may include, counting those that they include."""


def load_prompt(path: Path | str, files: set[Path] | None = None) -> Prompt:
    """The prompt in a TOML file (UTF-8, at most `files.MAX_BYTES`).

    `files` is given the names of all other files that it depends on, also when one of them is
    wrong: what it includes, and datasets, grammars and schemas.
    Raises PromptError for a file that cannot be read and for everything `parse_prompt` refuses.
    """
    path = Path(path)
    return prompt_of(read_bytes(path, "prompt"), path, files)


def prompt_of(data: bytes, path: Path, files: set[Path] | None = None) -> Prompt:
    """The prompt that the bytes of the file `path` are, as `load_prompt` gives it."""
    text = as_text(data, path, "prompt")
    prompt = parse_prompt(text, str(path), path=path, files=files)
    return replace(prompt, loaded=Loaded(hashlib.sha256(data).hexdigest(), prompt, text))


def parse_prompt(
    text: str,
    source: str,
    *,
    path: Path | None = None,
    known: Prompt | None = None,
    alone: bool = False,
    files: set[Path] | None = None,
) -> Prompt:
    """The prompt in a TOML text; `source` names it in errors.

    The files it names are read relative to the folder of `path`, the file the text is from: a
    grammar, a schema, a dataset of examples, and prompts to include. Of included ones and datasets,
    those are not read that `known` has what they gave of. When `alone`, no other file is read: the
    prompt is what this one says itself.

    What `include` gives are defaults. A later file goes before an earlier one, and the prompt's own
    fields before all. Texts and lists (messages, examples, stop) are replaced whole; variables and
    sampling and template combine name by name; of grammar and schema there is one. A system text replaces an
    included system message, and the other way round. Name, description and tags say what a file is
    and are not given on; an included file needs neither a name nor a user text.

    Raises PromptError with source, line and field for text that is not TOML, for unknown keys,
    wrong types and missing parts, and for included files that are not there, are wrong, or include
    themselves.
    """
    reader = FieldReader(text, source, path, known=known, alone=alone, files=files)
    own = reader.read()
    include = own.pop("include", ())
    inherited = None
    if include and known is not None and known.include == include:
        inherited = known.inherited
    elif include and not alone:
        chain = () if path is None else (path.resolve(),)
        inherited = _Includes(reader.files).combined(reader, include, chain)
    prompt = replace(
        over(inherited or Prompt(""), own), include=include, inherited=inherited, path=path
    )
    _check(prompt, reader)
    return prompt


def over(defaults: Prompt, own: Fields) -> Prompt:
    """A prompt of the fields a file has itself, and the defaults where it has none."""
    system, messages = defaults.system, defaults.messages
    if _has_system(own.get("messages", ())):
        system = ""
    if own.get("system") and _has_system(messages):
        messages = messages[1:]
    variables = {variable.name: variable for variable in defaults.variables}
    variables |= {variable.name: variable for variable in own.get("variables", ())}
    rules = defaults.output
    form = "grammar" in own or "schema" in own
    examples = "examples" in own
    return replace(
        defaults,
        name=own.get("name", defaults.name),
        description=own.get("description", defaults.description),
        tags=own.get("tags", defaults.tags),
        system=own.get("system", system),
        user=own.get("user", defaults.user),
        messages=own.get("messages", messages),
        prefill=own.get("prefill", defaults.prefill),
        variables=tuple(variables.values()),
        examples=own["examples"] if examples else defaults.examples,
        example_data=own.get("example_data") if examples else defaults.example_data,
        template={**defaults.template, **own.get("template", {})},
        sampling={**defaults.sampling, **own.get("sampling", {})},
        output=OutputRules(
            own.get("stop", rules.stop),
            own.get("grammar") if form else rules.grammar,
            own.get("schema") if form else rules.schema,
        ),
    )


def _has_system(messages: tuple[Message, ...]) -> bool:
    return bool(messages) and messages[0].role == "system"


def _check(prompt: Prompt, reader: FieldReader) -> None:
    """Raise PromptError for fields that do not go together."""
    if not prompt.name:
        raise reader.missing("name", 'a prompt needs a name, for example name = "Tell me about"')
    messages = prompt.messages
    if not prompt.user and not messages:
        if reader.alone and prompt.include:
            return
        raise reader.missing("user", "a prompt needs user or messages: what is the model asked?")
    system = [i for i, message in enumerate(messages) if message.role == "system"]
    if prompt.system and system:
        raise reader.fail(("system",), "system is given twice, here and in messages; keep one")
    if system not in ([], [0]):
        raise reader.fail(
            ("messages", system[-1], "role"), "there is one system message, and it stands first"
        )
    if not prompt.user and messages[-1].role != "user":
        raise reader.fail(
            ("messages", len(messages) - 1, "role"),
            "the last message must be the user's; put the start of the answer in prefill",
        )


class _Includes:
    """Reads included files, each once."""

    def __init__(self, files: set[Path]) -> None:
        self._files = files
        self._count = 0
        self._given: dict[Path, Fields] = {}

    def combined(
        self, reader: FieldReader, include: tuple[Path, ...], chain: tuple[Path, ...]
    ) -> Prompt:
        """What the files give together; `chain` are those that lead to the reader's own."""
        prompt = Prompt("")
        for number, path in enumerate(include):
            try:
                prompt = over(prompt, self._file(path, chain))
            except PromptError as error:
                raise reader.fail(("include", number), str(error)) from None
        return prompt

    def _file(self, path: Path, chain: tuple[Path, ...]) -> Fields:
        """What one file gives, with what it includes itself."""
        if path in chain:
            circle = " → ".join(it.name for it in (*chain[chain.index(path) :], path))
            raise PromptError(f"{path} includes itself: {circle}")
        if path in self._given:
            return self._given[path]
        self._count += 1
        if self._count > MOST_INCLUDED:
            raise PromptError(f"more than {MOST_INCLUDED} files are included")
        reader = FieldReader(read_side_text(path, "prompt"), str(path), path, files=self._files)
        own = reader.read()
        for key in ("name", "description", "tags"):
            own.pop(key, None)
        inherited = self.combined(reader, own.pop("include", ()), (*chain, path))
        emptied: Fields = {key: value for key, value in own.items() if not value}  # pyright: ignore[reportAssignmentType]
        given = self._given[path] = fields_of(over(inherited, own)) | emptied
        return given


def fields_of(prompt: Prompt) -> Fields:
    """What a prompt says, leaving out what is empty."""
    rules = prompt.output
    fields: Fields = {
        "name": prompt.name,
        "description": prompt.description,
        "tags": prompt.tags,
        "system": prompt.system,
        "user": prompt.user,
        "prefill": prompt.prefill,
        "messages": prompt.messages,
        "variables": prompt.variables,
        "template": dict(prompt.template),
        "sampling": dict(prompt.sampling),
        "stop": rules.stop,
    }
    said: Fields = {key: value for key, value in fields.items() if value}  # pyright: ignore[reportAssignmentType]
    if prompt.examples:
        said |= {"examples": prompt.examples, "example_data": prompt.example_data}
    if rules.grammar is not None:
        said["grammar"] = rules.grammar
    if rules.schema is not None:
        said["schema"] = rules.schema
    return said
