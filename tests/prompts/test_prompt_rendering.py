"""Prompts become messages, and whatever a template does, the helper answers the next request."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from llamadiff.prompts.document import Example, Message, Prompt, Variable
from llamadiff.prompts.errors import PromptError
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.limits import DEADLINE_S

TOPIC = (Variable("topic", "dogs"),)
LONG_LOOP = "{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}"
NEVER_LETS_GO = "{{ 10 ** (10 ** 9) }}"


@pytest.fixture(scope="module")
def renderer() -> Iterator[Renderer]:
    with Renderer() as renderer:
        yield renderer


def wait_until(condition: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():
            return True
        time.sleep(0.01)
    return condition()


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not (stat.exists() and stat.read_text().rpartition(")")[2].split()[0] == "Z")


def test_the_turns_come_in_order(renderer: Renderer) -> None:
    prompt = Prompt(
        "X",
        system="Be {{ tone }}.",
        examples=(Example("Cats?", "Cats are {{ tone }}."),),
        messages=(Message("user", "Hi"), Message("assistant", "Hello")),
        user="Tell me about {{ topic }}.\n",
        prefill="{{ topic | capitalize }} are",
        variables=(*TOPIC, Variable("tone")),
    )
    rendered = renderer.render_prompt(prompt, {"tone": "kind"})
    assert rendered.messages == (
        Message("system", "Be kind."),
        Message("user", "Cats?"),
        Message("assistant", "Cats are kind."),
        Message("user", "Hi"),
        Message("assistant", "Hello"),
        Message("user", "Tell me about dogs.\n"),
    )
    assert rendered.prefill == "Dogs are"
    assert renderer.render_messages(prompt, {"tone": "kind"}) == rendered.messages


def test_values_override_defaults_and_are_never_templates(renderer: Renderer) -> None:
    prompt = Prompt("X", user="About {{ topic }}", variables=TOPIC)
    value = "{{ 7 * 7 }} <b> é \u2028\n"
    assert renderer.render_messages(prompt, {"topic": value})[0].content == f"About {value}"


def test_a_value_may_be_given_for_a_name_only_the_template_knows(renderer: Renderer) -> None:
    prompt = Prompt("X", user="{% if place is defined %}{{ place }}{% else %}here{% endif %}")
    assert renderer.render_messages(prompt)[0].content == "here"
    assert renderer.render_messages(prompt, {"place": "there"})[0].content == "there"


def test_the_names_templates_use_are_listed_in_order(renderer: Renderer) -> None:
    prompt = Prompt(
        "X",
        system="{{ b }}{{ a }}{% for c in b %}{{ c }}{{ d }}{% endfor %}",
        user="{% set q = 1 %}{{ q }}{{ a }}{{ z | default('') }}{{ range(3) }}{{ dict }}",
    )
    assert renderer.template_variables(prompt) == ("b", "a", "d", "z", "dict")


@pytest.mark.parametrize(
    ("prompt", "values", "field", "message"),
    [
        (
            Prompt("X", user="About {{ topci }}", variables=TOPIC),
            {},
            "user",
            "`{{ topci }}` in user is not defined; did you mean topic?",
        ),
        (
            Prompt("X", user="u", examples=(Example("{{ x }}", ""),)),
            {},
            "user of example 1",
            "`{{ x }}` in user of example 1 is not defined; add it to the prompt's variables",
        ),
        (
            Prompt("X", user="{{ topic }}", variables=TOPIC),
            {"topci": "cats"},
            "variables.topci",
            "X has no variable topci; did you mean topic?",
        ),
        (
            Prompt("X", user="{{ topic }}", variables=TOPIC),
            {"zzz": "cats"},
            "variables.zzz",
            "X has no variable zzz; its variables are topic",
        ),
        (
            Prompt("X", user="{{ topic }}", variables=(Variable("topic"),)),
            {},
            "variables.topic",
            "the variable topic has no value; give it one, or a default in the prompt",
        ),
        (
            Prompt("X", system="a\n{{ b", user="u"),
            {},
            "system",
            "the template in system, line 2 cannot be read: unexpected end of template, "
            "expected 'end of print statement'",
        ),
        (
            Prompt("X", user="{{ topic.name }}", variables=TOPIC),
            {},
            "user",
            "the template in user, line 1 failed: 'str object' has no attribute 'name'",
        ),
        (
            Prompt("X", user="{{ topic | nosuch }}", variables=TOPIC),
            {},
            "user",
            "the template in user, line 1 cannot be read: No filter named 'nosuch'",
        ),
        (
            Prompt("X", user="{% include '/etc/passwd' %}"),
            {},
            "user",
            "the template in user, line 1 failed: no loader for this environment specified",
        ),
        (
            Prompt("X", user="{{ topic }}", variables=TOPIC),
            {"topic": " \n"},
            "user",
            "the prompt is empty: write something in user",
        ),
        (Prompt("X"), {}, "user", "the prompt is empty: write something in user"),
    ],
)
def test_a_mistake_in_a_template_is_one_sentence(
    renderer: Renderer, prompt: Prompt, values: dict[str, str], field: str, message: str
) -> None:
    with pytest.raises(PromptError) as caught:
        renderer.render_messages(prompt, values)
    assert str(caught.value) == message
    assert (caught.value.source, caught.value.field) == ("X", field)


STOPPED = [
    (LONG_LOOP, "took longer than 0.9 s and was stopped"),
    (NEVER_LETS_GO, "took longer than 0.9 s and was stopped"),
    ("{{ 'a' * 2000000000 }}", "more than 512 MB of memory"),
    ("{{ '%02000000000d' | format(1) }}", "more than 512 MB of memory"),
    ("{{ 'a' * 5000000 }}", "too much text"),
    ("{% for i in range(10**12) %}{% endfor %}", "Range too big"),
    ("{{ ''.__class__.__mro__ }}", "not allowed"),
    ("{{ '{0.__class__.x}'.format(1) }}", "not allowed"),
    ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "calls itself without end"),
    ("{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}", "nested too deeply"),
]
ONLY_IN_PROMPTS = [
    ("{{ ''.__class__ }}", "not allowed"),
    ("{{ cycler.__init__.__globals__ }}", "not allowed"),
    ("{{ range.__globals__ }}", "not allowed"),
]


@pytest.mark.parametrize(("template", "words"), STOPPED + ONLY_IN_PROMPTS)
def test_a_hostile_prompt_is_stopped_and_the_helper_still_answers(
    renderer: Renderer, template: str, words: str
) -> None:
    with pytest.raises(PromptError, match=words):
        renderer.render_messages(Prompt("X", user=template))
    assert renderer.render_messages(Prompt("X", user="hi"))[0].content == "hi"


@pytest.mark.parametrize(("template", "words"), STOPPED)
def test_a_hostile_chat_template_is_stopped_and_the_helper_still_answers(
    renderer: Renderer, template: str, words: str
) -> None:
    with pytest.raises(PromptError) as caught:
        renderer.render_chat(template, [Message("user", "u")], bos_token="", eos_token="")
    assert words in str(caught.value)
    assert renderer.render_messages(Prompt("X", user="hi"))[0].content == "hi"


def test_a_request_is_stopped_at_the_deadline(renderer: Renderer) -> None:
    for template in (LONG_LOOP, NEVER_LETS_GO):
        began = time.monotonic()
        with pytest.raises(PromptError):
            renderer.render_messages(Prompt("X", user=template))
        assert DEADLINE_S <= time.monotonic() - began < 5


def test_too_much_text_over_several_fields_is_stopped(renderer: Renderer) -> None:
    with pytest.raises(PromptError, match="in user produced too much text"):
        renderer.render_messages(Prompt("X", system="{{'a'*3000000}}", user="{{'a'*3000000}}"))


def test_a_helper_killed_while_it_works_is_started_again() -> None:
    with Renderer(deadline_s=60) as renderer:
        assert renderer.render_messages(Prompt("X", user="hi"))
        first = renderer.pid
        assert first is not None
        threading.Timer(0.2, os.kill, (first, signal.SIGKILL)).start()
        with pytest.raises(PromptError, match="another will be started"):
            renderer.render_messages(Prompt("X", user=LONG_LOOP))
        assert renderer.render_messages(Prompt("X", user="hi"))[0].content == "hi"
        assert renderer.pid not in (None, first)


def test_a_helper_killed_while_idle_is_not_noticed() -> None:
    with Renderer() as renderer:
        assert renderer.render_messages(Prompt("X", user="hi"))
        assert renderer.pid is not None
        first = renderer.pid
        os.kill(first, signal.SIGKILL)
        assert wait_until(lambda: not runs(first), 5)
        assert renderer.render_messages(Prompt("X", user="hi"))[0].content == "hi"


def test_a_helper_that_hangs_is_replaced() -> None:
    with Renderer() as renderer:
        assert renderer.render_messages(Prompt("X", user="hi"))
        assert renderer.pid is not None
        os.kill(renderer.pid, signal.SIGSTOP)
        with pytest.raises(PromptError, match=r"took longer than 0\.9 s"):
            renderer.render_messages(Prompt("X", user="hi"))
        assert renderer.render_messages(Prompt("X", user="hi"))[0].content == "hi"


def test_an_interrupted_request_does_not_answer_the_next_one() -> None:
    with Renderer(deadline_s=60) as renderer:
        assert renderer.render_messages(Prompt("X", user="hi"))
        threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
        with pytest.raises(KeyboardInterrupt):
            renderer.render_messages(Prompt("X", user=LONG_LOOP))
        assert renderer.render_messages(Prompt("X", user="next"))[0].content == "next"


def test_many_threads_get_their_own_answers(renderer: Renderer) -> None:
    def answers(word: str) -> set[str]:
        prompt = Prompt("X", user=word)
        return {renderer.render_messages(prompt)[0].content for _ in range(50)}

    words = [str(number) for number in range(8)]
    with ThreadPoolExecutor(len(words)) as pool:
        assert list(pool.map(answers, words)) == [{word} for word in words]


def test_closing_ends_the_helper() -> None:
    renderer = Renderer()
    assert renderer.pid is None
    renderer.warm()
    pid = renderer.pid
    assert pid is not None
    assert runs(pid)
    renderer.close()
    assert not runs(pid)
    assert renderer.pid is None


PARENT = """
import sys
from llamadiff.prompts.document import Prompt
from llamadiff.prompts.rendering.helper import Renderer
from llamadiff.prompts.rendering.limits import DEADLINE_S
renderer = Renderer(deadline_s=float(sys.argv[1]))
renderer.render_messages(Prompt("X", user="hi"))
print(renderer.pid, flush=True)
if sys.argv[2]:
    renderer.render_messages(Prompt("X", user=sys.argv[2]))
sys.stdin.read()
"""


@pytest.mark.parametrize("busy_with", ["", LONG_LOOP, NEVER_LETS_GO])
def test_no_helper_outlives_a_killed_parent(busy_with: str, tmp_path: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, "1", busy_with],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=tmp_path,
    )
    assert parent.stdout is not None
    helper = int(parent.stdout.readline())
    assert runs(helper)
    if busy_with:
        assert wait_until(lambda: cpu_ticks(helper) > 30, 10)
    parent.kill()
    parent.communicate()
    assert wait_until(lambda: not runs(helper), 2)


def cpu_ticks(pid: int) -> int:
    """User time a process has had, in clock ticks of usually 10 ms."""
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11])
    except FileNotFoundError:
        return 0


def test_the_helper_is_found_from_any_folder_and_ignores_what_lies_there(tmp_path: Path) -> None:
    for name in ("jinja2", "llamadiff", "json"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('taken from the folder')", "utf-8")
    code = (
        "from llamadiff.prompts.document import Prompt\n"
        "from llamadiff.prompts.rendering.helper import Renderer\n"
        "print(Renderer().render_messages(Prompt('X', user='hi'))[0].content)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )
    assert (done.stdout, done.stderr) == ("hi\n", "")


def test_nothing_heavy_is_imported_with_the_package() -> None:
    code = (
        "import sys, llamadiff.prompts.document, llamadiff.prompts.library\n"
        "import llamadiff.prompts.rendering.helper, llamadiff.prompts.save\n"
        "print(sorted({'jinja2', 'tomlkit', 'tomli', 'asyncio', 'difflib'} & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_what_is_rendered_together_is_what_each_is_alone() -> None:
    prompt = Prompt(
        "X", user="{{ 'so ' * (n | int) }}{{ 1 // (n | int) }}", variables=(Variable("n"),)
    )
    cases = [{"n": "1"}, {"n": "0"}, {}, {"n": "999999999999"}, {"n": "2"}, {"m": "3"}]
    with Renderer(deadline_s=0.5) as renderer:
        together = renderer.render_prompts(prompt, cases)
        for case, found in zip(cases, together, strict=True):
            try:
                assert found == renderer.render_prompt(prompt, case)
            except PromptError as error:
                assert str(found) == str(error)
    wrong = [number for number, it in enumerate(together) if isinstance(it, PromptError)]
    assert wrong == [1, 2, 3, 5]
