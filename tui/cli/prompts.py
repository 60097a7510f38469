"""`llamadiff prompts`: list, show, render, export and import prompts."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import asdict
from itertools import chain, count
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...prompts.errors import PromptError
from ..safe_text import safe_text
from .asked import Asked
from .diff import painted
from .found import open_library
from .options import complete_model, complete_prompt, pairs
from .printing import data, note, print_json, table

if TYPE_CHECKING:
    from ...compare.history.history import History
    from ...compare.runner import Prepared, Preview
    from ...compare.variants import Variant
    from ...prompts.document import Prompt
    from ...prompts.library import Library
    from ...prompts.rendering.helper import RenderedPrompt
    from ...prompts.warnings import PromptWarning

FORMATS = ("toml", "messages", "chat", "text", "prompt", "tokens", "curl")
FOR_A_MODEL = ("prompt", "tokens", "curl")

_json = click.option("--json", "as_json", is_flag=True, help="Print a JSON document.")
_name = click.argument("name", metavar="PROMPT", shell_complete=complete_prompt)
_model = click.option("-m", "--model", metavar="MODEL", shell_complete=complete_model, help="Base model: a GGUF file, or a name from `llamadiff models`. [the bundled one]")  # fmt: skip
_context = click.option("-c", "--ctx-size", type=click.IntRange(32, 2**31 - 1), metavar="N", help="Context length in tokens. [the model's own, at most 4096]")  # fmt: skip
_values = click.option("--var", "values", multiple=True, metavar="K=V", callback=pairs, help="Value of a prompt variable.")  # fmt: skip


@click.group("prompts")
def prompts_command() -> None:
    """List, show, render, export and import prompts.

    PROMPT is a TOML file, or a name from the library: one's own prompts, those in the folders of
    the setting prompt_folders, and those that ship.
    """


@prompts_command.command("list")
@click.argument("words", nargs=-1)
@_json
def list_command(words: tuple[str, ...], as_json: bool) -> None:
    """List the library, or what has all WORDS in it; #WORD is a tag."""
    entries = open_library().search(" ".join(words))
    if as_json:
        keys = ("name", "slug", "path", "tags", "description", "shipped", "problem")
        print_json([{key: _plain(getattr(it, key)) for key in keys} for it in entries], indent=True)
        return
    rows = [("NAME", "TITLE", "TAGS", "DESCRIPTION", "WHERE")]
    for it in entries:
        where = "shipped" if it.shipped else str(it.path.parent)
        rows.append((it.slug, it.name, ", ".join(it.tags) or "–", it.description or "–", where))
    if entries:
        table(rows)
    else:
        note("No prompt has these words in it.")
    for it in entries:
        if it.problem:
            note(safe_text(it.problem))


@prompts_command.command("show")
@_name
@_json
def show_command(name: str, as_json: bool) -> None:
    """Print a prompt as it is in its file; as JSON, with what other files give it."""
    from ...prompts.files import as_text, read_bytes
    from ...prompts.rendering.helper import Renderer
    from ...prompts.warnings import warnings

    prompt = open_library().resolve(name)
    found: Sequence[PromptWarning] = ()
    problem: str | None = None
    try:
        with Renderer() as renderer:
            found = warnings(prompt, renderer.template_variables(prompt))
    except PromptError as error:
        problem = str(error)
    if as_json:
        known = {"warnings": list(map(asdict, found)), "problem": problem}
        print_json({**_document(prompt), **known}, indent=True)
        return
    assert prompt.path is not None, "it was loaded from a file"
    _print_text(as_text(read_bytes(prompt.path, "prompt"), prompt.path, "prompt"))
    for warning in found:
        note(safe_text(f"{warning.field}: {warning.message}"))
    if problem:
        note(safe_text(problem))


@prompts_command.command("render")
@_name
@_model
@_context
@_values
@click.option("--layer", type=click.Choice(["messages", "text", "tokens"]), default="text", help="What to print; messages need no model. [text]")  # fmt: skip
@_json
def render_command(
    name: str,
    model: str | None,
    ctx_size: int | None,
    values: dict[str, str],
    layer: str,
    as_json: bool,
) -> None:
    """Print what a model is given for a prompt: messages, text with its special tokens, or tokens."""
    asked = Asked(model=model, prompt=name, values=values, ctx_size=ctx_size)
    if layer == "messages":
        prompt, rendered = _messages(asked)
        if as_json:
            print_json({"schema": 1, "name": prompt.name, **_rendered(rendered)}, indent=True)
        else:
            _print_messages(rendered)
        return
    variant, preview = asyncio.run(_preview(asked))
    if as_json:
        print_json(_preview_document(variant, preview), indent=True)
    elif layer == "text":
        _print_text(preview.text)
    else:
        texts = (piece.decode("utf-8", "replace") for piece in preview.pieces)
        table([("ID", "TEXT"), *((str(i), f"|{t}|") for i, t in zip(preview.tokens, texts, strict=True))])  # fmt: skip
    for warning in preview.warnings:
        note(safe_text(warning))
    note(f"{len(preview.tokens):,} of {preview.n_ctx:,} tokens")


@prompts_command.command("versions")
@_name
@click.option("--diff", "pair", type=(int, int), metavar="A B", help="Print what differs from version A to version B.")  # fmt: skip
@_json
def versions_command(name: str, pair: tuple[int, int] | None, as_json: bool) -> None:
    """List the versions of a prompt that ran or were saved, newest first.

    `llamadiff history list --version N` lists the runs of one.
    """
    from .session import open_history

    prompt = open_library().resolve(name)
    with open_history() as history:
        found = history.versions(prompt)
        if pair is not None:
            _print_changes(history, prompt, pair, {it.id for it in found}, as_json)
            return
    if as_json:
        print_json([{**asdict(it), "at": it.at.isoformat()} for it in found], indent=True)
        return
    rows = [("VERSION", "WHEN", "RUNS", "SAVED", "NAME")]
    for it in found:
        when = f"{it.at.astimezone():%Y-%m-%d %H:%M}"
        rows.append((str(it.id), when, str(it.runs), "yes" if it.saved else "–", it.name or "–"))
    table(rows)


def _print_changes(
    history: History, prompt: Prompt, pair: tuple[int, int], known: set[int], as_json: bool
) -> None:
    from ...compare.history.versions import changes

    for version in pair:
        if version not in known:
            sentence = (
                f"{safe_text(prompt.name)} has no version {version}; "
                f"`llamadiff prompts versions {prompt.slug}` lists those it has."
            )
            raise PromptError(sentence)
    before, after = (history.version(version, prompt.path) for version in pair)
    found = changes(before, after)
    if as_json:
        print_json(
            [{"field": it.field, "before": it.before, "after": it.after} for it in found],
            indent=True,
        )
        return
    for it in found:
        data(f"{it.field}\n{painted(it.diff, it.before, it.after)}\n")
    if not found:
        note("There is no difference.")


@prompts_command.command("export")
@_name
@click.option("--format", "form", type=click.Choice(FORMATS), default="toml", help="toml; messages (JSON), chat (a line of JSONL) or text; for a model: prompt (the text it is given), tokens or curl (for llama-server). [toml]")  # fmt: skip
@click.option("--templates", is_flag=True, help="For messages, chat and text: leave {{ variables }} as they are.")  # fmt: skip
@_model
@_context
@_values
@click.option("--url", default="http://127.0.0.1:8080", help="For curl: where llama-server listens. [http://127.0.0.1:8080]")  # fmt: skip
@click.option("-o", "--out", type=click.Path(path_type=Path), metavar="FILE", help="Write to a file; replaced if it is there. [stdout]")  # fmt: skip
def export_command(
    name: str,
    form: str,
    templates: bool,
    model: str | None,
    ctx_size: int | None,
    values: dict[str, str],
    url: str,
    out: Path | None,
) -> None:
    """Write a prompt for other tools."""
    if templates and form not in ("messages", "chat", "text"):
        raise click.UsageError("--templates goes with messages, chat and text.")
    if templates and values:
        raise click.UsageError("--templates leaves the variables as they are; leave out --var.")
    if form == "toml" and values:
        raise click.UsageError("toml holds the prompt with its variables; leave out --var.")
    asked = Asked(model=model, prompt=name, values=values, ctx_size=ctx_size)
    text = _exported(asked, form, templates, url)
    if out is None:
        _print_text(text)
        return
    try:
        out.write_text(text if text.endswith("\n") else f"{text}\n", "utf-8", newline="\n")
    except OSError as error:
        raise click.UsageError(f"{out} cannot be written: {error.strerror}.") from None
    data(str(out))


@prompts_command.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--tag", "tags", multiple=True, metavar="TAG", help="Give the prompts a tag; repeat for several.")  # fmt: skip
@_json
def import_command(files: tuple[Path, ...], tags: tuple[str, ...], as_json: bool) -> None:
    """Put prompts from other tools' FILES among one's own.

    Text (.txt, .md, .j2), chats (.jsonl), messages or API requests (.json), promptfoo's lists of
    prompts (.json, .csv), and prompts of llamadiff (.toml). Their new paths go to stdout.
    """
    from dataclasses import replace

    from ...prompts.exchange.importing import import_prompts
    from ...prompts.save import save_prompt

    library = open_library()
    imported = [import_prompts(path) for path in files]
    prompts = [prompt for one in imported for prompt in one.prompts]
    places = _places(library, [replace(prompt, path=None).slug for prompt in prompts])
    written: list[dict[str, str]] = []
    for prompt, path in zip(prompts, places, strict=True):
        save_prompt(replace(prompt, tags=tuple(dict.fromkeys((*prompt.tags, *tags)))), path)
        written.append({"name": prompt.name, "path": str(path)})
        if not as_json:
            data(str(path))
    for line in (line for one in imported for line in one.notes):
        note(safe_text(line))
    if as_json:
        print_json(written, indent=True)


def _places(library: Library, slugs: Sequence[str]) -> list[Path]:
    """A new file for each; a number is added to a name that is taken."""
    taken = {path.stem for path in library.paths()}
    places: list[Path] = []
    for slug in slugs:
        numbered = (f"{slug}-{number}" for number in count(2))
        free = next(it for it in chain([slug], numbered) if it not in taken)
        taken.add(free)
        places.append(library.new_path(free))
    return places


def _exported(asked: Asked, form: str, templates: bool, url: str) -> str:
    from ...prompts.exchange import exporting

    assert asked.prompt is not None, "it is a required argument"
    if form in FOR_A_MODEL:
        import msgspec

        prompt, ready = asyncio.run(_prepared(asked))
        if form == "prompt":
            return ready.text
        if form == "tokens":
            return " ".join(map(str, ready.tokens.tokens))
        sampling = msgspec.to_builtins(ready.sampling)
        return exporting.curl(ready.tokens.tokens, sampling, prompt.output, ready.stop, url)
    if form == "toml":
        from ...prompts.save import dump_prompt

        return dump_prompt(open_library().resolve(asked.prompt).standalone())
    if templates:
        prompt = open_library().resolve(asked.prompt)
        messages, prefill = exporting.template_messages(prompt), prompt.prefill
    else:
        rendered = _messages(asked)[1]
        messages, prefill = rendered.messages, rendered.prefill
    if form == "text":
        return exporting.plain_text(messages, prefill)
    if prefill:
        note("The start of the answer (prefill) is not among the messages.")
    write = exporting.messages_json if form == "messages" else exporting.chat_jsonl
    return write(messages)


def _messages(asked: Asked) -> tuple[Prompt, RenderedPrompt]:
    from ...prompts.rendering.helper import Renderer

    prompt = open_library().resolve(asked.prompt or "")
    with Renderer() as renderer:
        return prompt, renderer.render_prompt(prompt, asked.values)


async def _preview(asked: Asked) -> tuple[Variant, Preview]:
    from .session import runner

    (variant,) = await asyncio.to_thread(asked.make_variants)
    async with runner(asked) as it:
        return variant, await it.preview(variant, asked.values)


async def _prepared(asked: Asked) -> tuple[Prompt, Prepared]:
    from .session import runner

    (variant,) = await asyncio.to_thread(asked.make_variants)
    async with runner(asked) as it:
        return variant.prompt, await it.prepare(variant, asked.values)


def _rendered(rendered: RenderedPrompt) -> dict[str, Any]:
    from ...prompts.messages import as_json

    return {"messages": as_json(rendered.messages), "prefill": rendered.prefill}


def _preview_document(variant: Variant, preview: Preview) -> dict[str, Any]:
    from ...prompts.messages import as_json

    return {
        "schema": 1,
        "name": variant.prompt.name,
        "model": variant.model_name,
        "messages": as_json(preview.messages),
        "message_tokens": list(preview.message_tokens),
        "text": preview.text,
        "tokens": preview.tokens,
        "template": preview.template_source,
        "n_ctx": preview.n_ctx,
    }


def _document(prompt: Prompt) -> dict[str, Any]:
    """A prompt's fields, whoever gave them, as JSON data."""
    document = {
        key: _plain(value)
        for key, value in vars(prompt).items()
        if key not in ("inherited", "loaded")
    }
    return {"slug": prompt.slug, **document}


def _plain(value: Any) -> Any:
    from dataclasses import fields, is_dataclass

    if isinstance(value, Path):
        return str(value)
    if isinstance(value, tuple):
        return [_plain(item) for item in value]
    if is_dataclass(value):
        return {it.name: _plain(getattr(value, it.name)) for it in fields(value)}
    return value


def _print_messages(rendered: RenderedPrompt) -> None:
    for message in rendered.messages:
        data(f"── {message.role} ──\n{safe_text(message.content)}")
    if rendered.prefill:
        data(f"── assistant, begun ──\n{safe_text(rendered.prefill)}")


def _print_text(text: str) -> None:
    """A text as it is; on a terminal with its control characters made visible."""
    shown = safe_text(text) if sys.stdout.isatty() else text
    click.echo(shown, nl=not shown.endswith("\n"))
