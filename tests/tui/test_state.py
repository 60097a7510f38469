"""The playground's state: variants, shared prompts, scales, undo, and what is out of date."""

from dataclasses import replace
from pathlib import Path

import pytest

from llamadiff.compare.run import Output, State, new_run
from llamadiff.prompts.document import Message, Prompt, Variable
from llamadiff.tui.comparison import Comparison
from llamadiff.tui.parts import parts_of, with_part
from llamadiff.tui.state import Playground

from .app import said, setup, three_variants


@pytest.fixture
def state(tmp_path: Path) -> Playground:
    return Playground(setup(tmp_path, three_variants()))


def edit(state: Playground, user: str) -> list[str]:
    assert state.current is not None
    return state.edit_prompt(replace(state.current.prompt, user=user))


def test_the_first_variant_is_baseline_and_selected(state: Playground) -> None:
    assert (state.selected, state.baseline, state.names) == ("A", "A", ["A", "B", "C"])


def test_an_edit_is_for_every_variant_that_shares_the_prompt(state: Playground) -> None:
    assert edit(state, "Say {{ topic }}.") == ["A", "C"]
    assert [v.prompt.user == "Say {{ topic }}." for v in state.variants] == [True, False, True]
    assert state.documents.edited(state.variants[0])
    assert not state.documents.edited(state.variants[1])


def test_a_forked_prompt_is_edited_alone(state: Playground) -> None:
    assert state.fork_prompt() is not None
    assert edit(state, "Say {{ topic }}.") == ["A"]
    assert state.variants[2].prompt.user == "Tell me about {{ topic }}."
    assert state.fork_prompt() is None


def test_a_copy_takes_the_first_free_name_and_is_selected(state: Playground) -> None:
    state.selected = "B"
    state.remove()
    assert state.names == ["A", "C"]
    assert state.selected == "C"
    copy = state.add()
    assert copy is not None and copy.name == state.selected == "B"
    assert copy.adapters == state.variants[1].adapters


def test_the_last_variant_cannot_be_removed(state: Playground) -> None:
    state.remove()
    state.remove()
    assert state.remove() is None
    assert len(state.variants) == 1


def test_removing_the_baseline_makes_the_first_one_it(state: Playground) -> None:
    state.remove()
    assert state.baseline == "B"


def test_undo_takes_back_changes_of_the_list_but_never_what_was_written(
    state: Playground,
) -> None:
    state.remove()
    state.selected = "C"
    edit(state, "Written since.")
    assert state.undo()
    assert state.names == ["A", "B", "C"]
    assert state.baseline == "A"
    assert state.variants[0].prompt.user == state.variants[2].prompt.user == "Written since."
    assert not state.undo()


def test_a_new_variant_has_nothing_of_a_deleted_one(state: Playground) -> None:
    state.selected = "B"
    state.outputs["B"] = said(state.variants[1], "old")
    state.started(new_run(state.variants[1:2], {}), None)
    state.remove()
    state.add()
    assert state.selected == "B"
    assert state.shown("B") is None
    assert not state.stale("B")


def test_undo_brings_a_variant_back_with_what_it_said(state: Playground) -> None:
    state.selected = "B"
    old = state.outputs["B"] = said(state.variants[1], "old")
    state.started(new_run(state.variants[1:2], {}), None)
    state.remove()
    state.add()
    state.outputs["B"] = said(state.variants[1], "new")
    assert state.undo() and state.undo()
    assert state.shown("B") is old
    state.values["aspect"] = "history"
    assert state.stale("B")


def test_choosing_a_baseline_is_a_step_of_its_own(state: Playground) -> None:
    state.selected = "C"
    state.rescale(0.1)
    state.choose_baseline()
    assert state.undo()
    assert (state.baseline, state.variants[2].stack) == ("A", "support@1.1")
    state.choose_baseline()
    state.rescale(0.1)
    assert state.undo()
    assert (state.baseline, state.variants[2].stack) == ("C", "support@1.1")


def test_prompts_that_come_to_be_equal_are_still_edited_apart(state: Playground) -> None:
    original = state.variants[0].prompt
    assert edit(state, "Say {{ topic }}.") == ["A", "C"]
    state.update(replace(state.variants[1], prompt=original))
    assert edit(state, original.user) == ["A", "C"]
    assert state.variants[0].prompt == state.variants[1].prompt
    assert edit(state, "Say more.") == ["A", "C"]
    assert state.variants[1].prompt == original


def test_a_variant_given_the_prompt_of_another_shares_it(state: Playground) -> None:
    state.update(replace(state.variants[1], prompt=state.variants[0].prompt))
    assert edit(state, "Say {{ topic }}.") == ["A", "B", "C"]
    state.undo()
    assert [v.prompt.user == "Say {{ topic }}." for v in state.variants] == [True, False, True]


def test_scales_change_by_steps_without_noise_and_stay_in_range(state: Playground) -> None:
    assert state.rescale(0.1) is None, "the base alone has no scale"
    state.selected = "C"
    for _ in range(3):
        state.rescale(-0.1)
    assert state.variants[2].stack == "support@0.7"
    for _ in range(200):
        state.rescale(0.1)
    assert state.variants[2].adapters[-1].scale == 10.0


def test_what_was_run_goes_stale_when_it_changes(state: Playground) -> None:
    run = new_run(state.variants, {})
    state.started(run, None)
    assert not any(state.stale(name) for name in state.names)
    state.selected = "C"
    state.rescale(0.1)
    assert [state.stale(name) for name in state.names] == [False, False, True]
    state.rescale(-0.1)
    assert not state.stale("C")
    state.values["aspect"] = "history"
    assert [state.stale(name) for name in state.names] == [False, True, False]
    state.values.clear()
    state.update(replace(state.variants[0], label="plain"))
    assert not state.stale("A"), "a label asks nothing else"
    state.exact = True
    assert all(state.stale(name) for name in state.names)


def test_the_old_text_is_shown_until_the_new_one_speaks(state: Playground) -> None:
    old = said(state.variants[0], "old")
    state.outputs["A"] = old
    run = new_run(state.variants[:1], {})
    state.started(run, None)
    new: Output = run.outputs[0]
    assert state.shown("A") is old
    new.state, new.text = State.STREAMING, "n"
    assert state.shown("A") is new


def test_a_failed_run_keeps_the_old_text(state: Playground) -> None:
    state.outputs["A"] = old = said(state.variants[0], "old")
    run = new_run(state.variants[:1], {})
    state.started(run, None)
    run.outputs[0].state = State.FAILED
    assert state.shown("A") is old
    again = new_run(state.variants[:1], {})
    state.started(again, None)
    assert state.shown("A") is old


def test_each_prompt_is_given_its_own_values(state: Playground) -> None:
    state.values.update(topic="cats", aspect="history")
    plain, article, _ = map(state.values.filled, state.variants)
    assert [v.default for v in plain.prompt.variables] == ["cats"]
    assert {v.name: v.default for v in article.prompt.variables} == {
        "topic": "cats", "aspect": "history",
    }  # fmt: skip


def test_a_variant_may_have_a_value_of_its_own(state: Playground) -> None:
    topic = Variable("topic", "dogs")
    state.update(replace(state.variants[2], values={"topic": "tea"}))
    state.started(new_run(state.variants, {}), None)
    assert state.give_value("topic", "cats") == ["A", "B"]
    assert [state.values.of(it, topic) for it in state.variants] == ["cats", "cats", "tea"]
    assert not state.stale("C") and state.stale("A")
    state.selected = "C"
    assert state.give_value("topic", "tea") == []
    assert state.give_value("topic", "milk") == ["C"]
    assert state.stale("C") and state.values["topic"] == "cats"
    assert state.values.missing(replace(state.variants[2], prompt=Prompt("X"))) == frozenset()


def test_a_variable_that_is_only_used_can_have_a_value(state: Playground) -> None:
    edit(state, "{{ topic }} in {{ place }}")
    prompt = state.variants[0].prompt
    state.values.set_used(prompt, ("topic", "place"))
    assert [v.name for v in state.values.variables(prompt)] == ["topic", "place"]
    assert [v.name for v in state.values.filled(state.variants[0]).prompt.variables] == ["topic"]
    state.values["place"] = "Rome"
    assert state.values.filled(state.variants[0]).prompt.variables[-1] == Variable("place", "Rome")


def test_parts_are_system_and_user_or_each_message() -> None:
    prompt = Prompt("p", system="s", user="u")
    assert [(part.key, part.text) for part in parts_of(prompt)] == [("system", "s"), ("user", "u")]
    assert with_part(prompt, "user", "x") == Prompt("p", system="s", user="x")
    chat = Prompt("p", messages=(Message("system", "a"), Message("user", "b")))
    assert [part.title for part in parts_of(chat)] == ["System", "User"]
    changed = with_part(chat, parts_of(chat)[1].key, "c")
    assert changed.messages == (Message("system", "a"), Message("user", "c"))


def test_the_first_differing_token_is_found_while_both_grow(state: Playground) -> None:
    base, other = (new_run(state.variants[:1], {}).outputs[0] for _ in range(2))
    comparison = Comparison(base, other, "words")
    for tokens in ([1, 2], [3]):
        base.tokens += tokens
        assert comparison.first_token is None
        other.tokens += tokens
        assert comparison.first_token is None
    base.tokens += [4, 5]
    other.tokens += [4, 6, 7]
    assert comparison.first_token == 4


def test_where_one_output_ends_earlier_they_part(state: Playground) -> None:
    base, other = (new_run(state.variants[:1], {}).outputs[0] for _ in range(2))
    comparison = Comparison(base, other, "words")
    base.tokens, other.tokens = [1, 2], [1, 2, 3]
    assert comparison.first_token is None
    base.state = other.state = State.DONE
    assert comparison.first_token == 2
