"""Versions, snippets and examples, on the real app."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from textual.pilot import Pilot
from textual.widgets import OptionList

from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.compare.variants import Variant
from llamadiff.prompts.document import Example
from llamadiff.prompts.snippets import snippets
from llamadiff.tui.screens.pick_examples import PickExamples
from llamadiff.tui.screens.pick_snippet import PickSnippet
from llamadiff.tui.screens.versions import Versions
from llamadiff.tui.widgets.prompt_editor import PromptEditor

from ..conftest import until
from .app import current_prompt, opened, paste, playground, run_over, screen_text, told


def variants(path: Path) -> list[Variant]:
    return make_variants(Defaults(prompt=str(path)), ["label=one"])


def words(pilot: Pilot[None]) -> str:
    return " ".join(screen_text(pilot).replace("▌", " ").split())


def option_count(pilot: Pilot[None]) -> int:
    return pilot.app.screen.query_one(OptionList).option_count


async def show_versions(pilot: Pilot[None], count: int) -> None:
    await pilot.press("h")
    await until(lambda: isinstance(pilot.app.screen, Versions))
    await until(lambda: option_count(pilot) == count + 1)


def chosen_version(pilot: Pilot[None]) -> int | None:
    return pilot.app.screen.query_one(OptionList).highlighted


async def two_versions(pilot: Pilot[None]) -> None:
    await run_over(pilot, "f5")
    await pilot.press(*" Twice.")
    await until(lambda: current_prompt(pilot).user.endswith("Twice."))
    await run_over(pilot, "f5")
    await pilot.press("escape")


@pytest.mark.parametrize("size", [(120, 40), (80, 24)], ids=str)
async def test_versions_are_listed_compared_named_and_gone_back_to(
    home: Path, mine: Path, size: tuple[int, int]
) -> None:
    async with opened(home, variants(mine), size=size) as pilot:
        if size[0] < 100:
            await pilot.press("e")
        await two_versions(pilot)
        await show_versions(pilot, 2)
        assert words(pilot).count("1 run") == 2
        await until(lambda: chosen_version(pilot) == 2)
        await until(lambda: "user" in screen_text(pilot) and "Twice." in screen_text(pilot))
        assert "from now to " in screen_text(pilot)
        await until(lambda: "A one" in screen_text(pilot).split("run ")[-1])
        await pilot.press("n", *"first", "enter")
        await until(lambda: "from now to first" in screen_text(pilot))
        await pilot.press("space", "up")
        await until(lambda: "from first to " in screen_text(pilot))
        await pilot.press("down", "enter")
        await until(lambda: pilot.app.screen is playground(pilot))
        assert current_prompt(pilot).user == "Say {{ it }}."
        await pilot.press("e", "ctrl+z")
        await until(lambda: current_prompt(pilot).user == "Say {{ it }}. Twice.")
        assert playground(pilot).query_one(PromptEditor).text == "Say {{ it }}. Twice."


async def test_a_prompt_without_versions_says_how_to_have_one(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape")
        await show_versions(pilot, 0)
        await until(lambda: "There is no version yet: run the prompt, or save it." in words(pilot))
        await pilot.press("enter")
        await until(lambda: pilot.app.screen is playground(pilot))


async def test_a_snippet_makes_a_variant_beside_the_old_one(home: Path, mine: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "i")
        await until(lambda: isinstance(pilot.app.screen, PickSnippet))
        await until(lambda: option_count(pilot) == len(snippets()))
        await pilot.press(*"one word")
        await until(lambda: "one word" in words(pilot).casefold())
        snippet = next(it for it in snippets() if it.part.slug == "one-word")
        await until(lambda: snippet.text.split("\n")[0][:30] in words(pilot))
        await pilot.press("enter")
        await until(lambda: playground(pilot).playground.names == ["A", "B"])
        a, b = playground(pilot).playground.variants
        assert a.prompt.user == "Say {{ it }}." and b.prompt != a.prompt
        assert b.prompt.name == f"Mine + {snippet.name}" and b.prompt.path is None
        assert playground(pilot).playground.selected == "B"
        await pilot.press("i")
        await until(lambda: isinstance(pilot.app.screen, PickSnippet))
        await until(lambda: option_count(pilot) == len(snippets()))
        await pilot.press(*"one word", "enter")
        await until(lambda: "in the prompt already" in told(pilot))
        await pilot.press("u")
        await until(lambda: playground(pilot).playground.names == ["A"])


async def test_a_snippet_that_is_broken_is_said(home: Path, mine: Path, tmp_path: Path) -> None:
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "i")
        await until(lambda: isinstance(pilot.app.screen, PickSnippet))
        await paste(pilot, str(tmp_path / "none.toml"))
        await pilot.press("enter")
        await until(lambda: "there is no snippet file" in words(pilot))


ROWS = [{"it": f"word {i}", "expected": f"WORD {i}"} for i in range(30)]
CHATS = [{"user": "What is {{ this }}?", "assistant": "That."}]


@pytest.mark.parametrize(
    ("rows", "keys", "example"),
    [
        (ROWS, ["space", "down", "space", "enter"], Example("Say word 0.", "WORD 0")),
        (CHATS, ["enter"], Example('What is {{ "{" }}{ this }}?', "That.")),
    ],
    ids=["variables", "turns"],
)
async def test_examples_are_chosen_from_a_dataset(
    home: Path, mine: Path, tmp_path: Path, rows: list[dict[str, str]], keys: list[str],
    example: Example,
) -> None:  # fmt: skip
    data = tmp_path / "rows.jsonl"
    data.write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "g")
        await until(lambda: isinstance(pilot.app.screen, PickExamples))
        await paste(pilot, str(tmp_path / "ro"))
        await pilot.press("tab", "enter")
        await until(lambda: option_count(pilot) == len(rows))
        await until(lambda: "… tok" not in screen_text(pilot))
        await pilot.press(*keys)
        await until(lambda: playground(pilot).playground.names == ["A", "B"])
        b = playground(pilot).playground.variants[1]
        assert b.prompt.examples[0] == example
        assert len(b.prompt.examples) == keys.count("space") or keys == ["enter"]
        await run_over(pilot, "f5")
        assert playground(pilot).playground.outputs["B"].error is None


async def test_the_cost_of_examples_is_what_the_model_counts(
    home: Path, mine: Path, tmp_path: Path
) -> None:
    data = tmp_path / "rows.csv"
    data.write_text("user,assistant\nHello there,General\n")
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "g")
        await until(lambda: isinstance(pilot.app.screen, PickExamples))
        await paste(pilot, str(data))
        await pilot.press("enter")
        session = playground(pilot).session
        variant = playground(pilot).playground.current
        assert variant is not None
        count = await session.count_tokens(variant, "Hello there\nGeneral")
        await until(lambda: f"{count} tok Hello there → General" in words(pilot))
        await pilot.press("space")
        await until(lambda: f"1 of 1 chosen · {count} tokens" in words(pilot))


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("none.jsonl", None, "there is no dataset"),
        ("rows.txt", "x", "is not a dataset"),
        (
            "rows.jsonl",
            '{"a": 1}\n',
            "Its columns are a; call those that were asked and answered question and answer.",
        ),
        ("none.csv", "question,answer\n", "There are no rows in it."),
        ("bad.jsonl", "{\n", "line 1"),
    ],
)
async def test_a_dataset_that_cannot_be_used_is_said(
    home: Path, mine: Path, tmp_path: Path, name: str, text: str | None, said: str
) -> None:
    if text is not None:
        (tmp_path / name).write_text(text)
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "g")
        await until(lambda: isinstance(pilot.app.screen, PickExamples))
        await paste(pilot, str(tmp_path / name))
        await pilot.press("enter")
        await until(lambda: said in words(pilot))


async def test_rows_are_chosen_at_random_and_by_likeness(
    home: Path, mine: Path, tmp_path: Path
) -> None:
    rows = [f'{{"question": "About {it}?", "answer": "{it}"}}' for it in range(20)]
    rows[7] = '{"question": "Say it.", "answer": "it"}'
    (tmp_path / "rows.jsonl").write_text("\n".join(rows))
    async with opened(home, variants(mine)) as pilot:
        await pilot.press("escape", "g")
        await until(lambda: isinstance(pilot.app.screen, PickExamples))
        await paste(pilot, str(tmp_path / "rows.jsonl"))
        await pilot.press("enter")
        await until(lambda: "0 of 20 chosen" in words(pilot))
        await pilot.press("r")
        await until(lambda: "4 of 20 chosen" in words(pilot))
        await pilot.press("l")
        await until(lambda: "[x]" in words(pilot) and "Say it." in words(pilot))
        await pilot.press("enter")
        await until(lambda: len(current_prompt(pilot).examples) == 4)
        assert Example("Say it.", "it") in current_prompt(pilot).examples
