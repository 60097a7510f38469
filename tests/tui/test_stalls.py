"""Nothing keeps a key waiting: the event loop is watched while models load and long texts stream."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from benchmarks.loop import watched
from llamadiff.compare.run import Output, Run, State
from llamadiff.compare.spec import Defaults, make_variants
from llamadiff.tui.app import LlamadiffApp
from llamadiff.tui.widgets.output_pane import OutputPane

from ..conftest import until
from .app import playground, run_over, setup, status

WORDS, STEPS = 5_000, 50
MOST_MS = 100


@pytest.mark.painted
async def test_nothing_stalls_while_a_model_loads_and_5000_words_stream(home: Path) -> None:
    variants = make_variants(Defaults(prompt="tell-me-about"), ["adapter=none", "adapter=support"])
    app = LlamadiffApp(setup(home, variants))
    async with app.run_test(size=(120, 40)) as pilot, watched() as loop:
        await until(lambda: status(pilot) == "ready")
        assert loop.take() < MOST_MS
        await run_over(pilot, "f5")
        assert loop.take() < MOST_MS
        screen = playground(pilot)
        outputs = [Output(it, 0, 0, state=State.STREAMING) for it in screen.playground.variants]
        screen.playground.started(Run(tuple(variants), {}, outputs=outputs), None)
        screen.board.show()
        for step in range(STEPS):
            for number, output in enumerate(outputs):
                for word in range(step * WORDS // STEPS, (step + 1) * WORDS // STEPS):
                    end = ". " if word % 17 else ".\n\n"
                    output.text += f"w{word * word % (701 + number)}{end}"
                    output.tokens.append(word)
                    output.token_ends.append(len(output.text))
            screen.board.flush()
            await asyncio.sleep(0.01)
        for output in outputs:
            output.state = State.DONE
        screen.board.flush()
        await until(lambda: all(pane.settled for pane in screen.query(OutputPane)))
        assert loop.take() < MOST_MS
