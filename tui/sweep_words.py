"""What a person types to sweep over: `scale=0:1.5:0.25`, completed and told in words."""

from __future__ import annotations

from collections.abc import Iterator

from ..compare.errors import MISTAKES, CompareError
from ..compare.sweep import SCALE, Axis, parse_axis, swept
from ..compare.variants import Variant
from ..models.engine.protocol import LARGEST_SCALE
from ..models.engine.samplers import FIELDS

SEED = "seed"
MOST_REPEATS = 100
ABOUT = """\
{sweepfield.run} runs the variant once at each of these values, all else being equal, and draws what that changes: how likely a text becomes, how much its answers have in common, how long they are.

scale=0:1.5:0.25     from 0 to 1.5 in steps of 0.25
temperature=0,0.7,1  these values
top_p=0.5:1:0.1      any sampling setting, or an adapter by its name"""
_SCALES = "0:1.5:0.25"
_USUAL = {
    "temperature": "0:1.5:0.25",
    "top_k": "1,5,20,40,100",
    "top_p": "0.5:1:0.1",
    "min_p": "0:0.2:0.05",
    "max_tokens": "32,64,128,256",
    "repeat_penalty": "1:1.3:0.05",
    "mirostat": "0,1,2",
}
"""Values that show something of a setting; other settings have no usual ones."""


def first_axis(variant: Variant) -> str:
    """What is offered for this variant: its adapter's scale, or the temperature."""
    return next(_offers(variant))


def completed(typed: str, variant: Variant) -> str | None:
    """What was typed with its name completed, and usual values where it has none; None if it
    cannot be completed."""
    if not typed:
        return None
    longer = (it for it in _offers(variant) if it.startswith(typed) and it != typed)
    return next(longer, None)


def _offers(variant: Variant) -> Iterator[str]:
    """Everything that can be swept, the likeliest first."""
    stack = [it.name for it in variant.adapters]
    names = [SCALE] if len(stack) == 1 else []
    yield from (f"{name}={_SCALES}" for name in [*names, *reversed(stack)])
    order = dict.fromkeys([*_USUAL, *FIELDS])
    yield from (f"{name}={_USUAL.get(name, '')}" for name in order if name != SEED)


def told(typed: str, variant: Variant) -> str:
    """What is meant by what was typed so far, in a line."""
    name, equals, _ = typed.partition("=")
    name = name.strip()
    if equals:
        try:
            values = axis_of(typed, variant).values
        except MISTAKES:
            return f"{name}: {_about(name, variant)} – as START:STOP:STEP, or as V,V,V"
        some = [f"{it:g}" for it in values]
        if len(some) > 9:
            some[6:-1] = ["…"]
        return f"{len(values)} value{'s' * (len(values) != 1)}: {' '.join(some)}"
    names = [it.partition("=")[0] for it in _offers(variant)]
    fitting = [it for it in names if it.startswith(name)]
    if len(fitting) == 1:
        return f"{fitting[0]}: {_about(fitting[0], variant)}"
    return "one of: " + ", ".join(fitting or names)


def _about(name: str, variant: Variant) -> str:
    if name == SCALE or name in (it.name for it in variant.adapters):
        return f"how strongly the adapter is applied, from {-LARGEST_SCALE:g} to {LARGEST_SCALE:g}"
    field = FIELDS.get(name)
    if field is None:
        return "a name and its values"
    return f"{field.help}; from {field.low:,.10g} to {field.high:,.10g}"


def axis_of(typed: str, variant: Variant) -> Axis:
    """The axis that was typed. Raises CompareError or ModelError for what cannot be swept."""
    axis = parse_axis(typed)
    if axis.name == SEED:
        raise CompareError("Other seeds are repeats: ask for more runs each, or {repeats.count} in the playground.")  # fmt: skip
    swept(variant, axis)
    return axis


def repeats_of(typed: str) -> int:
    """How often each value is run. Raises CompareError."""
    if not (typed.isdecimal() and 1 <= int(typed) <= MOST_REPEATS):
        raise CompareError(f"Runs each is a whole number from 1 to {MOST_REPEATS}.")
    return int(typed)
