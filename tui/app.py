"""The app: themes, keys, palette and screens put together."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, cast

from textual.app import App
from textual.binding import BindingType
from textual.driver import Driver
from textual.notifications import SeverityLevel
from textual.screen import ModalScreen, Screen

from .columns import keep_columns
from .keys import APP_KEYS, UNZOOM_KEYS
from .pasting import with_quick_pastes
from .screens.playground import Playground
from .splits import Splits
from .theme import DARK, THEMES, variables_for

if TYPE_CHECKING:
    from textual.command import Provider

    from .evaluating import Evaluating
    from .screens.paned import Paned
    from .setup import Setup


def _palette() -> type[Provider]:
    from .palette import Actions

    return Actions


class LlamadiffApp(App[None]):
    """llamadiff in a terminal. `setup` says what it opens with."""

    TITLE = "llamadiff"
    CSS_PATH = Path(__file__).parent / "screens" / "playground.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*APP_KEYS, *UNZOOM_KEYS]
    COMMANDS: ClassVar[set[Any]] = {_palette}

    def __init__(self, setup: Setup) -> None:
        super().__init__()
        keep_columns()
        self.setup = setup
        self.splits = Splits()
        self.unfinished: Evaluating | None = None
        """The evaluation that closing the app stopped."""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DARK.name

    @property
    def failure(self) -> Exception | None:
        """Why it ended, if it should not have."""
        return self._exception

    def _fatal_error(self) -> None:
        """Leave the screen; whoever opened the app says what the failure was."""
        self._close_messages_no_wait()

    def get_driver_class(self) -> type[Driver]:
        return with_quick_pastes(super().get_driver_class())

    def get_theme_variable_defaults(self) -> dict[str, str]:
        return variables_for(self.current_theme.dark)

    def get_default_screen(self) -> Screen[None]:
        return Playground(self.setup)

    def notify(
        self,
        message: str,
        *,
        title: str = "",
        severity: SeverityLevel = "information",
        timeout: float | None = None,
        markup: bool = True,
    ) -> None:
        """As Textual's; takes the place of what said the same, and of any mere information."""
        for old in list(self._notifications):
            if old.message == message or old.severity == severity == "information":
                self._unnotify(old, refresh=False)
        super().notify(message, title=title, severity=severity, timeout=timeout, markup=markup)

    def exit(self, *args: Any, **options: Any) -> None:
        """As Textual's; the next start goes on here."""
        if self.screen_stack and isinstance(playground := self.screen_stack[0], Playground):
            playground.note_place()
        super().exit(*args, **options)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc leaves a pane that is alone on the screen before it means anything else."""
        if action == "unzoom":
            return bool(self.screen_stack) and getattr(self.screen, "zoomed", None) is not None
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

        if not isinstance(self.screen, Tune):
            inside = any(isinstance(it, Tune) for it in self.screen_stack)
            self._on_playground(lambda it: it.show_tune(training=not inside))

    def action_help(self) -> None:
        from .screens.help import HelpScreen

        if isinstance(self.screen, HelpScreen):
            self.pop_screen()
        else:
            self.push_screen(HelpScreen.about(self.screen))
