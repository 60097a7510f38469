"""`llamadiff bench` on the bundled model: what it prints where, and its exit codes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
MODEL = "demo-6m-Q8_0"
BASE = {"memory", "prefill", "decode", "variants", "first_token_edit", "cancel"}


def bench(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LLAMADIFF, "bench", *arguments], capture_output=True, text=True, timeout=200
    )


def test_json_holds_every_figure_beside_what_it_is_set_against() -> None:
    done = bench(MODEL, "--json", "--rounds", "1", "--variants", "2", "-a", "support@0.5")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert document["schema"] == 1
    assert document["model"]["name"] == MODEL and document["model"]["parameters"] > 4_000_000
    assert document["adapters"][0]["scale"] == 0.5
    assert (document["variants"], document["rounds"]) == (2, 1)
    assert document["engine"]["threads"] == 1 and document["engine"]["llama_cpp"]
    figures = document["figures"]
    assert figures.keys() == BASE | {"stacks", "first_token_rescale"}
    for name, figure in figures.items():
        assert figure["value"]["median"] > 0 and figure["rounds"] == 1, name
        if name == "cancel":
            assert figure["reference"] is None and figure["ratio"] is None
            continue
        ratio = figure["value"]["median"] / figure["reference"]["median"]
        assert figure["ratio"]["median"] == pytest.approx(ratio), name
        low = 0.0 if name == "first_token_edit" else 0.1
        assert low < ratio < 10, name
    assert [figures[name]["against"] for name in ("prefill", "decode", "variants")] == ["bare"] * 3
    assert figures["first_token_edit"]["ratio"]["median"] < 0.5


def test_the_table_has_a_line_for_each_figure_and_progress_goes_to_stderr() -> None:
    done = bench(MODEL, "--rounds", "1", "--variants", "2")
    assert done.returncode == 0, done.stderr
    heading, *rows = done.stdout.splitlines()
    assert heading.startswith(f"{MODEL} · CPU, 1 thread") and len(rows) == len(BASE)
    assert max(map(len, (heading, *rows))) <= 100
    assert sum("bare" in row for row in rows) == 3
    assert "Measuring" in done.stderr and "Measuring" not in done.stdout


@pytest.mark.parametrize(
    "arguments, said",
    [
        ([], "MODEL"),
        (["no-such-model"], "no-such-model"),
        ([MODEL, "-a", "no-such-adapter"], "no-such-adapter"),
        ([MODEL, "-a", "support@0"], "scale 0"),
        ([MODEL, "-a", "support", "-a", "support@0.5"], "twice"),
        ([MODEL, "--variants", "1"], "--variants"),
    ],
)
def test_what_cannot_be_measured_is_refused_in_one_line(arguments: list[str], said: str) -> None:
    done = bench(*arguments)
    assert done.returncode == 2 and not done.stdout
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("llamadiff: ")]
    assert said in line and "Traceback" not in done.stderr


def test_an_interrupt_ends_it_and_its_processes_with_130() -> None:
    import psutil

    process = subprocess.Popen(
        [LLAMADIFF, "bench", MODEL, "--rounds", "1000"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout and process.stderr
        while "Measuring prefill" not in process.stderr.readline():
            assert process.poll() is None
        children = psutil.Process(process.pid).children(recursive=True)
        assert len(children) == 2, "the engine's worker and the bare loop"
        os.kill(process.pid, signal.SIGINT)
        said, complaint = process.communicate(timeout=60)
        assert process.returncode == 130 and not said and "Traceback" not in complaint
        gone, alive = psutil.wait_procs(children, timeout=30)
        assert len(gone) == 2 and not alive
    finally:
        process.kill()
        process.wait()
