"""The options that say what is to be run, shared by the app and the commands."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import click
from click.shell_completion import CompletionItem as Completion

from .found import open_catalog, open_library

if TYPE_CHECKING:
    from ...compare.spec import Defaults
    from ...compare.variants import Variant
    from ...models.engine.protocol import KVType, ModelSettings


@dataclass(frozen=True)
class Asked:
    """What the command line asks for, as given."""

    model: str | None = None
    adapters: tuple[str, ...] = ()
    prompt: str | None = None
    user: str | None = None
    variants: tuple[str, ...] = ()
    values: dict[str, str] = field(default_factory=dict[str, str])
    each: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    sampling: dict[str, str] = field(default_factory=dict[str, str])
    exact: bool = False
    ctx_size: int | None = None
    threads: int | None = None
    gpu_layers: int = -1
    kv_type: str = "f16"
    context_shift: bool = False
    history: bool = True

    @property
    def nothing(self) -> bool:
        """Neither model, adapter, prompt, text nor variant was given."""
        named = self.model or self.adapters or self.prompt or self.variants
        return not named and self.user is None

    def make_variants(self) -> list[Variant]:
        """Raises CompareError, ModelError or PromptError. PEFT folders are converted first."""
        from ...compare.spec import make_variants, with_values
        from ...prompts.rendering.helper import Renderer

        variants = make_variants(self.defaults(), self.variants)
        if not self.each:
            return variants
        with Renderer() as renderer:
            used = {it.prompt.name: renderer.template_variables(it.prompt) for it in variants}
        return with_values(variants, self.each, used)

    def defaults(self) -> Defaults:
        """What every variant starts from, with this person's catalog and library."""
        from ...compare.spec import Defaults
        from .peft import converter

        return Defaults(
            self.model,
            self.prompt,
            self.adapters,
            self.sampling,
            open_catalog(),
            open_library(),
            converter(),
            self.user,
        )

    def settings(self) -> ModelSettings:
        from ...models.engine.protocol import ModelSettings

        return ModelSettings(
            n_ctx=self.ctx_size or 0,
            n_threads=self.threads or 0,
            n_gpu_layers=self.gpu_layers,
            kv_type=cast("KVType", self.kv_type),
            context_shift=self.context_shift,
        )


def complete_model(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the catalog's base models, or files."""
    return _complete(typed, [entry.name for entry in open_catalog().models()])


def complete_adapter(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the catalog's adapters, or files."""
    return _complete(typed, [entry.name for entry in open_catalog().adapters()])


def complete_prompt(ctx: click.Context, option: click.Parameter, typed: str) -> list[Completion]:
    """Names of the library's prompts, or files."""
    return _complete(typed, sorted({path.stem for path in open_library().paths()}))


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
    click.option("-ngl", "--gpu-layers", type=click.IntRange(-1), default=-1, metavar="N", help="Layers given to the GPU; 0 is none. [all]"),
    click.option("--kv-type", type=click.Choice(["f16", "bf16", "f32", "q8_0", "q4_0"]), default="f16", help="Type of the KV cache. [f16]"),
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
