"""Suites as files: what they say, and the one sentence for each mistake."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llamadiff.compare.checks.amounts import Length
from llamadiff.compare.checks.wording import OneOf
from llamadiff.compare.errors import MISTAKES, CompareError
from llamadiff.compare.evaluation import planning
from llamadiff.compare.evaluation.judging import suite_judges
from llamadiff.compare.evaluation.reading import parse_suite
from llamadiff.compare.evaluation.rows import suite_rows
from llamadiff.compare.evaluation.scoreboard import check_requirements
from llamadiff.compare.evaluation.shipped import find_suite, shipped_suites
from llamadiff.compare.evaluation.suite import Suite
from llamadiff.compare.evaluation.variants import suite_variants
from llamadiff.compare.spec import Defaults
from llamadiff.models.engine.protocol import ModelSettings
from llamadiff.models.errors import ModelError

from .suites import plan_of, write_suite

LEAST = 'dataset = "rows.jsonl"\n[[checks]]\ncheck = "exact"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rows = (f'{{"review": "r{i}", "expected": "yes", "kind": "{"ab"[i % 2]}"}}' for i in range(20))
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    (tmp_path / "ask.toml").write_text('name = "Ask"\nuser = "{{ task }} {{ review }}"\n')
    return tmp_path


def read(folder: Path, text: str) -> Suite:
    return parse_suite(text, folder / "suite.toml")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name = 3\n" + LEAST, "name must be text"),
        ('nam = "x"', "line 1: unknown key nam; did you mean name?"),
        ('[[checks]]\ncheck = "exact"', "there is no dataset"),
        ('dataset = "rows.jsonl"', r"no \[\[checks\]\]"),
        ('dataset = "none.jsonl"\n[[checks]]\ncheck = "exact"', "line 1: there is no file"),
        ('dataset = { fil = "x" }\n[[checks]]\ncheck = "exact"', "did you mean file"),
        (LEAST + "value = 1", "value must be text"),
        (LEAST + "labels = []", r"unknown key checks\[1\]\.labels; the keys here are"),
        (LEAST.replace("exact", "exakt"), "there is no check exakt; did you mean exact"),
        (LEAST + "weight = -1", "weight must be 0 or more"),
        (LEAST + "weight = 0", "nothing would be counted"),
        (LEAST + '[[checks]]\ncheck = "exact"', "two checks are called exact"),
        (LEAST + '[[checks]]\ncheck = "code"', "line 4: this check needs function"),
        (LEAST + '[[checks]]\ncheck = "length"\nleast = 5\nmost = 3', "most must be at least 5"),
        (
            LEAST + '[[checks]]\ncheck = "pattern"\npattern = "("',
            "line 6: pattern must be a regular",
        ),
        (LEAST + '[[checks]]\ncheck = "one-of"\nlabels = ["a"]\nvalue = "b"', "line 7: value must"),
        (LEAST + '[[checks]]\ncheck = "schema"\n[checks.schema]\ntype = "x"', "a JSON Schema: 'x'"),
        ('dataset = "suite.toml"\n[[checks]]\ncheck = "exact"', "line 1: suite.toml is no dataset"),
        (LEAST + '[[checks]]\ncheck = "length"\nunit = "lines"', "one of words, tokens"),
        (LEAST + '[[checks]]\ncheck = "schema"\nschema = 4', "a table or the name of a .json"),
        (LEAST + '[[checks]]\ncheck = "code"\nfunction = "x"', "path.py:name"),
        (
            LEAST + '[[checks]]\ncheck = "judge"\nrubric = "x"\nagainst = "b"',
            "line 7: against must",
        ),
        (LEAST + '[[checks]]\ncheck = "code"\nfunction = "no.py:x"', "there is no file"),
        ("repeats = 0\n" + LEAST, "repeats must be a whole number from 1"),
        ("margin = 2\n" + LEAST, "margin must be a share"),
        ("margin = nan\n" + LEAST, "margin must be a share"),
        ("exact = 1\n" + LEAST, "exact must be true or false"),
        ("planned = 0\n" + LEAST, "planned must be a whole number from 1"),
        ("variants = 1\n" + LEAST, "variants must be a list"),
        (LEAST + "[[variants]]\nadaptor = 'x'", "did you mean adapter"),
        (LEAST + "[[variants]]\ntemperature = [0, 900]", "temperature"),
        (LEAST + "[[variants]]\ntemperature = []", "lists no values"),
        (LEAST + "[[variants]]\nscale = 0.5", "scale needs one adapter"),
        (LEAST + "[[variants]]\nadapter = 'a@0.5'\nscale = 0.5", "scale needs one adapter"),
        (LEAST + "[[variants]]\nspec = 'adapter'", "is not key=value"),
        (LEAST + "[defaults]\nscale = 1", "unknown key defaults.scale"),
        (LEAST + "[[require]]\nthat = 'a.score'", "compares nothing"),
        (LEAST + "[[require]]\nthis = 'a.score'", "the keys here are that"),
        ("x = [", "not valid TOML"),
    ],
)
def test_a_mistake_is_one_sentence(folder: Path, text: str, said: str) -> None:
    with pytest.raises(MISTAKES, match=said) as caught:
        read(folder, text)
    assert "suite.toml" in str(caught.value) and "\n" not in str(caught.value)


def test_lists_make_every_combination(folder: Path) -> None:
    suite = read(
        folder,
        LEAST
        + """
[defaults]
prompt = "ask.toml"
max_tokens = 8
[[variants]]
label = "base"
values = { task = "Sort:" }
[[variants]]
label = "tuned"
adapter = "sentiment"
scale = [0.5, 1.0]
temperature = [0, 0.7]
values = { task = "Sort:" }
[[variants]]
spec = "label=spec,adapter=support@0.25+sentiment,prompt=support"
[[variants]]
label = "words"
values = { task = ["Is this good?", "Sort this."] }
""",
    )
    found = suite_variants(suite, Defaults(sampling={"max_tokens": "4"}))
    assert [it.label for it in found] == [
        "base",
        "tuned · scale=0.5 · temperature=0",
        "tuned · scale=0.5 · temperature=0.7",
        "tuned · scale=1 · temperature=0",
        "tuned · scale=1 · temperature=0.7",
        "spec",
        "words · task=Is this good?",
        "words · task=Sort this.",
    ]
    assert [it.name for it in found] == list("ABCDEFGH")
    assert [it.stack for it in found] == [
        "base", *["sentiment@0.5"] * 2, *["sentiment@1"] * 2, "support@0.25+sentiment@1", "base", "base",
    ]  # fmt: skip
    assert [it.prompt.name for it in found] == [*["Ask"] * 5, "Support", "Ask", "Ask"]
    assert found[2].sampling == {"max_tokens": 4, "temperature": 0.7}
    assert found[6].values == {"task": "Is this good?"}


def test_labels_name_one_variant_each(folder: Path) -> None:
    text = LEAST + "[[variants]]\nlabel = 'x'\nprompt = 'support'\n" * 2
    with pytest.raises(CompareError, match="line 7: another variant is labelled x"):
        suite_variants(read(folder, text), Defaults())


def test_rows_are_filtered_renamed_and_tagged(folder: Path) -> None:
    text = """
[dataset]
file = "rows.jsonl"
columns = { text = "review", expected = "kind" }
where = { kind = "b" }
tags = "kind"
[[checks]]
check = "exact"
"""
    rows = suite_rows(read(folder, text))
    assert len(rows) == 10
    assert all(it.expected == "b" and it.tags == ("b",) for it in rows)
    assert all(it.values["text"] == it.values["review"] for it in rows)
    assert sorted(it.line for it in rows) == list(range(2, 21, 2))
    assert [it.line for it in rows] != sorted(it.line for it in rows)


def test_a_larger_sample_holds_the_smaller_one(tmp_path: Path) -> None:
    def lines(count: int, seed: int) -> list[int]:
        path = write_suite(tmp_path, 20)
        drawn = f'tags = "subject", sample = {count}, seed = {seed}'
        path.write_text(path.read_text().replace('tags = "subject"', drawn))
        return [row.line for row in plan_of(path).rows]

    assert lines(12, 1)[:5] == lines(5, 1)
    assert lines(12, 1) != lines(12, 2)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("x.jsonl", '{"instruction": "Add", "input": "1 2", "output": "3"}', ("Add\n\n1 2", "3")),
        ("x.jsonl", '{"messages": [{"role": "system", "content": "s"}, {"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}', ("q", "a")),
        ("x.jsonl", '{"prompt": "q", "chosen": "a", "rejected": "b"}', ("q", "a")),
        ("x.csv", "user,expected\nq,a\n", ("q", "a")),
    ],
)  # fmt: skip
def test_every_shape_of_a_dataset_asks_and_expects(
    tmp_path: Path, name: str, text: str, expected: tuple[str, str]
) -> None:
    (tmp_path / name).write_text(text)
    suite = read(tmp_path, f'dataset = "{name}"\n[[checks]]\ncheck = "exact"')
    (row,) = suite_rows(suite)
    assert (row.values["user"], row.expected) == expected


def chat(*said: str) -> str:
    """A row of the messages `s:…`, `u:…` and `a:…`."""
    roles = {"s": "system", "u": "user", "a": "assistant"}
    messages = [{"role": roles[it[0]], "content": it[2:]} for it in said]
    return json.dumps({"messages": messages, "subject": "x"})


def test_a_chat_of_several_turns_is_a_question_its_conversation_and_what_is_expected(
    tmp_path: Path,
) -> None:
    chats = (
        chat("s:Be kind.", "u:Hi", "a:Hello", "u:My coat", "a:Yes?", "u:tore", "a:Sorry!"),
        chat("u:Hi", "a:Hello", "u:My coat", "a:Sorry!"),
        chat("u:Hi", "a:Hi", "u:My coat", "a:Sorry!"),
    )
    (tmp_path / "x.jsonl").write_text("\n".join(chats))
    suite = read(tmp_path, 'dataset = "x.jsonl"\n[[checks]]\ncheck = "exact"')
    one, two, three = sorted(suite_rows(suite), key=lambda row: row.line)
    assert one.values == {"user": "Hi", "system": "Be kind.", "subject": "x"}
    assert one.turns == (("Hello", "My coat"), ("Yes?", "tore")) and one.expected == "Sorry!"
    assert two.turns == (("Hello", "My coat"),) and two.values["system"] == ""
    assert len({one.key, two.key, three.key}) == 3
    assert one.asked.splitlines()[-4:] == [
        "answer: Hello",
        "reply: My coat",
        "answer: Yes?",
        "reply: tore",
    ]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (chat("u:Hi", "a:Hello", "u:Bye"), "line 2: the chat does not end with an answer."),
        (chat("u:Hi", "u:You", "a:Hello"), "line 2: message 2 is the user's, not the assistant's"),
        (chat("s:x", "a:Hi", "a:Hello"), "line 2: message 2 is the assistant's, not the user's"),
        (chat("u:Hi", "a:x", "s:y", "u:z", "a:w"), "line 2: message 3 is the system's, not the user"),
        (chat("a:Hello"), "line 2: the chat does not end with an answer to a user"),
        (chat("s:x", "a:Hello"), "line 2: the chat does not end with an answer to a user"),
        (chat("u:Hi", "a:x", "a:y"), "line 2: the chat does not end with an answer to a user"),
        ('{"messages": []}', "line 2: messages must be a list of objects"),
    ],
)  # fmt: skip
def test_a_chat_that_asks_nothing_is_told_with_its_line(
    tmp_path: Path, row: str, said: str
) -> None:
    (tmp_path / "x.jsonl").write_text(chat("u:Hi", "a:Hello") + "\n" + row)
    suite = read(tmp_path, 'dataset = "x.jsonl"\n[[checks]]\ncheck = "exact"')
    with pytest.raises(MISTAKES, match=said):
        suite_rows(suite)


@pytest.mark.parametrize(
    ("dataset", "said"),
    [
        ('where = { kin = "a" }', "line 3: .*has no column kin in line 1; did you mean kind"),
        ('where = { kind = "c" }', "line 3: .*has no rows that are asked for"),
        (
            'sample = 3\ntags = "nothing"',
            "line 4: .*has no column nothing in line 1; it has review",
        ),
        (
            'columns = { x = "revue" }',
            "line 3: .*has no column revue in line 1; did you mean review",
        ),
    ],
)
def test_columns_there_are_not_are_told(folder: Path, dataset: str, said: str) -> None:
    text = f'[dataset]\nfile = "rows.jsonl"\n{dataset}\n[[checks]]\ncheck = "exact"'
    with pytest.raises(CompareError, match=said):
        suite_rows(read(folder, text))


def test_what_nothing_is_compared_with_is_told_before_it_is_run(tmp_path: Path) -> None:
    (tmp_path / "ask.toml").write_text('user = "{{ text }}"')
    (tmp_path / "rows.csv").write_text("text,label\nfine,good\nso so,\n")
    text = '[dataset]\nfile = "rows.csv"\n%s[[variants]]\nprompt = "ask.toml"\n'
    text += '[[checks]]\ncheck = "length"\nmost = 5\n[[checks]]\ncheck = "one-of"\nlabels = ["good", "bad"]\n'
    with pytest.raises(CompareError, match=r"line 8: one-of compares .* expected = .label. "):
        planning.plan_of(read(tmp_path, text % ""), Defaults(), ModelSettings())
    suite = read(tmp_path, text % 'columns = { expected = "label" }\n')
    assert {it.expected for it in suite_rows(suite)} == {
        "good",
        None,
    }  # an empty cell expects nothing


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("prompt = 'suport'", "suite.toml, line 7: there is no prompt called suport; did you mean"),
        ("prompt = 'support'\nadapter = 'suport'", "suite.toml, line 7: .*did you mean support"),
        ("prompt = 'support'\nmodel = 'nothing'", "suite.toml, line 7: No model or file is called"),
        ("prompt = './no.toml'", "line 7: there is no prompt file at .*/no.toml"),
        ("prompt = 'support'\nadapter = 'sub/no.gguf'", "line 7: .*/sub/no.gguf does not exist"),
        ("adapter = 'support'", "line 7: Variant B has no prompt"),
    ],
)
def test_a_variant_that_cannot_be_is_told_with_its_line(folder: Path, text: str, said: str) -> None:
    suite = read(folder, LEAST + "[[variants]]\nprompt = 'ask.toml'\n\n[[variants]]\n" + text)
    with pytest.raises(CompareError, match=said) as caught:
        suite_variants(suite, Defaults())
    assert str(folder) in str(caught.value) and "\n" not in str(caught.value)


def test_what_the_command_line_says_wrong_is_no_fault_of_the_suite(folder: Path) -> None:
    suite = read(folder, LEAST + "[[variants]]\nprompt = 'ask.toml'\n")
    with pytest.raises(ModelError) as caught:
        suite_variants(suite, Defaults(model="nothing"))
    assert "suite.toml" not in str(caught.value)
    (found,) = suite_variants(suite, Defaults(adapters=("support@0.5",)))
    assert found.stack == "support@0.5" and found.prompt.name == "Ask"


def test_a_judge_that_is_not_there_is_told_with_its_line(folder: Path) -> None:
    judge = '[[checks]]\ncheck = "judge"\nrubric = "x"\nadapter = "nothing"'
    with pytest.raises(CompareError, match="line 4: No adapter or file is called 'nothing'"):
        suite_judges(read(folder, LEAST + judge), Defaults())


def test_requirements_are_held_against_the_variants(folder: Path) -> None:
    text = (
        LEAST + "[[variants]]\nlabel = 'x'\nprompt = 'support'\n[[require]]\nthat = 'y.score > 0'"
    )
    suite = read(folder, text)
    with pytest.raises(CompareError, match=r"line 7: 'y\.score > 0'.*no variant y"):
        check_requirements(suite, suite_variants(suite, Defaults()))


GENERAL = ("general", "instructions")
SHIPPED_ROWS = {
    "french": 240,
    "general": 249,
    "instructions": 56,
    "intake": 240,
    "sentiment": 500,
    "support": 240,
}


def test_suites_ship_with_rows_and_variants() -> None:
    assert [path.stem for path in shipped_suites()] == [*SHIPPED_ROWS]
    for path in shipped_suites():
        suite = parse_suite(path.read_text(), path)
        variants = suite_variants(suite, Defaults())
        check_requirements(suite, variants)
        assert len({it.stack for it in variants}) == (5 if path.stem in GENERAL else 2)
        assert len(suite_rows(suite)) == SHIPPED_ROWS[path.stem]
        assert find_suite(path.stem) == path
        assert suite.repeats == (3 if path.stem == "support" else 1)
        assert not any(".score" in it.text for it in suite.require), "met by luck"
    with pytest.raises(CompareError, match="did you mean support"):
        find_suite("suport")


def test_checks_are_what_their_tables_say(folder: Path) -> None:
    suite = read(
        folder,
        'dataset = "rows.jsonl"\n[[checks]]\ncheck = "one-of"\nlabels = ["a", "b"]\nweight = 2\n'
        '[[checks]]\ncheck = "length"\nname = "short"\nmost = 5\nunit = "tokens"\nweight = 0',
    )
    assert [it.name for it in suite.checks] == ["one-of", "short"]
    assert suite.checks[0].check == OneOf(("a", "b")) and suite.checks[0].weight == 2
    assert suite.checks[1].check == Length(0, 5, "tokens") and suite.checks[1].weight == 0
