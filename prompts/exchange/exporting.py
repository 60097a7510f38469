"""Prompts and what they become, in the forms of other tools."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence

from ..document import Message, OutputRules, Prompt
from ..messages import as_json
from ..rendering.default_chat import default_chat

NO_RULES = OutputRules()
_LONG = 100_000
"""A command's argument may have 128 KiB on Linux."""

_OWN_NAMES = {"max_tokens": "n_predict"}
"""Sampling settings that llama-server calls otherwise."""


def template_messages(prompt: Prompt) -> tuple[Message, ...]:
    """The prompt's chat with its templates as they are, without the start of the answer."""
    return tuple(
        Message(role, text) for role, field, text in prompt.text_fields() if field != "prefill"
    )


def messages_json(messages: Sequence[Message]) -> str:
    """Messages as OpenAI's API takes them: a JSON list, on lines."""
    return json.dumps(as_json(messages), ensure_ascii=False, indent=2)


def chat_jsonl(messages: Sequence[Message]) -> str:
    """A chat as one line of a dataset."""
    return json.dumps({"messages": as_json(messages)}, ensure_ascii=False)


def plain_text(messages: Sequence[Message], prefill: str = "") -> str:
    """The user's text alone where there is nothing else, otherwise turns with labels."""
    if len(messages) == 1 and not prefill:
        return messages[0].content
    return default_chat(messages, prefill=prefill, add_generation_prompt=bool(prefill))


def curl(
    tokens: Sequence[int],
    sampling: Mapping[str, object],
    output: OutputRules = NO_RULES,
    stop: Sequence[str] = (),
    url: str = "http://127.0.0.1:8080",
) -> str:
    """A shell command that has llama-server complete exactly these tokens.

    The prompt is given as token ids, which the server takes as they are: it adds no second token
    at the start, and text that looks like a special token stays what it was here. `stop` are
    strings besides those of `output`. Adapters and the model are the server's. See `POST
    /completion` in llama.cpp's tools/server/README.md.
    """
    body: dict[str, object] = {"prompt": list(tokens)}
    body |= {_OWN_NAMES.get(key, key): value for key, value in sampling.items()}
    if isinstance(order := sampling.get("samplers"), list | tuple):
        body["samplers"] = ["typ_p" if name == "typical_p" else name for name in order]
    bias = sampling.get("logit_bias")
    if isinstance(bias, Mapping):
        body["logit_bias"] = [[int(token), _bias(value)] for token, value in bias.items()]
    if stops := list(dict.fromkeys((*output.stop, *stop))):
        body["stop"] = stops
    if output.grammar is not None:
        body["grammar"] = output.grammar
    if output.schema is not None:
        body["json_schema"] = output.schema
    data = json.dumps(body, ensure_ascii=False)
    head = f"curl -s {shlex.quote(url.rstrip('/') + '/completion')} -H 'Content-Type: application/json'"
    if len(data.encode()) < _LONG:
        return f"{head} -d {shlex.quote(data)}"
    # The data is one line and starts with a brace, so it cannot end the here-document early.
    return f"{head} --data-binary @- <<'JSON'\n{data}\nJSON"


def _bias(value: object) -> object:
    """A token's bias; false, which the server knows for "never", where JSON has no infinity."""
    return False if value == float("-inf") else value
