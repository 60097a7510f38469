"""The two kinds of template, rendered in jinja2's immutable sandbox (helper process only)."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache, partial
from typing import Any, NoReturn, ParamSpec, TypeVar, cast

from jinja2 import StrictUndefined, Template, TemplateError, Undefined, UndefinedError, meta, nodes
from jinja2.exceptions import SecurityError, TemplateSyntaxError
from jinja2.ext import Extension
from jinja2.parser import Parser
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from .literal import Ends, split_ends
from .origin import Own, OwnText, joined

P = ParamSpec("P")
R = TypeVar("R")

Fields = Sequence[tuple[str, str]]
"""(field, template text) pairs; `field` is what an error calls it."""


MARK = "\ufdd1 "
"""Set behind the content of a message that is to be continued; no text has this character."""


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


class _Namespace(Namespace):
    """jinja2's `namespace`, which here keeps no attribute with a leading underscore."""

    def __init__(*args: Any, **attributes: Any) -> None:
        self, *given = args
        values = dict(*given, **attributes)
        for name in values:
            _refuse_private(name)
        Namespace.__init__(self, values)

    def __setitem__(self, name: str, value: Any) -> None:
        _refuse_private(name)
        super().__setitem__(name, value)


def _refuse_private(name: object) -> None:
    if isinstance(name, str) and name.startswith("_"):
        raise SecurityError(f"a namespace cannot hold {name}; choose a name without _ at its start")


class _Dict:
    """`dict` for templates: makes one, and has no attribute of the type itself."""

    def __call__(self, *args: Any, **kwargs: Any) -> dict[Any, Any]:
        return dict(*args, **kwargs)

    def fromkeys(self, keys: Iterable[Any], value: Any = None) -> dict[Any, Any]:
        return dict.fromkeys(keys, value)


class _PromptEnvironment(ImmutableSandboxedEnvironment):
    """Knows of each text it gives whose it is."""

    code_generator_class = OwnText
    concat = staticmethod(joined)
    own = Own


def _environment(*, of_a_prompt: bool) -> ImmutableSandboxedEnvironment:
    environment = (_PromptEnvironment if of_a_prompt else ImmutableSandboxedEnvironment)(
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
    environment.globals["namespace"] = _Namespace
    if of_a_prompt:
        for name in ("lipsum", "cycler", "joiner", "dict"):
            del environment.globals[name]
    else:
        environment.globals.update(
            raise_exception=_raise_exception,
            strftime_now=_strftime_now,
            dict=_Dict(),
        )
    return environment


_PROMPT = _environment(of_a_prompt=True)
_CHAT = _environment(of_a_prompt=False)


LONG = 20_000
"""Characters from which on few templates are remembered."""


def _remembered(function: Callable[P, R]) -> Callable[P, R]:
    """`function` with its last results remembered by the template, its last argument: many for
    short templates, a handful for long ones, so that memory stays for the rendering itself."""
    short, long = lru_cache(maxsize=64)(function), lru_cache(maxsize=4)(function)

    def remembering(*args: P.args, **kwargs: P.kwargs) -> R:
        chosen = short if len(cast("str", args[-1])) < LONG else long
        return cast("Callable[P, R]", chosen)(*args, **kwargs)

    return remembering


@_remembered
def _parsed(environment: ImmutableSandboxedEnvironment, text: str) -> nodes.Template:
    return environment.parse(text)


@_remembered
def _compiled(environment: ImmutableSandboxedEnvironment, text: str) -> Template:
    code = environment.compile(_parsed(environment, text))
    return Template.from_code(environment, code, environment.make_globals(None))


def _ends(text: str) -> Ends:
    """A prompt template taken apart, or whole where it has a mistake, for jinja2 to say which."""
    ends = split_ends(text)
    try:
        _parsed(_PROMPT, ends.template)
    except TemplateSyntaxError:
        return Ends("", text, "", 0)
    return ends


@_remembered
def used_names(text: str) -> tuple[str, ...]:
    """The variables a prompt template needs, in the order in which they first appear."""
    tree = _parsed(_PROMPT, _ends(text).template)
    free = meta.find_undeclared_variables(tree)
    order = [node.name for node in tree.find_all(nodes.Name) if node.name in free]
    return tuple(dict.fromkeys(order))


def render_text(text: str, values: Mapping[str, str]) -> Iterator[str]:
    """A prompt template's output in pieces, those `Own` that its author wrote.

    An undefined variable raises UndefinedName.
    """
    before, template, after, blank = _ends(text)
    yield Own(before)
    if len(template) > blank:
        for piece in _compiled(_PROMPT, template).generate(dict(values)):
            yield Own(piece[blank:]) if blank else piece
            blank = max(0, blank - len(piece))
    yield Own(after)


def render_chat(
    text: str, messages: Sequence[Mapping[str, str]], arguments: Mapping[str, object], *, end: bool
) -> Iterator[str]:
    """A chat template's output in pieces, with the names transformers gives such templates.

    See `apply_chat_template` in transformers: `messages`, `add_generation_prompt` (which is `end`),
    `tools` and `documents`, None unless they are among the `arguments`, and those.
    """
    return _compiled(_CHAT, text).generate(
        {
            "tools": None,
            "documents": None,
            **arguments,
            "messages": [dict(message) for message in messages],
            "add_generation_prompt": end,
        }
    )


class NotContinued(Exception):
    """A chat template does not write the last message out as it is."""


def until_mark(rendered: str, content: str) -> str:
    """What comes before the end of the last message, whose content was `content` and then MARK.

    As transformers' `continue_final_message`: a template that trims what it writes has trimmed the
    blank at the mark's end too, and then the content counts as trimmed. Raises NotContinued.
    """
    at = rendered.rfind(MARK.strip())
    if at < 0 or content.strip() not in rendered:
        raise NotContinued
    whole = rendered.startswith(MARK, at)
    return rendered[:at] if whole else rendered[:at].rstrip()
