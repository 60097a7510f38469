"""Every setting: its name, default, what it may be, and what it is for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from typing import Any, Literal

from .kinds import Choice, Flag, Folders, Kind, Number, Text, Whole

THEMES = (
    "llamadiff-dark", "llamadiff-light", "textual-dark", "textual-light", "nord", "gruvbox",
    "catppuccin-mocha", "dracula", "tokyo-night", "monokai", "flexoki", "catppuccin-latte",
    "catppuccin-frappe", "catppuccin-macchiato", "solarized-light", "solarized-dark", "rose-pine",
    "rose-pine-moon", "rose-pine-dawn", "atom-one-dark", "atom-one-light", "ansi-dark",
    "ansi-light",
)  # fmt: skip
"""Our own, and those of Textual, which commands do not import."""
KV_TYPES = ("f16", "bf16", "f32", "q8_0", "q4_0")
VIEWS = ("words", "characters", "tokens", "lines", "unified", "off")

GROUPS = {
    "look": "Look",
    "start": "At the start",
    "models": "Models",
    "files": "Files and history",
}


@dataclass(frozen=True)
class Setting:
    """What is known of one setting. `about` is a sentence; `option` is its option of commands.

    `at_once` is whether the app does as it says when it is changed there, and not only from the next
    start on; `per_model` whether a model can have its own.
    """

    name: str
    kind: Kind
    default: Any
    group: str
    about: str
    env: str
    option: str
    at_once: bool
    per_model: bool


def _setting(
    default: Any,
    kind: Kind,
    group: str,
    about: str,
    *,
    env: str = "",
    option: str = "",
    at_once: bool = False,
    per_model: bool = False,
) -> Any:
    about_it = {
        "kind": kind, "group": group, "about": about, "env": env, "option": option,
        "at_once": at_once, "per_model": per_model,
    }  # fmt: skip
    return field(default=default, metadata=about_it)


@dataclass(frozen=True)
class Config:
    """The value of every setting. What is 0 or empty is mostly left to the program: see `about`."""

    theme: str = _setting(
        "llamadiff-dark",
        Choice(THEMES),
        "look",
        "The colours. ansi-dark and ansi-light have the terminal's own 16.",
        at_once=True,
    )
    compact: bool = _setting(
        False,
        Flag(),
        "look",
        "Leave out most empty lines of the playground.",
        at_once=True,
    )
    animations: bool = _setting(
        True,
        Flag(),
        "look",
        "Move smoothly when scrolling; false does everything in one step.",
        at_once=True,
    )
    repaints: int = _setting(
        8,
        Whole(1, 60),
        "look",
        "How often in a second outputs are drawn while they stream; keys are always shown at once.",
    )
    mouse: bool = _setting(
        True,
        Flag(),
        "look",
        "Take the mouse; false leaves it to the terminal.",
        option="--no-mouse",
    )
    live: bool = _setting(
        False,
        Flag(),
        "start",
        "Begin in live mode: run again after each change. Not set, it is as it was left.",
    )
    diff: Literal["words", "characters", "tokens", "lines", "unified", "off"] = _setting(
        "words",
        Choice(VIEWS),
        "start",
        "How outputs are compared at first; unified is both in one text. Not set, it is as it was left.",
    )
    editor: str = _setting(
        "",
        Text("the command of an editor"),
        "start",
        "The editor that prompts and suites open in; empty is $VISUAL, else $EDITOR, else vi.",
        at_once=True,
    )
    model: str = _setting(
        "",
        Text("a name from `llamadiff models`, or a path"),
        "models",
        "The base model of variants that are made anew, where none is given; those of the last time keep theirs. Empty is the bundled one.",
        option="-m",
    )
    context: int = _setting(
        0,
        Whole(32, 2**31 - 1, none=0),
        "models",
        "Context length in tokens; 0 is the model's own, at most 4096.",
        option="-c",
        per_model=True,
    )
    threads: int = _setting(
        0,
        Whole(1, 1024, none=0),
        "models",
        "Threads; 0 is the physical cores, fewer while other programs hold them, and 1 for very small models.",
        option="-t",
        per_model=True,
    )
    gpu_layers: int = _setting(
        -1,
        Whole(0, 100_000, none=-1),
        "models",
        "Layers given to the GPU; 0 is none, -1 all.",
        option="-ngl",
        per_model=True,
    )
    kv_type: Literal["f16", "bf16", "f32", "q8_0", "q4_0"] = _setting(
        "f16",
        Choice(KV_TYPES),
        "models",
        "Type of the KV cache.",
        option="--kv-type",
        per_model=True,
    )
    memory: float = _setting(
        0.0,
        Number(1_000_000),
        "models",
        "Gigabytes that models and their contexts may take together; 0 is all that is free.",
    )
    model_folders: Sequence[str] = _setting(
        (),
        Folders(),
        "files",
        "More folders to look for models and adapters in.",
        env="LLAMADIFF_MODELS",
    )
    prompt_folders: Sequence[str] = _setting(
        (), Folders(), "files", "More folders to look for prompts in.", env="LLAMADIFF_PROMPTS"
    )
    history_days: float = _setting(0.0, Number(100_000), "files", "After how many days runs are removed, but for those tagged, noted or rated; 0 is never.")  # fmt: skip

    @property
    def memory_bytes(self) -> int:
        """The most that models and their contexts may take; 0 is all that is free."""
        return int(self.memory * 1e9)


def _made(name: str, default: Any, about: Any) -> Setting:
    told = {**about, "env": about["env"] or f"LLAMADIFF_{name.upper()}"}
    return Setting(name=name, default=default, **told)


SETTINGS = {it.name: _made(it.name, it.default, it.metadata) for it in fields(Config)}
"""Every setting by its name, in the order in which they are shown."""
