"""The command line: its sub-commands, and how mistakes become one line and an exit code."""

from __future__ import annotations

import errno
import importlib
import logging
import signal
from collections.abc import Sequence
from enum import IntEnum

import click

from .asked import Asked
from .options import variant_options

COMMANDS = {
    "run": "Run variants once and print what they say.",
    "diff": "Compare the outputs of variants, or two saved texts, word by word.",
    "prompts": "List, show, render, export and import prompts.",
    "sweep": "Run one variant at several values of one setting.",
    "noise": "Measure how much variants differ from themselves, and beyond that.",
    "eval": "Put a suite's rows to its variants, and say which is better and how sure.",
    "rate": "Rate two answers at a time, not knowing whose they are.",
    "tune": "Train an adapter on rows of data, or check them.",
    "lens": "Show how likely two variants find each token of a text.",
    "models": "List the base models on this disk.",
    "adapters": "List the adapters on this disk.",
    "inspect": "Show what a model or adapter file is.",
    "convert": "Turn an adapter saved by PEFT into a GGUF file.",
    "merge": "Write a model with adapters merged into it.",
    "quantize": "Write a model in a smaller type.",
    "pull": "Fetch models and adapters from the Hugging Face hub.",
    "history": "List, show, compare, mark, repeat, export and remove runs already made.",
    "bench": "Measure a model on this machine, beside a bare llama.cpp loop.",
    "settings": "Show what can be set, and how it is.",
    "doctor": "Show what works here.",
    "demo": "Show the guided tour, which does itself.",
    "serve": "Show the app in a browser on this machine.",
}
"""Sub-commands and their help. Each is the function of that name in the module of that name
(`models` and `adapters` share one), imported when it is used."""

MODULES = {"models": "catalog", "adapters": "catalog"}


class Exit(IntEnum):
    """What the exit code says."""

    DONE = 0
    NO = 1
    INPUT = 2
    ENGINE = 3
    INTERRUPTED = 130
    PIPE = 141


class Commands(click.Group):
    """Imports a sub-command's module only when it is called for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module = importlib.import_module(f".{MODULES.get(cmd_name, cmd_name)}", __package__)
        return getattr(module, f"{cmd_name}_command")

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            from difflib import get_close_matches

            near = get_close_matches(args[0], COMMANDS, 1)
            hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(COMMANDS)}."
            raise click.UsageError(f"{args[0]!r} is not a command{hint}", ctx)
        return super().resolve_command(ctx, args)


@click.group(
    cls=Commands,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@variant_options
@click.option("--no-mouse", is_flag=True, help="Leave the mouse to the terminal.")
@click.version_option(package_name="llamadiff", message="llamadiff %(version)s")
@click.pass_context
def cli(ctx: click.Context, /, no_mouse: bool, asked: Asked) -> None:
    """Prompt better, or fine-tune? Compare variants of a local model side by side.

    Without a command the app opens, on the bundled model if nothing else is given.
    """
    if ctx.invoked_subcommand is not None:
        _end_by_signals()
        _tell_of_settings()
    if ctx.invoked_subcommand is None:
        from .app import open_app

        open_app(asked, mouse=not no_mouse)
    elif asked != Asked():
        raise click.UsageError("Put the options behind the command.", ctx)


def _tell_of_settings() -> None:
    """Say what is wrong in the person's settings, a line for each."""
    from ..config.current import configured
    from .printing import note

    for problem in configured().problems:
        note(f"llamadiff: {problem}")


class EndedError(BaseException):
    """A signal ends the command; what it has begun is cleaned up on the way out."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = number


def _end_by_signals() -> None:
    """Have SIGTERM and SIGHUP raise EndedError, unless somebody (nohup) had them ignored."""

    def end(number: int, _: object) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise EndedError(number)

    for name in ("SIGTERM", "SIGHUP"):
        number = getattr(signal, name, None)
        if number is not None and signal.getsignal(number) is signal.SIG_DFL:
            signal.signal(number, end)


def run_command(arguments: Sequence[str]) -> int:
    """The exit code of a command line; everything a person got wrong is one line on stderr."""
    from ..log import keep_log

    keep_log()
    try:
        _refuse_broken_text(arguments)
        code = cli.main(list(arguments), prog_name="llamadiff", standalone_mode=False)
    except BaseException as error:
        return exit_code(error)
    return code if isinstance(code, int) else Exit.DONE


def exit_code(error: BaseException) -> int:
    """The exit code for what ended a command, said in one line on stderr where there is more to say.

    Raises what does not end a command.
    """
    match error:
        case click.exceptions.Exit():
            return error.exit_code
        case click.ClickException():
            return _say(error.format_message(), Exit.INPUT)
        case KeyboardInterrupt() | click.Abort():
            return Exit.INTERRUPTED
        case EndedError():
            return 128 + error.signal
        case BrokenPipeError() | SystemExit():
            # click ends the process with 1, which means "no" here, when the reader has gone.
            return Exit.PIPE
        case Exception():
            return _explain(error)
    raise error


def _refuse_broken_text(arguments: Sequence[str]) -> None:
    """Raise UsageError for an argument that was not UTF-8."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError:
            raise click.UsageError(f"{argument!r} is not UTF-8 text.") from None


def _explain(error: Exception) -> int:
    from ...compare.errors import MISTAKES
    from ...models.engine.client import EngineError

    if isinstance(error, MISTAKES):
        return _say(str(error), Exit.INPUT)
    if isinstance(error, EngineError):
        return _say(str(error), Exit.ENGINE)
    if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EIO, errno.EFBIG):
        return _say(f"the output cannot be written: {error.strerror}.", Exit.INPUT)
    from ..log import keep_log

    name, log = type(error).__name__, keep_log()
    logging.error("unexpected", exc_info=error)
    if log.trouble is not None:
        return _say(f"{name}: {error}; and no log can be written: {log.trouble}.", Exit.ENGINE)
    said = f"something unexpected happened ({name}); the details are in {log.baseFilename}."
    return _say(said, Exit.ENGINE)


def _say(message: str, code: Exit) -> int:
    from ..safe_text import safe_line

    click.echo(f"llamadiff: {safe_line(message)}", err=True)
    return code
