"""The rendered prompt in three layers: what each shows, its marks, its keys, and a long one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from textual.app import App, ComposeResult
from textual.pilot import Pilot

from llamadiff.compare.preview import Part, Preview, token_starts
from llamadiff.prompts.document import Message, Prompt
from llamadiff.tui.theme import DARK
from llamadiff.tui.widgets.rendered_layers import LAYERS, Layer, counts_of, draw, short_counts_of
from llamadiff.tui.widgets.rendered_view import RenderedView

from ..conftest import until
from .app import opened, playground, screen_text
from .test_playground import variants

PIECES = [b"<s>", b"<u>", b"Hi ", b"<s>", b"\n", b"\xf0\x9f", b"\xa6\x99", b" <x>", b"<a>", b"Yes"]


def preview_of(pieces: Sequence[bytes], **changes: object) -> Preview:
    texts = dict(enumerate(dict.fromkeys(pieces)))
    tokens = [list(texts.values()).index(piece) for piece in pieces]
    text = b"".join(pieces).decode()
    whole = Preview(
        messages=(Message("user", "Hi <s>\n🦙 <x>"),),
        text=text,
        tokens=tokens,
        texts=texts,
        starts=token_starts(text, tokens, texts),
        message_tokens=(6,),
        template_source="model",
        n_ctx=1024,
        prefill="Yes",
        spans=((6, 18), (21, 24)),
        special=frozenset({0, 1, 3, 8}),
        lookalikes=((15, 18),),
        parts=(
            Part("system", 3), Part("example 1", 2), Part("example 2", 4), Part("user", 1),
            Part("prefill", 1), Part("template", 1200),
        ),
        warnings=("this is grave", "this is not"),
    )  # fmt: skip
    return replace(whole, **changes)


PREVIEW = preview_of(PIECES)


def body(layer: Layer, *, ids: bool = False) -> tuple[str, list[tuple[str, str]]]:
    """The text of a layer without its head, and what is marked in it how."""
    drawing = draw(PREVIEW, layer, ids=ids, width=200)
    head, _, text = drawing.text.partition("\n\n")
    at = len(head) + 2
    marks = [(drawing.text[m.start : m.end], m.kind) for m in drawing.marks if m.start >= at]
    return text, marks


def test_counts_are_by_part_and_against_the_context() -> None:
    assert counts_of(PREVIEW) == (
        "system 3 · 2 examples 6 · user 1 · prefill 1 · template 1,200 · 10 of 1,024 tokens"
    )

    assert short_counts_of(PREVIEW) == "system 3 · 2 examples 6 · user 1 · prefill 1 · 10/1,024 tok"


def test_the_head_says_the_layer_the_counts_and_the_warnings() -> None:
    heads = [
        draw(PREVIEW, layer, ids=False, width=200).text.partition("\n\n")[0].split("\n")
        for layer in LAYERS
    ]
    assert heads == [
        [f"chat · {counts_of(PREVIEW)}", "! this is grave", "! this is not"],
        [f"text · {counts_of(PREVIEW)}", "! 2 warnings, under chat"],
        [f"tokens · {counts_of(PREVIEW)}", "! 2 warnings, under chat"],
    ]


def test_the_chat_is_its_messages_and_the_start_of_the_answer() -> None:
    text, marks = body("chat")
    assert text == "user · 6 tokens\nHi <s>\n🦙 <x>\n\nstart of the answer · 1 token\nYes\n\n"
    assert [kind for _, kind in marks] == ["title", "title"]


def test_the_text_has_special_tokens_marked_by_who_wrote_them() -> None:
    text, marks = body("text")
    assert text == PREVIEW.text
    assert marks == [
        ("<s>", "special"), ("<u>", "special"), ("<s>", "written"), ("<x>", "lookalike"),
        ("<a>", "special"),
    ]  # fmt: skip


def test_every_other_token_is_shaded_and_newlines_are_seen() -> None:
    text, marks = body("tokens")
    assert text == PREVIEW.text.replace("\n", "⏎\n")
    assert marks == [
        ("<s>", "special"), ("<u>", "special"), ("<s>", "written"), ("🦙", "even"),
        (" <x>", "lookalike"), ("<a>", "special"), ("Yes", "even"),
    ]  # fmt: skip


def test_ids_stand_behind_their_tokens() -> None:
    text, marks = body("tokens", ids=True)
    assert text == "<s>⟨0⟩<u>⟨1⟩Hi ⟨2⟩<s>⟨0⟩⏎⟨3⟩\n🦙⟨4⟩…⟨5⟩ <x>⟨6⟩<a>⟨7⟩Yes⟨8⟩"
    assert ("⟨0⟩", "id") in marks


class Page(App[None]):
    CSS_PATH = Path(__file__).parent.parent.parent / "tui" / "screens" / "playground.tcss"

    def __init__(self) -> None:
        super().__init__()
        self.register_theme(DARK)
        self.theme = DARK.name

    def compose(self) -> ComposeResult:
        yield RenderedView()


@asynccontextmanager
async def page(preview: Preview) -> AsyncIterator[tuple[Pilot[None], RenderedView]]:
    async with Page().run_test(size=(80, 24)) as pilot:
        view = pilot.app.query_one(RenderedView)
        view.focus()
        view.show_preview(preview)
        await until(lambda: view.text)
        yield pilot, view


async def test_each_layer_is_a_key_away() -> None:
    async with page(PREVIEW) as (pilot, view):
        assert view.text.startswith("chat ·")
        for key, start in (("t", "text ·"), ("k", "tokens ·"), ("c", "chat ·")):
            await pilot.press(key)
            await until(lambda start=start: view.text.startswith(start))
        await pilot.press("i")
        await until(lambda: "Hi ⟨2⟩" in view.text)
        await pilot.press("i")
        await until(lambda: "⟨" not in view.text)


@pytest.mark.painted
@pytest.mark.parametrize("unit", ["word ", "line\n", "漢字かな", "🦙"])
async def test_of_a_long_prompt_only_what_is_seen_is_drawn(unit: str) -> None:
    long = preview_of([unit.encode()] * (200_000 // len(unit)), spans=(), special=frozenset())
    long = replace(long, messages=(), message_tokens=(), prefill="", parts=(), lookalikes=())
    async with page(long) as (pilot, view):
        await pilot.press("k")
        await until(lambda: view.text.startswith("tokens"))
        await pilot.pause()
        assert len(view._lines) > 1000
        assert 0 < len(view._strips) <= 2 * view.size.height


async def test_a_newer_preview_takes_the_place_of_one_being_drawn() -> None:
    long = preview_of([b"word "] * 60_000, spans=(), special=frozenset(), lookalikes=())
    async with page(PREVIEW) as (pilot, view):
        await pilot.press("k")
        view.show_preview(long)
        view.show_preview(replace(PREVIEW, n_ctx=77))
        await until(lambda: "of 77 tokens" in view.text)
        await until(lambda: all(worker.is_finished for worker in pilot.app.workers))
        assert "of 77 tokens" in view.text
        view.show_preview(long)
        await asyncio.sleep(0)
        view.show_problem("no")
        await until(lambda: all(worker.is_finished for worker in pilot.app.workers))
        await pilot.pause()
        assert view.text == "no"


async def test_the_keys_are_shown_where_the_rendered_prompt_has_the_focus(home: Path) -> None:
    async with opened(home, variants("label=plain")) as pilot:
        view = playground(pilot).query_one(RenderedView)
        await pilot.press("ctrl+t", "ctrl+t")
        await until(lambda: view.has_focus and "dogs" in view.text)
        await until(lambda: "c chat  t text  k tokens  i ids" in screen_text(pilot))
        assert "! " not in view.text
        await pilot.press("k")
        await until(lambda: view.text.startswith("tokens"))
        assert "<|user|>" in view.text


async def test_warnings_stand_in_the_panel(home: Path) -> None:
    prompt = Prompt("X", user="Hi <|end|> <|im_end|>", prefill="Yes, ")
    (it,) = variants("label=plain")
    async with opened(home, [replace(it, prompt=prompt)], size=(160, 40)) as pilot:
        await until(lambda: "! (1 of 3) the start of the answer ends" in screen_text(pilot))
