"""What a screen says that goes wrong: a person's mistake, and one of llamadiff's own."""

from __future__ import annotations

import logging

from textual.message_pump import MessagePump
from textual.worker import Worker, WorkerState


class TellsMistakes(MessagePump):
    """For screens: their work is begun without `exit_on_error`, and they go on when it fails."""

    def tell_error(self, error: object) -> None:
        """Show a sentence, or that of an exception, for a while."""
        self.app.notify(str(error), severity="error")

    def tell_mistake(self, sentence: str) -> None:
        """Say that work failed as it never should."""
        self.tell_error(sentence)

    def on_worker_state_changed(self, event: Worker.StateChanged) -> None:
        if event.state is WorkerState.ERROR:
            logging.error("in %s", type(self).__name__, exc_info=event.worker.error)
            self.tell_mistake(f"llamadiff made a mistake: {event.worker.error!r}")
