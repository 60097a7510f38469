"""The keys of dialogs, lists and fields, each binding with the id that a keymap names."""

from __future__ import annotations

from textual.binding import Binding

DIALOG_KEYS = [
    Binding("escape", "cancel", "cancel", id="dialog.cancel", tooltip="Close a dialog without an answer"),
]  # fmt: skip

CONFIRM_KEYS = [
    Binding("enter", "yes", "take", id="confirm.take", tooltip="Do what is asked about"),
    Binding("y", "yes", "yes", id="confirm.yes", tooltip="Do what is asked about"),
    Binding("n", "cancel", "no", id="confirm.no", tooltip="Leave it as it is"),
]  # fmt: skip

SEE_KEYS = [
    Binding("r", "yes", "see it", id="rate.see", show=False, tooltip="See what the ratings say"),
]  # fmt: skip

PICKER_KEYS = [
    Binding("down", "move(1)", "down", id="picker.down", show=False, tooltip="The line below"),
    Binding("up", "move(-1)", "up", id="picker.up", show=False, tooltip="The line above"),
    Binding("tab", "complete", "complete", id="picker.complete", priority=True, show=False, tooltip="Complete a path"),
]  # fmt: skip

TICKED_KEYS = [
    Binding("enter", "screen.done", "done", id="adapters.done", show=False, tooltip="Take what is ticked"),
]  # fmt: skip

ADAPTERS_KEYS = [
    Binding("f5,ctrl+r", "run", "done, and run", id="adapters.run", priority=True),
    Binding("space", "switch", "on or off", id="adapters.toggle", priority=True),
    Binding("left", "rescale(-0.1)", "scale down", id="adapters.down", priority=True),
    Binding("right", "rescale(0.1)", "scale up", id="adapters.up", priority=True),
]  # fmt: skip

SUITES_KEYS = [
    Binding("space", "switch", "on or off", id="suites.toggle", priority=True),
]  # fmt: skip

EXAMPLES_KEYS = [
    Binding("tab", "complete", "complete", id="examples.complete", priority=True, show=False, tooltip="Complete the path, or on to the rows"),
    Binding("space", "choose", "choose", id="examples.choose", show=False, tooltip="Take this row, or not"),
    Binding("r", "random", "at random", id="examples.random", show=False, tooltip="Rows at random"),
    Binding("l", "likest", "likest", id="examples.likest", show=False, tooltip="The rows that are most like the question"),
]  # fmt: skip

NAME_KEYS = [
    Binding("tab,down,shift+tab,up", "other", "other", id="name.other", priority=True, show=False, tooltip="The other field"),
]  # fmt: skip

SAMPLING_KEYS = [
    Binding("down", "app.focus_next", "down", id="sampling.down", show=False, priority=True, tooltip="The setting below"),
    Binding("up", "app.focus_previous", "up", id="sampling.up", show=False, priority=True, tooltip="The setting above"),
]  # fmt: skip

DIFF_OPTIONS_KEYS = [
    Binding("space", "choose", "choose", id="diff_options.choose"),
    Binding("o", "cancel", "done", id="diff_options.done", show=False),
]  # fmt: skip

NOISE_KEYS = [
    Binding("n", "number", "other number", id="noise.number"),
    Binding("A", "cancel", "done", id="noise.done", show=False),
]  # fmt: skip

RATE_TEXT_KEYS = [
    Binding("ctrl+s", "take", "take", id="ratetext.take", priority=True, tooltip="Take this text"),
    Binding("tab", "start(1)", "another beginning", id="ratetext.start", priority=True, tooltip="Begin with another text"),
    Binding("shift+tab", "start(-1)", "the one before", id="ratetext.back", priority=True, show=False, tooltip="Begin with the text before"),
]  # fmt: skip

LENS_TEXT_KEYS = [
    Binding("ctrl+s", "take", "take", id="lenstext.take", tooltip="Look at this text"),
]  # fmt: skip

BOTH_KEYS = [
    Binding("pageup", "page(-1)", "page up", id="both.page_up", priority=True, show=False, tooltip="Scroll what differs"),
    Binding("pagedown", "page(1)", "page down", id="both.page_down", priority=True, show=False, tooltip="Scroll what differs, down"),
]  # fmt: skip

SETTINGS_KEYS = [
    Binding("enter", "change", "change", id="settings.change", tooltip="Type another value, or take the next one"),
    Binding("right,space", "turn(1)", "next", id="settings.next", tooltip="The next of the accepted values"),
    Binding("left", "turn(-1)", "before", id="settings.before", tooltip="The accepted value before"),
    Binding("delete,backspace", "reset", "default", id="settings.reset", tooltip="Back to the default"),
]  # fmt: skip

HELP_KEYS = [
    Binding("escape,q,enter", "app.pop_screen", "close", id="help.close"),
    Binding("t", "tour", "tour", id="help.tour", tooltip="The guided tour, two minutes"),
]  # fmt: skip

JUMP_KEYS = [
    Binding("escape", "leave", "stay here", id="jump.leave", tooltip="Stay where you are"),
]  # fmt: skip

LINES_KEYS = [
    Binding("up", "move(-1)", "up", id="lines.up", key_display="↑ ↓", tooltip="The line above or below"),
    Binding("down", "move(1)", "down", id="lines.down", show=False, tooltip="The line below"),
    Binding("pageup", "page(-1)", "page up", id="lines.page_up", show=False, tooltip="A page up"),
    Binding("pagedown", "page(1)", "page down", id="lines.page_down", show=False, tooltip="A page down"),
    Binding("home", "move(-1000000)", "first", id="lines.home", show=False, tooltip="The first line"),
    Binding("end", "move(1000000)", "last", id="lines.end", show=False, tooltip="The last line"),
]  # fmt: skip

ROWS_KEYS = [
    Binding("enter", "screen.open_row", "open", id="rows.open", tooltip="This row's answers, and why they scored so"),
]  # fmt: skip

VALUES_KEYS = [
    Binding("enter", "screen.take", "add variant", id="values.take", tooltip="A variant with this value, and its output"),
]  # fmt: skip

VARIANT_LIST_KEYS = [
    Binding("up,k", "step(-1)", "variant above", id="variants.up"),
    Binding("down,j", "step(1)", "variant below", id="variants.down"),
    Binding("left", "screen.rescale(-0.1)", "scale down", id="variants.left"),
    Binding("right", "screen.rescale(0.1)", "scale up", id="variants.right"),
    Binding("enter", "screen.edit", "edit prompt", id="variants.enter"),
]  # fmt: skip

TABS_KEYS = [
    Binding("left", "step(-1)", "tab to the left", id="tabs.left"),
    Binding("right", "step(1)", "tab to the right", id="tabs.right"),
]  # fmt: skip

SWEEP_FIELD_KEYS = [
    Binding("enter", "submit", "run", id="sweepfield.run", tooltip="Run the sweep"),
    Binding("tab", "complete", "complete", id="sweepfield.complete", tooltip="Take what is offered, or on to the runs"),
    Binding("down", "screen.to_values", "values", id="sweepfield.down", tooltip="To the values"),
]  # fmt: skip
