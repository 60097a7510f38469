"""`llamadiff settings`: what can be set, how it is, and where that comes from."""

from __future__ import annotations

from typing import Any

import click

from ..config.current import config_file, configured
from ..config.reading import Configured
from ..config.schema import GROUPS, SETTINGS
from .printing import data, note, print_json, table


@click.command("settings")
@click.option("--keys", is_flag=True, help="List the keys instead: their ids, which a [keys] table of the file names, and what they do.")  # fmt: skip
@click.option("--write", is_flag=True, help="Write a settings file with everything in comments, where there is none.")  # fmt: skip
@click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
def settings_command(keys: bool, write: bool, as_json: bool) -> int:
    """Show every setting with its value, where that comes from, and what is accepted.

    What the command line says counts most, then environment variables, then the file, then the
    default. The exit code is 1 when something in the file or the environment is wrong.
    """
    if write and keys:
        raise click.UsageError("--write and --keys do not go together.")
    now, path = configured(), config_file()
    if write:
        from ..config.writing import write_default

        write_default(path)
        data(str(path))
        return 0
    keymap = None
    if keys or now.keys:
        from ..config.keymap import keymap_of

        keymap = keymap_of(now)
        for problem in keymap.problems:
            note(f"llamadiff: {problem}")
    problems = [*now.problems, *(keymap.problems if keymap else ())]
    if keymap and keys:
        _print_keys(keymap.keys, problems, as_json=as_json)
    elif as_json:
        print_json({"path": str(path), "settings": _document(now), "models": now.models, "problems": problems}, indent=True)  # fmt: skip
    else:
        _print(now)
    return int(bool(problems))


def _document(now: Configured) -> list[dict[str, Any]]:
    return [
        {
            "name": name, "value": getattr(now.config, name),
            "from": now.sources.get(name, "default"), "default": it.default,
            "accepted": it.kind.accepted, "about": it.about, "env": it.env,
            "option": it.option or None, "group": it.group, "per_model": it.per_model,
        }
        for name, it in SETTINGS.items()
    ]  # fmt: skip


def _print(now: Configured) -> None:
    path = config_file()
    data(f"{path}{'' if path.exists() else ' (not there; --write makes it)'}")
    rows = [["setting", "value", "from", "accepted"]]
    for group, title in GROUPS.items():
        rows += [[""], [title]]
        for name, it in SETTINGS.items():
            if it.group == group:
                value = it.kind.written(getattr(now.config, name))
                rows.append([name, value, now.sources.get(name, "default"), it.kind.accepted])
    table(rows, cut=True)
    for model, own in now.models.items():
        data(f"\n{model}: {', '.join(f'{name} = {SETTINGS[name].kind.written(it)}' for name, it in own.items())}")  # fmt: skip


def _print_keys(keymap: Any, problems: list[str], *, as_json: bool) -> None:
    from ..config.keymap import bound

    found = list(bound(keymap))
    if as_json:
        rows = [
            {"id": it.id, "keys": it.keys, "does": it.does, "place": it.place, "changed": it.id in keymap}
            for it in found
        ]  # fmt: skip
        print_json({"keys": rows, "problems": problems}, indent=True)
    else:
        rows = [[it.id, it.shown, it.place, it.does] for it in found]
        table([["id", "keys", "where", "does"], *rows], cut=True)
