"""The two kinds of template, rendered in jinja2's immutable sandbox (helper process only)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NoReturn

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, UndefinedError, meta, nodes
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import missing

Fields = Sequence[tuple[str, str]]
"""(field, template text) pairs; `field` is what an error calls it."""


class UndefinedName(UndefinedError):
    """A template used a variable that has no value."""

    def __init__(self, name: str, message: str) -> None:
        super().__init__(message)
        self.name = name


class RefusedByTemplate(TemplateError):
    """A chat template called `raise_exception`."""


class _Named(StrictUndefined):
    """An undefined variable that says its name when it is used."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        name = self._undefined_name
        if self._undefined_hint is None and name is not None and self._undefined_obj is missing:
            # jinja2 only ever calls this with the message.
            self._undefined_exception = partial(UndefinedName, name)  # pyright: ignore[reportAttributeAccessIssue]


class _Generation(Extension):
    """Accepts `{% generation %}`, which marks the assistant's text for training and prints it."""

    tags = {"generation"}  # noqa: RUF012

    def parse(self, parser: Parser) -> nodes.Node:
        line = next(parser.stream).lineno
        body = parser.parse_statements(("name:endgeneration",), drop_needle=True)
        return nodes.Scope(body, lineno=line)


def _raise_exception(message: object) -> NoReturn:
    raise RefusedByTemplate(str(message))


def _strftime_now(format: str) -> str:  # noqa: A002
    return datetime.now().strftime(format)


def _tojson(
    value: object,
    ensure_ascii: bool = False,
    indent: int | None = None,
    separators: tuple[str, str] | None = None,
    sort_keys: bool = False,
) -> str:
    """`tojson` as transformers defines it for chat templates: no HTML escapes, keys in order."""
    return json.dumps(
        value,
        ensure_ascii=ensure_ascii,
        indent=indent,
        separators=separators,
        sort_keys=sort_keys,
    )


def _environment(*, of_a_prompt: bool) -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=of_a_prompt,
        undefined=_Named if of_a_prompt else Undefined,
        extensions=["jinja2.ext.loopcontrols"]
        if of_a_prompt
        else [
            "jinja2.ext.loopcontrols",
            _Generation,
        ],
    )
    environment.filters["tojson"] = _tojson
    if of_a_prompt:
        for name in ("lipsum", "cycler", "joiner", "dict"):
            del environment.globals[name]
    else:
        environment.globals.update(raise_exception=_raise_exception, strftime_now=_strftime_now)
    return environment


_PROMPT = _environment(of_a_prompt=True)
_CHAT = _environment(of_a_prompt=False)


@lru_cache(maxsize=64)
def _compiled(environment: ImmutableSandboxedEnvironment, text: str) -> Template:
    return environment.from_string(text)


@lru_cache(maxsize=64)
def used_names(text: str) -> tuple[str, ...]:
    """The variables a prompt template needs, in the order in which they first appear."""
    tree = _PROMPT.parse(text)
    free = meta.find_undeclared_variables(tree)
    order = [node.name for node in tree.find_all(nodes.Name) if node.name in free]
    return tuple(dict.fromkeys(order))


def render_text(text: str, values: Mapping[str, str]) -> Iterator[str]:
    """A prompt template's output in pieces; an undefined variable raises UndefinedName."""
    return _compiled(_PROMPT, text).generate(dict(values))


def render_chat(
    text: str,
    messages: Sequence[Mapping[str, str]],
    bos_token: str,
    eos_token: str,
    add_generation_prompt: bool,
) -> Iterator[str]:
    """A chat template's output in pieces, with the names transformers gives such templates.

    See `apply_chat_template` in transformers: `messages`, `add_generation_prompt`, the special
    tokens, and `tools` and `documents`, which are None here.
    """
    return _compiled(_CHAT, text).generate(
        messages=[dict(message) for message in messages],
        add_generation_prompt=add_generation_prompt,
        bos_token=bos_token,
        eos_token=eos_token,
        tools=None,
        documents=None,
    )
