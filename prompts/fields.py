"""Reads what one prompt file says, field by field."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypedDict

from .document import (
    OWN_ARGUMENTS,
    RESERVED,
    ROLES,
    Example,
    ExampleData,
    Message,
    Prompt,
    Variable,
)
from .errors import PromptError
from .examples import load_examples
from .files import read_side_text
from .locate import find_line
from .suggest import did_you_mean

Key = tuple[str | int, ...]


class Fields(TypedDict, total=False):
    """What a file says, of what it says anything about."""

    name: str
    description: str
    tags: tuple[str, ...]
    include: tuple[Path, ...]
    system: str
    user: str
    prefill: str
    messages: tuple[Message, ...]
    examples: tuple[Example, ...]
    example_data: ExampleData | None
    variables: tuple[Variable, ...]
    template: dict[str, object]
    sampling: dict[str, object]
    stop: tuple[str, ...]
    grammar: str
    schema: Mapping[str, object]


class FieldReader:
    """Turns the text of one file into `Fields`; knows where to point when it cannot.

    Datasets of examples that `known` has read are not read again; when `alone`, no other file is
    read, and what it would hold is missing.
    """

    def __init__(
        self,
        text: str,
        source: str,
        path: Path | None,
        *,
        known: Prompt | None = None,
        alone: bool = False,
        files: set[Path] | None = None,
    ) -> None:
        """`files` is given the names of all files that this one names."""
        self.text = text
        self.source = source
        self.path = path
        self.known = known
        self.alone = alone
        self.files = set[Path]() if files is None else files

    def fail(self, key: Key, message: str) -> PromptError:
        line = find_line(self.text, key) if key else None
        where = f"{self.source}, line {line}" if line else self.source
        return PromptError(
            f"{where}: {message}", source=self.source, line=line, field=_dotted(key) or None
        )

    def read(self) -> Fields:
        """Raises PromptError for text that is not TOML, unknown keys and wrong types."""
        table = parse_table(self.text, self.source)
        self.only(table, (), _KEYS)
        fields: Fields = {}
        if "name" in table:
            fields["name"] = self.name(table)
        for key in ("description", "system", "user", "prefill"):
            if key in table:
                fields[key] = self.text_at(table, (key,))
        if "tags" in table:
            fields["tags"] = tuple(self.words(table, "tags"))
        if "include" in table:
            fields["include"] = self.include(table)
        if "messages" in table:
            fields["messages"] = self.messages(table)
        if "examples" in table:
            fields["examples"], fields["example_data"] = self.examples(table)
        if "variables" in table:
            fields["variables"] = self.variables(table)
        if "template" in table:
            fields["template"] = self.template(table)
        if "sampling" in table:
            fields["sampling"] = self.sampling(table)
        self.output(table, fields)
        return fields

    def name(self, table: Mapping[str, object]) -> str:
        name = self.text_at(table, ("name",))
        if not name.strip() or not name.isprintable():
            raise self.fail(("name",), "name must be one line of visible text")
        return name

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

    def words(self, table: Mapping[str, object], key: str) -> list[str]:
        """A list of different texts of one line each."""
        value = table[key]
        if not isinstance(value, list) or not all(isinstance(word, str) for word in value):
            raise self.fail((key,), f'{key} must be a list of texts, for example ["one", "two"]')
        for word in value:
            if not word.strip() or not word.isprintable():
                raise self.fail((key,), f"{key} must each be one line of visible text")
            if value.count(word) > 1:
                raise self.fail((key,), f"{word} is in {key} twice")
        return value

    def include(self, table: Mapping[str, object]) -> tuple[Path, ...]:
        names = self.words(table, "include")
        return tuple(self.beside(("include", i), name) for i, name in enumerate(names))

    def beside(self, key: Key, name: str) -> Path:
        """The file of that name, relative to this one's folder."""
        if self.path is None and not Path(name).is_absolute():
            raise self.fail(
                key, f"{_dotted(key)} names the file {name}, but the prompt has no file"
            )
        folder = Path() if self.path is None else self.path.parent.resolve()
        found = (folder / name).resolve()
        self.files.add(found)
        return found

    def examples(
        self, table: Mapping[str, object]
    ) -> tuple[tuple[Example, ...], ExampleData | None]:
        if isinstance(table["examples"], dict):
            data = self.example_data(table["examples"])
            return self.examples_from(data), data
        rows = self.rows(table, "examples", ("user", "assistant"))
        return tuple(Example(user, assistant) for _, user, assistant in rows), None

    def example_data(self, table: Mapping[str, object]) -> ExampleData:
        at = ("examples",)
        self.only(table, at, ("data", "count", "seed", "user", "assistant"))
        name = self.text_at(table, (*at, "data"))
        if not name:
            raise self.fail(at, 'examples needs data = "rows.jsonl", or [[examples]] of its own')
        count = self.number_at(table, (*at, "count"), 1) if "count" in table else None
        seed = self.number_at(table, (*at, "seed"), 0) if "seed" in table else 0
        user, assistant = (self.text_at(table, (*at, key)) for key in ("user", "assistant"))
        if bool(user) != bool(assistant):
            raise self.fail(at, "examples needs both user and assistant, or neither")
        return ExampleData(self.beside((*at, "data"), name), count, seed, user, assistant)

    def examples_from(self, data: ExampleData) -> tuple[Example, ...]:
        if self.alone:
            return ()
        if self.known is not None and self.known.example_data == data:
            return self.known.examples
        try:
            return load_examples(data)
        except PromptError as error:
            raise self.fail(("examples", "data"), str(error)) from None

    def number_at(self, table: Mapping[str, object], key: Key, least: int) -> int:
        value = table[str(key[-1])]
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise self.fail(key, f"{_dotted(key)} must be a whole number from {least} on")
        return value

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

    def plain(self, key: Key, value: object) -> None:
        """Refuse what JSON does not have."""
        import json

        try:
            json.dumps(value, allow_nan=False)
        except (TypeError, ValueError) as error:
            what = "a date" if isinstance(error, TypeError) else "nan or inf"
            raise self.fail(key, f"{_dotted(key)} holds {what}, which JSON does not have") from None

    def template(self, table: Mapping[str, object]) -> dict[str, object]:
        template = self.table_at(table, "template")
        for name, value in template.items():
            at: Key = ("template", name)
            if name in OWN_ARGUMENTS:
                raise self.fail(at, f"{_dotted(at)} is made from the prompt and cannot be given")
            self.plain(at, value)
        if not isinstance(template.get("name", ""), str):
            raise self.fail(("template", "name"), "template.name must be the name of a template")
        return template

    def sampling(self, table: Mapping[str, object]) -> dict[str, object]:
        sampling = self.table_at(table, "sampling")
        for name, value in sampling.items():
            if not isinstance(value, str | bool | int | float | list | dict):
                raise self.fail(("sampling", name), f"sampling.{name} cannot be {_kind(value)}")
            self.plain(("sampling", name), value)
        return sampling

    def output(self, table: Mapping[str, object], fields: Fields) -> None:
        output = self.table_at(table, "output")
        self.only(output, ("output",), ("stop", "grammar", "schema"))
        if "grammar" in output and "schema" in output:
            raise self.fail(
                ("output", "schema"), "output has both a grammar and a schema; keep one of them"
            )
        if "stop" in output:
            stop = output["stop"]
            if not isinstance(stop, list) or not all(isinstance(s, str) and s for s in stop):
                raise self.fail(
                    ("output", "stop"),
                    'output.stop must be a list of texts, for example ["\\n\\n"]',
                )
            fields["stop"] = tuple(stop)
        if "grammar" in output:
            fields["grammar"] = self.grammar(output)
        if "schema" in output:
            fields["schema"] = self.schema(output)

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
            self.plain(("output", "schema"), value)
            return value
        if not isinstance(value, str) or not _is_file_name(value, ".json"):
            raise self.fail(
                ("output", "schema"),
                "output.schema must be a table or the name of a .json file",
            )
        try:
            schema = json.loads(self.side_file(value, "schema"))
        except (ValueError, RecursionError) as error:
            raise self.fail(("output", "schema"), f"{value} is not valid JSON: {error}") from None
        if not isinstance(schema, dict):
            raise self.fail(("output", "schema"), f"{value} does not hold a JSON object")
        return schema

    def side_file(self, name: str, what: str) -> str:
        if self.alone:
            return "{}"
        try:
            return read_side_text(self.beside(("output", what), name), what)
        except PromptError as error:
            if error.field:
                raise
            raise self.fail(("output", what), str(error)) from None


_KEYS = (
    "name", "description", "tags", "include", "system", "user", "messages", "prefill", "variables",
    "examples", "template", "sampling", "output",
)  # fmt: skip


def parse_table(text: str, source: str) -> dict[str, Any]:
    """A TOML text as plain data. Raises PromptError."""
    import tomli

    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        raise PromptError(
            f"{source}, line {error.lineno}: not valid TOML: {_sentence(error.msg)} "
            f"(column {error.colno})",
            source=source,
            line=error.lineno,
        ) from None
    except RecursionError:
        raise PromptError(f"{source}: its tables are nested too deeply", source=source) from None
    except ValueError:
        raise PromptError(f"{source}: a number in it is too large", source=source) from None


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


def _is_file_name(text: str, suffix: str) -> bool:
    """Whether a grammar's or schema's text is the name of a file, rather than the thing itself."""
    return text.endswith(suffix) and "\n" not in text and "::=" not in text


def _dotted(key: Key) -> str:
    """`("examples", 1, "user")` as `examples[2].user`, counted from 1 as people do."""
    dotted = ""
    for part in key:
        dotted += f"[{part + 1}]" if isinstance(part, int) else f".{part}"
    return dotted.lstrip(".")
