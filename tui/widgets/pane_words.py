"""What stands over an output: how it differs, and how much that is worth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from textual.content import Content

from ...compare.conversation import turns_of
from ...compare.reasoning import has_answer
from ...compare.shares import percent
from ..diffing import unit_name
from ..noise_words import verdict

if TYPE_CHECKING:
    from ...compare.diff.result import Diff
    from ...compare.diff.units import Mode
    from ..comparison import Comparison
    from .output_pane import PaneState

_BEFORE = {
    "before": ("against its own before", "against before"),
    "then": ("against what it said then", "against then"),
}
_DOT = Content.styled(" · ", "$dim")


def stats(state: PaneState, comparison: Comparison | None) -> list[Content]:
    """In words, the longest way first."""
    said = _beside(state, _difference(state, comparison))
    if state.shown is None or not state.shown.no_effect:
        return said
    short, _, numbers = state.shown.no_effect.partition(" (")
    wordings = [state.shown.no_effect, short] if numbers else [short]
    warnings = [Content.styled(words, "$warning") for words in wordings]
    beside = [it for it in said if it.cell_length]
    pairs = [Content.assemble(warning, " · ", it) for warning in warnings for it in beside]
    return [*pairs, *warnings]


def _beside(state: PaneState, said: list[Content]) -> list[Content]:
    """With what else there is to know of an output: that it is pinned, the turn it is."""
    pinned = [Content.styled("pinned", "$accent bold")] if state.pinned else []
    turn = len(turns_of(state.shown)) if state.shown is not None else 1
    marks = [*pinned, Content.styled(f"turn {turn}", "$foreground")] if turn > 1 else pinned
    if not marks:
        return said
    ways = [_DOT.join([*beside, it]) for beside in (marks, pinned) for it in said if it.cell_length]
    return [*ways, _DOT.join(marks), *pinned]


def _difference(state: PaneState, comparison: Comparison | None) -> list[Content]:
    more = (
        f"{{run.start}} makes {state.more:,} of each"
        if state.more > 1
        else "{run.start} makes one of each"
    )
    if state.stale and not state.pinned and not state.more:
        changed = (
            "prompt changed · {run.start} starts anew"
            if state.anew
            else "changed since this run · {run.start}"
        )
        return [Content.styled(changed, "$accent")]
    said = _beside_baseline(state, comparison)
    if not state.more or state.pinned:
        return said
    hint = Content.styled(more, "$accent")
    return [*[_DOT.join([it, hint]) for it in said if it], hint]


def _beside_baseline(state: PaneState, comparison: Comparison | None) -> list[Content]:
    if state.name == state.baseline:
        return [Content.styled("baseline", "$dim")]
    if state.shown is None:
        return [Content()]
    if state.base is state.shown:
        return [Content.styled(f"what it said {state.baseline}", "$dim")]
    if comparison is None or comparison.diff is None:
        if silent := _without_answer(state):
            return [Content.styled(silent, "$dim")]
        turn = len(turns_of(state.shown))
        fewer = state.base is not None and len(turns_of(state.base)) < turn
        return [Content.styled(f"{state.baseline} has no turn {turn}" if fewer else "", "$dim")]
    diff = comparison.diff
    if diff.equal:
        equal = Content.styled(f"same as {state.baseline}{_ignored(comparison)}", "$success")
        return _ways([[equal]], _worth(state, equal=True))
    if diff.first_divergence is None and not diff.complete:
        return [Content.styled(f"same as {state.baseline} so far", "$dim")]
    figures = _figures(diff, comparison.mode, _where(comparison), faint=is_faint(state))
    return _ways(figures, _worth(state))


def _without_answer(state: PaneState) -> str:
    """That the output, or the baseline's, has ended without an answer."""
    if state.shown is not None and state.shown.state.over and not has_answer(state.shown):
        return "no answer"
    base = state.base
    silent = base is not None and base.state.over and not has_answer(base)
    return f"{state.baseline} has no answer" if silent else ""


def _figures(diff: Diff, mode: Mode, where: str, *, faint: bool) -> list[list[Content]]:
    """What differs, in ways that say less and less; the share that is the same stays longest."""
    added, removed, left = ("$dim",) * 3 if faint else ("$success", "$error", "$moved")
    counts = Content.assemble((f"+{diff.added:,}", added), " ", (f"−{diff.removed:,}", removed))
    unit = Content.assemble(counts, (f" {unit_name(mode)}", "$dim"))
    short = Content.styled(f"~{diff.moved:,}", left) if diff.moved else Content()
    moved = Content.assemble(short, (" moved", left)) if short else short
    same = Content.styled(f"{percent(diff.similarity)} same", "$dim")
    at = Content.styled(where, "$dim")
    ways = [
        [unit, moved, same, at],
        [counts, short, same, at],
        [unit, moved, same],
        [counts, moved, same],
        [counts, short, same],
        [same, at],
        [same],
    ]
    return [[it for it in way if it] for way in ways]


def _ways(figures: list[list[Content]], worth: list[Content]) -> list[Content]:
    """All that there is to say of a difference; its worth goes only where nothing else is left."""
    if not worth:
        return [_DOT.join(way) for way in figures]
    long, short = worth[0], worth[-1]
    both = [_DOT.join([*way, it]) for way in figures for it in (long, short)]
    return [*both, short]


def _worth(state: PaneState, *, equal: bool = False) -> list[Content]:
    """Whether all outputs of the two differ more than noise, long and short."""
    if state.baseline in _BEFORE:
        return [] if equal else [Content.styled(way, "$accent") for way in _BEFORE[state.baseline]]
    if state.noise is None or state.noise.within is None:
        ways = [
            f"{state.needed} outputs make a verdict ({{repeats.count}})",
            f"{state.needed} for a verdict",
        ]
        return [Content.styled(way, "$dim") for way in ways] if state.needed else []
    said = verdict(state.noise)
    style = "$dim" if state.noise.within else "bold $foreground"
    return [
        Content.styled(way, style) for way in ([f"all outputs: {said}", said] if equal else [said])
    ]


def is_faint(state: PaneState) -> bool:
    """Whether what differs is within noise."""
    return state.noise is not None and state.noise.within is True


def _where(comparison: Comparison) -> str:
    """Where the texts part."""
    token, diff = comparison.first_token, comparison.diff
    if token is not None:
        return f"parts at token {token + 1:,}"
    parted = diff.first_divergence if diff is not None else None
    return "" if parted is None else f"parts at character {parted + 1:,}"


def _ignored(comparison: Comparison) -> str:
    """What two texts taken for the same differ in, if they do."""
    if comparison.base.text == comparison.other.text:
        return ""
    ignore = comparison.diffing.ignore
    kinds = [*["case"] * ignore.case, *["white space"] * ignore.space]
    return f" but for {' and '.join(kinds)}"
