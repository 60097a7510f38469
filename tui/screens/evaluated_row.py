"""One row of an evaluation: what was asked and expected, every answer, and why it scored so."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content

from ...compare.evaluation.answers import Checked
from ...compare.history.entries import Recorded
from ...compare.run import Output, Run, State
from ..asked_rows import AskedRow
from ..evaluating import Evaluating
from ..keys import ROW_KEYS
from ..safe_text import safe_line
from ..widgets.answer_table import AnswerTable
from ..widgets.key_bar import KeyBar
from ..widgets.lines import Line
from ..widgets.output_text import Mark, OutputText
from .compare import Compare, Side
from .page import Page
from .styles import styles

REFRESH_S = 0.5


class EvaluatedRow(Page[int]):
    """Shows the row at `place`, one of `rows`, in whose order others follow. Gives the last one."""

    DEFAULT_CSS = styles("evaluate.tcss")
    PANES: ClassVar[str] = "#row-asked, AnswerTable, #row-answer"
    BINDINGS: ClassVar[list[BindingType]] = [*ROW_KEYS]
    AUTO_FOCUS: ClassVar[str | None] = "AnswerTable"

    def __init__(self, evaluating: Evaluating, rows: Sequence[AskedRow], place: int) -> None:
        super().__init__()
        self._evaluating, self._rows = evaluating, rows
        self._at = [row.place for row in rows].index(place)
        self._count = -1

    def compose(self) -> ComposeResult:
        yield Line("row-title")
        yield OutputText("row-asked")
        yield AnswerTable()
        yield OutputText("row-answer")
        yield KeyBar()

    def on_mount(self) -> None:
        table = self.query_one(AnswerTable)
        base = self._evaluating.plan.baseline.name
        table.names = {
            it.name: f"{'◆' if it.name == base else ' '} {it.name} {safe_line(it.title)}"
            for it in self._evaluating.plan.variants
        }
        self._show_keys()
        self.set_interval(REFRESH_S, self._show_new)
        self._show()

    def _show_keys(self) -> None:
        """With what `d` compares, once two are marked."""
        table = self.query_one(AnswerTable)
        marked = [
            _short(it) for key in table.marked for it in table.items if table.key_of(it) == key
        ]
        between = f" {' → '.join(marked)}" if len(marked) == 2 else ""
        self.query_one(KeyBar).hints = [
            ("row.left row.right", "row"), ("lines.up lines.down", "answer"),
            ("row.diff", f"diff{between}"), ("row.leave", "back"), ("row.mark", "mark two"),
            ("row.scroll", "scroll"),
        ]  # fmt: skip

    @property
    def _place(self) -> int:
        return self._rows[self._at].place

    def _show_new(self) -> None:
        if len(self._evaluating.of_row(self._place)) != self._count:
            self._show()

    def _show(self) -> None:
        plan = self._evaluating.plan
        row, place = plan.rows[self._place], f"{self._at + 1:,} of {len(self._rows):,}"
        tags = f"  {safe_line(', '.join(row.tags))}" if row.tags else ""
        left = Content.assemble(
            ("llamadiff", "bold $primary"), "  Evaluate  ", (safe_line(plan.suite.name), "bold"),
            f"  line {row.line:,}", (tags, "$secondary"),
        )  # fmt: skip
        self.query_one("#row-title", Line).say(left, Content.styled(place, "$dim"))
        parts = [(f"{name}: ", "id", text) for name, text in row.values.items() if text]
        for answer, reply in row.turns:
            parts += [("answer: ", "id", answer), ("reply: ", "id", reply)]
        parts += [("expected: ", "title", row.expected)] if row.expected is not None else []
        text, marks = "", list[Mark]()
        for head, kind, said in parts:
            marks.append(Mark(len(text), len(text) + len(head), kind))
            text += f"{head}{said}\n"
        asked = self.query_one("#row-asked", OutputText)
        asked.clear()
        asked.show(text.rstrip("\n"), marks)
        asked.styles.height = "auto"
        answers = self._evaluating.of_row(self._place)
        self._count = len(answers)
        table = self.query_one(AnswerTable)
        table.show(answers)
        table.refresh(layout=True)

    @on(AnswerTable.Chosen)
    def _chosen(self) -> None:
        pane, answer = self.query_one("#row-answer", OutputText), self.query_one(AnswerTable).chosen
        pane.clear()
        if answer is not None:
            pane.show(*self._told(answer))

    def _told(self, answer: Checked) -> tuple[str, list[Mark]]:
        """An answer with what each check says of it."""
        text, marks = "", list[Mark]()

        def add(part: str, kind: str) -> None:
            nonlocal text
            marks.append(Mark(len(text), len(text) + len(part), kind))
            text += f"{part}\n"

        if answer.error is not None:
            add(answer.error, "problem")
        add(answer.answer or "(nothing)", "" if answer.answer else "id")
        if answer.text != answer.answer:
            add("\nall that was generated", "title")
            add(answer.text or "(nothing)", "id")
        score = "no score" if answer.score is None else f"score {100 * answer.score:.0f}"
        if answer.error is None:
            add(f"\n{score}", "title")
        for named, result in zip(self._evaluating.plan.suite.checks, answer.results, strict=False):
            sign = "!" if result.score is None else "✓" if result.passed else "✗" if not result.score else f"{100 * result.score:.0f}"  # fmt: skip
            weight = "" if named.weight == 1 else ", counts nothing" if not named.weight else f", × {named.weight:g}"  # fmt: skip
            kind = "problem" if result.score is None else "said" if result.passed else "warning"
            add(f"{sign} {named.name}{weight}: {result.reason}", kind)
        end = f"{answer.tokens:,} tokens"
        end += f", {answer.finish_reason}" if answer.finish_reason else ""
        end += f", prompt of {answer.prompt_tokens:,}" if answer.prompt_tokens is not None else ""
        end += f", seed {answer.seed}"
        end += f", expected answer {answer.logprob:.3f} nats a token" if answer.logprob is not None else ""  # fmt: skip
        add(f"\n{end}", "id")
        return text.rstrip("\n"), marks

    # -------------------------------------------------------------------- keys

    def action_row(self, step: int) -> None:
        self._at = (self._at + step) % len(self._rows)
        self.query_one(AnswerTable).marked = ()
        self._show_keys()
        self._show()

    def action_mark(self) -> None:
        """Mark the chosen answer, as the second if one is marked; again takes its mark off."""
        table = self.query_one(AnswerTable)
        if table.chosen is not None:
            key, marked = table.key_of(table.chosen), table.marked
            without = tuple(it for it in marked if it != key)
            table.marked = without if key in marked else (*marked[:1], key)
            table.refresh()
            self._show_keys()

    def action_diff(self) -> None:
        """Compare the first marked answer with the second. With fewer marks every answer with the
        marked one, or with the baseline's to the same repeat, beginning with the chosen."""
        table, base = self.query_one(AnswerTable), self._evaluating.plan.baseline.name
        answers, chosen = list(table.items), table.chosen
        if chosen is None or len(answers) < 2:
            self.app.notify("There is only one answer.", timeout=3)
            return
        marked = [it for key in table.marked for it in answers if table.key_of(it) == key]
        if len(marked) == 2:
            first, *others = marked
        else:
            own = [it for it in answers if it.variant == base] or answers
            alike = next((it for it in own if it.repeat == chosen.repeat), own[0])
            first = marked[0] if marked and marked[0] is not chosen else alike
            others = [it for it in answers if it is not first]
        of_others = [(it is not chosen, it.variant == first.variant, it.repeat != first.repeat) for it in others]  # fmt: skip
        at = of_others.index(min(of_others))
        sides = dict(zip(map(table.key_of, answers), self._sides(answers), strict=True))
        pairs = [(sides[table.key_of(first)], sides[table.key_of(it)]) for it in others]
        self.app.push_screen(Compare(pairs, at, dated=False))

    def _sides(self, answers: Sequence[Checked]) -> list[Side]:
        """The answers as outputs of one run."""
        plan = self._evaluating.plan
        variants = {it.name: it for it in plan.variants}
        run = Run(plan.variants, plan.rows[self._place].values, plan.exact)
        run.outputs = [
            Output(variants[it.variant], it.repeat, it.seed, State.DONE, it.text, run_id=run.id)
            for it in answers
        ]
        now = datetime.now(UTC)
        recorded = Recorded(run, now, now, "", "", ())
        return [Side(recorded, output) for output in run.outputs]

    def action_leave(self) -> None:
        self.dismiss(self._place)


def _short(answer: Checked) -> str:
    return answer.variant + (f".{answer.repeat + 1}" if answer.repeat else "")
