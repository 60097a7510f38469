"""Write docs/settings.md: every setting and every key, as the program has them."""

from __future__ import annotations

from pathlib import Path

from llamadiff.tui.config.keymap import bound
from llamadiff.tui.config.schema import GROUPS, SETTINGS

PAGE = Path(__file__).parent / "settings.md"

_HEAD = """# Settings

This page is made by `python docs/write_settings.py`; a test fails when it is not what the program has.

llamadiff works without settings. What you want otherwise goes into `config.toml`, in the folder for configuration of your system (`llamadiff doctor` shows where); `llamadiff settings --write` writes that file with everything in comments. In the app, F12 shows the settings: a change is made at once where that is possible, and written to the file, whose comments stay.

What counts, the most first: the command line, environment variables, the file, the default. `llamadiff settings` lists every setting with its value and where that comes from, `--json` for programs.

A value that is wrong is told with the file, the line, what would be accepted and the value that is used instead: what else is set, or the default. A name there is not is told as well. The app opens with a notice, commands say a line on stderr, and `llamadiff settings` ends with exit code 1. A file that is not TOML is told of, not used, and never overwritten.
"""

_TABLES = """
## Settings of one model

A model can have its own `context`, `threads`, `gpu_layers` and `kv_type`, under its name in `llamadiff models`; the command line counts more, environment variables and the rest of the file less:

```toml
[models."qwen2.5-0.5b-instruct-q4_k_m"]
context = 8192
threads = 4
```

## Keys

Each action has an id. A table gives it other keys, one or several:

```toml
[keys]
"run.start" = ["f5", "ctrl+r", "ctrl+x"]
"diff.next" = "j"
```

Help, the bottom line, the palette and dialogs show the keys as they are, and sentences name the first of an action's keys, in the guided tour too. A key that something else has in the same place is not taken, nor one that is a character where one types, nor one that a field which always has the cursor keeps for its text; all are told with the line. ctrl+i, ctrl+m, ctrl+j, ctrl+h and combinations that only some terminals send are told of and taken. `llamadiff settings --keys` lists the ids with the keys that they have now. What a text field does with the keys for moving and deleting, enter in it, and tab from one field to the next have no ids. `llamadiff demo` has the keys of this table, whatever is set.
"""


def page() -> str:
    """The whole page."""
    lines = [_HEAD]
    for group, title in GROUPS.items():
        lines += [f"## {title}", "", "| setting | default | accepted | what it does | environment | option |", "|---|---|---|---|---|---|"]  # fmt: skip
        for it in (it for it in SETTINGS.values() if it.group == group):
            option = f"`{it.option}`" if it.option else ""
            lines.append(
                f"| `{it.name}` | `{it.kind.written(it.default)}` | {it.kind.accepted} | {it.about} "
                f"| `{it.env}` | {option} |"
            )
        lines.append("")
    lines += [_TABLES.strip(), "", "| id | keys | where | what it does |", "|---|---|---|---|"]
    for it in bound({}):
        keys = " ".join(f"`{key}`" for key in it.keys)
        lines.append(f"| `{it.id}` | {keys} | {it.place} | {it.does} |")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
