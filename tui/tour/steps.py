"""The tour as data: what a person is asked to do, what shows that it was done, and why it matters."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from textual.keys import _character_to_key
from textual.message_pump import MessagePump
from textual.widget import Widget

from ...compare.run import State
from ..key_names import keys_of
from ..screens.evaluate import Evaluate
from ..screens.evaluation import Evaluation
from ..screens.lens import LensScreen
from ..screens.playground import Playground
from ..suites_listed import Listed
from ..widgets.item_table import ItemTable
from ..widgets.variables_form import ValueEditor
from .suite import ROWS


@dataclass(frozen=True)
class Step:
    """One thing that a person does. Sentences have ids for keys.

    `says` is what there is to see by now and why it matters, `do` what to press. `done` looks at the
    tour's playground and the app it is in. `keys` do it without a person: a key, the id of a binding
    in braces, or the letter that jump mode shows on what the selector behind an @ finds. It is done
    `on` one of these screens, and `way` leads there. `points` selects what is spoken of. Without the
    key `through` it is not done, whatever there is to see.
    """

    title: str
    says: str
    do: str
    keys: tuple[str, ...]
    done: Callable[[Playground], bool]
    on: tuple[type, ...] = (Playground,)
    way: str = "{app.playground} goes back to the playground, where the tour goes on."
    points: str = ""
    through: str = ""
    into: type[Widget] | None = None


def events_of(it: MessagePump, pressed: str) -> list[str]:
    """The names that a key of a step, or the keys of an id, have in the events of an app."""
    if pressed.startswith("{"):
        return keys_of(it, pressed[1:-1])
    return [_character_to_key(pressed) if len(pressed) == 1 else pressed]


def _over(home: Playground) -> bool:
    """Whether all variants were run as they are now, and to their end."""
    state = home.playground
    said = [state.outputs.get(name) for name in state.names]
    whole = bool(said) and all(it is not None and it.state is State.DONE for it in said)
    return whole and not home.session.running and not any(map(state.stale, state.names))


def _about_cats(home: Playground) -> bool:
    return home.playground.values.get("topic", "").strip().casefold() == "cats" and _over(home)


def _scaled(home: Playground) -> bool:
    adapters = [it for variant in home.playground.variants for it in variant.adapters]
    return any(it.scale < 0.55 for it in adapters) and _over(home)


def _in_the_lens(home: Playground) -> bool:
    screen = home.app.screen
    return isinstance(screen, LensScreen) and screen.scored


def _measured(home: Playground) -> bool:
    return home.playground.noise.all_there and _over(home)


def _chosen(home: Playground) -> bool:
    screen = home.app.screen
    there = isinstance(screen, Evaluate)
    return there and any(isinstance(it.chosen, Listed) for it in screen.query(ItemTable))


def _evaluated(home: Playground) -> bool:
    return home.evaluating is not None and home.evaluating.state == "done"


def _decided(home: Playground) -> bool:
    screen = home.app.screen
    return isinstance(screen, Evaluation) and screen.decided


def _at_home(home: Playground) -> bool:
    return home.app.screen is home


STEPS = (
    Step(
        "one question, three variants",
        "A asks plainly, B with an engineered prompt, and C asks as A does, but with an adapter "
        "that was fine-tuned. All three share one small model, which ships.",
        "Press {run.start} to run them.",
        ("{run.start}",),
        _over,
        points="OutputBoard",
    ),
    Step(
        "what differs",
        "A is the baseline: what others say that it does not is underlined. The line over a text "
        "says how much that is, and where the two part.",
        "Press {output.2} for B.",
        ("{output.2}",),
        lambda home: home.playground.selected == "B" and home.board.has_focus_within,
        points="OutputPane.-selected",
    ),
    Step(
        "both in one text",
        "Another prompt, and the same model says more. To read only what changed, have both "
        "answers as one text.",
        "Press {output.diff}, and {output.diff} again.",
        ("{output.diff}", "{output.diff}"),
        lambda home: home.playground.view == "unified",
        points="OutputPane.-selected",
    ),
    Step(
        "live mode",
        "Struck words are A's alone, underlined ones B's. In live mode each change runs by itself "
        "and only what it changes is computed anew.",
        "Press {run.live} to switch it on.",
        ("{run.live}",),
        lambda home: home.playground.live,
        points="TopBar",
    ),
    Step(
        "the prompt's variables",
        "A prompt is a text with variables, and all three prompts have the same topic. The line "
        "on top says that live is on now.",
        "Press {prompt.edit}, which edits the prompt, then {prompt.tab} for its variables.",
        ("{prompt.edit}", "{prompt.tab}"),
        lambda home: (
            isinstance(home.focused, ValueEditor) and home.focused.variable.name == "topic"
        ),
        points="PromptPanel",
    ),
    Step(
        "another topic",
        "The variables of the prompt, a line for each. What is written here goes into every "
        "prompt that asks for it.",
        "Press ctrl+u, which clears the line, and write: cats",
        ("ctrl+u", "c", "a", "t", "s"),
        _about_cats,
        points="PromptPanel",
        into=ValueEditor,
    ),
    Step(
        "jump mode",
        "All three ran again while you wrote, and were compared. {app.jump} shows a letter on "
        "everything that can be gone to, on every screen.",
        "Press {app.jump}, then the letter on an answer.",
        ("{app.jump}", "@OutputPane.-selected ComparedText"),
        lambda home: home.board.has_focus_within and _at_home(home),
        points="OutputBoard",
        through="{app.jump}",
    ),
    Step(
        "the scale of an adapter",
        "C's adapter answers for a clothing shop, whatever it is asked. Its scale says how much "
        "of what it learned is used: 0 is none, 1 is all.",
        "Press {output.3} for C, then {variant.scale_down} five times: half of it.",
        ("{output.3}", *["{variant.scale_down}"] * 5),
        _scaled,
        points="OutputPane.-selected",
    ),
    Step(
        "the lens",
        "Half of the adapter, and another answer at once. But the words are drawn by chance; the "
        "lens looks at what lies below them.",
        "Press {lens.open}.",
        ("{lens.open}",),
        _in_the_lens,
        points="OutputPane.-selected",
    ),
    Step(
        "what the adapter thinks",
        "C's words, and how much likelier or less likely each is than without the adapter: "
        "nothing is drawn here, so no chance is in it.",
        "{lens.next} goes to the largest difference. Press {app.playground} to go back.",
        (*["{lens.next}"] * 3, "{app.playground}"),
        _at_home,
        on=(LensScreen, Playground),
    ),
    Step(
        "the noise floor",
        "Two answers differ already where only the seed does. Eight of each variant, A against "
        "A, tell what is more than that.",
        "Press {repeats.noise}, then enter.",
        ("{repeats.noise}", "enter"),
        _measured,
        points="OutputBoard",
    ),
    Step(
        "a suite",
        "The lines over the texts say now which differences are beyond noise. Which answers are "
        "better takes questions with known answers: a suite.",
        "Press {app.evaluate}.",
        ("{app.evaluate}",),
        _chosen,
        points="OutputBoard",
    ),
    Step(
        "prompt, or fine-tune?",
        f"{ROWS} reviews and their labels, asked four ways: a plain prompt, an engineered one, an "
        "adapter trained on such rows, and both together.",
        "Press {evaluate.run} to run it.",
        ("{evaluate.run}",),
        _evaluated,
        on=(Evaluate, Evaluation),
        way="{app.evaluate} goes back to the suites, where the tour goes on.",
    ),
    Step(
        "how sure",
        "Each score with the interval it lies in. A verdict follows from these by written rules, "
        "and may be: not decided, so many rows are missing.",
        "Press {evaluation.tab} for the decision.",
        ("{evaluation.tab}",),
        _decided,
        on=(Evaluation,),
        way="{app.evaluate}, and {evaluate.open} on the newest evaluation: there the tour goes on.",
    ),
    Step(
        "where to go on",
        "Score, cost, data and what is lost elsewhere decide. {app.tune} trains an adapter on rows "
        "of your own, {variant.model} in the playground takes your model, {app.help} helps.",
        "Press {app.playground}: the tour is over, and all is as you left it.",
        ("{app.playground}",),
        _at_home,
        on=(Evaluation, Evaluate, Playground),
    ),
)
"""In the order in which they are done. What is done already when its turn comes is passed over."""
