"""The app: themes, keys, palette and screens put together."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual import work
from textual.binding import BindingType
from textual.events import Event, Key
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen
from textual.widget import Widget

from .configured_app import ConfiguredApp
from .key_names import with_keys
from .keys import APP_KEYS, UNZOOM_KEYS
from .said import KEPT, Said
from .screens.playground import Playground
from .splits import Splits

if TYPE_CHECKING:
    from textual.command import Provider

    from .evaluating import Evaluating
    from .screens.paned import Paned
    from .setup import Setup
    from .tour.player import Player
    from .tour.tour import Tour


def _palette() -> type[Provider]:
    from .palette import Actions

    return Actions


class LlamadiffApp(ConfiguredApp):
    """llamadiff in a terminal. `setup` says what it opens with."""

    TITLE = "llamadiff"
    CSS_PATH = Path(__file__).parent / "screens" / "playground.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS, *UNZOOM_KEYS]
    COMMANDS: ClassVar[set[Any]] = {_palette}
    DEFAULT_MODE: ClassVar[str] = "playground"

    def __init__(self, setup: Setup) -> None:
        super().__init__(setup.configured)
        self.setup = setup
        self.own_splits = Splits()
        """How the panes share the screen, but for the tour's."""
        self.unfinished: Evaluating | None = None
        """The evaluation that closing the app stopped."""
        self._said: deque[Said] = deque(maxlen=KEPT)
        self.tour: Tour | None = None
        self.add_mode(self.DEFAULT_MODE, self.get_default_screen)

    @property
    def failure(self) -> Exception | None:
        """Why it ended, if it should not have."""
        return self._exception

    def _fatal_error(self) -> None:
        """Leave the screen; whoever opened the app says what the failure was."""
        self._close_messages_no_wait()

    def get_default_screen(self) -> Screen[None]:
        return Playground(self.setup)

    def notify(
        self, message: str, *, severity: SeverityLevel = "information", **options: Any
    ) -> None:
        """Takes the place of what said the same, and of any mere information."""
        message = with_keys(self, message)
        self._said.append(Said(datetime.now(), severity, message))
        for old in list(self._notifications):
            if old.message == message or old.severity == severity == "information":
                self._unnotify(old, refresh=False)
        super().notify(message, severity=severity, **options)

    def exit(self, *args: Any, **options: Any) -> None:
        """As Textual's; the next start goes on here."""
        try:
            if (stack := self.own_stack) and isinstance(playground := stack[0], Playground):
                playground.note_place()
        except OSError as error:
            logging.warning("how the app was left is not kept: %s", error)
        super().exit(*args, **options)

    @property
    def splits(self) -> Splits:
        """How the panes that are shown share the screen."""
        return self.own_splits if self.tour is None else self.tour.splits

    @property
    def own_stack(self) -> Sequence[Screen[Any]]:
        """The person's own screens, also while the tour's are shown."""
        return self._screen_stacks.get(self.DEFAULT_MODE, ())

    async def on_event(self, event: Event) -> None:
        tour, pressed = self.tour, isinstance(event, Key) and not event.is_forwarded
        if tour is None or not pressed or not tour.takes(cast("Key", event)):
            await super().on_event(event)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc leaves a pane that is alone on the screen before it means anything else; there is no
        tour within the tour."""
        if action == "unzoom":
            return bool(self.screen_stack) and getattr(self.screen, "zoomed", None) is not None
        if action == "tour":
            return self.tour is None
        return super().check_action(action, parameters)

    def action_unzoom(self) -> None:
        cast("Paned[Any]", self.screen).unzoom()

    def action_playground(self) -> None:
        """Close what lies over the playground."""
        self._on_playground(lambda playground: None)

    def _on_playground(self, then: Callable[[Playground], object]) -> None:
        """Close what lies over the playground and do this there; where closing ends something, once
        a person has said so."""
        from .screens.confirm import Confirm
        from .screens.page import Page

        def go(yes: bool | None) -> None:
            if yes:
                self._uncover()
                if isinstance(playground := self.screen, Playground):
                    then(playground)

        ends = [it.leaving for it in self.screen_stack if isinstance(it, Page) and it.leaving]
        if not ends:
            go(True)
        elif not isinstance(self.screen, Confirm):
            self.push_screen(Confirm("Leave this screen?", ends[0], "stop and leave"), go)

    def _uncover(self) -> None:
        while len(self.screen_stack) > 1:
            top = self.screen
            if isinstance(top, ModalScreen):
                top.dismiss(None)
            if self.screen is top:
                self.pop_screen()

    def action_library(self) -> None:
        """Show the library over the playground; close what else lies over it."""
        from .screens.library import Library

        if not isinstance(self.screen, Library):
            self._on_playground(lambda it: self.push_screen(Library(it, it.session.catalog)))

    def action_history(self) -> None:
        """Show the history over the playground; close what else lies over it."""
        from .screens.history import History

        if not isinstance(self.screen, History):
            self._on_playground(Playground.show_history)

    def action_evaluate(self) -> None:
        """Show suites and evaluations over the playground, and the one that runs over these; from
        an evaluation back to the list."""
        from .screens.evaluate import Evaluate

        if not isinstance(self.screen, Evaluate):
            inside = any(isinstance(it, Evaluate) for it in self.screen_stack)
            self.action_playground()
            if isinstance(playground := self.screen, Playground):
                playground.show_evaluate(running=not inside)

    def action_tune(self) -> None:
        """Show what can be trained over the playground, and the training that goes on over that; from
        a training back to the choices."""
        from .screens.tune import Tune

        home = self.screen_stack[0]
        if isinstance(home, Playground) and home.session.passing:
            said = "All that is made here goes with the tour, so {app.tune} trains nothing until it is over."
            self.notify(said, severity="warning", timeout=5)
        elif not isinstance(self.screen, Tune):
            inside = any(isinstance(it, Tune) for it in self.screen_stack)
            self._on_playground(lambda it: it.show_tune(training=not inside))

    def action_settings(self) -> None:
        """Show the settings over whatever is shown; they close with it."""
        from .screens.settings import SettingsDialog

        if isinstance(self.screen, SettingsDialog):
            self.screen.dismiss(None)
        else:
            self.push_screen(SettingsDialog())

    def action_tour(self) -> None:
        """Lead through what llamadiff does, in a playground of its own."""
        self.begin_tour()

    @work(group="tour", exclusive=True, exit_on_error=False)
    async def begin_tour(self, player: Player | None = None) -> None:
        """Begin the tour, unless it goes on; a `player` does it."""
        if self.tour is None:
            await asyncio.to_thread(_import_tour)
            from .tour.tour import Tour

            tour = Tour(self, player)
            try:
                tour.begin()
            except OSError as error:
                self.notify(f"The tour needs a folder: {error}", severity="error")
            else:
                self.tour = tour

    def end_tour(self) -> None:
        """Go back to where the person was before the tour."""
        tour, self.tour = self.tour, None
        if tour is not None:
            self.run_worker(tour.end(), group="tour's end", exit_on_error=False)
            self.notify("The tour is over; all is as it was before.", timeout=4)

    def action_messages(self) -> None:
        """Show what was said since the app was opened."""
        from .screens.messages import Messages

        self.push_screen(Messages([*self._said], self.setup.log_dir))

    def action_jump(self) -> None:
        """Show a letter on each pane and field, and go to the one whose letter is pressed."""
        from textual.command import CommandPalette

        from .screens.jump import Jump, targets_of

        if isinstance(self.screen, (Jump, CommandPalette)):
            self.screen.dismiss(None)
        else:
            self.push_screen(Jump(targets_of(self.screen)), _focus)

    def action_help(self) -> None:
        from .screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen.about(self.screen))


def _import_tour() -> None:
    """Load what the tour needs, off the event loop."""
    from .tour import tour

    del tour


def _focus(widget: Widget | None) -> None:
    if widget is not None and widget.is_attached:
        widget.focus()
