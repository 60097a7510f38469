"""Template parts are marked as jinja2 reads them, on however many lines, and after every edit."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llamadiff.tui.editing.document import EditedText
from llamadiff.tui.editing.template_marks import TemplateMarks, names_in


def marked(text: str, *kinds: str) -> list[str]:
    lines = text.split("\n")
    marks = TemplateMarks(lines)
    return [
        line[start:end]
        for row, line in enumerate(lines)
        for start, end, kind in marks.of(row)
        if kind in kinds
    ]


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("Tell {{ a }} and {{ b }}.", ["{{ a }}", "{{ b }}"]),
        ("{% if a %}yes{% endif %}", ["{% if a %}", "{% endif %}"]),
        ("{{ a\n | upper\n}} x", ["{{ a", " | upper", "}}"]),
        ("{{ '}}' }} x", ["{{ '}}' }}"]),
        ('{{ "it\'s }}" }} x', ['{{ "it\'s }}" }}']),
        ("{{ 'a\\'}}' }} x", ["{{ 'a\\'}}' }}"]),
        ('{{ {"a": {"b": 1}} }} x', ['{{ {"a": {"b": 1}} }}']),
        ("{% raw %}{{ a }}{% endraw %}{{ b }}", ["{% raw %}", "{% endraw %}", "{{ b }}"]),
        ("{%- raw -%}\n{{ a }}\n{%- endraw -%}", ["{%- raw -%}", "{%- endraw -%}"]),
        ("{{ a\n\nb }} c", ["{{ a"]),
        ("a } b }} %} #} { c", []),
        ("{{", ["{{"]),
    ],
)
def test_expressions_and_statements(text: str, parts: list[str]) -> None:
    assert marked(text, "template") == parts


def test_comments_go_over_empty_lines_and_hide_what_they_hold() -> None:
    text = "{# a {{ b }}\n\nc #} {{ d }}"
    assert marked(text, "comment") == ["{# a {{ b }}", "", "c #}"]
    assert marked(text, "template") == ["{{ d }}"]


def test_names_are_those_looked_up() -> None:
    text = "{{ a.b | join(sep=c) }} {% set d = 'e f' %} g {{ h == i }}"
    marks = TemplateMarks([text]).of(0)
    names = [text[a:b] for start, end, _ in marks for a, b in names_in(text, start, end)]
    assert [name for name in names if name not in ("join", "set")] == ["a", "c", "h", "i"]


PIECES = st.lists(
    st.sampled_from(
        [
            "{{",
            "}}",
            "{%",
            "%}",
            "{#",
            "#}",
            "'",
            '"',
            "{",
            "}",
            "a",
            " ",
            "\n",
            "\n\n",
            "{% raw %}",
            "{% endraw %}",
            "\\",
        ]
    ),
    max_size=14,
).map("".join)


@given(PIECES, st.lists(st.tuples(st.integers(0, 30), st.integers(0, 12), PIECES), max_size=4))
def test_an_edit_marks_the_same_as_reading_the_whole(
    text: str, edits: list[tuple[int, int, str]]
) -> None:
    document = EditedText(text)
    marks = TemplateMarks(document.lines)
    for at, length, inserted in edits:
        start = document.get_location_from_index(min(at, len(document.text)))
        end = document.get_location_from_index(min(at + length, len(document.text)))
        document.replace_range(start, end, inserted)
        marks.changed(start[0], end[0])
        again = TemplateMarks(document.text.split("\n"))
        rows = range(document.line_count)
        assert [marks.of(row) for row in rows] == [again.of(row) for row in rows]
