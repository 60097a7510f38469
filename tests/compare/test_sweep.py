"""Sweeps: what is read from --over, the variants it makes, and what is said of their outputs."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.run import Output, Run
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.sweep import Axis, parse_axis, points, swept
from llamadiff.compare.variants import Variant
from llamadiff.models.errors import ModelError

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")


def variant(*adapters: str) -> Variant:
    (made,) = make_variants(Defaults(None, "tell-me-about", adapters), [])
    return made


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("scale=0:1.5:0.25", (0, 0.25, 0.5, 0.75, 1, 1.25, 1.5)),
        ("scale=0:1:0.1", (0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 1)),
        ("x=1:0:-0.5", (1, 0.5, 0)),
        ("x=0:1:0.4", (0, 0.4, 0.8)),
        ("x=2:2:1", (2,)),
        (" temperature = 0, 0.5,1", (0, 0.5, 1)),
    ],
)
def test_ranges_have_both_ends(text: str, values: tuple[float, ...]) -> None:
    axis = parse_axis(text)
    assert axis.name == text.partition("=")[0].strip() and axis.values == values


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("scale", "not NAME=VALUES"),
        ("=1,2", "not NAME=VALUES"),
        ("scale=0:1", "three parts"),
        ("1=0:0.1", "has 2"),
        ("scale=0:1:0", "step is 0"),
        ("scale=1:0:0.1", "do not lead from 1 to 0"),
        ("scale=a,b", "'a' is not a number"),
        ("scale=0,nan", "has to be a number"),
        ("scale=0,inf", "has to be a number"),
        ("scale=0:inf:1", "inf is too large"),
        ("scale=0:1:0.001", "1,001 values"),
        ("scale=1,1", "twice"),
    ],
)
def test_what_is_no_range_is_said(text: str, says: str) -> None:
    with pytest.raises(CompareError, match=says):
        parse_axis(text)


def test_scales_adapters_and_settings_are_swept() -> None:
    scaled = swept(variant("support"), Axis("scale", (0.0, 0.5)))
    assert [(it.name, it.label, it.stack) for it in scaled] == [
        ("A", "scale 0", "support@0"), ("B", "scale 0.5", "support@0.5"),
    ]  # fmt: skip
    named = swept(variant("support", "sentiment@0.3"), Axis("sentiment", (1.0,)))
    assert named[0].stack == "support@1+sentiment@1"
    counted = swept(variant(), Axis("top_k", (1.0, 40.0)))
    assert [it.sampling["top_k"] for it in counted] == [1, 40]


def test_what_cannot_be_swept_is_said() -> None:
    with pytest.raises(CompareError, match="add one with -a"):
        swept(variant(), Axis("scale", (1.0,)))
    with pytest.raises(CompareError, match="--over support="):
        swept(variant("support", "sentiment"), Axis("scale", (1.0,)))
    with pytest.raises(CompareError, match="did you mean temperature"):
        swept(variant(), Axis("temperatur", (1.0,)))
    for axis in (Axis("top_k", (0.5,)), Axis("top_p", (2.0,))):
        with pytest.raises(ModelError, match=axis.name):
            swept(variant(), axis)
    with pytest.raises(ModelError, match="scale"):
        swept(variant("support"), Axis("scale", (1e9,)))


def test_outputs_are_counted_by_their_text() -> None:
    axis = Axis("temperature", (0.0, 1.0))
    variants = swept(variant(), axis)
    texts = {"A": ["a b", "a b", "a b"], "B": ["a b", "a c", "a c"]}
    outputs = [
        Output(it, i, i, text=text, tokens=[1] * len(text))
        for it in variants
        for i, text in enumerate(texts[it.name])
    ]
    first, second = points(Run(tuple(variants), {}, outputs=outputs), axis)
    assert [(it.count, it.output.text) for it in first.groups] == [(3, "a b")]
    assert first.similarity == 1.0 and first.words == 2 and first.tokens == 3
    assert [(it.count, it.output.text) for it in second.groups] == [(2, "a c"), (1, "a b")]
    assert second.groups[0].output.repeat == 1
    assert 0.3 < second.similarity < 1.0


def llamadiff(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LLAMADIFF, "sweep", *arguments], capture_output=True, text=True, timeout=120,
        env=os.environ,
    )  # fmt: skip


def test_the_command_prints_a_line_for_each_value_and_a_document() -> None:
    asked = ("-p", "support", "-a", "support", "--over", "scale=0:1:0.5", "--set", "max_tokens=12")
    done = llamadiff(*asked, "--texts")
    lines = done.stdout.splitlines()
    assert [line.split()[0] for line in lines[:4]] == ["SCALE", "0", "0.5", "1"]
    assert "── scale 0.5 · 1 of 1 ──" in lines
    document = json.loads(llamadiff(*asked, "--repeat", "2", "--json").stdout)
    assert document["sweep"]["over"] == "scale" and len(document["variants"]) == 3
    assert [sum(it["count"] for it in p["distinct"]) for p in document["sweep"]["points"]] == [
        2
    ] * 3
    assert document["variants"][1]["adapters"][0]["scale"] == 0.5


def test_mistakes_are_one_line() -> None:
    for arguments, says in (
        (("-p", "support", "--over", "scale=0,1"), "add one with -a"),
        (("-p", "support", "--variant", "label=x", "--over", "seed=0,1"), "one variant"),
    ):
        done = llamadiff(*arguments)
        assert done.returncode == 2 and says in done.stderr and not done.stdout
