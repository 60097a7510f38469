"""`llamadiff lens`: rounding, figures for a table, and where two outputs part."""

import csv
import json

from llamadiff.compare.diff.divergence import first_token_divergence
from llamadiff.tui.cli.lens import _painted

from .test_cli import llamadiff
from .test_heat import token

BOTH = ("-p", "tell-me-about", "--set", "max_tokens=40", "--variant", "adapter=none")
TUNED = (*BOTH, "--variant", "adapter=support")


def test_what_is_rounding_is_told_and_not_marked() -> None:
    text = (
        "--text",
        "Dogs are loyal companions that live with people and guard their homes. " * 20,
    )
    document = json.loads(llamadiff("lens", *TUNED, *text, "--json").stdout)
    assert 0 < document["rounding"] < max(abs(it["delta"]) for it in document["tokens"]) / 4
    done = llamadiff("lens", *TUNED, *text)
    assert f"rounding moves one by {document['rounding']:.2g} at most" in done.stderr
    assert "rounding moves nothing" in llamadiff("lens", *TUNED, *text, "--exact").stderr
    likelier = token("x", a=-1.0, b=-0.8)
    assert _painted("x", likelier, 0.1) == "{+x}" and _painted("x", likelier, 0.25) == "x"


def test_figures_are_printed_for_a_table() -> None:
    document = json.loads(llamadiff("lens", *TUNED, "--json").stdout)
    rows = list(csv.DictReader(llamadiff("lens", *TUNED, "--csv").stdout.splitlines()))
    assert [float(row["delta"]) for row in rows] == [it["delta"] for it in document["tokens"]]
    done = llamadiff("lens", *TUNED, "--csv", "--json")
    assert (done.returncode, done.stdout) == (2, "")


def test_where_two_outputs_part_is_told_with_what_either_prefers() -> None:
    run = json.loads(llamadiff("run", *TUNED, "--json").stdout)
    one, two = (it["outputs"][0]["tokens"] for it in run["variants"])
    document = json.loads(llamadiff("lens", *TUNED, "--part", "--json").stdout)
    parting = document["parting"]
    assert parting["index"] == first_token_divergence(one, two)
    assert [it["token"] for it in parting["tokens"]] == [one[parting["index"]], two[parting["index"]]]  # fmt: skip
    for side, preference in enumerate(parting["preferences"]):
        first, second = (it["logprobs"][side] for it in parting["tokens"])
        assert preference["gap"] == first - second
    done = llamadiff("lens", *TUNED, "--part")
    assert f"They part at token {parting['index'] + 1}: A says" in done.stdout, done.stderr
    assert "times as likely" in done.stdout or "toss-up" in done.stdout
    same = llamadiff("lens", *BOTH, "--variant", "label=y", "--part")
    assert "A and B say the same" in same.stdout, same.stderr
    cut = llamadiff("lens", *BOTH, "--variant", "max_tokens=3", "--part")
    assert "They part at token 4: B was cut off at its length limit, A goes on" in cut.stdout
    done = llamadiff("lens", *TUNED, "--part", "--text", "Dogs")
    assert done.returncode == 2 and "leave out the text" in done.stderr
