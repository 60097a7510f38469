"""Two changes to one prompt brought together, field by field."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from .document import OutputRules, Prompt, Variable
from .errors import PromptError

_WHOLE = ("name", "description", "tags", "include", "system", "user", "messages", "prefill")
"""Fields that two changes cannot share."""

_SYSTEM = ("system", "messages")
"""Either may hold the system text."""


class Conflict(PromptError):
    """A prompt file was changed by another program in fields that were changed here too.

    `fields` names them. `mine` and `theirs` are both changes brought together, with what is here
    or what is in the file in those fields; saving either is the answer to the question. `on_disk`
    is the file as it is.
    """

    def __init__(
        self,
        message: str,
        *,
        mine: Prompt,
        theirs: Prompt,
        on_disk: Prompt,
        fields: tuple[str, ...],
    ) -> None:
        super().__init__(message, source=str(on_disk.path), field=fields[0])
        self.mine = mine
        self.theirs = theirs
        self.on_disk = on_disk
        self.fields = fields


def merged(base: Prompt, theirs: Prompt, mine: Prompt) -> Prompt:
    """`theirs`, with what `mine` changed in `base`.

    Fields are texts, lists and single entries of tables. Raises Conflict where both
    changed the same one to different values.
    """
    old, new, here = fields_of(base), fields_of(theirs), fields_of(mine)
    changed = _differing(old, here)
    colliding = tuple(
        field
        for field in changed
        if field in _differing(old, new) and here.get(field) != new.get(field)
    )
    order = mine if _order(base) == _order(theirs) else theirs
    both = _with({**new, **{field: here.get(field) for field in changed}}, theirs, mine, order)
    if both.system and any(message.role == "system" for message in both.messages):
        # Either is the system text: one was changed here and the other there.
        colliding = tuple(dict.fromkeys((*colliding, *_SYSTEM)))
        changed = [*changed, *_SYSTEM]
        both = _with({**new, **{field: here.get(field) for field in changed}}, theirs, mine, order)
    if colliding:
        kept = {**fields_of(both), **{field: new.get(field) for field in colliding}}
        raise Conflict(
            f"{theirs.path} was changed by another program, as here, in {', '.join(colliding)}; "
            "another name keeps both",
            mine=both,
            theirs=_with(kept, theirs, mine, order),
            on_disk=theirs,
            fields=colliding,
        )
    return both


def changed_fields(a: Prompt, b: Prompt) -> tuple[str, ...]:
    """The names of the fields in which two prompts differ, such as `user` or `sampling.top_k`."""
    return tuple(_differing(fields_of(a), fields_of(b)))


def fields_of(prompt: Prompt) -> dict[str, Any]:
    """The prompt by fields, single entries of tables among them as `table.entry`."""
    fields: dict[str, Any] = {name: getattr(prompt, name) for name in _WHOLE}
    fields |= {f"variables.{variable.name}": variable for variable in prompt.variables}
    fields["examples"] = (prompt.example_data, prompt.examples)
    fields |= {f"template.{key}": value for key, value in prompt.template.items()}
    fields |= {f"sampling.{key}": value for key, value in prompt.sampling.items()}
    fields["output.stop"] = prompt.output.stop
    fields["output"] = (prompt.output.grammar, prompt.output.schema)
    return fields


def _differing(a: Mapping[str, Any], b: Mapping[str, Any]) -> list[str]:
    return [field for field in {**a, **b} if a.get(field) != b.get(field)]


def _with(fields: Mapping[str, Any], theirs: Prompt, mine: Prompt, order: Prompt) -> Prompt:
    """The prompt in `theirs`'s file that has these fields; None is for entries that are gone."""
    variables: dict[str, Variable] = _table(fields, "variables")
    first = [name for name in _order(order) if name in variables]
    data, examples = fields["examples"]
    grammar, schema = fields["output"]
    return replace(
        theirs,
        **{name: fields[name] for name in _WHOLE},
        variables=tuple(variables[name] for name in dict.fromkeys([*first, *variables])),
        example_data=data,
        examples=examples,
        template=_table(fields, "template"),
        sampling=_table(fields, "sampling"),
        output=OutputRules(fields["output.stop"], grammar, schema),
        inherited=theirs.inherited if fields["include"] == theirs.include else mine.inherited,
    )


def _table(fields: Mapping[str, Any], table: str) -> dict[str, Any]:
    prefix = f"{table}."
    return {
        field.removeprefix(prefix): value
        for field, value in fields.items()
        if field.startswith(prefix) and value is not None
    }


def _order(prompt: Prompt) -> list[str]:
    return [variable.name for variable in prompt.variables]


def is_from(prompt: Prompt, path: Path) -> bool:
    """Whether the prompt was loaded from the file at `path`."""
    return (
        prompt.loaded is not None
        and prompt.path is not None
        and prompt.path.resolve() == path.resolve()
    )
