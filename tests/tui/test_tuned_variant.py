"""The variant that learns: it goes along with the checkpoints and leaves all others alone."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.prompts.library import resolve
from llamadiff.tui.state import Playground
from llamadiff.tui.tuned_variant import TunedVariant

from .app import MODEL, setup, three_variants

FIRST, SECOND = Path("/work/step-000010.gguf"), Path("/work/step-000020.gguf")


@pytest.fixture
def playground(tmp_path: Path) -> Playground:
    it = Playground(setup(tmp_path, three_variants()))
    it.selected = "B"
    return it


def test_it_is_asked_what_a_variant_with_its_prompt_is_else_what_is_held_out(
    playground: Playground,
) -> None:
    before, article = [*playground.variants], resolve("informative-article")
    assert TunedVariant(playground, "mine").add(MODEL, "demo-7m", article, {"review": "Nice."})
    alike = playground.get("D")
    assert alike is not None and alike.values == {} and alike.prompt == article
    assert (alike.title, alike.adapters) == ("tuning", ()) and playground.selected == "B"
    other = TunedVariant(playground, "mine")
    assert other.add(MODEL, "demo-7m", resolve("sentiment"), {"review": "Nice."})
    made = playground.get(other.variant)
    assert made is not None and made.values == {"review": "Nice."}
    assert made.prompt.name == "Sentiment" and playground.selected == "B" and other.apart
    assert playground.variants[:3] == before
    assert playground.undo() and playground.undo() and playground.variants == before


def test_it_is_asked_what_the_baseline_is_where_that_has_its_variables(
    playground: Playground,
) -> None:
    prompt = resolve("sentiment")
    playground.variants = [
        replace(it, prompt=replace(prompt, name="Mine"), values={"review": "Bad.", "other": "x"})
        if it.name == playground.baseline
        else it
        for it in playground.variants
    ]
    it = TunedVariant(playground, "mine")
    assert it.add(MODEL, "demo", prompt, {"review": "Nice."}) and not it.apart
    made = playground.get(it.variant)
    assert made is not None and made.prompt == prompt and made.values == {"review": "Bad."}


def test_it_follows_the_checkpoints_with_its_scale_its_copies_and_undo(
    playground: Playground,
) -> None:
    others = [*playground.variants]
    it = TunedVariant(playground, "mine")
    assert it.add(MODEL, "demo-7m", None, {})
    assert it.follow(FIRST, "step 10") == ["D"]
    playground.selected = "D"
    playground.rescale(-0.5)
    playground.add()
    playground.selected = "E"
    playground.remove()
    assert it.follow(SECOND, "step 20") == ["D"]
    made = playground.get("D")
    assert made is not None and made.label == "step 20"
    assert [(a.name, a.path, a.scale) for a in made.adapters] == [("mine", SECOND, 0.5)]
    assert playground.undo()  # what it brings back has the newest adapter too
    copy = playground.get("E")
    assert copy is not None and copy.adapters[0].path == SECOND
    playground.update(replace(made, label="best so far"))
    assert it.follow(Path("/adapters/mine.gguf"), "mine") == ["D", "E"]
    named = playground.get("D")
    assert named is not None and named.label == "best so far"
    assert playground.variants[:3] == others


def test_one_that_was_removed_stays_away_and_without_a_name_there_is_none(
    playground: Playground,
) -> None:
    it = TunedVariant(playground, "mine")
    assert it.add(MODEL, "demo-7m", None, {})
    playground.selected = "D"
    playground.remove()
    assert it.follow(FIRST, "step 10") == [] and len(playground.variants) == 3
    while playground.add() is not None:
        pass
    assert not TunedVariant(playground, "mine").add(MODEL, "demo-7m", None, {})
