"""What is recorded of runs, in the app and by commands, and `llamadiff history`."""

import json
import sqlite3
import time
from contextlib import closing, suppress
from pathlib import Path

import psutil
import pytest

from llamadiff.compare.history.entries import Wanted
from llamadiff.compare.run import State
from llamadiff.prompts.library import resolve
from llamadiff.prompts.save import save_prompt
from llamadiff.tui.cli.asked import Asked
from llamadiff.tui.cli.session import runner

from ..compare.history.runs import keep, made
from ..compare.history.runs import opened as opened_history
from ..conftest import until
from .app import ENDLESS, opened, output, playground, run_over
from .test_cli import PROMPT, llamadiff
from .tmux import HAS_TMUX, Tmux

VARIANTS = ("--variant", "label=plain", "--variant", "label=tuned,adapter=support@0.8")


def test_a_run_is_listed_shown_compared_exported_and_removed(tmp_path: Path) -> None:
    done = llamadiff("run", *PROMPT, *VARIANTS, "--var", "topic=cats", "--repeat", "2", "--json")
    document = json.loads(done.stdout)
    name = document["run_id"]

    (listed,) = json.loads(llamadiff("history", "list", "--json").stdout)
    assert (listed["run_id"], listed["variables"]) == (name, {"topic": "cats"})
    assert [variant["stack"] for variant in listed["variants"]] == ["base", "support@0.8"]
    text = llamadiff("history", "list", "cats", "--since", "1h", "--adapter", "support").stdout
    assert name in text and "Tell me about" in text
    assert name not in llamadiff("history", "list", "cats", "--until", "1h").stdout
    assert json.loads(llamadiff("history", "list", "rhinoceros", "--json").stdout) == []

    shown = json.loads(llamadiff("history", "show", name[:8], "--json").stdout)
    assert {key: shown[key] for key in document} == document
    done = llamadiff("history", "show", "last")
    assert document["variants"][1]["outputs"][1]["text"] in done.stdout
    assert "tokens" not in done.stdout and "tokens" in done.stderr

    a, b = (output["text"] for output in document["variants"][0]["outputs"])
    done = llamadiff("history", "diff", "last:A", "last:A.2")
    assert done.returncode == int(a != b)
    assert llamadiff("history", "diff", "last", f"{name}:A.1").returncode == 0
    differs = llamadiff("history", "diff", "last:A", "last:B", "--json")
    assert differs.returncode == 1 and json.loads(differs.stdout)["equal"] is False
    assert llamadiff("history", "diff", "last:A", "last:B", "--mode", "token").returncode == 1

    out = tmp_path / "run.md"
    assert llamadiff("history", "export", "last", "-o", str(out)).returncode == 0
    assert a in out.read_text("utf-8") and out.read_text("utf-8").startswith(f"# Run {name}")
    assert json.loads(llamadiff("history", "export", name).stdout) == shown

    assert llamadiff("history", "rm", "--older-than", "1d").stderr == "Removed 0 runs.\n"
    assert llamadiff("history", "rm", "last").stderr == "Removed 1 run.\n"
    assert json.loads(llamadiff("history", "list", "--json").stdout) == []


def test_what_is_not_to_be_kept_is_not(home: Path) -> None:
    assert llamadiff("run", *PROMPT, "--no-history").returncode == 0
    assert not (home / "state").exists()
    assert llamadiff("run", *PROMPT, "--var", "topik=cats").returncode == 2
    assert llamadiff("diff", *PROMPT, *VARIANTS).returncode == 1
    (run,) = json.loads(llamadiff("history", "list", "--json").stdout)
    assert len(run["outputs"]) == 2


async def test_caches_of_prompts_are_not_kept_and_go_with_what_is_removed(home: Path) -> None:
    async with runner(Asked(history=False)) as quiet, runner(Asked()) as usual:
        assert (quiet.engine._prompts, usual.engine._prompts) == (None, home / "cache" / "prompts")
    assert llamadiff("run", *PROMPT).returncode == 0
    saved = home / "cache" / "prompts" / "some-prompt.kv"
    saved.parent.mkdir(exist_ok=True)
    saved.write_bytes(b"secret")
    assert llamadiff("history", "rm", "last").returncode == 0
    assert not saved.exists()


def test_what_is_still_on_the_disk_is_said(home: Path) -> None:
    with opened_history(home / "state") as history:
        keep(history, made("a"), made("b"))
    with closing(sqlite3.connect(history.file, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM texts").fetchall()
        done = llamadiff("history", "rm", "last")
        assert done.returncode == 0 and "Removed 1 run." in done.stderr
        assert "the texts stay in history.db-wal until every llamadiff is closed." in done.stderr
        assert json.loads(llamadiff("history", "rm", "last", "--json").stdout) == {
            "removed": 1, "evaluations": 0, "wiped": False,
        }  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (["show", "last"], "no run yet"),
        (["diff", "last"], "RUN"),
        (["rm"], "--older-than"),
        (["rm", "--older-than", "soon"], "'soon'"),
        (["list", "--since", "999999999999d"], "90d"),
        (["export", "last", "-o", "/nowhere/x.json"], "no run yet"),
    ],
)
def test_mistakes_are_one_line(arguments: list[str], word: str) -> None:
    done = llamadiff("history", *arguments)
    assert done.returncode == 2 and word in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_history_that_cannot_be_kept_is_no_reason_not_to_run(home: Path) -> None:
    (home / "state").touch()
    done = llamadiff("run", *PROMPT)
    assert done.returncode == 0 and done.stdout.strip()
    assert f"llamadiff: The history {home}/state/history.db cannot be kept" in done.stderr


def test_a_command_that_is_killed_leaves_what_it_said(home: Path) -> None:
    import subprocess

    from .test_cli import LLAMADIFF

    bias = json.dumps({str(token): -100.0 for token in range(8)})
    prompt = home / "endless.toml"
    prompt.write_text(
        'name = "Endless"\nuser = "Tell me about dogs."\n[sampling]\nmax_tokens = 100000\n'
        f"logit_bias = {bias.replace(':', ' =')}\n"
    )
    command = [LLAMADIFF, "run", "-p", str(prompt), "-c", "60000", "--json", "--stream"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as program:
        assert program.stdout is not None
        said = ""
        with opened_history(home / "state") as history:
            while not history.page():
                said += json.loads(program.stdout.readline())["text"]
            program.kill()
            said += "".join(json.loads(line)["text"] for line in program.stdout if line[-1] == "\n")
    with opened_history(home / "state") as history:
        kept = history.open(history.find("last")).outputs[0]
        assert kept.text and (said.startswith(kept.text) or kept.text.startswith(said))
        assert kept.state is State.CANCELLED
        assert kept.stamp.prompt_tokens and len(kept.token_ends) == len(kept.tokens)
        assert history.search(Wanted(text=kept.text.split()[0]))


async def test_the_app_records_its_runs_with_values_and_versions(home: Path) -> None:
    async with opened(home, values={"topic": "rivers", "nobody": "x"}) as pilot:
        await run_over(pilot, "f5")
        said = {name: output(pilot, name).text for name in "ABC"}
        plain = playground(pilot).playground.variants[0].prompt
        playground(pilot).session.saved(plain, save_prompt(plain, home / "mine.toml"))
        saved = playground(pilot).playground.variants[0].prompt
    with opened_history(home / "state") as history:
        run = history.open(history.find("last"))
        assert {out.variant.name: out.text for out in run.outputs} == said
        assert run.values == {"topic": "rivers"}
        assert "rivers" in run.outputs[0].stamp.prompt_text
        assert len(run.outputs[0].stamp.model_sha256 or "") == 64
        assert run.variants[0].prompt == resolve("tell-me-about")
        (version,) = history.versions(run.variants[0].prompt)
        assert version.runs == 1
        assert [(version.saved, version.runs) for version in history.versions(saved)] == [(True, 0)]


async def test_a_run_that_is_stopped_keeps_what_it_said(home: Path) -> None:
    from dataclasses import replace

    from llamadiff.compare.spec import Defaults, make_variants

    (variant,) = make_variants(Defaults(prompt="tell-me-about"), ["label=x"])
    async with opened(home, [replace(variant, sampling=ENDLESS)]) as pilot:
        await pilot.press("f5")
        await until(lambda: len(output(pilot, "A").tokens) > 20)
    with opened_history(home / "state") as history:
        kept = history.open(history.find("last")).outputs[0]
        assert kept.state is State.CANCELLED and kept.text
        assert history.page()[0].ended


@pytest.mark.skipif(not HAS_TMUX, reason="needs tmux")
def test_the_app_killed_while_it_streams_has_kept_its_texts(home: Path) -> None:
    prompt = home / "endless.toml"
    bias = ", ".join(f'"{token}" = -100.0' for token in range(8))
    prompt.write_text(
        'name = "Endless"\nuser = "Tell me about dogs."\n[sampling]\nmax_tokens = 100000\n'
        f"logit_bias = {{ {bias} }}\n"
    )
    app = Tmux(120, 40, home, "-p", str(prompt), "-c", "60000")
    try:
        app.wait_for("ready")
        app.press("F5")
        with opened_history(home / "state") as history:
            app.wait_for(lambda screen: len(history.page()) == 1)
            seen = history.open(history.find("last")).outputs[0].text
            process = psutil.Process(app.pid)
            process.kill()
            with suppress(psutil.NoSuchProcess):
                while process.status() != psutil.STATUS_ZOMBIE:
                    time.sleep(0.01)
    finally:
        app.close()
    with opened_history(home / "state") as history:
        kept = history.open(history.find("last")).outputs[0]
        assert seen and kept.text.startswith(seen)
        assert history.page()[0].ended
