"""Prompts out of other tools' files: text, chats, requests to an API, promptfoo's lists.

promptfoo's prompt files are described at https://www.promptfoo.dev/docs/configuration/prompts:
text files, in which a line `---` stands between prompts, chats as JSON, lists of prompts (texts,
or objects with `raw` and `label`), and CSV files with a column `prompt`. Its YAML files are not
read; the same content as JSON is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..datasets import ChatRow, VariableRow, read_rows
from ..document import Message, OutputRules, Prompt, Variable
from ..errors import PromptError
from ..files import as_text, read_bytes
from ..literal import keep_names, plain_names
from ..messages import read_messages
from ..parse import load_prompt

TEXT = (".txt", ".md", ".j2")
SUFFIXES = (".toml", *TEXT, ".json", ".jsonl", ".ndjson", ".csv")
MOST_PROMPTS = 1000
_SEPARATOR = re.compile(r"^---[ \t]*\r?\n", re.MULTILINE)
_FRONT_MATTER = re.compile(r"\A---[ \t]*\r?\n.*?^---[ \t]*(\r?\n|\Z)", re.MULTILINE | re.DOTALL)
_SAMPLING = {
    "temperature": "temperature", "top_p": "top_p", "top_k": "top_k", "min_p": "min_p",
    "max_tokens": "max_tokens", "max_completion_tokens": "max_tokens", "seed": "seed",
    "frequency_penalty": "frequency_penalty", "presence_penalty": "presence_penalty",
    "logit_bias": "logit_bias",
}  # fmt: skip
"""OpenAI's names of sampling settings, and ours."""
_KNOWN = ("messages", "stop", "response_format", "stream", "model")


@dataclass
class Imported:
    """The prompts of a file, and in sentences what of it they do not hold."""

    prompts: list[Prompt] = field(default_factory=list[Prompt])
    notes: list[str] = field(default_factory=list[str])


def import_prompts(path: Path) -> Imported:
    """The prompts in a file, by how its name ends.

    `.toml` is a prompt of ours. `.txt`, `.md` and `.j2` are user texts, several where a line `---`
    stands between them, and templates as they are; front matter of `.md` is left out. `.json` is a list of messages, a request with
    `messages` as OpenAI's API takes it, or promptfoo's list of prompts. `.jsonl` holds a chat in
    each line. `.csv` has a column `prompt`, and may have `label`.

    In messages a plain `{{ name }}` becomes a variable; everything else in them is literal. An
    answer at the end of a chat is left out, and a note says so.
    Raises PromptError for a file that is none of these.
    """
    suffix = path.suffix.lower()
    if suffix == ".toml":
        return Imported([load_prompt(path)])
    if suffix in (".jsonl", ".ndjson", ".csv"):
        imported = _rows(path)
    elif suffix == ".json":
        imported = _json(path)
    elif suffix in TEXT:
        imported = _texts(path)
    else:
        raise PromptError(
            f"{path} cannot be imported: its name must end in {', '.join(SUFFIXES)}",
            source=str(path),
        )
    if not imported.prompts:
        raise PromptError(f"there is no prompt in {path}", source=str(path))
    if len(imported.prompts) > MOST_PROMPTS:
        raise PromptError(
            f"{path} holds more than {MOST_PROMPTS:,} prompts; it is a dataset", source=str(path)
        )
    return imported


def _name(path: Path, number: int = 0, label: object = None) -> str:
    """A prompt's name: its label, else the file's; with a number from 1 for one of several."""
    name = label if isinstance(label, str) else path.stem
    name = "".join(c if c.isprintable() else " " for c in name).strip()[:100] or "prompt"
    return name if number == 0 or isinstance(label, str) else f"{name} {number}"


def _texts(path: Path) -> Imported:
    text = as_text(read_bytes(path, "text"), path, "text")
    if path.suffix.lower() == ".md":
        text = _FRONT_MATTER.sub("", text)
    parts = [part.strip() for part in _SEPARATOR.split(text)]
    return _numbered(path, [(part, None) for part in parts if part])


def _numbered(path: Path, texts: Sequence[tuple[str, object]]) -> Imported:
    several = len(texts) > 1
    return Imported(
        [
            _template(_name(path, several and number, label), text)
            for number, (text, label) in enumerate(texts, start=1)
        ]
    )


def _template(name: str, text: str) -> Prompt:
    """A prompt of one text, which promptfoo renders with the same marks as jinja2."""
    return Prompt(name, user=text, variables=tuple(map(Variable, plain_names(text))))


def _rows(path: Path) -> Imported:
    imported = Imported()
    texts: list[tuple[str, object]] = []
    for row in read_rows(path):
        if isinstance(row, ChatRow):
            number = len(imported.prompts) + 1
            imported.prompts.append(_chat(_name(path, number), row.messages, path, imported))
        elif isinstance(row, VariableRow) and "prompt" in row.values:
            texts.append((row.values["prompt"], row.values.get("label") or None))
        else:
            raise PromptError(
                f"{path}, line {row.line}: this is neither a chat (messages) nor a prompt; rows "
                "like this are a dataset, for the examples of a prompt",
                source=str(path),
                line=row.line,
            )
        if len(imported.prompts) + len(texts) > MOST_PROMPTS:
            break
    if len(imported.prompts) == 1:
        imported.prompts = [replace(imported.prompts[0], name=_name(path))]
    return imported if not texts else _numbered(path, texts)


def _json(path: Path) -> Imported:
    text = as_text(read_bytes(path, "JSON"), path, "JSON")
    try:
        value = json.loads(text)
        json.dumps(value, ensure_ascii=False).encode()
    except json.JSONDecodeError as error:
        raise PromptError(
            f"{path}, line {error.lineno}: not valid JSON: {error.msg}",
            source=str(path),
            line=error.lineno,
        ) from None
    except (ValueError, RecursionError) as error:
        raise PromptError(f"{path} is not valid JSON: {error}", source=str(path)) from None
    imported = Imported()
    if isinstance(value, dict) and "messages" in value:
        imported.prompts.append(_request(value, path, imported))
        return imported
    items = value.get("prompts") if isinstance(value, dict) else value
    if _is_chat(items):
        imported.prompts.append(_chat(_name(path), _messages(items, path), path, imported))
        return imported
    if isinstance(value, dict) and "tests" in value:
        imported.notes.append(f"{path.name}: its tests are left out; only prompts are imported.")
    listed = items if isinstance(items, list) else []
    for number, item in enumerate(listed, start=1):
        imported.prompts += _promptfoo(item, number if len(listed) > 1 else 0, path, imported)
    return imported


def _is_chat(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(item, dict) and "role" in item for item in value)
    )


def _promptfoo(item: object, number: int, path: Path, imported: Imported) -> list[Prompt]:
    """An entry of promptfoo's list: a text, a file's name, an object, or a chat."""
    label = None
    if isinstance(item, dict):
        label = item.get("label") or item.get("id")
        item = item.get("raw", item.get("id"))
    if isinstance(item, str) and item.lstrip().startswith("["):
        try:
            parsed = json.loads(item)
        except (ValueError, RecursionError):
            parsed = None
        item = parsed if _is_chat(parsed) else item
    if _is_chat(item):
        messages = _messages(item, path)
        return [_chat(_name(path, number, label), messages, path, imported)]
    if not isinstance(item, str) or not item.strip():
        imported.notes.append(f"Prompt {number or 1} of {path} is neither text nor messages.")
        return []
    if item.startswith("file://"):
        imported.notes.append(f"{item} is a file of its own; import it by itself.")
        return []
    return [_template(_name(path, number, label), item)]


def _messages(value: object, path: Path) -> tuple[Message, ...]:
    try:
        return read_messages(value)
    except ValueError as error:
        raise PromptError(f"{path}: {error}", source=str(path)) from None


def _chat(name: str, messages: Sequence[Message], path: Path, imported: Imported) -> Prompt:
    """A prompt of literal messages: the system one first, the user's last as its own text."""
    system = [message.content for message in messages if message.role == "system"]
    turns = [message for message in messages if message.role != "system"]
    if turns and turns[-1].role == "assistant":
        turns.pop()
        imported.notes.append(f"{name}: the answer at the end is left out.")
    if len(system) > 1 or (system and messages[0].role != "system"):
        imported.notes.append(f"{name}: its system messages are put together at the start.")
    if not turns:
        raise PromptError(f"{path}: {name} has no message of the user's", source=str(path))
    texts = [keep_names(text) for text in (*system, *(turn.content for turn in turns))]
    names = dict.fromkeys(it for text in texts for it in plain_names(text))
    kept = texts[len(system) :]
    history = zip(turns[:-1], kept[:-1], strict=True)
    return Prompt(
        name,
        system="\n\n".join(texts[: len(system)]),
        messages=tuple(Message(turn.role, text) for turn, text in history),
        user=kept[-1],
        variables=tuple(map(Variable, names)),
    )


def _request(body: Mapping[str, object], path: Path, imported: Imported) -> Prompt:
    """A body of OpenAI's chat completions API."""
    prompt = _chat(_name(path), _messages(body["messages"], path), path, imported)
    sampling = {ours: body[theirs] for theirs, ours in _SAMPLING.items() if body.get(theirs) is not None}  # fmt: skip
    stop = body.get("stop") or []
    stops = [stop] if isinstance(stop, str) else stop
    left = [key for key in body if key not in _SAMPLING and key not in _KNOWN]
    if not isinstance(stops, list) or not all(isinstance(it, str) and it for it in stops):
        stops, left = [], [*left, "stop"]
    if left:
        imported.notes.append(f"{prompt.name}: left out are {', '.join(left)}.")
    return replace(
        prompt,
        sampling=sampling,
        output=OutputRules(tuple(stops), schema=_schema(body.get("response_format"))),
    )


def _schema(asked: object) -> Mapping[str, object] | None:
    """The JSON Schema of a `response_format`."""
    if not isinstance(asked, dict):
        return None
    if asked.get("type") == "json_object":
        return {"type": "object"}
    inner = asked.get("json_schema")
    schema = inner.get("schema") if isinstance(inner, dict) else None
    return schema if isinstance(schema, dict) else None
