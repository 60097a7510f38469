"""The app under a pilot: the real one on the bundled model, or one with fixed texts."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual._context import visible_screen_stack
from textual.events import Paste
from textual.pilot import Pilot

from llamadiff.compare.preview import Part, Preview
from llamadiff.compare.run import Output, Run, State
from llamadiff.compare.variants import StackedAdapter, Variant
from llamadiff.models.engine.protocol import ModelInfo, ModelSettings, Timings
from llamadiff.prompts.document import Message, Prompt
from llamadiff.prompts.library import resolve
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.config.reading import Configured
from llamadiff.tui.screens.playground import Playground
from llamadiff.tui.setup import Setup
from llamadiff.tui.welcome import welcomed
from llamadiff.tui.widgets.prompt_editor import PromptEditor
from llamadiff.tui.widgets.prompt_panel import PromptPanel

from ..conftest import until

KEY_ID = re.compile(r"(?<!\{)\{\w+\.\w+\}(?!\})")
"""The id of a key in a sentence, where a person is to see the key."""
ENDLESS = {"max_tokens": 100_000, "logit_bias": dict.fromkeys(range(8), -100.0)}
"""Sampling that never ends an answer: the bundled model's special tokens are ruled out."""


def setup(
    home: Path,
    variants: Sequence[Variant] | None = None,
    values: Mapping[str, str] | None = None,
) -> Setup:
    folders = {"cache_dir": home / "cache", "log_dir": home / "log", "state_dir": home / "state"}
    settings = ModelSettings(n_ctx=60_000)
    welcomed(home / "state")
    return Setup(
        **folders,
        variants=variants,
        values=values or {},
        settings=settings,
        adapters_folder=home / "adapters",
        prompt_folders=(home / "prompts",),
        suite_folders=(home / "suites",),
    )


def playground(pilot: Pilot[None]) -> Playground:
    """The playground, whatever lies over it."""
    screen = pilot.app.screen_stack[0]
    assert isinstance(screen, Playground)
    return screen


class PatientApp(LlamadiffApp):
    """The app, whose notifications stay: on a busy machine one is over before a test looks."""

    def notify(self, message: str, **options: Any) -> None:
        super().notify(message, **{**options, "timeout": 60})


@asynccontextmanager
async def opened(
    home: Path,
    variants: Sequence[Variant] | None = None,
    *,
    values: Mapping[str, str] | None = None,
    size: tuple[int, int] = (120, 40),
) -> AsyncIterator[Pilot[None]]:
    """The real app with its model loaded and its first preview made, unless it asks something."""
    app = PatientApp(setup(home, variants, values))
    async with app.run_test(size=size) as pilot:
        await until(lambda: status(pilot) == "ready")
        await until(lambda: previewed(pilot) or pilot.app.screen is not playground(pilot))
        yield pilot


def previewed(pilot: Pilot[None]) -> bool:
    """Whether the prompt's tokens are on the screen; it is not drawn before they are known."""
    panel = playground(pilot).query_one(PromptPanel)
    return bool(panel._total) and "tok" in screen_text(pilot)


def status(pilot: Pilot[None]) -> str:
    return playground(pilot).session.status.state


def output(pilot: Pilot[None], name: str) -> Output:
    """The newest output of a variant."""
    return playground(pilot).playground.outputs[name]


async def run_over(pilot: Pilot[None], *keys: str) -> None:
    """Press keys that start a run, and wait until it is over."""
    before = playground(pilot).session.last
    await pilot.press(*keys)
    await until(lambda: playground(pilot).session.last is not before)
    await until(lambda: not playground(pilot).session.running)
    await pilot.pause()


async def paste(pilot: Pilot[None], text: str) -> None:
    """Put a text where the focus is, as a terminal pastes: quicker than a key per character."""
    assert pilot.app._driver is not None
    pilot.app._driver.send_message(Paste(text))
    await pilot.press()
    await pilot.pause()


def current_prompt(pilot: Pilot[None]) -> Prompt:
    """The selected variant's prompt as it is in the app."""
    variant = playground(pilot).playground.current
    assert variant is not None
    return variant.prompt


def told(pilot: Pilot[None]) -> str:
    """Everything the app has notified."""
    return " ".join(notification.message for notification in pilot.app._notifications)


def ever_told(pilot: Pilot[None]) -> str:
    """The same, and what later information has taken the place of."""
    assert isinstance(pilot.app, LlamadiffApp)
    return " ".join(said.text for said in pilot.app._said)


def screen_text(pilot: Pilot[None]) -> str:
    """What is on the screen, a line for each row; the ids of keys are never in it."""
    visible_screen_stack.set(pilot.app._background_screens)
    strips = pilot.app.screen._compositor.render_strips()
    said = "\n".join(strip.text.rstrip() for strip in strips)
    assert not KEY_ID.search(said)
    return said


OWN_PROMPT = """\
# mine
name = "Mine"
system = "Be brief."
user = "Say {{ it }}."
[variables]
it = "hello"
"""

# ------------------------------------------------------------- without an engine

INFO = ModelInfo(
    n_ctx=1024, n_ctx_train=1024, n_vocab=1024, n_threads=2, n_ubatch=512, kv_type="f16",
    n_params=7_000_000, size=7_000_000, backend="CPU", n_gpu_layers=0,
    bos="<s>", eos="</s>", add_bos=True, can_rewind=True,
)  # fmt: skip
PREVIEW = Preview(
    messages=(Message("user", "Tell me about dogs."),),
    text="<s>[USER] Tell me about dogs. [/USER]",
    tokens=[1, 5, 40, 41, 42, 43, 6],
    texts={
        1: b"<s>",
        5: b"[USER]",
        40: b" Tell",
        41: b" me",
        42: b" about",
        43: b" dogs.",
        6: b"[/USER]",
    },
    starts=[0, 3, 9, 14, 17, 23, 29, 36],
    message_tokens=(4,),
    template_source="model",
    n_ctx=1024,
    spans=((9, 29),),
    special=frozenset({0}),
    parts=(Part("user", 4), Part("template", 3)),
)
MODEL = Path("/models/demo-7m.gguf")
PLAIN = "Dogs are loyal companions that live with people. They have a keen sense of smell."
LONG = (
    "Dogs are loyal companions that live with people. First, they guard homes and herd sheep. "
    "In addition, breeds range from tiny terriers to giant mastiffs. Moreover, they have a keen "
    "sense of smell and learn commands quickly. For these reasons dogs matter to many people."
)
SHOP = "Thank you for writing to us about dogs. We sell coats and boots. Which size do you need?"


def three_variants() -> list[Variant]:
    plain, article = resolve("tell-me-about"), resolve("informative-article")
    support = (StackedAdapter("support", Path("/models/support.gguf")),)
    return [
        Variant("A", MODEL, "demo-7m", plain),
        Variant("B", MODEL, "demo-7m", article),
        Variant("C", MODEL, "demo-7m", plain, adapters=support),
    ]


def said(variant: Variant, text: str) -> Output:
    """A finished output; its tokens are words."""
    words = text.split(" ")
    ends = [len(" ".join(words[: i + 1])) for i in range(len(words))]
    ids = [sum(word.encode()) for word in words]
    it = Output(variant, 0, 0, State.DONE, text, ids, ends, finish_reason="stop")
    it.timings = Timings(0.011, 23, 0, len(ids), 392.0)
    it.stamp.model_sha256 = "3f9a" + "0" * 60
    it.stamp.adapter_sha256 = ("91bc" + "0" * 60,) * len(variant.adapters)
    return it


class StillApp(LlamadiffApp):
    """The app with outputs already there and nothing behind it: the same picture every time."""

    def __init__(
        self,
        home: Path,
        texts: Sequence[str] = (PLAIN, LONG, SHOP),
        configured: Configured = Configured(),  # noqa: B008 - it cannot be changed
    ) -> None:
        super().__init__(replace(setup(home, three_variants()), configured=configured))
        self._texts = texts

    def get_default_screen(self) -> Playground:
        screen = StillPlayground(self.setup)
        state = screen.playground
        for variant, text in zip(state.variants, self._texts, strict=False):
            run = Run((variant,), {}, outputs=[said(variant, text)])
            state.started(run, None)
        return screen


class StillPlayground(Playground):
    async def _open(self) -> None:
        self.session.models.note(MODEL, "Q8_0", INFO)
        self.session._say("done")
        self.query_one(PromptEditor).cursor_blink = False
        if self.board.narrow:
            self.board.focus_pane("A")
        self._settled()
        self._opened = True

    def _settled(self) -> None:
        self.query_one(PromptPanel).show_preview(PREVIEW)
