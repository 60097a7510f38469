"""Prompts written back as TOML, keeping what a person wrote around them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from .arranging import reorder, without_rows
from .document import ExampleData, Loaded, Prompt, Variable
from .errors import PromptError
from .fields import parse_table
from .files import MAX_BYTES, as_text, read_bytes
from .merge import Conflict, changed_fields, fields_of, is_from, merged
from .parse import parse_prompt, prompt_of
from .replacing import held, replace_file

if TYPE_CHECKING:
    from tomlkit import TOMLDocument
    from tomlkit.items import Item

_MULTILINE = ("description", "system", "user", "prefill", "content", "assistant", "grammar")
_TABLES = ("variables", "template", "sampling", "output")
_TURNS = ("system", "messages")
"""Either of them, said here, takes away the other one where it is included."""

_TRIES = 20
"""How often a file may be changed by others while it is being saved."""


def dump_prompt(prompt: Prompt) -> str:
    """The prompt as a TOML text that `parse_prompt` reads back as an equal prompt.

    Comments and order are those of the file it was loaded from.
    Files are named relative to the folder of the prompt's own file, or by their whole path if it
    has none; for a text that needs no other file, dump `prompt.standalone()`.
    Raises PromptError for a prompt that TOML cannot hold or that could not be read back.
    """
    return _written(prompt, prompt.path, _template(prompt))


def save_prompt(prompt: Prompt, path: Path | str, *, replacing: bool = False) -> Prompt:
    """Write the prompt to `path`, whole or not at all; the prompt as it is in the file then.

    If it was loaded from there and the file was changed meanwhile, the changes are brought together
    (see `merge.merged`), and the result has both. Comments, order and the writing of unchanged
    values stay as they are, also in a new file saved from one with them.

    Raises Conflict for fields that were changed both here and there, and, unless it is `replacing`
    what is there, for a file that holds another prompt and was not the one loaded. Raises
    PromptError for a file that cannot be written, an existing file that is not a prompt, and
    everything `dump_prompt` refuses.
    """
    path = Path(path).resolve()
    with held(path.parent):
        for _ in range(_TRIES):
            seen = read_bytes(path, "prompt") if path.exists() else None
            wanted, text = _brought_together(prompt, path, seen, replacing)
            data = text.encode()
            if len(data) > MAX_BYTES:
                raise PromptError(
                    f"{path} would be larger than {MAX_BYTES // 1_000_000} MB and could not be "
                    "read again; shorten its texts",
                    source=str(path),
                )
            if data == seen or replace_file(path, data, seen):
                loaded = Loaded(
                    hashlib.sha256(data).hexdigest(), replace(wanted, loaded=None), text
                )
                return replace(wanted, loaded=loaded)
    raise PromptError(f"{path} keeps being changed by another program", source=str(path))


def _brought_together(
    prompt: Prompt, path: Path, seen: bytes | None, replacing: bool
) -> tuple[Prompt, str]:
    """What is to be in the file that holds `seen`, and its text."""
    if seen is None:
        wanted = replace(prompt, path=path)
        return wanted, _written(wanted, path, _template(prompt))
    try:
        there = prompt_of(seen, path)
    except PromptError as error:
        raise PromptError(f"not saved over a file that is not a prompt: {error}") from None
    if replacing:
        wanted = replace(prompt, path=path)
    elif prompt.loaded is not None and is_from(prompt, path):
        wanted = merged(prompt.loaded.prompt, there, prompt)
    elif there != prompt:
        raise Conflict(
            f"{path} is there already and holds another prompt, {there.name}; give another name",
            mine=replace(prompt, path=path, loaded=there.loaded),
            theirs=there,
            on_disk=there,
            fields=changed_fields(there, prompt),
        )
    else:
        wanted = there
    return wanted, _written(wanted, path, (as_text(seen, path, "prompt"), there))


def _template(prompt: Prompt) -> tuple[str, Prompt] | None:
    """The text that the prompt was loaded from, and what it said, wherever that file is now."""
    if prompt.path is None or prompt.loaded is None:
        return None
    return prompt.loaded.text, replace(prompt.loaded.prompt, path=prompt.path)


def _written(prompt: Prompt, path: Path | None, before: tuple[str, Prompt] | None) -> str:
    """The prompt's TOML text for the file `path`, made from a text that held another prompt."""
    import tomlkit

    table = _table(prompt, _folder(path))
    if before is None:
        document = tomlkit.document()
        _leave_inherited(table, prompt, {}, None)
    else:
        text, there = before
        document = tomlkit.parse(_without_rows(text, table, path))
        spelled = document.unwrap()
        if "variables" in spelled and not _in_order(there.variables, prompt.variables):
            reorder(document, "variables", [variable.name for variable in prompt.variables])
        _leave_inherited(table, prompt, spelled, there)
        _keep_spelling(spelled, table, there, prompt, path)
    return _checked(_merged(document, table), prompt, path)


def _without_rows(text: str, table: Mapping[str, Any], path: Path | None) -> str:
    """The text without those of its examples and messages that are to go, if that is all."""
    for key in ("examples", "messages"):
        said = parse_table(text, str(path))
        had: Any = said.pop(key, None)
        wanted = table.get(key, [])
        if not _are_tables(had) or not isinstance(wanted, list) or len(wanted) >= len(had):
            continue
        rest = iter(enumerate(had))
        kept = [next((i for i, row in rest if _same(row, new)), None) for new in wanted]
        if None in kept:
            continue
        cut = without_rows(text, key, len(had), set(range(len(had))) - set(kept))
        with suppress(PromptError):
            if parse_table(cut, "") == said | ({key: wanted} if wanted else {}):
                text = cut
    return text


def _table(prompt: Prompt, folder: Path | None) -> dict[str, Any]:
    """The prompt as plain TOML data, without what is left at its default."""
    output = prompt.output
    rules = {"stop": list(output.stop), "grammar": output.grammar, "schema": output.schema}
    examples: object = [{"user": e.user, "assistant": e.assistant} for e in prompt.examples]
    if prompt.example_data is not None:
        examples = _example_data(prompt.example_data, folder)
    table = {
        "name": prompt.name,
        "description": prompt.description,
        "tags": list(prompt.tags),
        "include": [_spell(path, folder) for path in prompt.include],
        "system": prompt.system,
        "user": prompt.user,
        "prefill": prompt.prefill,
        "variables": {variable.name: _variable(variable) for variable in prompt.variables},
        "examples": examples,
        "messages": [{"role": m.role, "content": m.content} for m in prompt.messages],
        "template": dict(prompt.template),
        "sampling": dict(prompt.sampling),
        "output": {key: value for key, value in rules.items() if value not in (None, [])},
    }
    return {key: value for key, value in table.items() if value not in ("", [], {})}


def _example_data(data: ExampleData, folder: Path | None) -> dict[str, Any]:
    table: dict[str, Any] = {"data": _spell(data.data, folder)}
    if data.count is not None:
        table["count"] = data.count
    if data.seed:
        table["seed"] = data.seed
    return table | ({"user": data.user, "assistant": data.assistant} if data.user else {})


def _folder(path: Path | None) -> Path | None:
    return None if path is None else path.parent.resolve()


def _spell(path: Path, folder: Path | None) -> str:
    """A file's name as it is written in a prompt of that folder."""
    return str(path) if folder is None else Path(os.path.relpath(path, folder)).as_posix()


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


def _leave_inherited(
    table: dict[str, Any], prompt: Prompt, spelled: Mapping[str, Any], there: Prompt | None
) -> None:
    """Take out of `table` what included files give and the document does not say itself."""
    if prompt.inherited is None:
        return
    given = _table(prompt.inherited, None)
    mine = _table(prompt, None)
    for key in [*given, *(key for key in _TURNS if key not in given)]:
        if key in _TABLES:
            said, own = spelled.get(key, {}), table.get(key, {})
            for name, value in given.get(key, {}).items():
                if name not in said and own.get(name) == value:
                    del own[name]
            if key == "output" and not prompt.output.stop and "stop" in given.get(key, {}):
                own["stop"] = []
            if own:
                table[key] = own
            else:
                table.pop(key, None)
        elif (key not in spelled and _unchanged(key, prompt, there)) or (
            key not in spelled and mine.get(key) == given.get(key)
        ):
            table.pop(key, None)
        elif key in given and key not in table:
            table[key] = [] if isinstance(given[key], list | dict) else ""


def _unchanged(key: str, prompt: Prompt, there: Prompt | None) -> bool:
    """Whether a document with the same includes said this field before, as far as it says it."""
    return (
        there is not None
        and there.include == prompt.include
        and fields_of(there)[key] == fields_of(prompt)[key]
    )


def _keep_spelling(
    spelled: dict[str, Any],
    table: dict[str, Any],
    before: Prompt,
    prompt: Prompt,
    path: Path | None,
) -> None:
    """Give unchanged values in `table` the form they have in the document.

    Names of files keep it only in the folder in which they were written.
    """
    here = None not in (path, before.path) and _folder(path) == _folder(before.path)
    for variable in set(before.variables) & set(prompt.variables):
        if variable.name in spelled.get("variables", {}) and "variables" in table:
            table["variables"][variable.name] = spelled["variables"][variable.name]
    if here and before.include == prompt.include and "include" in table:
        table["include"] = spelled["include"]
    if here and "examples" in table and before.example_data == prompt.example_data is not None:
        table["examples"] = spelled["examples"]
    for key, old, new in (
        ("grammar", before.output.grammar, prompt.output.grammar),
        ("schema", before.output.schema, prompt.output.schema),
    ):
        if here and new is not None and old == new and key in table.get("output", {}):
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


def _checked(text: str, prompt: Prompt, path: Path | None) -> str:
    """The text, once it is known to be read back as the same prompt."""
    source = str(path or prompt.path or prompt.name)
    try:
        text.encode()
    except UnicodeEncodeError:
        raise PromptError(
            f"{source}: the prompt holds half of a character", source=source
        ) from None
    again = parse_prompt(text, source, path=path, known=prompt)
    if again == prompt:
        return text
    fields = ", ".join(changed_fields(again, prompt))
    if prompt.inherited is not None:
        raise PromptError(
            f"{source}: {fields} comes from an included file, so it can be changed but not left "
            "out; give it another value, or take the file out of include",
            source=source,
        )
    raise PromptError(f"{source}: {fields} changes when the prompt is written as TOML")
