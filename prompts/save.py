"""Prompts written back as TOML, keeping what a person wrote around them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .arranging import reorder, without_rows
from .document import ExampleData, Loaded, Prompt, Variable
from .errors import PromptError
from .fields import parse_table
from .files import MAX_BYTES, as_text, read_bytes
from .merge import Conflict, changed_fields, fields_of, is_from, merged
from .parse import parse_prompt, prompt_of
from .replacing import held, replace_file
from .updating import are_tables, same, updated

if TYPE_CHECKING:
    pass

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
    return _checked(updated(document, table), prompt, path)


def _without_rows(text: str, table: Mapping[str, Any], path: Path | None) -> str:
    """The text without those of its examples and messages that are to go, if that is all."""
    for key in ("examples", "messages"):
        said = parse_table(text, str(path))
        had: Any = said.pop(key, None)
        wanted = table.get(key, [])
        if not are_tables(had) or not isinstance(wanted, list) or len(wanted) >= len(had):
            continue
        rest = iter(enumerate(had))
        kept = [next((i for i, row in rest if same(row, new)), None) for new in wanted]
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
