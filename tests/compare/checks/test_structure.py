"""Patterns and JSON, also those that would take for ever or all memory."""

import socket
import time

import pytest

from llamadiff.compare.checks.result import Answer, Result
from llamadiff.compare.checks.structure import Json, Pattern, Schema, helper
from llamadiff.prompts.rendering.limits import DEADLINE_S


def check(schema: object, text: str) -> Result:
    return Schema(schema)(Answer(text))  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(a+)+$", "a" * 40 + "b"),
        (r"(a|aa)+$", "a" * 60 + "b"),
        (r"(x+x+)+y", "x" * 5_000),
        (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 60),
    ],
    ids=["nested", "alternatives", "neighbours", "words"],
)
def test_a_pattern_without_end_is_stopped(pattern: str, text: str) -> None:
    Pattern("a")(Answer("a"))
    began = time.monotonic()
    found = Pattern(pattern)(Answer(text))
    assert time.monotonic() - began < 10 * DEADLINE_S
    assert found.score is None
    assert found.reason == "could not be checked: the check took longer than 0.9 s and was stopped"
    assert Pattern("b")(Answer("abc")) == Result(1.0, "matches with “b”")


@pytest.mark.parametrize("pattern", ["(", "a{999999999999}", "(" * 3000 + ")" * 3000, "(?P<1>a)"])
def test_a_pattern_that_is_none_has_a_reason(pattern: str) -> None:
    found = Pattern(pattern)(Answer("a"))
    assert found.score is None and found.reason.startswith("could not be checked: ")


def test_a_helper_that_was_ended_is_started_again() -> None:
    Pattern("a")(Answer("a"))
    first = helper().pid
    helper().close()
    assert Pattern("a")(Answer("a")).score == 1 and helper().pid != first


@pytest.mark.parametrize("text", ["{}", " [1, 2.5e3, null] ", '"a"', "true", "9" * 5000])
def test_json(text: str) -> None:
    assert Json()(Answer(text)) == Result(1.0, "is JSON")


@pytest.mark.parametrize(
    "text", ["", "NaN", "{'a': 1}", "```json\n{}\n```", "[" * 100_000, '{"a": Infinity}', "{} {}"]
)
def test_what_is_not_json_says_why(text: str) -> None:
    found = Json()(Answer(text))
    assert found.score == 0 and found.reason.startswith("is not JSON: ")


PERSON = {
    "type": "object",
    "required": ["name", "age"],
    "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
    "additionalProperties": False,
}


def test_json_by_a_schema() -> None:
    assert check(PERSON, '{"name": "Ada", "age": 36}') == Result(1.0, "fits the schema")
    for text, says in (
        ('{"name": "Ada"}', "'age' is a required property"),
        ('{"name": "Ada", "age": -1}', "$.age: -1 is less than the minimum of 0"),
        ("Ada", "is not JSON"),
    ):
        found = check(PERSON, text)
        assert found.score == 0 and says in found.reason
    assert check(True, "1").score == 1 and check(False, "1").score == 0


def test_schemas_that_cannot_be_used_have_a_reason() -> None:
    for schema, says in (
        ({"type": "thing"}, "the schema is not valid"),
        ({"$ref": "https://example.com/schema.json"}, "could not be checked: "),
        ({"$ref": "#"}, "nested too deeply"),
        ({"$ref": "#/nowhere"}, "could not be checked: "),
        ({"pattern": "("}, "could not be checked: "),
    ):
        found = check(schema, '"a"')
        assert found.score is None and says in found.reason, schema


def test_a_schema_is_never_looked_up_on_the_network() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setblocking(False)
        port = server.getsockname()[1]
        found = check({"$ref": f"http://127.0.0.1:{port}/schema.json"}, "1")
        assert found.score is None and "took longer" not in found.reason
        with pytest.raises(BlockingIOError):
            server.accept()


def test_a_schema_without_end_is_stopped() -> None:
    found = check({"pattern": "(a|aa)+$"}, '"' + "a" * 60 + 'b"')
    assert found.score is None and "took longer than" in found.reason


def test_a_row_may_bring_its_own_pattern() -> None:
    assert Pattern(whole=True)(Answer("ABC", expected="[A-Z]+")).score == 1
    assert Pattern(whole=True)(Answer("Abc", expected="[A-Z]+")).score == 0
    assert Pattern("b")(Answer("abc", expected="x")).score == 1
    assert Pattern()(Answer("abc")).score is None
