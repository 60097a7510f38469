"""The options that say what is to be run, shared by the app and the commands."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import click
from click.shell_completion import CompletionItem as Completion

from .asked import Asked
from .found import open_catalog, open_library


def complete_model(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the catalog's base models, or files."""
    return _complete(typed, [entry.name for entry in open_catalog().models()])


def complete_adapter(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the catalog's adapters, or files."""
    return _complete(typed, [entry.name for entry in open_catalog().adapters()])


def complete_prompt(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the library's prompts, or files."""
    return _complete(typed, sorted({path.stem for path in open_library().paths()}))


def complete_suite(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of a person's own suites and those that ship, or files."""
    from ...compare.evaluation.shipped import shipped_suites, suites_in
    from ..paths import suite_folders

    return _complete(typed, [it.stem for it in (*suites_in(suite_folders()), *shipped_suites())])


def complete_rows(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the rows that ship, or files."""
    from ...compare.training_data.shipped import shipped_rows

    return _complete(typed, [it.stem for it in shipped_rows()])


def complete_tuning_setting(
    ctx: click.Context, option: click.Parameter, typed: str
) -> list[Completion]:
    """Settings of tuning."""
    from ...compare.tuning.plan import SETTINGS

    return [Completion(f"{name}=") for name in SETTINGS if name.startswith(typed)]


def complete_setting(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Sampling settings, each with what it does."""
    from ...models.engine.samplers import FIELDS

    return [
        Completion(f"{key}=", help=field.help)
        for key, field in FIELDS.items()
        if key.startswith(typed)
    ]


def _complete(typed: str, names: list[str]) -> list[Completion]:
    """The names that begin so; with none of them, files."""
    fitting = [Completion(name) for name in names if name.startswith(typed)]
    return fitting or [Completion(typed, type="file")]


def lists(
    ctx: click.Context, option: click.Parameter, given: tuple[str, ...]
) -> dict[str, tuple[str, ...]]:
    """`K=V` options, which may give several values to a key, as a dictionary."""
    result: dict[str, tuple[str, ...]] = {}
    for pair in given:
        for key, value in pairs(ctx, option, (pair,)).items():
            result[key] = (*result.get(key, ()), value)
    return result


def pairs(ctx: click.Context, option: click.Parameter, given: tuple[str, ...]) -> dict[str, str]:
    """`K=V` options as a dictionary."""
    result: dict[str, str] = {}
    for pair in given:
        key, equals, value = pair.partition("=")
        if not equals or not key.strip():
            raise click.BadParameter(f"{pair!r} is not KEY=VALUE.", ctx, option)
        result[key.strip()] = value
    return result


class _Tokens(click.IntRange):
    """A context length."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        try:
            return super().convert(value, param, ctx)
        except click.BadParameter:
            between = f"between {self.min:,} and {self.max:,}"
            wrong = f"{value!r} is not a number of tokens {between}; give one such as 4096."
            raise click.BadParameter(wrong, ctx, param) from None


TOKENS = _Tokens(32, 2**31 - 1)

_OPTIONS = [
    click.option("-m", "--model", metavar="MODEL", shell_complete=complete_model, help="Base model: a GGUF file, or a name from `llamadiff models`. [the bundled one]"),
    click.option("-a", "--adapter", "adapters", multiple=True, metavar="ADAPTER[@SCALE]", shell_complete=complete_adapter, help="Apply an adapter: a GGUF file, a PEFT folder (converted for the base model, and kept), or a name from `llamadiff adapters`; repeat to stack several."),
    click.option("-p", "--prompt", metavar="PROMPT", shell_complete=complete_prompt, help="Prompt: a TOML file, or a name from the library."),
    click.option("--user", metavar="TEXT", help="The user's message, in place of the prompt's; needs no -p."),
    click.option("--variant", "variants", multiple=True, metavar="SPEC", help="A variant as key=value,…: label, model, adapter, prompt and sampling settings; the options above are its defaults."),
    click.option("--var", "values", multiple=True, metavar="K=V", callback=pairs, help="Value of a prompt variable."),
    click.option("--each", multiple=True, metavar="K=V", callback=lists, help="One of several values of a prompt variable; repeat for the others. Each variant is run with every combination."),
    click.option("--set", "sampling", multiple=True, metavar="K=V", callback=pairs, shell_complete=complete_setting, help="Sampling setting, as temperature=0.2 or seed=7."),
    click.option("--exact", is_flag=True, help="Decode each variant alone: the same output whatever else runs."),
    click.option("-c", "--ctx-size", type=TOKENS, metavar="N", help="Context length in tokens. [the model's own, at most 4096]"),
    click.option("-t", "--threads", type=click.IntRange(1, 1024), metavar="N", help="Threads. [physical cores, fewer while other programs hold them; 1 for very small models]"),
    click.option("-ngl", "--gpu-layers", type=click.IntRange(-1), metavar="N", help="Layers given to the GPU; 0 is none. [all]"),
    click.option("--kv-type", type=click.Choice(["f16", "bf16", "f32", "q8_0", "q4_0"]), help="Type of the KV cache. [f16]"),
    click.option("--context-shift", is_flag=True, help="Go on when the context is full, dropping the older half of what follows the prompt's start."),
    click.option("--no-history", "history", is_flag=True, flag_value=False, default=True, help="Keep nothing of this in the history."),
]  # fmt: skip


def variant_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the shared options; the command receives them as one `asked`."""
    names = ("model", "adapters", "prompt", "user", "variants", "values", "each", "sampling", "exact", "ctx_size", "threads", "gpu_layers", "kv_type", "context_shift", "history")  # fmt: skip

    @functools.wraps(command)
    def wrapped(*args: Any, **given: Any) -> Any:
        return command(*args, asked=Asked(**{name: given.pop(name) for name in names}), **given)

    for option in reversed(_OPTIONS):
        wrapped = option(wrapped)
    return wrapped
