"""A training in words: its state, its figures, what it answers, and what to do once it is over."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from textual.content import Content

from ..models.errors import size_in_words
from .amounts import span
from .safe_text import safe_line, safe_text

if TYPE_CHECKING:
    from .training import Look, Training

STATES = {
    "starting": ("starting", "$warning"),
    "running": ("training", "$warning"),
    "stopping": ("stopping", "$warning"),
    "stopped": ("stopped", "$accent"),
    "done": ("trained", "$success"),
    "failed": ("failed", "$error"),
}
MOST_BAR = 40


def state_of(it: Training) -> tuple[str, str]:
    """In a word, and its style."""
    if it.busy and it.paused:
        return "paused", "$accent"
    return STATES[it.state]


def progress_line(it: Training, width: int) -> tuple[Content, Content]:
    """How far it is, and its figures."""
    look = it.look
    cells = min(MOST_BAR, max(8, width // 5))
    full = round(it.share * cells)
    steps = f"  step {look.step:,} of {look.steps:,}" if look.steps else f"  {it.stage}"
    several = f", adapter {look.number} of {look.of}" if look.of > 1 else ""
    left = Content.assemble(
        ("━" * full, "$primary"), ("─" * (cells - full), "$dim"), f" {100 * it.share:.0f} %",
        (steps + several, "$dim"),
    )  # fmt: skip
    return left, Content.styled(" · ".join(_figures(it)), "$dim")


def _figures(it: Training) -> Iterator[str]:
    look, going = it.look, it.state == "running" and not it.paused
    if going and look.tokens_per_s is not None:
        yield f"{look.tokens_per_s:,.0f} tokens/s"
    if it.busy and look.memory_bytes:
        yield size_in_words(look.memory_bytes)
    if going and look.left_s is not None and look.step:
        yield f"{span(look.left_s)} left"
    if not it.busy and it.done:
        yield f"took {span(sum(done.seconds for done in it.done))}"
        yield f"{size_in_words(max(done.peak_bytes for done in it.done))} at most"


def losses_line(look: Look) -> Content:
    """What the curves are of, with the newest figures."""
    parts: list[tuple[str, str]] = []
    if look.losses:
        parts += [("━ ", "$primary"), (f"learned {look.losses[-1][1]:.3f}", "")]
    if look.best is not None:
        step, loss = look.best
        newest = look.validations[-1][1]
        parts += [("  ○ ", "$accent"), (f"held out {newest:.3f}", "")]
        parts += [("  ● ", "$accent"), (f"lowest {loss:.3f} @ {step:,}", "")]
    return Content.assemble(*parts)


def told(it: Training) -> Content:
    """What a person is to know: why it failed, where the adapter is, how it goes on."""
    if it.problem:
        return Content.styled(f"✗ {safe_line(it.problem)}", "$error")
    if it.busy or not it.done:
        return Content()
    lines: list[Content] = []
    for done in it.done:
        by = f" The best of {done.steps:,} steps was step {done.step:,}."
        lines.append(Content.assemble(("✓ ", "$success"), f"{safe_line(done.adapter)} is written, its card beside it.{by}"))  # fmt: skip
    lines.append(Content.styled("The library lists it; {training.evaluate} runs a suite with it and without, {training.try} tries it in the playground.", "$dim"))  # fmt: skip
    return Content("\n").join(lines)


def sample_lines(look: Look) -> Content:
    """What the base and the newest checkpoint answer to rows that are held out."""
    if look.samples is None:
        return Content.styled("What it answers to rows that are held out comes with the first checkpoint.", "$dim")  # fmt: skip
    head = Content.assemble((f"Answers at step {look.samples.step:,} to rows held out", "bold $primary"))  # fmt: skip
    parts: list[Content] = []
    for it in look.samples.samples:
        right = it.now.strip() == it.expected.strip()
        parts.append(
            Content.assemble(
                (f"{safe_text(it.question.strip())}\n", "$dim"),
                ("expected ", "$secondary"), f"{safe_text(it.expected.strip())}\n",
                ("before   ", "$secondary"), f"{safe_text(it.before.strip()) or '–'}\n",
                ("now      ", "$secondary"), (safe_text(it.now.strip()) or "–", "bold" if right else ""),
                (" ✓" if right else "", "$success"),
            )
        )  # fmt: skip
    return head.append("\n").append(Content("\n\n").join(parts))
