"""What an evaluation has otherwise than the one of the same suite before it, in a few words."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ..variants import StackedAdapter

Definition = Mapping[str, Any]
"""Of a plan, as `Plan.definition` gives it; its rows are not looked at."""
NOT_ASKED = ("name", "description", "tags")
"""What a prompt says of itself."""
LONGEST = 24


def changes(now: Definition, before: Definition, names: Mapping[str, str]) -> tuple[str, ...]:
    """One phrase for each thing; `names` are those of models and adapters by their files. Variants
    are the same ones where they are called the same. Empty where nothing is otherwise."""
    mine, theirs = _variants(now), _variants(before)
    found: list[str] = []
    for word, some, others in (("with", mine, theirs), ("without", theirs, mine)):
        if other := [called for called in some if called not in others]:
            found.append(f"{word} {', '.join(other)}")
    common = [called for called in mine if called in theirs]
    for phrases_of in (_model, _adapters, _prompt, _sampling, _values):
        each = {it: ", ".join(phrases_of(mine[it], theirs[it], names)) for it in common}
        if len(set(each.values())) == 1:
            found += filter(None, [each[common[0]]])
        else:
            found += (f"{called}: {said}" for called, said in each.items() if said)
    if (baseline := _called(now, now["baseline"])) != _called(before, before["baseline"]):
        found.append(f"baseline {baseline}")
    if now["repeats"] != before["repeats"]:
        found.append(f"{now['repeats']} answer{'s' * (now['repeats'] != 1)} to each row")
    if now["exact"] != before["exact"]:
        found.append("exact" if now["exact"] else "not exact")
    others = (("checks", "other checks"), ("judges", "another judge"), ("settings", "other settings of the model"))  # fmt: skip
    return (*found, *(said for key, said in others if now[key] != before[key]))


def _variants(definition: Definition) -> dict[str, Mapping[str, Any]]:
    return {it["label"] or it["name"]: it for it in definition["variants"]}


def _called(definition: Definition, name: str) -> str:
    return next(it["label"] or name for it in definition["variants"] if it["name"] == name)


def _model(now: Definition, before: Definition, names: Mapping[str, str]) -> Iterator[str]:
    (path, version), (old, old_version) = now["model"], before["model"]
    if path != old:
        yield f"model {_name(path, names)}"
    elif version != old_version:
        yield f"another file of {_name(path, names)}"


def _adapters(now: Definition, before: Definition, names: Mapping[str, str]) -> Iterator[str]:
    stack, old = now["adapters"], before["adapters"]
    if [it[:2] for it in stack] != [it[:2] for it in old]:
        adapters = (StackedAdapter(_name(path, names), Path(path), scale) for path, scale, _ in stack)  # fmt: skip
        yield "+".join(map(str, adapters)) or "no adapter"
        return
    for (path, _, version), (*_, old_version) in zip(stack, old, strict=True):
        if version != old_version:
            yield f"another file of {_name(path, names)}"


def _prompt(now: Definition, before: Definition, names: Mapping[str, str]) -> Iterator[str]:
    mine, theirs = json.loads(now["prompt"]), json.loads(before["prompt"])
    if mine["name"] != theirs["name"]:
        yield f"prompt {mine['name']}"
    elif any(mine.get(key) != theirs.get(key) for key in {*mine, *theirs}.difference(NOT_ASKED)):
        yield "prompt edited"


def _sampling(now: Definition, before: Definition, names: Mapping[str, str]) -> Iterator[str]:
    return _settings(now["sampling"], before["sampling"])


def _values(now: Definition, before: Definition, names: Mapping[str, str]) -> Iterator[str]:
    return _settings(now["values"], before["values"])


def _settings(now: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*now, *before)):
        if key not in now:
            yield f"no {key}"
        elif key not in before or now[key] != before[key]:
            text = " ".join(str(now[key]).split())
            yield f"{key}={text if len(text) <= LONGEST else text[: LONGEST - 1] + '…'}"


def _name(path: str, names: Mapping[str, str]) -> str:
    return names.get(path, Path(path).stem)
