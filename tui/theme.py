"""The colours: a dark theme and a light one, with the names the style sheets use."""

from __future__ import annotations

from collections.abc import Sequence

from textual.color import BLACK, WHITE, Color
from textual.theme import Theme

DARK = Theme(
    name="llamadiff-dark",
    primary="#7cc7ff",
    secondary="#9aa5b1",
    accent="#ffb454",
    warning="#ffb454",
    error="#ff6b6b",
    success="#4cc38a",
    foreground="#d7dde5",
    background="#0e1116",
    surface="#141920",
    panel="#1b222c",
    dark=True,
    variables={
        "dim": "#818d99",
        "rest": "#232b36",
        "heat-up-1": "#12301f",
        "heat-up-2": "#1b4a33",
        "heat-up-3": "#256b46",
        "heat-down-1": "#3a1a1c",
        "heat-down-2": "#64262a",
        "heat-down-3": "#a0363c",
        "heat-much-1": "#33291a",
        "heat-much-2": "#553f1f",
        "heat-much-3": "#7d5722",
        "added": "#b8f5d2",
        "added-background": "#12301f",
        "removed": "#ffb3b3",
        "removed-background": "#3a1a1c",
        "moved": "#cfc2ff",
        "moved-background": "#2a2347",
        "input-cursor-background": "#d7dde5",
        "input-cursor-foreground": "#141920",
        "input-selection-background": "#7cc7ff 30%",
        "block-cursor-background": "#d7dde5",
        "block-cursor-foreground": "#0e1116",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#232b36",
        "block-cursor-blurred-foreground": "#d7dde5",
        "scrollbar": "#313b48",
        "scrollbar-background": "#141920",
        "scrollbar-background-hover": "#141920",
        "scrollbar-background-active": "#141920",
        "scrollbar-hover": "#818d99",
    },
)

LIGHT = Theme(
    name="llamadiff-light",
    primary="#0b63b0",
    secondary="#57606a",
    accent="#8f5500",
    warning="#8f5500",
    error="#b3261e",
    success="#177243",
    foreground="#1c2128",
    background="#e9ecf0",
    surface="#fafbfc",
    panel="#dce1e7",
    dark=False,
    variables={
        "dim": "#5b6571",
        "rest": "#d5dae1",
        "heat-up-1": "#cdf0dc",
        "heat-up-2": "#98dcb5",
        "heat-up-3": "#5fc48e",
        "heat-down-1": "#fbdcda",
        "heat-down-2": "#f2b3ae",
        "heat-down-3": "#e68079",
        "heat-much-1": "#fbe8cc",
        "heat-much-2": "#f4cf98",
        "heat-much-3": "#e6ab57",
        "added": "#0a4a29",
        "added-background": "#cdf0dc",
        "removed": "#7d1712",
        "removed-background": "#fbdcda",
        "moved": "#4a2d8f",
        "moved-background": "#e6defb",
        "input-cursor-background": "#1c2128",
        "input-cursor-foreground": "#fafbfc",
        "input-selection-background": "#0b63b0 25%",
        "block-cursor-background": "#1c2128",
        "block-cursor-foreground": "#fafbfc",
        "block-cursor-text-style": "none",
        "block-cursor-blurred-background": "#d5dae1",
        "block-cursor-blurred-foreground": "#1c2128",
        "scrollbar": "#b6bec8",
        "scrollbar-background": "#fafbfc",
        "scrollbar-background-hover": "#fafbfc",
        "scrollbar-background-active": "#fafbfc",
        "scrollbar-hover": "#5b6571",
    },
)

THEMES = (DARK, LIGHT)


LEAST_CONTRAST = 4.5
"""Of text on its background (WCAG 2.2, 1.4.3)."""
_VIOLET = Color.parse("#8b6cff")
_ANSI = {
    "dim": "ansi_bright_black",
    "added": "ansi_green",
    "removed": "ansi_red",
    "moved": "ansi_magenta",
    "rest": "ansi_default",
    **{f"{it}-background": "ansi_default" for it in ("added", "removed", "moved")},
    **{f"heat-{kind}-{n}": "ansi_default" for kind in ("up", "down", "much") for n in (1, 2, 3)},
}
"""What a terminal's own colours are is not known: what has these stands out by its style too."""


def variables_for(theme: Theme) -> dict[str, str]:
    """The colours that the style sheets name, for a theme that is not ours.

    Those of a theme that are text are moved away from its backgrounds until they can be read on
    each of them; the others are mixed of them.
    """
    if theme.ansi:
        return _ANSI
    if theme in THEMES:
        return {}
    made = {name: Color.parse(it) for name, it in _generated(theme).items()}
    plain, surface = made["background"], made["surface"]
    grounds = [plain, surface, made["panel"]]
    text = readable(made["foreground"], grounds)
    kinds = ("primary", "secondary", "accent", "warning", "error", "success")
    said = {name: readable(made[name], grounds) for name in kinds}
    said |= {"foreground": text, "dim": readable(text.blend(plain, 0.4), grounds)}
    for name, of in (("added", "success"), ("removed", "error"), ("moved", "")):
        colour = made[of] if of else _VIOLET
        ground = legible_ground(surface.blend(colour, 0.2), surface, text)
        said[f"{name}-background"] = ground
        said[name] = readable(text.blend(colour, 0.4), [ground])
    for name, of in (("up", "success"), ("down", "error"), ("much", "warning")):
        for n in (1, 2, 3):
            mixed = surface.blend(made[of], 0.18 * n)
            said[f"heat-{name}-{n}"] = legible_ground(mixed, surface, text)
    rest = legible_ground(surface.blend(text, 0.12), surface, text)
    said |= {
        "rest": rest,
        "block-cursor-background": text,
        "block-cursor-foreground": readable(plain, [text]),
        "block-cursor-blurred-background": rest,
        "block-cursor-blurred-foreground": text,
        "input-cursor-background": text,
        "input-cursor-foreground": readable(plain, [text]),
        "input-selection-background": legible_ground(
            surface.blend(said["primary"], 0.3), surface, text
        ),
    }
    return {name: colour.hex for name, colour in said.items()} | {"block-cursor-text-style": "none"}


def _generated(theme: Theme) -> dict[str, str]:
    names = ("background", "surface", "panel", "foreground", "primary", "secondary", "accent")
    names += ("warning", "error", "success")
    made = theme.to_color_system().generate()
    return {name: made[name] for name in names}


def readable(colour: Color, grounds: Sequence[Color]) -> Color:
    """A colour, as far towards black or white as it takes to be read on all of these."""
    away = max(WHITE, BLACK, key=lambda it: min(contrast(it, ground) for ground in grounds))
    steps = (colour.blend(away, step / 20, 1.0) for step in range(21))
    return next((it for it in steps if _reads(it, grounds)), away)


def legible_ground(colour: Color, plain: Color, text: Color) -> Color:
    """A background, as far towards the plain one as it takes for a text to be read on it."""
    steps = (colour.blend(plain, step / 20, 1.0) for step in range(21))
    return next((it for it in steps if _reads(text, [it])), plain)


def _reads(text: Color, grounds: Sequence[Color]) -> bool:
    return all(contrast(text, ground) >= LEAST_CONTRAST for ground in grounds)


def contrast(one: Color, other: Color) -> float:
    """The contrast ratio of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    """Relative luminance (WCAG 2.2)."""
    parts = [
        it / 12.92 if it <= 0.04045 else ((it + 0.055) / 1.055) ** 2.4 for it in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]
