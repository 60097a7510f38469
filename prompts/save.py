"""Prompts written back as TOML, keeping what a person wrote around them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .document import Prompt, Variable, load_prompt, parse_prompt
from .errors import PromptError

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item

_MULTILINE = ("description", "system", "user", "prefill", "content", "assistant", "grammar")


def dump_prompt(prompt: Prompt) -> str:
    """The prompt as a TOML text that `parse_prompt` reads back as an equal prompt.

    Raises PromptError for a prompt that TOML cannot hold or that could not be read back.
    """
    import tomlkit

    return _checked(_merged(tomlkit.document(), _table(prompt)), prompt)


def save_prompt(prompt: Prompt, path: Path | str) -> None:
    """Write the prompt to `path`, whole or not at all.

    In a file that is there already, comments, order and the writing of unchanged values stay as
    they are, and so do the names of grammar and schema files whose content is unchanged.
    Raises PromptError for a file that cannot be written, an existing file that is not a prompt, and
    everything `dump_prompt` refuses.
    """
    import tomlkit

    path = Path(path).resolve()
    if not path.exists():
        _write(path, dump_prompt(prompt))
        return
    try:
        before = load_prompt(path)
    except PromptError as error:
        raise PromptError(f"not saved over a file that is not a prompt: {error}") from None
    document = tomlkit.parse(path.read_text("utf-8-sig"))
    table = _table(prompt)
    if not _in_order(before.variables, prompt.variables):
        del document["variables"]
    _keep_spelling(document, table, before, prompt)
    _write(path, _checked(_merged(document, table), prompt, path))


def _table(prompt: Prompt) -> dict[str, Any]:
    """The prompt as plain TOML data, without what is left at its default."""
    output = prompt.output
    rules = {"stop": list(output.stop), "grammar": output.grammar, "schema": output.schema}
    table = {
        "name": prompt.name,
        "description": prompt.description,
        "system": prompt.system,
        "user": prompt.user,
        "prefill": prompt.prefill,
        "variables": {variable.name: _variable(variable) for variable in prompt.variables},
        "examples": [{"user": e.user, "assistant": e.assistant} for e in prompt.examples],
        "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
        "template": dict(prompt.template),
        "sampling": dict(prompt.sampling),
        "output": {key: value for key, value in rules.items() if value not in (None, [])},
    }
    return {key: value for key, value in table.items() if value not in ("", [], {})}


def _variable(variable: Variable) -> str | dict[str, str]:
    if variable.default is not None and not variable.description:
        return variable.default
    table = {} if variable.default is None else {"default": variable.default}
    return table | ({"description": variable.description} if variable.description else {})


def _in_order(before: tuple[Variable, ...], after: tuple[Variable, ...]) -> bool:
    """Whether new variables come after all that stay, and those have kept their order."""
    names = [variable.name for variable in after]
    staying = [variable.name for variable in before if variable.name in names]
    return names[: len(staying)] == staying


def _keep_spelling(
    document: TOMLDocument, table: dict[str, Any], before: Prompt, prompt: Prompt
) -> None:
    """Give unchanged values in `table` the form they have in the document."""
    spelled = document.unwrap()
    unchanged = set(before.variables) & set(prompt.variables)
    for variable in unchanged if "variables" in spelled else ():
        table["variables"][variable.name] = spelled["variables"][variable.name]
    for key, old, new in (
        ("grammar", before.output.grammar, prompt.output.grammar),
        ("schema", before.output.schema, prompt.output.schema),
    ):
        if new is not None and old == new:
            table["output"][key] = spelled["output"][key]
    for key, value in spelled.items():
        if key not in table and value in ("", [], {}):
            table[key] = value


def _merged(document: TOMLDocument, table: Mapping[str, Any]) -> str:
    """The document's text after it was given exactly the table's content."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        _update(document, table, _section)
        return tomlkit.dumps(document)
    except TOMLKitError as error:
        raise PromptError(f"the prompt cannot be written as TOML: {error}") from None


def _update(container: Any, table: Mapping[str, Any], make: Callable[[str, object], Item]) -> None:
    """Make a tomlkit table hold what `table` holds, touching only what differs.

    `make` gives the item for a key that is new or of another kind than before.
    """
    for key in [key for key in container if key not in table]:
        del container[key]
    for key, value in table.items():
        old = container.get(key)
        if old is not None and _same(_plain(old), value):
            continue
        if isinstance(old, dict) and isinstance(value, Mapping):
            _update(old, value, _value)
        elif _are_tables(old) and _are_tables(value):
            _update_rows(old, value)
        else:
            container[key] = make(key, value)


def _update_rows(rows: Any, wanted: list[Any]) -> None:
    from tomlkit.items import AoT

    for mine, theirs in zip(rows, wanted, strict=False):
        _update(mine, theirs, _value)
    while len(rows) > len(wanted):
        del rows[-1]
    for added in wanted[len(rows) :]:
        rows.append(_section("", added) if isinstance(rows, AoT) else _value("", added))


def _plain(item: Any) -> object:
    """A tomlkit item as plain data; its booleans are plain already."""
    return item.unwrap() if hasattr(item, "unwrap") else item


def _same(old: object, new: object) -> bool:
    """Equality that tells `1` from `1.0` and from `true`, as TOML does."""
    if isinstance(old, dict) and isinstance(new, Mapping):
        return old.keys() == new.keys() and all(_same(old[key], new[key]) for key in old)
    if isinstance(old, list) and isinstance(new, list):
        return len(old) == len(new) and all(map(_same, old, new))
    return type(old) is type(new) and old == new


def _are_tables(value: object) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, dict) for v in value)


def _section(key: str, value: object) -> Item:
    """A value at the top of the document: tables get a header of their own."""
    import tomlkit

    if isinstance(value, Mapping):
        table = tomlkit.table()
        for name, inner in value.items():
            table.add(name, _value(name, inner))
        return table
    if isinstance(value, list) and _are_tables(value):
        rows = tomlkit.aot()
        for row in value:
            rows.append(_section("", row))
        return rows
    return _value(key, value)


def _value(key: str, value: object) -> Item:
    """A value inside a table, on one line unless it is text for a person to edit."""
    import tomlkit

    match value:
        case None:
            raise PromptError(
                "TOML has no null: put this JSON Schema in a .json file and name it in the "
                "prompt's output.schema",
                field="output.schema",
            )
        case str() if key in _MULTILINE and _reads_well_on_lines(value):
            quoted = tomlkit.string(value, multiline=True).as_string()
            return cast("Item", tomlkit.parse(f'text = """\n{quoted[3:]}\n')["text"])
        case Mapping():
            table = tomlkit.inline_table()
            for name, inner in value.items():
                table.add(name, _value(name, inner))
            return table
        case list():
            array = tomlkit.array()
            for inner in value:
                array.append(_value("", inner))
            return array
        case _:
            return tomlkit.item(value)


def _reads_well_on_lines(text: str) -> bool:
    return "\n" in text and not text.startswith("\n") and "\r" not in text


def _checked(text: str, prompt: Prompt, path: Path | None = None) -> str:
    """The text, once it is known to be read back as the same prompt."""
    source = str(path or prompt.path or prompt.name)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PromptError(
            f"{source}: the prompt holds half of a character", source=source
        ) from None
    if parse_prompt(text, source, path=path) != prompt:
        raise PromptError(f"{source}: the prompt changes when it is written as TOML")
    return text


def _write(path: Path, text: str) -> None:
    """Replace the file at once, so that a crash leaves the old one or the new one."""
    draft = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with draft.open("x", encoding="utf-8", newline="\n") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if path.exists():
            shutil.copymode(path, draft)
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise PromptError(
            f"{path} cannot be written: {error.strerror or error}", source=str(path)
        ) from None
