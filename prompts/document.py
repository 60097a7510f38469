"""A prompt document: what it holds, and how its TOML text is read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from .errors import PromptError
from .locate import find_line
from .suggest import did_you_mean

MAX_BYTES = 1_000_000
"""The largest prompt, grammar or schema file that is read."""

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
class Prompt:
    """A prompt document. The texts in `text_fields` are jinja2 templates over the variables.

    The chat it stands for is the system text, the examples, `messages`, and `user`, whichever are
    not empty, in that order; the answer starts with `prefill`. `template` holds what the model's
    chat template is given besides (`enable_thinking`, `tools` …); its `name` chooses one of several.
    `sampling` is plain data, checked by whoever samples. `path` is the file it came from and no part of its identity.
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
    path: Path | None = field(default=None, compare=False)

    @property
    def slug(self) -> str:
        """The short name it is addressed by: its file's stem, else made from `name`."""
        if self.path is not None:
            return self.path.stem
        return re.sub(r"[^\w]+", "-", self.name.lower()).strip("-") or "prompt"

    def text_fields(self) -> Iterator[tuple[str, str, str]]:
        """(role, field, text) of every template, in the order of the chat; the prefill comes last."""
        if self.system:
            yield "system", "system", self.system
        for number, example in enumerate(self.examples, start=1):
            yield "user", f"user of example {number}", example.user
            yield "assistant", f"assistant of example {number}", example.assistant
        for number, message in enumerate(self.messages, start=1):
            yield message.role, f"message {number}", message.content
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


def load_prompt(path: Path | str) -> Prompt:
    """The prompt in a TOML file (UTF-8, at most `MAX_BYTES`).

    Raises PromptError for a file that cannot be read and for everything `parse_prompt` refuses.
    """
    path = Path(path)
    return parse_prompt(_read_file(path, "prompt"), str(path), path=path)


def parse_prompt(text: str, source: str, *, path: Path | None = None) -> Prompt:
    """The prompt in a TOML text; `source` names it in errors.

    A grammar or schema given as a file is read relative to `path`, the file the text is from.
    Raises PromptError with source, line and field for text that is not TOML, for unknown keys,
    wrong types and missing parts.
    """
    import tomli

    try:
        table = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise PromptError(
            f"{source}, line {error.lineno}: not valid TOML: {_sentence(error.msg)} "
            f"(column {error.colno})",
            source=source,
            line=error.lineno,
        ) from None
    except RecursionError:
        raise PromptError(f"{source}: its tables are nested too deeply", source=source) from None
    return _Reader(text, source, path).prompt(table)


def _read_file(path: Path, what: str) -> str:
    source = str(path)
    try:
        with path.open("rb") as file:
            data = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise PromptError(f"there is no {what} file at {source}", source=source) from None
    except IsADirectoryError:
        raise PromptError(f"{source} is a folder, not a {what} file", source=source) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise PromptError(f"{source} cannot be read: {reason}", source=source) from None
    if len(data) > MAX_BYTES:
        raise PromptError(
            f"{source} is larger than {MAX_BYTES // 1_000_000} MB, too large for a {what} file",
            source=source,
        )
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise PromptError(
            f"{source} is not UTF-8 text, so it is not a {what} file", source=source
        ) from None


def _sentence(message: str) -> str:
    return message[:1].lower() + message[1:].rstrip(".")


def _kind(value: object) -> str:
    """The TOML type of a value in words."""
    names: dict[type, str] = {
        str: "text",
        bool: "true or false",
        int: "a number",
        float: "a number",
        dict: "a table",
        list: "a list",
    }
    return names.get(type(value), "a date or time")


Key = tuple[str | int, ...]


class _Reader:
    """Turns one parsed TOML table into a Prompt; knows where to point when it cannot."""

    def __init__(self, text: str, source: str, path: Path | None) -> None:
        self.text = text
        self.source = source
        self.path = path

    def fail(self, key: Key, message: str) -> PromptError:
        line = find_line(self.text, key) if key else None
        where = f"{self.source}, line {line}" if line else self.source
        return PromptError(
            f"{where}: {message}", source=self.source, line=line, field=_dotted(key) or None
        )

    def prompt(self, table: dict[str, object]) -> Prompt:
        known = ("name", "description", "system", "user", "messages", "prefill")
        self.only(table, (), (*known, "variables", "examples", "template", "sampling", "output"))
        name = self.text_at(table, ("name",))
        if "name" not in table:
            raise self.missing("name", 'a prompt needs a name, for example name = "Tell me about"')
        if not name.strip() or not name.isprintable():
            raise self.fail(("name",), "name must be one line of visible text")
        messages = self.messages(table)
        user = self.text_at(table, ("user",))
        if not user and not messages:
            raise self.missing("user", "a prompt needs user or messages: what is the model asked?")
        system = self.text_at(table, ("system",))
        if system and any(message.role == "system" for message in messages):
            raise self.fail(("system",), "system is given twice, here and in messages; keep one")
        if not user and messages[-1].role != "user":
            raise self.fail(
                ("messages", len(messages) - 1, "role"),
                "the last message must be the user's; put the start of the answer in prefill",
            )
        return Prompt(
            name=name,
            description=self.text_at(table, ("description",)),
            system=system,
            user=user,
            messages=messages,
            prefill=self.text_at(table, ("prefill",)),
            variables=self.variables(table),
            examples=self.examples(table),
            template=self.template(table),
            sampling=self.sampling(table),
            output=self.output(table),
            path=self.path,
        )

    def missing(self, key: str, message: str) -> PromptError:
        return PromptError(f"{self.source}: {message}", source=self.source, field=key)

    def only(self, table: Mapping[str, object], key: Key, known: tuple[str, ...]) -> None:
        for name in table:
            if name not in known:
                hint = did_you_mean(name, known) or f"; the keys here are {', '.join(known)}"
                raise self.fail((*key, name), f"unknown key {_dotted((*key, name))}{hint}")

    def text_at(self, table: Mapping[str, object], key: Key) -> str:
        value = table.get(str(key[-1]), "")
        if not isinstance(value, str):
            raise self.fail(key, f"{_dotted(key)} must be text in quotes, not {_kind(value)}")
        return value

    def table_at(self, table: Mapping[str, object], key: str) -> dict[str, object]:
        value = table.get(key, {})
        if not isinstance(value, dict):
            raise self.fail((key,), f"{key} must be a table, not {_kind(value)}")
        return value

    def rows(
        self, table: Mapping[str, object], key: str, columns: tuple[str, str]
    ) -> Iterator[tuple[Key, str, str]]:
        """The (row key, row) pairs of a list of tables that have exactly the given text columns."""
        value = table.get(key, [])
        if not isinstance(value, list):
            raise self.fail((key,), f"{key} must be a list of tables, not {_kind(value)}")
        for index, row in enumerate(value):
            at: Key = (key, index)
            if not isinstance(row, dict):
                raise self.fail(at, f"{_dotted(at)} must be a table, not {_kind(row)}")
            self.only(row, at, columns)
            for column in columns:
                if column not in row:
                    raise self.fail(at, f"{_dotted(at)} has no {column}")
            first, second = (self.text_at(row, (*at, column)) for column in columns)
            yield at, first, second

    def messages(self, table: Mapping[str, object]) -> tuple[Message, ...]:
        messages: list[Message] = []
        for at, role, content in self.rows(table, "messages", ("role", "content")):
            if role not in ROLES:
                hint = did_you_mean(role, ROLES) or f"; it is one of {', '.join(ROLES)}"
                raise self.fail((*at, "role"), f"unknown role {role}{hint}")
            messages.append(Message(role, content))
        return tuple(messages)

    def examples(self, table: Mapping[str, object]) -> tuple[Example, ...]:
        rows = self.rows(table, "examples", ("user", "assistant"))
        return tuple(Example(user, assistant) for _, user, assistant in rows)

    def variables(self, table: Mapping[str, object]) -> tuple[Variable, ...]:
        variables: list[Variable] = []
        for name, value in self.table_at(table, "variables").items():
            at: Key = ("variables", name)
            if not (name.isascii() and name.isidentifier()) or name in RESERVED:
                raise self.fail(
                    at, f"{name or 'an empty name'} cannot name a variable; use letters and _"
                )
            if isinstance(value, str):
                variables.append(Variable(name, value))
            elif isinstance(value, dict):
                self.only(value, at, ("default", "description"))
                default = self.text_at(value, (*at, "default")) if "default" in value else None
                description = self.text_at(value, (*at, "description"))
                variables.append(Variable(name, default, description))
            else:
                raise self.fail(
                    at,
                    f"{_dotted(at)} must be text in quotes, or a table with default and "
                    f"description, not {_kind(value)}",
                )
        return tuple(variables)

    def template(self, table: Mapping[str, object]) -> dict[str, object]:
        import json

        template = self.table_at(table, "template")
        for name, value in template.items():
            at: Key = ("template", name)
            if name in OWN_ARGUMENTS:
                raise self.fail(at, f"{_dotted(at)} is made from the prompt and cannot be given")
            try:
                json.dumps(value)
            except TypeError:
                raise self.fail(
                    at, f"{_dotted(at)} holds a date, which JSON does not have"
                ) from None
        if not isinstance(template.get("name", ""), str):
            raise self.fail(("template", "name"), "template.name must be the name of a template")
        return template

    def sampling(self, table: Mapping[str, object]) -> dict[str, object]:
        sampling = self.table_at(table, "sampling")
        for name, value in sampling.items():
            if not isinstance(value, str | bool | int | float | list | dict):
                raise self.fail(("sampling", name), f"sampling.{name} cannot be {_kind(value)}")
        return sampling

    def output(self, table: Mapping[str, object]) -> OutputRules:
        output = self.table_at(table, "output")
        self.only(output, ("output",), ("stop", "grammar", "schema"))
        if "grammar" in output and "schema" in output:
            raise self.fail(
                ("output", "schema"), "output has both a grammar and a schema; keep one of them"
            )
        stop = output.get("stop", [])
        if not isinstance(stop, list) or not all(isinstance(s, str) and s for s in stop):
            raise self.fail(
                ("output", "stop"), 'output.stop must be a list of texts, for example ["\\n\\n"]'
            )
        grammar = self.grammar(output) if "grammar" in output else None
        schema = self.schema(output) if "schema" in output else None
        return OutputRules(tuple(stop), grammar, schema)

    def grammar(self, output: Mapping[str, object]) -> str:
        text = self.text_at(output, ("output", "grammar"))
        if _is_file_name(text, ".gbnf"):
            text = self.side_file(text, "grammar")
        if not text.strip():
            raise self.fail(("output", "grammar"), "output.grammar is empty")
        return text

    def schema(self, output: Mapping[str, object]) -> dict[str, object]:
        import json

        value = output["schema"]
        if isinstance(value, dict):
            try:
                json.dumps(value)
            except TypeError:
                raise self.fail(
                    ("output", "schema"), "output.schema holds a date, which JSON does not have"
                ) from None
            return value
        if not isinstance(value, str) or not _is_file_name(value, ".json"):
            raise self.fail(
                ("output", "schema"),
                "output.schema must be a table or the name of a .json file",
            )
        try:
            schema = json.loads(self.side_file(value, "schema"))
        except (json.JSONDecodeError, RecursionError) as error:
            raise self.fail(("output", "schema"), f"{value} is not valid JSON: {error}") from None
        if not isinstance(schema, dict):
            raise self.fail(("output", "schema"), f"{value} does not hold a JSON object")
        return schema

    def side_file(self, name: str, what: str) -> str:
        if self.path is None:
            raise self.fail(
                ("output", what), f"output.{what} names the file {name}, but the prompt has no file"
            )
        try:
            return _read_file(self.path.parent / name, what)
        except PromptError as error:
            raise self.fail(("output", what), str(error)) from None


def _is_file_name(text: str, suffix: str) -> bool:
    """Whether a grammar's or schema's text is the name of a file, rather than the thing itself."""
    return text.endswith(suffix) and "\n" not in text and "::=" not in text


def _dotted(key: Key) -> str:
    """`("examples", 1, "user")` as `examples[2].user`, counted from 1 as people do."""
    dotted = ""
    for part in key:
        dotted += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return dotted.lstrip(".")
