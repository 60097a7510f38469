"""Pipes in the place of files: refused by every reader, and none is waited for."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from llamadiff.prompts.datasets import read_rows
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.exchange.importing import import_prompts
from llamadiff.prompts.library import Library
from llamadiff.prompts.parse import load_prompt
from llamadiff.prompts.save import save_prompt
from llamadiff.prompts.snippets import load_snippet

PROMPT = 'name = "X"\nuser = "u"\n'


def beside(pipe: Path, text: str) -> Path:
    path = pipe.with_name("prompt.toml")
    path.write_text(f"{PROMPT}{text}")
    return path


def saved(pipe: Path) -> None:
    path = beside(pipe, "")
    prompt = load_prompt(path)
    path.unlink()
    pipe.rename(path)
    save_prompt(prompt, path)


READERS: dict[str, tuple[str, Callable[[Path], object]]] = {
    "prompt": ("a.toml", load_prompt),
    "saved over": ("a.toml", saved),
    "in the library": ("a.toml", lambda pipe: Library([pipe.parent]).resolve(pipe.stem)),
    "dataset": ("a.jsonl", lambda pipe: list(read_rows(pipe))),
    "examples": ("a.csv", lambda pipe: load_prompt(beside(pipe, 'examples = { data = "a.csv" }'))),
    "include": ("a.toml", lambda pipe: load_prompt(beside(pipe, 'include = ["a.toml"]'))),
    "grammar": ("a.gbnf", lambda pipe: load_prompt(beside(pipe, '[output]\ngrammar = "a.gbnf"'))),
    "schema": ("a.json", lambda pipe: load_prompt(beside(pipe, '[output]\nschema = "a.json"'))),
    "snippet": ("a.toml", load_snippet),
    "imported text": ("a.txt", import_prompts),
    "imported JSON": ("a.json", import_prompts),
    "imported rows": ("a.jsonl", import_prompts),
}


@pytest.mark.parametrize("reader", READERS)
def test_no_reader_waits_for_a_pipe(tmp_path: Path, reader: str) -> None:
    name, read = READERS[reader]
    pipe = tmp_path / name
    os.mkfifo(pipe)
    caught: list[BaseException] = []

    def work() -> None:
        try:
            read(pipe)
        except BaseException as error:  # whatever it is, the test is told
            caught.append(error)

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(20)
    assert not thread.is_alive(), "it waits for somebody to write"
    (error,) = caught
    assert isinstance(error, PromptError)
    assert "is not an ordinary file" in str(error)


def test_a_name_that_no_file_can_have_is_one_sentence() -> None:
    with pytest.raises(PromptError, match="cannot be read"):
        load_prompt(Path("a\0b.toml"))
    with pytest.raises(PromptError):
        list(read_rows(Path("a\0b.jsonl")))
