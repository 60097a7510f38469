"""Words are found in what was asked and said, in every script, and not in a template's markup."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from llamadiff.compare.history import migrations
from llamadiff.compare.history.content import canonical, pack
from llamadiff.compare.history.entries import Wanted
from llamadiff.compare.history.history import History
from llamadiff.tui.recorded import _found

from ...tui.test_cli import llamadiff
from .runs import PROMPT, keep, made, opened


def found(history: History, text: str) -> list[str]:
    """Where a text is found: excerpts of the newest outputs first."""
    return [hit.excerpt for hit in history.search(Wanted(text=text))]


@pytest.mark.parametrize("full_text", [True, False])
def test_what_stands_within_a_stretch_without_spaces_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, full_text: bool
) -> None:
    if not full_text:
        monkeypatch.setattr(migrations, "has_full_text", lambda connection: False)
    with opened(tmp_path) as history:
        keep(
            history,
            made("Duck it is.", values={"topic": "请告诉我北京烤鸭的历史"}),
            made("烤鸭很好吃。 A roast duck."),
            made("สวัสดีครับ ชาวโลก", "Plain words."),
        )
        assert found(history, "烤鸭") == [
            "烤鸭很好吃。 A roast duck.",
            "Tell 请告诉我北京烤鸭的历史",
        ]
        assert (
            found(history, "北京烤鸭") == found(history, "的历") == ["Tell 请告诉我北京烤鸭的历史"]
        )
        assert (
            found(history, "烤鸭 roas")
            == ["烤鸭很好吃。 A roast duck."]
            == found(history, "roast 好吃")
        )
        assert found(history, '"roast duck" 烤鸭') == ["烤鸭很好吃。 A roast duck."]
        for nothing in ("烤鸭 nowhere", "鸭烤", *(["烤鸭 oast"] if full_text else [])):
            assert not found(history, nothing)
        assert found(history, "โลก") == ["สวัสดีครับ ชาวโลก"]
        assert len(history.page(Wanted(text="烤鸭"))) == 2
        assert len(history.page(Wanted(text="烤鸭", model="other"))) == 0
    (mark,) = _found("请告诉我北京烤鸭的历史", ["烤鸭"])
    assert (mark.start, mark.end) == (6, 8)


def test_the_markup_of_templates_is_no_text_that_was_asked() -> None:
    done = llamadiff("run", "--user", "Tell me about user stories.", "--set", "max_tokens=8")  # fmt: skip
    done = llamadiff("run", "--user", "Tell me about the assistant.", "--set", "max_tokens=8")
    assert done.returncode == 0, done.stderr
    llamadiff("run", "-p", "tell-me-about", "--set", "max_tokens=8")

    def listed(*words: str) -> int:
        return len(json.loads(llamadiff("history", "list", *words, "--json").stdout))

    assert (listed(), listed("user"), listed("assistant"), listed("begin")) == (3, 1, 1, 0)
    assert listed("tell me") == 3


def test_what_was_asked_before_is_found_without_the_markup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps = [step for step in migrations.MIGRATIONS if step.__name__ < "m006"]
    texts = [
        "<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nTell me about cats.<|im_end|>\n",
        "<s>[INST] Tell the user of dogs. [/INST]",
        "<|begin|><|user|>A list: [a, B_C]<|assistant|>",
    ]
    with monkeypatch.context() as older:
        older.setattr(migrations, "MIGRATIONS", steps)
        with closing(sqlite3.connect(tmp_path / "history.db", isolation_level=None)) as connection:
            migrations.migrate(connection)
            content = pack(canonical(PROMPT))
            connection.execute("INSERT INTO versions (prompt, hash, content, at) VALUES ('p', 'h', ?, 0)", (content,))  # fmt: skip
            for number, text in enumerate(texts, 1):
                rows = (
                    ("INSERT INTO rendered VALUES (?, ?, ?, x'')", (number, f"{number}", text)),
                    ("INSERT INTO runs VALUES (?, ?, 0, 0, '', '1', '{}', 0, 0, '', NULL)", (number, f"run{number}")),
                    ("INSERT INTO variants VALUES (?, ?, 'A', '', '/m', 'm', '[]', '{}', '{}', 'p', NULL, 1, NULL)", (number, number)),
                    ("INSERT INTO outputs (id, variant, repeat, seed, state, rendered) VALUES (?, ?, 0, 0, 'done', ?)", (number, number, number)),
                )  # fmt: skip
                for statement, values in rows:
                    connection.execute(statement, values)
    with opened(tmp_path) as history:
        keep(history, made("new"))
        assert found(history, "user") == ["Tell the user of dogs."]
        assert found(history, "system") == found(history, "begin") == found(history, "INST") == []
        assert found(history, "b_c") == ["A list: [a, B_C]"]
        assert found(history, "brief cats") == ["Be brief. Tell me about cats."]
        assert history.remove(["run2"]) == 1 and found(history, "user") == []
