"""`diff` of what a model says: by its words, figures and exit codes they agree."""

import json
from pathlib import Path

from llamadiff.compare.diff.ignore import NOTHING
from llamadiff.compare.history.pair import compared
from llamadiff.tui.cli.diff import compare, summary
from llamadiff.tui.screens.compare import _drawn

from ..compare.history.runs import made
from .test_cli import llamadiff

DOGS = 'name = "x"\nuser = "Tell me about dogs."\n[sampling]\ntemperature = 0\n'


def written(folder: Path, name: str, text: str) -> str:
    (folder / name).write_text(text)
    return str(folder / name)


def test_one_text_that_ended_for_two_reasons_is_one_text(tmp_path: Path) -> None:
    """The tokens that a stop string was in are an output's own, and none of its text."""
    cut = written(tmp_path, "cut.toml", DOGS + "max_tokens = 4\n")
    stop = written(tmp_path, "stop.toml", f'{DOGS}[output]\nstop = [" animals"]\n')
    both = "--variant", f"prompt={stop}", "--variant", f"prompt={cut}"
    for more in ((), ("--ignore-case",), ("--mode", "token")):
        done = llamadiff("diff", *both, *more)
        assert (done.returncode, "· same ──" in done.stdout) == (0, True), done.stderr
    for command in ("diff", "run"):
        document = json.loads(llamadiff(command, *both, "--json").stdout)
        one, two = (it["outputs"][0] for it in document["variants"])
        assert one["text"] == two["text"] and one["tokens"] != two["tokens"]
        (found,) = document["diffs"]
        assert found["equal"] and found["first_divergence"] is None
    again = llamadiff("history", "run", "last", "--json")
    assert again.returncode == 0, again.stderr


def test_what_differs_is_never_all_the_same() -> None:
    words = [f"word{i}" for i in range(400)]
    first, other = " ".join(words), " ".join([*words[:200], "XX", *words[201:]])
    one, two = made(first, other).outputs
    assert summary(compare(first, other, "word", NOTHING)).endswith("99 % same")  # fmt: skip
    assert "99 % same" in compared(one, two).figures
    assert "99 % same" in _drawn(one, two, signs=False).figures[0].plain


def test_what_was_cut_off_in_its_reasoning_is_called_that_everywhere(tmp_path: Path) -> None:
    think = written(
        tmp_path,
        "think.toml",
        'name = "x"\nprefill = "<think>"\nuser = "Write an article on rivers."\n'
        "[sampling]\ntemperature = 0\nmax_tokens = 12\n",
    )
    both = "-p", think, "--variant", "adapter=none", "--variant", "adapter=support"
    done = llamadiff("diff", *both)
    assert done.returncode == 1 and "· neither has an answer ──" in done.stdout, done.stderr
    assert "B · 12 tokens" in done.stderr and "· 0 tokens" not in done.stderr
    document = json.loads(llamadiff("diff", *both, "--json").stdout)
    assert document["diffs"][0]["equal"] is False and document["variants"][0]["groups"] == []
    for how in ((), ("--json",)):
        kept = llamadiff("history", "diff", "last:A", "last:B", *how)
        assert kept.returncode == 1, kept.stderr
    mixed = llamadiff("diff", "--variant", f"prompt={think}", "--variant", "prompt=tell-me-about")
    assert mixed.returncode == 1 and "· A has no answer ──" in mixed.stdout
    assert "{+" not in mixed.stdout and "Dogs" in mixed.stdout
    done = llamadiff("run", "-p", think, "--repeat", "2")
    assert "A  2 without an answer" in done.stdout and "of 2" not in done.stdout
    done = llamadiff("sweep", "-p", think, "-a", "support", "--over", "scale=0,1")
    assert done.returncode == 0 and "100 %" not in done.stdout, done.stderr
    assert done.stdout.count("(no answer)") == 2
    done = llamadiff("noise", *both, "--seeds", "6")
    assert done.returncode == 2 and "cut off in their reasoning" in done.stderr
