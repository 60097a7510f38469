"""Write docs/commands.md: every command with its arguments and options, as `--help` tells them."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path
from textwrap import indent

import click

from llamadiff.tui.cli.commands import Exit, cli

PAGE = Path(__file__).parent / "commands.md"

_HEAD = """# Commands

This page is made by `python docs/write_commands.py`; a test fails when it is not what the program has.

Data goes to stdout and everything else to stderr, so that a pipe gets data alone. MODEL, ADAPTER, PROMPT and SUITE are a path or a name; part of a name is enough where no other has it.

| exit code | says |
|---|---|
"""
_EXITS = {
    Exit.DONE: "done",
    Exit.NO: "the answer is no: outputs differ, a requirement is not met, a problem was found",
    Exit.INPUT: "something that was given cannot be used; one line on stderr says what",
    Exit.ENGINE: "the engine failed",
    Exit.INTERRUPTED: "interrupted",
    Exit.PIPE: "the reader of a pipe went away",
}


def page() -> str:
    """The whole page."""
    lines = [_HEAD + "\n".join(f"| {code.value} | {said} |" for code, said in _EXITS.items()), ""]
    for context in commands(click.Context(cli, info_name="llamadiff")):
        lines += _told(context)
    return "\n".join(lines)


def commands(context: click.Context) -> Iterator[click.Context]:
    """The command of a context, then those under it, in the order in which help lists them."""
    yield context
    command = context.command
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            if (found := command.get_command(context, name)) and not found.hidden:
                yield from commands(click.Context(found, context, info_name=name))


def _told(context: click.Context) -> Iterator[str]:
    command = context.command
    yield f"## {context.command_path}"
    yield ""
    usage = " ".join(command.collect_usage_pieces(context))
    yield f"    {context.command_path} {usage}".rstrip()
    yield ""
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        as_written = paragraph.startswith("\b\n")
        yield indent(paragraph.removeprefix("\b\n"), " " * 4 * as_written)
        yield ""
    options = [
        record for it in command.get_params(context) if (record := it.get_help_record(context))
    ]
    if options:
        yield "| option | what it does |"
        yield "|---|---|"
        for names, about in options:
            yield f"| `{_cell(names)}` | {_cell(about)} |"
        yield ""


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
