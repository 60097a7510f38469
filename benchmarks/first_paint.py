"""Time to the first paint of the app, beside a five-line Textual app, in a pty.

The two are started in turn; the ratio of each pair is what counts.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
from pathlib import Path

from terminal import Terminal

FIVE_LINES = """\
from textual.app import App
from textual.widgets import Static
class Small(App):
    def compose(self): yield Static("painted")
Small().run()
"""


def first_paint(argv: list[str], marker: str, home: str) -> float:
    """Seconds from the start of the program to its first painted text."""
    terminal = Terminal(argv, env={"LLAMADIFF_HOME": home})
    try:
        return terminal.wait_for(marker, start=0) - terminal.started
    finally:
        terminal.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("-n", type=int, default=15, help="pairs")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    ours = [str(Path(sys.executable).parent / "llamadiff")]
    small = [sys.executable, "-c", FIVE_LINES]
    pairs: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as home:
        for i in range(options.n + 1):
            pair = first_paint(small, "painted", home), first_paint(ours, "all commands", home)
            if i:  # the first pair warms the disk
                pairs.append(pair)
    ratios = [b / a for a, b in pairs]
    result = {
        "five_line_app_s": statistics.median(a for a, _ in pairs),
        "llamadiff_s": statistics.median(b for _, b in pairs),
        "ratio_median": statistics.median(ratios),
        "ratio_min": min(ratios),
        "ratio_max": max(ratios),
        "pairs": len(pairs),
    }
    if options.json:
        print(json.dumps(result))
        return
    print(f"first paint: {result['llamadiff_s']:.3f} s, a five-line Textual app {result['five_line_app_s']:.3f} s")  # fmt: skip
    print(f"ratio {result['ratio_median']:.2f} (min {result['ratio_min']:.2f}, max {result['ratio_max']:.2f}, {len(pairs)} pairs)")  # fmt: skip


if __name__ == "__main__":
    main()
