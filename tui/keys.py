"""Every key of the app and its screens, each binding with the id that a keymap names."""

from __future__ import annotations

from textual.binding import Binding

APP_KEYS = [
    Binding("f1", "help", "help", id="app.help", priority=True, tooltip="Keys and what they do"),
    Binding(
        "f2", "playground", "playground", id="app.playground", priority=True,
        tooltip="Back to the playground",
    ),
    Binding(
        "f3", "library", "library", id="app.library", priority=True,
        tooltip="Prompts, and the models and adapters on this disk",
    ),
    Binding(
        "f4", "evaluate", "evaluate", id="app.evaluate", priority=True,
        tooltip="Suites: which variant is better, and how sure",
    ),
    Binding(
        "f6", "jump", "jump", id="app.jump", priority=True,
        tooltip="A letter on each pane and field; the letter goes there",
    ),
    Binding(
        "f8", "tune", "tune", id="app.tune", priority=True,
        tooltip="Fine-tune an adapter on this model, and watch it learn",
    ),
    Binding(
        "ctrl+p", "command_palette", "all commands", id="app.palette", priority=True,
        tooltip="Every command, searchable",
    ),
    Binding(
        "f9", "history", "history", id="app.history", priority=True,
        tooltip="Runs already made: search, compare, reopen",
    ),
    Binding(
        "f12", "settings", "settings", id="app.settings", priority=True,
        tooltip="Colours, models, folders: change and keep them",
    ),
    Binding("ctrl+q", "quit", "quit", id="app.quit", priority=True, tooltip="Leave llamadiff"),
]  # fmt: skip

RUN_KEYS = [
    Binding("f5,ctrl+r", "run", "run", id="run.start", tooltip="Run every variant"),
    Binding("escape", "stop", "stop", id="run.stop", tooltip="Stop the run, or leave the editor"),
    Binding(
        "ctrl+l", "live", "live", id="run.live",
        tooltip="Live mode: run again after each change",
    ),
    Binding(
        "x", "exact", "exact", id="run.exact",
        tooltip="Exact mode: the same output whatever else runs",
    ),
]  # fmt: skip

PROMPT_KEYS = [
    Binding("e", "edit", "edit prompt", id="prompt.edit", tooltip="Put the cursor in the prompt"),
    Binding("ctrl+t", "next_tab", "next tab", id="prompt.tab", tooltip="The prompt's next tab"),
    Binding(
        "ctrl+o", "external_editor", "$EDITOR", id="prompt.external",
        tooltip="Open the whole prompt file in $EDITOR",
    ),
    Binding(
        "ctrl+s", "save_prompt", "save prompt", id="prompt.save",
        tooltip="Save this variant's prompt as a TOML file",
    ),
    Binding(
        "W", "save_prompt_as", "save as", id="prompt.save_as",
        tooltip="Save it under another name, or somewhere else",
    ),
    Binding("p", "pick_prompt", "prompt", id="prompt.pick", tooltip="Choose another prompt"),
    Binding(
        "f", "fork_prompt", "own copy", id="prompt.fork",
        tooltip="Give this variant its own copy of a shared prompt",
    ),
    Binding(
        "h", "versions", "versions", id="prompt.versions",
        tooltip="Versions of this prompt: compare them, go back to one",
    ),
    Binding(
        "i", "add_snippet", "improve", id="prompt.snippet",
        tooltip="Add a snippet (a format, steps …) to a copy of this",
    ),
    Binding(
        "g", "add_examples", "give examples", id="prompt.examples",
        tooltip="Few-shot examples from a dataset, for a copy of this",
    ),
    Binding(
        "D", "drop_draft", "drop draft", id="prompt.drop",
        tooltip="Back to the prompt as it is in its file",
    ),
]  # fmt: skip

TEXT_KEYS = [
    Binding("ctrl+a", "start_or_all", "start, all", id="text.all", show=False, tooltip="To the start of the line; once there, select all of the text"),
]  # fmt: skip

EDITOR_KEYS = [
    Binding("ctrl+home", "text_start", "text's start", id="editor.start", show=False, tooltip="To the start of the text"),
    Binding("ctrl+end", "text_end", "text's end", id="editor.end", show=False, tooltip="To the end of the text"),
]  # fmt: skip

VERSION_KEYS = [
    Binding("enter", "restore", "go back to it", id="versions.restore", priority=True, tooltip="Go on with this version; ctrl+z in the editor takes it back"),
    Binding("space", "mark", "compare with it", id="versions.mark", tooltip="Compare all others with this version"),
    Binding("n", "name", "name", id="versions.name", tooltip="Name this version"),
    Binding("pageup", "scroll(-1)", "scroll up", id="versions.scroll_up", priority=True, tooltip="Scroll what differs"),
    Binding("pagedown", "scroll(1)", "scroll down", id="versions.scroll_down", priority=True, tooltip="Scroll what differs, down"),
    Binding("escape", "leave", "back", id="versions.leave", tooltip="Back to the playground"),
]  # fmt: skip

VARIANT_KEYS = [
    Binding("v", "add_variant", "new variant", id="variant.add", tooltip="A new variant, a copy of this one"),
    Binding(
        "delete,backspace", "remove_variant", "remove", id="variant.remove",
        tooltip="Remove this variant; {variant.undo} brings it back",
    ),
    Binding("u,ctrl+z", "undo", "undo", id="variant.undo", tooltip="Take back the last change of the list"),
    Binding("m", "pick_model", "model", id="variant.model", tooltip="Choose or open a base model"),
    Binding("U", "unload_model", "unload model", id="variant.unload", tooltip="Free the memory of its base model; running loads it again"),
    Binding("a", "pick_adapters", "adapters", id="variant.adapters", tooltip="Put LoRA adapters on it, stack and scale them"),
    Binding("s", "sampling", "sampling", id="variant.sampling", tooltip="Temperature and the like"),
    Binding("l", "label", "label", id="variant.label", tooltip="Name this variant"),
    Binding("b", "baseline", "baseline", id="variant.baseline", tooltip="Compare others with this"),
    Binding(
        "left_square_bracket", "rescale(-0.1)", "scale down", id="variant.scale_down",
        tooltip="Last adapter's scale down by 0.1",
    ),
    Binding(
        "right_square_bracket", "rescale(0.1)", "scale up", id="variant.scale_up",
        tooltip="Last adapter's scale up by 0.1",
    ),
]  # fmt: skip

OUTPUT_KEYS = [
    Binding("d", "diff_view", "diff view", id="output.diff", tooltip="Differences by words, by tokens, in one text, off"),
    Binding("y", "copy", "copy", id="output.copy", tooltip="Send this output to the terminal's clipboard (OSC 52)"),
    Binding("tab", "next_pane", "next pane", id="output.next", tooltip="The next output"),
    Binding(
        "shift+tab", "previous_pane", "previous pane", id="output.previous",
        tooltip="The output before",
    ),
    Binding(
        "1", "pane(1)", "first output", id="output.1", key_display="1 … 9",
        tooltip="Go to that output",
    ),
    *(
        Binding(
            str(n), f"pane({n})", f"output {n}", id=f"output.{n}", show=False,
            tooltip=f"Go to output {n}",
        )
        for n in range(2, 10)
    ),
]  # fmt: skip

TALK_KEYS = [
    Binding("r", "reply", "reply", id="talk.reply", tooltip="Reply to all outputs at once, or to this one"),
    Binding("Z", "take_back", "take back turn", id="talk.back", tooltip="Take the last turn of the conversations back"),
    Binding("T", "thoughts", "thoughts", id="talk.thoughts", tooltip="Unfold the reasoning before answers, or fold it"),
    Binding("P", "pin", "pin", id="talk.pin", tooltip="Keep this output as it is while others run again"),
    Binding("S", "new_seed", "new seed", id="talk.seed", tooltip="Another seed for all, and run"),
    Binding("w", "write", "write to file", id="talk.write", tooltip="Write this conversation, or all outputs, to a file"),
]  # fmt: skip

REPLY_KEYS = [
    Binding("enter", "send", "send", id="reply.send", tooltip="Send the reply and run the next turn"),
    Binding("tab", "whom", "all or one", id="reply.whom", tooltip="Reply to all outputs, or the selected one alone"),
    Binding("ctrl+n,shift+enter", "new_line", "new line", id="reply.line", key_display="^n", tooltip="A new line in the reply"),
    Binding("escape", "leave", "leave", id="reply.leave", tooltip="Leave the reply; what is written stays"),
]  # fmt: skip

DIFF_KEYS = [
    Binding("n", "difference(1)", "next difference", id="diff.next", tooltip="To the next difference of this output"),
    Binding("N", "difference(-1)", "difference before", id="diff.previous", tooltip="To the difference before"),
    Binding("z", "fold", "fold", id="diff.fold", tooltip="Fold what is equal, or unfold it"),
    Binding("o", "diff_options", "diff options", id="diff.options", tooltip="By words, characters …; ignore case; scroll together"),
]  # fmt: skip

RENDERED_KEYS = [
    Binding("c", "layer('chat')", "chat", id="rendered.chat", tooltip="The messages with their values filled in"),
    Binding("t", "layer('text')", "text", id="rendered.text", tooltip="The text that the chat template makes of them"),
    Binding("k", "layer('tokens')", "tokens", id="rendered.tokens", tooltip="The tokens of that text"),
    Binding("i", "ids", "token ids", id="rendered.ids", tooltip="The tokens with their ids, or without"),
]  # fmt: skip

SEARCHED_KEYS = [
    Binding("up", "move(-1)", "up", id="list.up", priority=True, key_display="↑ ↓", tooltip="The line above or below"),
    Binding("down", "move(1)", "down", id="list.down", priority=True, show=False, tooltip="The line below"),
    Binding("pageup", "page(-1)", "page up", id="list.page_up", priority=True, show=False, tooltip="A page up"),
    Binding("pagedown", "page(1)", "page down", id="list.page_down", priority=True, show=False, tooltip="A page down"),
    Binding("home", "move(-1000000)", "first", id="list.home", priority=True, show=False, tooltip="The first line"),
    Binding("end", "move(1000000)", "last", id="list.end", priority=True, show=False, tooltip="The last line"),
    Binding("shift+tab", "details", "details", id="list.details", priority=True, tooltip="To the details, to scroll them, and back"),
    Binding("escape", "leave", "back", id="list.leave", tooltip="Take the search back, then leave"),
]  # fmt: skip

LIBRARY_KEYS = [
    Binding("enter", "use", "use", id="library.use", priority=True, tooltip="Take it into the selected variant"),
    Binding(
        "tab,ctrl+t", "next_list", "next list", id="library.tab", priority=True,
        tooltip="Models, adapters, prompts",
    ),
    Binding("less_than_sign", "sort(-1)", "sort left", id="library.sort_left", priority=True, tooltip="Sort by the column to the left"),
    Binding("greater_than_sign", "sort(1)", "sort right", id="library.sort_right", priority=True, tooltip="Sort by the column to the right"),
    Binding("equals_sign", "turn", "turn the order", id="library.turn", priority=True, tooltip="Turn the order of the sorted column"),
    Binding("f5,ctrl+r", "again", "look again", id="library.again", tooltip="Look through all places again"),
    Binding("ctrl+d", "duplicate", "duplicate", id="library.duplicate", priority=True, tooltip="Copy this prompt under another name"),
    Binding("ctrl+n", "rename", "rename", id="library.rename", priority=True, tooltip="Give this prompt another name or file name"),
    Binding("ctrl+g", "tags", "tags", id="library.tags", priority=True, tooltip="Give this prompt tags"),
]  # fmt: skip

HISTORY_KEYS = [
    Binding("enter", "reopen", "reopen", id="history.reopen", priority=True, tooltip="Back to the playground with this run as it was"),
    Binding("left", "step(-1)", "output before", id="history.left", tooltip="The output before, of this run"),
    Binding("right", "step(1)", "next output", id="history.right", tooltip="The next output of this run"),
    Binding("space", "mark", "mark", id="history.mark", tooltip="Mark this output to compare another with it"),
    Binding("d", "diff", "diff", id="history.diff", tooltip="Compare with the marked output, else within the run"),
    Binding("w", "write", "write", id="history.write", tooltip="Write this run to a file: HTML, Markdown, JSON or SVG"),
    Binding("ctrl+g", "tags", "tags", id="history.tags", priority=True, tooltip="Give this run tags"),
    Binding("ctrl+n", "note", "note", id="history.note", priority=True, tooltip="Write a note to this run"),
    Binding("delete", "remove", "remove", id="history.remove", tooltip="Remove this run for good; asks once"),
    Binding("r", "rate", "rate", id="history.rate", tooltip="Rate its answers two at a time, blind"),
    Binding("slash", "search", "search", id="history.search", key_display="/", tooltip="To the search field"),
    Binding("escape", "leave", "back", id="history.leave", tooltip="Take the search back, then leave"),
]  # fmt: skip

SEARCH_KEYS = [
    Binding("down", "screen.to_list(1)", "list", id="history.down", tooltip="To the list, the next run"),
    Binding("up", "screen.to_list(-1)", "list", id="history.up", show=False, tooltip="To the list, the run above"),
]  # fmt: skip

COMPARE_KEYS = [
    Binding("d", "next_view", "one text / beside", id="compare.view", tooltip="Both texts in one, or side by side"),
    Binding("left", "step(-1)", "output before", id="compare.left", priority=True, tooltip="The output before, of the newer run"),
    Binding("right", "step(1)", "next output", id="compare.right", priority=True, tooltip="The next output of the newer run"),
    Binding("w", "write", "write", id="compare.write", tooltip="Write it to a file: HTML, Markdown, JSON or SVG"),
    Binding("escape", "leave", "back", id="compare.leave", tooltip="Back to the history"),
]  # fmt: skip

RATE_KEYS = [
    Binding("1", "rate('first')", "first", id="rate.first", tooltip="The first answer is better"),
    Binding("2", "rate('second')", "second", id="rate.second", tooltip="The second answer is better"),
    Binding("t", "rate('tie')", "tie", id="rate.tie", tooltip="Both are as good"),
    Binding("b", "rate('both bad')", "both bad", id="rate.bad", tooltip="Neither is any good"),
    Binding("s", "rate('skip')", "skip", id="rate.skip", tooltip="Say nothing of this pair, and go on"),
    Binding("u,ctrl+z", "undo", "undo", id="rate.undo", tooltip="Take the last answer back, and see that pair again"),
    Binding("n", "note", "note", id="rate.note", tooltip="Write a note to this pair"),
    Binding("e", "edit", "edit", id="rate.edit", tooltip="Write what it should have said"),
    Binding("d", "marks", "differences", id="rate.marks", tooltip="Mark what differs, or do not"),
    Binding("z", "whole", "whole question", id="rate.whole", tooltip="Show all of a long question, or its beginning"),
    Binding("up", "scroll(-1)", "scroll", id="rate.up", key_display="↑ ↓", tooltip="Scroll both answers"),
    Binding("down", "scroll(1)", "scroll down", id="rate.down", show=False, tooltip="Scroll both answers down"),
    Binding("pageup", "page(-1)", "page up", id="rate.page_up", key_display="PgUp PgDn", tooltip="Scroll both answers by a page"),
    Binding("pagedown,space", "page(1)", "page down", id="rate.page_down", show=False, tooltip="Scroll both answers by a page"),
    Binding("r", "result", "result", id="rate.result", tooltip="What the ratings say so far; asks first"),
    Binding("w", "rater", "who rates", id="rate.rater", tooltip="Rate under another name"),
    Binding("m", "more", "rate more", id="rate.more", tooltip="Go on with more pairs"),
    Binding("escape", "leave", "stop", id="rate.leave", tooltip="Stop here; the next time goes on from here"),
]  # fmt: skip

BEFORE_KEYS = [
    Binding("B", "before", "its own before", id="output.before", tooltip="Compare each output with what it said before"),
]  # fmt: skip

REPEAT_KEYS = [
    Binding("R", "repeats", "repeats", id="repeats.count", tooltip="How often each variant is run, each with its own seed"),
    Binding("A", "noise", "noise floor", id="repeats.noise", tooltip="A against A: which differences are more than noise"),
    Binding("comma", "repeat(-1)", "more frequent", id="repeats.previous", tooltip="The kind of output before; from the first to the last"),
    Binding("full_stop", "repeat(1)", "less frequent", id="repeats.next", tooltip="The next kind of output; from the last to the first"),
]  # fmt: skip

LENS_KEYS = [
    Binding("L", "lens", "lens", id="lens.open", tooltip="This output, token by token, under two variants"),
    Binding("t", "parting", "where they part", id="lens.parting", tooltip="The token where it parts from the baseline's output"),
]  # fmt: skip

LENS_SCREEN_KEYS = [
    Binding("n", "largest(1)", "next largest", id="lens.next", tooltip="The next largest difference"),
    Binding("N", "largest(-1)", "larger", id="lens.previous", tooltip="The next larger difference"),
    Binding("t", "parting", "where they part", id="lens.part", tooltip="The token where the two outputs part"),
    Binding("d", "measure(1)", "what is shown", id="lens.measure", tooltip="Marks for difference, chance, rank or entropy"),
    Binding("D", "measure(-1)", "shown before", id="lens.measure_back", show=False, tooltip="What was shown before"),
    Binding("o", "text", "other text", id="lens.text", tooltip="The next text: the outputs, then your own"),
    Binding("e", "own_text", "own text", id="lens.own", tooltip="Type or paste a text, or name a file"),
    Binding("b", "against", "other variant", id="lens.against", tooltip="Compare with another variant"),
    Binding("w", "write", "write", id="lens.write", tooltip="Write all of it to a JSON or CSV file"),
    Binding("escape", "leave", "back", id="lens.leave", tooltip="Stop scoring, or back to the playground"),
]  # fmt: skip

HEAT_KEYS = [
    Binding("left", "move(-1)", "token", id="heat.left", key_display="← →", tooltip="The token before or after"),
    Binding("right", "move(1)", "next token", id="heat.right", show=False, tooltip="The next token"),
    Binding("up", "line(-1)", "line", id="heat.up", key_display="↑ ↓", tooltip="The token above or below"),
    Binding("down", "line(1)", "line down", id="heat.down", show=False, tooltip="The token below"),
    Binding("pageup", "page(-1)", "page up", id="heat.page_up", show=False, tooltip="A page up"),
    Binding("pagedown", "page(1)", "page down", id="heat.page_down", show=False, tooltip="A page down"),
    Binding("home", "end(False)", "first token", id="heat.first", show=False, tooltip="The first token"),
    Binding("end", "end(True)", "last token", id="heat.last", show=False, tooltip="The last token"),
    Binding("enter", "app.focus_next", "instead", id="heat.instead", tooltip="To what either would rather have said"),
]  # fmt: skip

ALTERNATIVE_KEYS = [
    Binding("up", "choose(0, -1)", "choose", id="instead.up", key_display="↑ ↓ ← →", tooltip="Another of these tokens"),
    Binding("down", "choose(0, 1)", "down", id="instead.down", show=False, tooltip="The one below"),
    Binding("left", "choose(-1, 0)", "left", id="instead.left", show=False, tooltip="To the first variant's"),
    Binding("right", "choose(1, 0)", "right", id="instead.right", show=False, tooltip="To the other variant's"),
    Binding("enter", "branch", "go on from it", id="instead.branch", tooltip="A new variant that says this token here"),
]  # fmt: skip

SWEEP_KEYS = [
    Binding("O", "sweep", "sweep", id="sweep.open", tooltip="Sweep its scale or a setting: outputs and curves"),
]  # fmt: skip

SWEEP_SCREEN_KEYS = [
    Binding("c", "curve(1)", "curve", id="sweep.curve", tooltip="The next curve"),
    Binding("C", "curve(-1)", "curve before", id="sweep.curve_back", show=False, tooltip="The curve before"),
    Binding("b", "against", "against", id="sweep.against", tooltip="Compare with the first value, the one before, …"),
    Binding("d", "diff_view", "diff view", id="sweep.diff", tooltip="Differences by words, by tokens, in one text, off"),
    Binding("n", "difference(1)", "next difference", id="sweep.next", tooltip="To the next difference"),
    Binding("N", "difference(-1)", "difference before", id="sweep.previous", tooltip="To the difference before"),
    Binding("left", "step(-1)", "output before", id="sweep.left", key_display="← →", tooltip="Another output of this value"),
    Binding("right", "step(1)", "next output", id="sweep.right", show=False, tooltip="The next output of this value"),
    Binding("o", "expected", "expected text", id="sweep.expected", tooltip="Another text whose likelihood is a curve"),
    Binding("e", "own_text", "own text", id="sweep.own", tooltip="Type or paste the expected text, or name a file"),
    Binding("slash", "edit", "other values", id="sweep.edit", key_display="/", tooltip="To the field: sweep something else"),
    Binding("f5,ctrl+r", "start", "run", id="sweep.run", tooltip="Run the sweep that is in the field"),
    Binding("w", "write", "write", id="sweep.write", tooltip="Write the figures to a JSON or CSV file"),
    Binding("escape", "leave", "back", id="sweep.leave", tooltip="Stop the sweep, or back to the playground"),
]  # fmt: skip

EVALUATE_KEYS = [
    Binding("enter", "open", "open", id="evaluate.open", priority=True, tooltip="Read what this suite asks, or look at this evaluation"),
    Binding("f5,ctrl+r", "start", "run", id="evaluate.run", tooltip="Start this suite, or go on with what was stopped"),
    Binding("tab,ctrl+t", "whose", "whose variants", id="evaluate.whose", priority=True, tooltip="Ask the suite's variants, or the playground's"),
    Binding("ctrl+o", "edit", "$EDITOR", id="evaluate.edit", priority=True, tooltip="Open the suite's file in $EDITOR"),
    Binding("ctrl+g", "file", "other file", id="evaluate.file", priority=True, tooltip="A suite in any other file, by its path"),
    Binding("delete", "remove", "remove", id="evaluate.remove", priority=True, tooltip="Remove this evaluation for good; asks once"),
]  # fmt: skip

EVALUATION_KEYS = [
    Binding("tab", "tab(1)", "next tab", id="evaluation.tab", tooltip="Scoreboard, decision, rows"),
    Binding("shift+tab", "tab(-1)", "tab before", id="evaluation.tab_back", show=False, tooltip="The tab before"),
    Binding("space", "pause", "pause", id="evaluation.pause", tooltip="Pause, or go on"),
    Binding("f5,ctrl+r", "start", "go on", id="evaluation.run", tooltip="Go on with what was stopped"),
    Binding("t", "tags", "by tag", id="evaluation.tags", tooltip="Pass rates by the rows' tags, or without"),
    Binding("s", "order", "sort", id="evaluation.order", tooltip="Rows by disagreement, failing, tag or line"),
    Binding("e", "errors", "without a score", id="evaluation.errors", tooltip="Only rows with an answer that has no score"),
    Binding("slash", "search", "search", id="evaluation.search", key_display="/", tooltip="Only rows with these words"),
    Binding("r", "rate", "rate blind", id="evaluation.rate", tooltip="Say which of two answers is better, not knowing whose"),
    Binding("w", "write", "write report", id="evaluation.write", tooltip="Write .html, .md, .json, or .xml for JUnit"),
    Binding("escape", "leave", "back", id="evaluation.leave", tooltip="Stop it, to be gone on with later; then back"),
]  # fmt: skip

ROW_KEYS = [
    Binding("left", "row(-1)", "row before", id="row.left", key_display="← →", priority=True, tooltip="The row before or after"),
    Binding("right", "row(1)", "next row", id="row.right", priority=True, show=False, tooltip="The next row"),
    Binding("space", "mark", "mark", id="row.mark", tooltip="Mark two answers, to compare the first with the second"),
    Binding("d", "diff", "diff", id="row.diff", tooltip="Compare the marked two, else with the baseline's"),
    Binding("tab", "app.focus_next", "scroll", id="row.scroll", tooltip="To the texts, to scroll them"),
    Binding("escape", "leave", "back", id="row.leave", tooltip="Back to the rows"),
]  # fmt: skip

TUNE_KEYS = [
    Binding("enter", "change", "change", id="tune.change", tooltip="Choose or type it; go on with a training that did not end"),
    Binding("f5,ctrl+r", "start", "train", id="tune.run", tooltip="Train with what is chosen"),
    Binding("delete,backspace", "reset", "as it was", id="tune.reset", tooltip="Back to what it was at first; forget a training"),
    Binding("tab,shift+tab", "details", "details", id="tune.details", tooltip="To the details, to scroll them, and back"),
    Binding("escape", "leave", "back", id="tune.leave", tooltip="Back to the playground; a training goes on"),
]  # fmt: skip

TRAINING_KEYS = [
    Binding("space", "pause", "pause", id="training.pause", tooltip="Pause, or go on"),
    Binding("s", "stop", "stop", id="training.stop", tooltip="End it now; the best adapter so far is written"),
    Binding("f5,ctrl+r", "start", "go on", id="training.run", tooltip="Go on with what was stopped"),
    Binding("e", "evaluate", "before and after", id="training.evaluate", tooltip="Run a suite with the adapter and without"),
    Binding("p", "try", "try it", id="training.try", tooltip="Run a variant with the adapter in the playground"),
    Binding("escape", "leave", "back", id="training.leave", tooltip="Back to the choices; it goes on"),
]  # fmt: skip

UNZOOM_KEYS = [
    Binding("escape", "unzoom", "all panes", id="pane.unzoom", priority=True, show=False, tooltip="Back to all panes"),
]  # fmt: skip

PANE_KEYS = [
    Binding("f7", "zoom", "zoom", id="pane.zoom", priority=True, tooltip="This pane alone on the screen; again, or {pane.unzoom}, for all of them"),
    Binding("plus", "widen(1)", "widen", id="pane.widen", key_display="+", tooltip="More room for this pane"),
    Binding("minus", "widen(-1)", "narrow", id="pane.narrow", key_display="-", tooltip="Less room for this pane"),
    Binding("0", "even", "as at first", id="pane.even", tooltip="All panes as wide and high as at first"),
]  # fmt: skip

ROW_OF_PANES_KEYS = [
    Binding("right_curly_bracket", "heighten(1)", "higher", id="pane.higher", key_display="}", tooltip="More room for this row of panes"),
    Binding("left_curly_bracket", "heighten(-1)", "lower", id="pane.lower", key_display="{", tooltip="Less room for this row of panes"),
    Binding("V", "variants", "variants", id="pane.variants", tooltip="To the list of variants; on a narrow screen it fills that"),
]  # fmt: skip

PLAYGROUND_KEYS = [
    *RUN_KEYS,
    *PROMPT_KEYS,
    *VARIANT_KEYS,
    *OUTPUT_KEYS,
    *BEFORE_KEYS,
    *DIFF_KEYS,
    *LENS_KEYS,
    *SWEEP_KEYS,
    *TALK_KEYS,
    *REPEAT_KEYS,
    *ROW_OF_PANES_KEYS,
]
