"""`llamadiff tune` trains: what it writes and says, killed, stopped, gone on with, refused."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest

from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.compare.tuning.events import AdapterBegun
from llamadiff.compare.tuning.plan import PlannedAdapter
from llamadiff.compare.tuning.work import Work
from llamadiff.models.adapters.training import read_training
from llamadiff.models.errors import ModelError
from llamadiff.models.tuning import extra
from llamadiff.models.tuning.tasks import Failed
from llamadiff.tui.cli.main import run
from llamadiff.tui.cli.progress import ProgressLine
from llamadiff.tui.cli.training import _Watch

TRAIN = ("tune", "--base", "demo", "--data", "sentiment", "-p", "sentiment")
FEW = (
    "--rows", "12", "--set", "steps=16", "--set", "checkpoint_every=2", "--set", "eval_every=4",
    "--set", "rank=4",
)  # fmt: skip
PATIENCE_S = 60.0
SUITE = """
name = "Few"
dataset = { file = "few.jsonl" }
[[variants]]
label = "plain"
prompt = "sentiment"
adapter = "none"
[[variants]]
label = "engineered"
prompt = "sentiment-engineered"
adapter = "none"
[[variants]]
label = "shipped"
prompt = "sentiment"
adapter = "sentiment"
[[checks]]
check = "one-of"
labels = ["positive", "negative", "neutral"]
"""


def write_suite(folder: Path, rows: int) -> Path:
    """A suite of so many rows."""
    lines = (SHIPPED / "sentiment.jsonl").read_text().splitlines()[:rows]
    (folder / "few.jsonl").write_text("\n".join(lines))
    (folder / "few.toml").write_text(SUITE)
    return folder / "few.toml"


def started(*arguments: str | Path, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    """The command in a process of its own."""
    command = [sys.executable, "-m", "llamadiff.tui", *map(str, arguments)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=stderr)


def trained_for(
    process: subprocess.Popen[bytes], home: Path, out: Path, step: int, terminal: int = -1
) -> int:
    """Wait until a checkpoint of this step or a later one is kept, reading what comes to a terminal
    meanwhile; its step."""
    work, deadline = Work(home / "state", out), time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        assert process.poll() is None, process.communicate()
        found = work.unfinished()
        if found is not None and found.reached.step >= step:
            return found.reached.step
        if terminal >= 0 and select.select([terminal], [], [], 0)[0]:
            os.read(terminal, 1 << 16)
        time.sleep(0.01)
    raise AssertionError("no checkpoint came")


@dataclass
class Trained:
    folder: Path
    document: dict[str, Any]
    said: str

    @property
    def adapter(self) -> Path:
        return self.folder / "mine.gguf"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """An adapter that was trained from an empty folder, with a small suite run before and after."""
    folder, home = tmp_path_factory.mktemp("trained"), tmp_path_factory.mktemp("trained-home")
    write_suite(folder, 8)
    command = [sys.executable, "-m", "llamadiff.tui", *TRAIN, "-o", "mine.gguf", *FEW]
    done = subprocess.run(
        [*command, "--eval", "few.toml", "--json"],
        cwd=folder, env=os.environ | {"LLAMADIFF_HOME": str(home)}, capture_output=True, timeout=200,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr.decode()
    assert not list((home / "state" / "tuning").iterdir())
    return Trained(folder, json.loads(done.stdout), done.stderr.decode())


def test_it_trains_and_says_what_came_of_it(trained: Trained) -> None:
    (adapter,) = trained.document["adapters"]
    assert adapter["path"] == str(trained.adapter) and adapter["ended"] == "steps"
    assert (adapter["train"], adapter["validation"], adapter["steps"]) == (12, 29, 16)
    assert [step for step, _ in adapter["losses"]] == list(range(1, 17))
    assert [step for step, _ in adapter["validations"]] == [4, 8, 12, 16]
    assert adapter["losses"][-1][1] < adapter["losses"][0][1]
    assert adapter["settings"]["rank"] == 4 and adapter["settings"]["method"] == "sft"
    assert {it["expected"] for it in adapter["samples"]} == {"positive", "negative", "neutral"}
    assert all(it["before"] != it["now"] for it in adapter["samples"])
    said = read_training(trained.adapter)
    assert (said.rows, said.steps, said.seconds) == (12, 16, pytest.approx(adapter["seconds"], abs=1e-3))  # fmt: skip
    assert said.data_sha256 == trained.document["data"]["sha256"]
    assert said.data_checks == ("340 rows were checked; nothing is wrong with them.",)
    assert Path(adapter["card"]).read_text().startswith("---\nadapter-sha256: ")
    for words in ("12 of 311 to train on, 29 to validate with.", "Estimated: 16 steps", "Measured: ", "step 16 of 16: loss ", " → "):  # fmt: skip
        assert words in trained.said
    assert not list(trained.folder.glob(".*"))


def test_suites_are_run_with_the_adapter_beside_their_own_variants(trained: Trained) -> None:
    (evaluation,) = trained.document["evaluations"]
    labels = [it["label"] for it in evaluation["variants"]]
    assert labels == ["plain", "engineered", "shipped", "mine", "engineered + mine"]
    decision = evaluation["decision"]
    assert (decision["rows"], decision["chosen_on"]) == (8, 0)
    (before,) = decision["before"]
    assert (before["label"], before["kind"]) == ("shipped", "tuned")
    assert "against shipped, which was there before: " in decision["verdict"]
    sides = decision["sides"]
    assert sides["tuned"]["label"] == "mine" and sides["combined"]["label"] == "engineered + mine"
    assert sides["tuned"]["tried"][0]["rows_trained"] == 12
    assert evaluation["evaluation"]


def test_killed_and_gone_on_with_it_gives_the_same_bytes(
    trained: Trained, home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (folder := tmp_path / "out").mkdir()
    out, suite = folder / "mine.gguf", write_suite(tmp_path, 40)
    command = (*TRAIN, "-o", str(out), *FEW, "--eval", str(suite))
    process = started(*command)
    reached = trained_for(process, home, out, 2)
    process.kill()
    process.communicate()
    assert not out.exists()
    for name in (".mine.gguf.0123456789ab.part", ".mine.md.0123456789ab.part"):
        (folder / name).touch()  # as a kill while they are written leaves them
    process = started(*command, "--resume")
    assert process.stderr
    said = list(iter(process.stderr.readline, b"evaluating \xe2\x80\xa6\n"))
    process.send_signal(signal.SIGINT)
    text, more = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, text.decode()) == (130, f"{out}\n")
    for words in (b" of 16 is gone on with.", b", from step "):
        assert words in b"".join(said)
    assert b"There is nothing to go on with" not in b"".join(said) and reached < 16
    assert b"The same with --resume goes on; if you never will, delete " + bytes(home) in more

    assert run([*command, "--resume"]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith(f"{out}\n") and "held out" not in captured.err
    assert "Few: 40 rows × 5 variants = 200 answers" in captured.err
    assert out.read_bytes() == trained.adapter.read_bytes()
    assert sorted(it.name for it in folder.iterdir()) == ["mine.gguf", "mine.md"]
    assert Work(home / "state", out).unfinished() is None


def test_dead_and_stopped(home: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "mine.gguf"
    data = tmp_path / "rows.csv"
    rows = [f"the {it} is {word},{label}" for it in ("lamp", "soup", "film", "chair") for word, label in (("bad", "negative"), ("good", "positive"))]  # fmt: skip
    data.write_text("\n".join(["review,expected", *rows]))
    many = ("tune", "--base", "demo", "--data", str(data), "-p", "sentiment", "-o", str(out), "--set", "steps=3000", "--set", "checkpoint_every=2", "--set", "validation=0.25")  # fmt: skip
    process = started(*many)
    reached = trained_for(process, home, out, 2)
    (child,) = [it for it in psutil.Process(process.pid).children() if "tuning.process" in " ".join(it.cmdline())]  # fmt: skip
    child.kill()
    _, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3
    assert "The process that trains was ended by SIGKILL" in said.decode()
    assert "--resume goes on from step " in said.decode() and not out.exists()

    terminal, end = os.openpty()
    process = started(*many, "--resume", "--json", stderr=end)
    os.close(end)
    trained_for(process, home, out, reached + 4, terminal)
    assert run([*many, "--resume"]) == 2
    assert f"{out} is being trained by another llamadiff." in capsys.readouterr().err
    os.close(terminal)
    for _ in range(2):  # a terminal that goes tells it, and then its shell does
        process.send_signal(signal.SIGHUP)
        time.sleep(0.05)  # or the two are one
    text, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 129
    (adapter,) = json.loads(text)["adapters"]
    assert adapter["ended"] == "stopped" and adapter["step"] <= adapter["steps"] < 3000
    assert read_training(out).step == adapter["step"]


def test_stopped_before_the_first_step_there_is_nothing(home: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.gguf"
    process = started(*TRAIN, "-o", out, *FEW)
    assert process.stderr
    assert any(b"Estimated: " in line for line in process.stderr)
    process.send_signal(signal.SIGTERM)
    text, said = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, text) == (143, b"")
    assert "The training was stopped before its first step." in said.decode()
    assert not out.exists() and Work(home / "state", out).unfinished() is None


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Give -o ADAPTER.gguf, or --check"),
        (("-o", "no/x.gguf"), "no does not exist; make it first."),
        (("-o", "rows.csv"), "rows.csv is there and no GGUF file, so it is not replaced"),
        (("-o", "x.md"), "x.md does not end in .gguf, by which adapters are found; add it."),
        (("-o", "model.gguf"), "model.gguf is there and no adapter, so it is not replaced"),
        (("-o", "/proc/x.gguf"), "/proc/x.gguf cannot be written"),
        (("-o", "notes.gguf"), "notes.md is there and no card of an adapter, so it is not replaced"),
        (("-o", "x.gguf", "--rows", "1,900"), "900 rows are asked for, and there are 311"),
        (("-o", "x.gguf", "--set", "epoch=3"), "epoch is no setting of tuning; did you mean epochs"),
        (("-o", "x.gguf", "--set", "rank=0"), "rank is 0; give a whole number from 1"),
        (("-o", "x.gguf", "--set", "method=dpo"), "The method dpo needs preferences, and there are none"),
        (("-o", "x.gguf", "--data", "sentimen"), "There are no rows sentimen; did you mean sentiment"),
        (("-o", "x.gguf", "--data", "no.csv"), "There is no data file no.csv."),
        (("-o", "x.gguf", "--data", "rows.csv"), "rows.csv has one row; training needs at least 2"),
        (("-o", "x.gguf", "--eval", "code.toml"), "checks answers with Python code, which tuning does not run"),
        (("-o", "x.gguf", "--weights", "."), "has no config.json"),
    ],
)  # fmt: skip
def test_mistakes_are_one_line_and_2_and_nothing_is_written(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    base: Path,
    arguments: tuple[str, ...],
    words: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rows.csv").write_text("review,expected\nFine.,positive\n")
    (tmp_path / "notes.md").write_text("# Mine\n")
    shutil.copy(base, tmp_path / "model.gguf")
    (tmp_path / "check.py").write_text("def fine(answer):\n    return True\n")
    code = SUITE.replace("few.jsonl", "rows.csv") + '[[checks]]\ncheck = "code"\nfunction = "check.py:fine"\n'  # fmt: skip
    (tmp_path / "code.toml").write_text(code)
    before = sorted(tmp_path.iterdir())
    assert run([*TRAIN, *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and words in captured.err.splitlines()[-1]
    assert sorted(tmp_path.iterdir()) == before


def test_without_the_extra_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(extra, "find_spec", lambda name: None)
    assert run([*TRAIN, "-o", str(tmp_path / "x.gguf")]) == 2
    said = capsys.readouterr().err
    assert "Tuning needs torch and transformers and peft" in said and "1 GB" in said


def test_a_training_that_failed_says_what_is_kept() -> None:
    watch = _Watch(ProgressLine())
    watch.hear(AdapterBegun(PlannedAdapter(Path("mine.gguf")), 1, 1))
    with pytest.raises(ModelError, match=r"It fails\. The adapter .* checkpoint is /kept\.gguf\."):
        watch.hear(Failed("It fails.", "/kept.gguf"))
    with pytest.raises(ModelError, match=r"^It fails\.$"):
        watch.hear(Failed("It fails."))
