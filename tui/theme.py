"""The colours: a dark theme and a light one, with the names the style sheets use."""

from __future__ import annotations

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
        "dim": "#7b8794",
        "rest": "#232b36",
        "heat-up-1": "#12301f",
        "heat-up-2": "#1b4a33",
        "heat-up-3": "#267049",
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
        "scrollbar-hover": "#7b8794",
    },
)

LIGHT = Theme(
    name="llamadiff-light",
    primary="#0b63b0",
    secondary="#57606a",
    accent="#9a5b00",
    warning="#9a5b00",
    error="#b3261e",
    success="#1a7f4b",
    foreground="#1c2128",
    background="#e9ecf0",
    surface="#fafbfc",
    panel="#dce1e7",
    dark=False,
    variables={
        "dim": "#606b77",
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
        "scrollbar-hover": "#606b77",
    },
)

THEMES = (DARK, LIGHT)


def variables_for(dark: bool) -> dict[str, str]:
    """Our own colour names for a theme that does not define them."""
    names = ["dim", "rest"]
    names += [f"{it}{part}" for it in ("added", "removed", "moved") for part in ("", "-background")]
    variables = (DARK if dark else LIGHT).variables
    heat = [name for name in variables if name.startswith("heat-")]
    return {name: variables[name] for name in (*names, *heat)}
