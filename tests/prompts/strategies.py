"""Prompts of every kind, for property tests."""

from __future__ import annotations

from hypothesis import strategies as st

from llamadiff.prompts.document import (
    RESERVED,
    Example,
    Message,
    OutputRules,
    Prompt,
    Variable,
)

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=40) | st.text(
    st.sampled_from("ab\n\r\t\\\"'{}[]#= \x00\x7f\u2028é"), max_size=20
)
some_text = texts.map(lambda text: text or "u")
_visible = st.characters(categories=["L", "N", "P", "S"]) | st.just(" ")
lines = st.text(_visible, max_size=20).map(lambda text: f"{text}.")
scalars = (
    st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | texts
)
data = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=5,
)
names = st.from_regex(r"[a-z_][a-z0-9_]{0,6}", fullmatch=True).filter(
    lambda name: name not in RESERVED
)
variables = st.lists(
    st.builds(Variable, names, st.none() | texts, texts),
    max_size=3,
    unique_by=lambda variable: variable.name,
).map(tuple)
grammars = texts.map(lambda text: f"root ::= {text}")
stops = st.lists(some_text, max_size=3).map(tuple)
outputs = st.builds(OutputRules, stops, st.none() | grammars) | st.builds(
    OutputRules, stops, schema=st.none() | st.dictionaries(texts, data, max_size=3)
)
roles = st.sampled_from(["user", "assistant"])
turns = st.lists(st.builds(Message, roles, texts), max_size=2)
tags = st.lists(lines, max_size=3, unique=True).map(tuple)
examples = st.lists(st.builds(Example, texts, texts), max_size=2).map(tuple)


def _prompts(**other: st.SearchStrategy[object]) -> st.SearchStrategy[Prompt]:
    return st.builds(
        Prompt,
        name=lines,
        description=texts,
        user=some_text,
        prefill=texts,
        variables=variables,
        examples=examples,
        template=st.dictionaries(names.filter(lambda name: name != "name"), data, max_size=3),
        sampling=st.dictionaries(texts, data, max_size=3),
        output=outputs,
        tags=tags,
        **other,
    )


_system_message = st.builds(lambda text, rest: (Message("system", text), *rest), texts, turns)
prompts = _prompts(system=texts, messages=turns.map(tuple)) | _prompts(messages=_system_message)
