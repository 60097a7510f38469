"""Variants from words."""

from pathlib import Path

import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.spec import Defaults, make_variants, parse_spec, with_values
from llamadiff.models.errors import ModelError
from llamadiff.prompts.errors import PromptError

DEFAULTS = Defaults(prompt="tell-me-about")


def test_one_variant_of_the_defaults_alone(base: Path) -> None:
    (variant,) = make_variants(Defaults(None, "tell-me-about", ("support@0.5",)), [])
    assert (variant.name, variant.model, variant.stack) == ("A", base, "support@0.5")


def test_listed_variants_replace_the_default_one_and_inherit_from_it() -> None:
    defaults = Defaults(None, "tell-me-about", ("support",), {"temperature": "0.1"})
    a, b = make_variants(
        defaults, ["label=tuned,adapter=support@0.8+sentiment@0.3,top_k=5", "adapter=none,seed=3"]
    )
    assert (a.name, a.label, a.stack) == ("A", "tuned", "support@0.8+sentiment@0.3")
    assert a.sampling == {"temperature": 0.1, "top_k": 5}
    assert (b.stack, b.sampling["seed"]) == ("base", 3)


def test_an_adapter_path_may_hold_an_at_sign(support: Path, tmp_path: Path) -> None:
    odd = tmp_path / "me@home.gguf"
    odd.write_bytes(support.read_bytes())
    (variant,) = make_variants(DEFAULTS, [f"adapter={odd}"])
    assert variant.adapters[0].path == odd and variant.adapters[0].scale == 1


@pytest.mark.parametrize(
    ("spec", "error", "says"),
    [
        ("label", CompareError, "key=value"),
        ("label=a,label=b", CompareError, "twice"),
        ("warmth=3", CompareError, "not a sampling setting"),
        ("scale=0.5", CompareError, "as adapter=support@0.5 in --variant"),
        ("prompt=What is a dog?", CompareError, "'What is a dog\\?' is neither .* with --user"),
        ("prompt=1 / 2 is", CompareError, "neither a prompt's name nor a file"),
        pytest.param(f"prompt={'w ' * 4000}", CompareError, "a prompt's name nor", id="long"),
        ("adapter=suport", ModelError, "support"),
        ("adapter=support@loud", CompareError, "not a scale"),
        ("model=/nowhere.gguf", ModelError, "nowhere"),
        ("prompt=tell-me-abot", PromptError, "tell-me-about"),
    ],
)
def test_wrong_specs_are_refused_in_words(spec: str, error: type[Exception], says: str) -> None:
    with pytest.raises(error, match=says):
        make_variants(DEFAULTS, [spec])


def test_variants_are_made_for_every_combination_of_values() -> None:
    specs = ["label=plain", "prompt=support"]
    variants = make_variants(Defaults(prompt="tell-me-about"), specs)
    topics = {"topic": ["dogs", "tea"]}
    made = with_values(variants, topics, {})
    assert [(it.name, it.title, dict(it.values)) for it in made] == [
        ("A", "plain · topic=dogs", {"topic": "dogs"}),
        ("B", "plain · topic=tea", {"topic": "tea"}),
        ("C", "Support · base", {}),
    ]
    with pytest.raises(PromptError, match="no prompt has a variable tropic; did you mean topic"):
        with_values(variants, {"tropic": ["x"]}, {})
    assert len(with_values(variants, {"tropic": ["x", "y"]}, {"Support": ["tropic"]})) == 3
    with pytest.raises(CompareError, match="31 combinations are too many; at most 26"):
        with_values(variants, {"topic": list(map(str, range(30)))}, {})


def test_a_variant_needs_a_prompt() -> None:
    with pytest.raises(CompareError, match="no prompt"):
        make_variants(Defaults(), [])


def test_a_text_of_ones_own_needs_no_prompt_and_replaces_its_last_word(tmp_path: Path) -> None:
    (alone,) = make_variants(Defaults(user="What is a dog?"), [])
    assert [text for *_, text in alone.prompt.text_fields()] == ["What is a dog?"]
    chat = tmp_path / "chat.toml"
    chat.write_text(
        'name = "chat"\n[[messages]]\nrole = "assistant"\ncontent = "Yes?"\n'
        '[[messages]]\nrole = "user"\ncontent = "Hm."\n'
    )
    a, b = make_variants(Defaults(user="Hi."), ["prompt=support-engineered", f"prompt={chat}"])
    assert a.prompt.system and a.prompt.user == "Hi."
    assert [message.content for message in b.prompt.messages] == ["Yes?", "Hi."]
    assert not b.prompt.user
    with pytest.raises(CompareError, match="--user is empty"):
        make_variants(Defaults(prompt="support", user=" "), [])


def test_values_may_hold_equals_signs() -> None:
    assert parse_spec("label=a=b") == {"label": "a=b"}
