"""A tour under way: a playground of its own, a step after the other, and the panel that says so."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any

from textual.command import CommandPalette
from textual.events import Key
from textual.screen import ModalScreen, Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, TextArea

from ..key_names import key_name, with_keys
from ..screens.jump import Jump
from ..screens.playground import Playground
from ..setup import Setup
from ..splits import Splits
from ..welcome import welcomed
from ..widgets.key_bar import KeyBar
from ..widgets.prompt_panel import PromptPanel
from ..widgets.reply_box import ReplyBox
from .folder import setup_in
from .panel import GUIDED, POINTED, Told, TourPanel
from .steps import STEPS, Step, events_of
from .suite import write_suite

if TYPE_CHECKING:
    from ..app import LlamadiffApp
    from .player import Player

MODE = "tour"
LOOKS_PER_S = 10
PATIENCE = 3
"""Keys that do nothing for the step, until it is said again what to press."""
ESC = "esc ends the tour"


class TourPlayground(Playground):
    """A playground that nothing is kept of; it opens with an output in focus, where letters are keys."""

    def __init__(self, setup: Setup, suite: Path) -> None:
        super().__init__(setup)
        self.last_item = suite

    @property
    def cut_off(self) -> None:
        """Nobody goes on with the evaluation of the tour."""
        return None

    def focus_first(self) -> None:
        self.board.focus_pane(self.playground.selected)


class Tour:
    """Leads through the steps. A person's own playground waits as it is, in another mode of the app.

    With a `player` the steps are done by that, until a key is pressed.
    """

    def __init__(self, app: LlamadiffApp, player: Player | None = None) -> None:
        self.app = app
        self.player = player
        self.at = 0
        """The index of the step."""
        self.splits = Splits()
        """How the tour's panes share the screen."""
        self._folder: TemporaryDirectory[str] | None = None
        self._timer: Timer | None = None
        self._pointed: list[Widget] = []
        """What the step speaks of."""
        self._pressed: list[str] = []
        """What was pressed since the step began."""
        self._wrong = 0
        """How many of these it does not need."""

    # ------------------------------------------------------------- begin and end

    def begin(self) -> None:
        """Show the tour's own playground, and its first step."""
        self._enter()
        self._timer = self.app.set_interval(1 / LOOKS_PER_S, self.look)
        if self.player is not None:
            self.player.begin(self)

    async def end(self) -> None:
        """Go back to the person's own playground; nothing of the tour stays."""
        if self._timer is not None:
            self._timer.stop()
        if self.player is not None:
            self.player.stop()
        await self._leave()

    async def again(self) -> None:
        """Begin anew."""
        await self._leave()
        self._enter()

    def _enter(self) -> None:
        self._pointed, self.splits = [], Splits()
        self._go_to(0)
        self._folder = TemporaryDirectory(prefix="llamadiff-tour-", ignore_cleanup_errors=True)
        folder = Path(self._folder.name)
        setup = setup_in(folder, self.app.setup)
        welcomed(setup.state_dir)
        suite = write_suite(folder / "suites")
        self.app.add_mode(MODE, lambda: TourPlayground(setup, suite))
        self.app.switch_mode(MODE)

    async def _leave(self) -> None:
        self.app.switch_mode(self.app.DEFAULT_MODE)
        await self.app.remove_mode(MODE)
        if self._folder is not None:
            self._folder.cleanup()

    @property
    def home(self) -> Playground:
        """The tour's playground."""
        home = self.app.screen_stack[0]
        assert isinstance(home, Playground)
        return home

    @property
    def step(self) -> Step:
        return STEPS[self.at]

    @property
    def over(self) -> bool:
        return self.at == len(STEPS)

    @property
    def _there(self) -> bool:
        """Whether the playground is shown, and no screen is being made or closed just now."""
        there = self.app.current_mode == MODE and bool(self.home.query(KeyBar))
        return there and self.app.screen.is_mounted

    @property
    def ready(self) -> bool:
        """Whether nothing is being loaded or run, so that a key does what it is to do."""
        home = self.home
        working = home.session.status.state in ("starting", "loading", "running")
        return not working and (home.evaluating is None or not home.evaluating.busy)

    # -------------------------------------------------------------------- steps

    def _go_to(self, at: int) -> None:
        self.at, self._wrong, self._pressed = at, 0, []

    @property
    def _done(self) -> bool:
        through = self.step.through
        if through and {*events_of(self.app, through)}.isdisjoint(self._pressed):
            return False
        return self.step.done(self.home)

    def look(self) -> None:
        """Go on where the step is done, and say what is to be done now."""
        if self.over or not self._there:
            return
        while not self.over and self._done:
            self._go_to(self.at + 1)
        if not self.over:
            self._point()
            self._show()
        elif self.player is None or not self.player.playing:
            self.app.end_tour()

    def _point(self) -> None:
        """Mark what the step speaks of."""
        points = self.step.points
        found = [*self.app.screen.query(points)] if points else []
        if found != self._pointed:
            for widget in self._pointed:
                widget.remove_class(POINTED)
            for widget in found:
                widget.add_class(POINTED)
            self._pointed = found

    def _show(self) -> None:
        screen = self.app.screen
        if isinstance(screen, Jump | CommandPalette):
            return
        panel = next(iter(screen.query(TourPanel)), None)
        if panel is None:
            bar = next((it for it in screen.children if isinstance(it, KeyBar)), None)
            screen.mount(TourPanel(classes="" if bar else "-docked"), before=bar)
        elif panel.is_mounted and panel.children:
            screen.add_class(GUIDED)  # now that the panel's styles are known
            panel.tell(self._told())

    def _told(self) -> Told:
        says, do = (with_keys(self.app, it) for it in (self.step.says, self.step.do))
        title = f"Tour {self.at + 1} of {len(STEPS)} · {self.step.title}"
        if self.player is not None and self.player.playing:
            pressed = self.player.pressed
            beside = f" {pressed} " if pressed else "demo · any key stops it"
            return Told(title, says, do, beside, bool(pressed))
        astray = with_keys(self.app, self._astray())
        return Told(title, says, astray or do, ESC if self._bare else "")

    def _astray(self) -> str:
        """What stands in the way of the step, and how to get out of that; else empty."""
        screen, step = self.app.screen, self.step
        if isinstance(screen, ModalScreen):
            return ""
        if not isinstance(screen, step.on):
            return step.way
        if self.home.session.status.state == "failed":
            return "That failed. {run.start} tries again."
        if not self.ready:
            return "One moment …"
        if step.into is not None and not isinstance(screen.focused, step.into):
            return "Press {prompt.edit}: back to the field."
        if _typing(screen) and len(key_name(events_of(self.app, step.keys[0])[0])) == 1:
            return f"Letters are text here: {{run.stop}} leaves the field. {step.do}"
        if self._wrong >= PATIENCE:
            return f"{key_name(self._pressed[-1])} is not it yet. {step.do}"
        return ""

    # --------------------------------------------------------------------- keys

    @property
    def _bare(self) -> bool:
        """Whether esc has nothing else to leave or stop."""
        home = self.home
        fields = (*home.query(PromptPanel), *home.query(ReplyBox))
        typing = any(it.has_focus_within for it in fields)
        return self.app.screen is home and not home.session.running and not typing

    @property
    def _wanted(self) -> set[str]:
        """The keys that the step needs."""
        return {key for it in self.step.keys for key in events_of(self.app, it)}

    def takes(self, event: Key) -> bool:
        """Told each key that is pressed before the app is; whether it goes no further."""
        player = self.player
        plays = player is not None and player.playing
        if player is not None and plays and not player.sent(event):
            player.stop()
            return True
        if self.over or not self._there:
            return False
        if event.key == "escape" and self._bare and not plays:
            self.app.end_tour()
            return True
        self._pressed.append(event.key)
        if not _typing(self.app.screen) and event.key not in self._wanted:
            self._wrong += 1
        return False


def _typing(screen: Screen[Any]) -> bool:
    return isinstance(screen.focused, Input | TextArea)
