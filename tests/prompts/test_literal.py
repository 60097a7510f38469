"""Plain text at the ends of a template goes by jinja2, and nothing can be told from it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateError

from llamadiff.prompts.rendering import literal, templates
from llamadiff.prompts.rendering.literal import split_ends

PARTS = (
    "a", "b\n", "\n", "  ", "\r\n", "\r", "\t", "{{ x }}", "{{- x -}}", "{% if x %}", "{% endif %}",
    "{%- if x -%}", "{# note #}", "{% raw %}", "{% endraw %}", "{", "}", "}}", "{{", "%}", "{%+ if x %}",
)  # fmt: skip


def outcome(text: str) -> tuple[str, ...]:
    """What a template renders to and which names it has, or its error."""
    try:
        return "".join(templates.render_text(text, {"x": "X"})), *templates.used_names(text)
    except TemplateError as error:
        return type(error).__name__, str(error), str(getattr(error, "lineno", ""))


@settings(deadline=None, max_examples=500)
@given(st.lists(st.sampled_from(PARTS), max_size=14).map("".join))
def test_a_template_renders_as_jinja2_renders_the_whole(text: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(literal, "LEAST", 10**9)
        whole = outcome(text)
        patch.setattr(literal, "LEAST", 1)
        assert outcome(text) == whole


def test_plain_text_is_not_read_by_jinja2() -> None:
    plain = "line\n" * 1000
    assert split_ends(plain).template.strip() == ""
    ends = split_ends(f"{plain}{{{{ x }}}}{plain}")
    assert len(ends.template) < 1100
    assert "".join(templates.render_text(f"{plain}{{{{ x }}}}{plain}", {"x": "X"})) == (
        f"{plain}X{plain}"
    )
