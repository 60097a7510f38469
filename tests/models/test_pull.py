"""Fetching from a hub: into the shared cache, whole, once, and again where it was cut off."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from .hub_server import COMMIT, Hub, running

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
MODEL = "tiny-Q4_0.gguf"
DATA = bytes(range(256)) * 40_000  # 10 MB

Pull = Callable[..., "subprocess.CompletedProcess[str]"]

ASKED = """
import contextlib, io, json, sys
from llamadiff.tui.cli.main import run
for line in sys.stdin:
    with contextlib.redirect_stdout(io.StringIO()) as out, contextlib.redirect_stderr(io.StringIO()) as err:
        code = run(["pull", *json.loads(line), "--dry-run"])
    print(json.dumps([code, out.getvalue(), err.getvalue()]), flush=True)
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    with running(Hub({"README.md": b"# tiny", "config.json": b"{}", MODEL: DATA})) as it:
        yield it


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    return tmp_path / "hf"


@pytest.fixture
def environment(hub: Hub, cache: Path) -> dict[str, str]:
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("HF_", "TRANSFORMERS_"))}
    return {**kept, "HF_ENDPOINT": hub.url, "HF_HOME": str(cache)}


@pytest.fixture
def pull(environment: dict[str, str]) -> Pull:
    def run(*arguments: str, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [LLAMADIFF, "pull", *arguments],
            capture_output=True, text=True, timeout=60, env={**environment, **env},
        )  # fmt: skip

    return run


@pytest.fixture
def ask(environment: dict[str, str]) -> Iterator[Pull]:
    """What would be fetched; one process is asked again and again."""
    with subprocess.Popen(
        [sys.executable, "-c", ASKED],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment,
    ) as process:  # fmt: skip
        asked, told = process.stdin, process.stdout
        assert asked and told

        def run(*arguments: str) -> subprocess.CompletedProcess[str]:
            asked.write(json.dumps(arguments) + "\n")
            asked.flush()
            return subprocess.CompletedProcess(arguments, *json.loads(told.readline()))

        yield run
        asked.close()


def blobs(cache: Path) -> list[Path]:
    return sorted((cache / "hub" / "models--owner--model" / "blobs").glob("*"))


def test_the_one_model_of_a_repository_lands_in_the_shared_cache(
    hub: Hub, cache: Path, pull: Pull
) -> None:
    done = pull("owner/model")
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.strip())
    folder = cache / "hub" / "models--owner--model"
    assert path == folder / "snapshots" / COMMIT / MODEL and path.read_bytes() == DATA
    assert path.resolve() == folder / "blobs" / hub.digest(MODEL)
    assert (folder / "refs" / "main").read_text() == COMMIT
    assert pull("owner/model").stdout == done.stdout
    assert hub.transfers == [(MODEL, 0)], "what is there is not fetched again"


def test_a_lost_connection_is_taken_up_where_it_broke(hub: Hub, cache: Path, pull: Pull) -> None:
    hub.cut_after = [4_000_000, 3_000_000]
    done = pull("owner/model:Q4_0", "--json")
    assert done.returncode == 0, done.stderr
    assert Path(json.loads(done.stdout)["paths"][0]).read_bytes() == DATA
    assert [name for name, _ in hub.transfers] == [MODEL] * 3
    starts = [start for _, start in hub.transfers]
    assert starts[0] == 0 and 0 < starts[1] < starts[2] <= 7_000_000
    assert len(blobs(cache)) == 1


def test_what_had_come_before_a_failure_is_not_fetched_again(
    hub: Hub, cache: Path, pull: Pull
) -> None:
    hub.cut_after = [4_000_000, 0, 0, 0, 0, 0, 0]
    failed = pull("owner/model")
    assert failed.returncode == 2 and "cannot be reached" in failed.stderr
    assert len(failed.stderr.strip().splitlines()) == 2, "what it did, and one line of why not"
    (part,) = blobs(cache)
    here = part.stat().st_size
    assert part.suffix == ".incomplete" and here > 0
    hub.cut_after, hub.transfers = [], []
    assert pull("owner/model").returncode == 0
    assert hub.transfers == [(MODEL, here)]
    assert [blob.read_bytes() for blob in blobs(cache)] == [DATA]


def test_an_interrupt_keeps_what_has_come(
    hub: Hub, cache: Path, pull: Pull, environment: dict[str, str]
) -> None:
    hub.cut_after, hub.stall = [5_000_000], True
    process = subprocess.Popen([LLAMADIFF, "pull", "owner/model"], env=environment)
    end = time.monotonic() + 30
    while time.monotonic() < end and not (blobs(cache) and blobs(cache)[0].stat().st_size):
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    assert process.wait(20) == 130
    (part,) = blobs(cache)
    here = part.stat().st_size
    hub.cut_after, hub.stall, hub.transfers = [], False, []
    assert pull("owner/model").returncode == 0
    assert hub.transfers == [(MODEL, here)]


def test_a_server_without_ranges_costs_time_but_no_bytes(hub: Hub, cache: Path, pull: Pull) -> None:
    hub.cut_after, hub.ranges = [4_000_000], False
    assert pull("owner/model").returncode == 0
    assert blobs(cache)[0].read_bytes() == DATA


def test_other_bytes_than_promised_are_thrown_away(hub: Hub, cache: Path, pull: Pull) -> None:
    hub.lies = True
    done = pull("owner/model")
    assert done.returncode == 2 and "checksum" in done.stderr
    assert blobs(cache) == []
    hub.lies = False
    assert pull("owner/model").returncode == 0


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (404, "RepoNotFound", "no repository owner/model"),
        (401, "", "log in"),
        (403, "GatedRepo", "terms"),
        (418, "", "HTTP 418"),
    ],
)
def test_what_the_hub_refuses_is_said_in_one_line(
    hub: Hub, pull: Pull, status: int, error: str, says: str
) -> None:
    hub.status, hub.error = status, error
    done = pull("owner/model")
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and says in done.stderr, done.stderr


def test_offline_is_a_clear_word(pull: Pull) -> None:
    for env, says in (
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE"),
        ({"HF_ENDPOINT": "http://127.0.0.1:9"}, "cannot be reached"),
    ):
        done = pull("owner/model", **env)
        assert done.returncode == 2 and says in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1


def test_a_dry_run_fetches_nothing(hub: Hub, cache: Path, pull: Pull) -> None:
    done = pull("owner/model", "--dry-run")
    assert done.returncode == 0 and MODEL in done.stdout and "10.2 MB" in done.stdout
    assert hub.transfers == [] and not cache.joinpath("hub").exists()
    assert pull("owner/model").returncode == 0
    again = json.loads(pull("owner/model", "--dry-run", "--json").stdout)
    assert again["bytes_to_fetch"] == 0 and again["files"][0]["cached"]


def test_which_files_are_meant(hub: Hub, ask: Pull) -> None:
    parts = [f"big-Q8_0-0000{i}-of-00002.gguf" for i in (1, 2)]
    hub.files = {
        name: name.encode()
        for name in ("small-Q4_K_M.gguf", *parts, "mmproj-F16.gguf", "q/small-Q6_K.gguf", "a.json")
    }

    def files(*wanted: str) -> list[str] | str:
        done = ask("owner/model", *wanted, "--json")
        if done.returncode:
            assert done.returncode == 2
            return done.stderr
        return [file["name"] for file in json.loads(done.stdout)["files"]]

    assert files("q4_k_m") == ["small-Q4_K_M.gguf"]
    assert files(parts[1]) == files("Q8_0") == parts
    assert files("*.gguf") == [name for name in hub.files if name.endswith("gguf")]
    assert files("mmproj-F16.gguf") == ["mmproj-F16.gguf"]
    assert files("a.json", "Q6_K") == ["q/small-Q6_K.gguf", "a.json"]
    assert "3 models" in files() and "small-Q4_K_M.gguf (17 bytes)" in files()
    assert "Q5_0" in files("Q5_0") and "name one of" in files("Q5_0")
    assert files("K_M") != ["small-Q4_K_M.gguf"], "half a type is none"


def test_an_adapters_folder_is_fetched_whole(hub: Hub, cache: Path, pull: Pull) -> None:
    hub.files = {
        "adapter_config.json": b'{"peft_type": "LORA"}',
        "adapter_model.safetensors": b"weights",
        "README.md": b"#",
    }
    done = pull("owner/model")
    assert done.returncode == 0, done.stderr
    folder = Path(done.stdout.rstrip("\n"))
    names = ["adapter_config.json", "adapter_model.safetensors"]
    assert sorted(path.name for path in folder.iterdir()) == names
    assert (folder / names[1]).read_bytes() == b"weights"


def test_names_of_the_hub_cannot_leave_the_cache(hub: Hub, tmp_path: Path, pull: Pull) -> None:
    hub.files = {"../../../../escape.gguf": b"GGUF"}
    done = pull("owner/model")
    assert done.returncode == 2, done.stderr
    assert not list(tmp_path.rglob("escape.gguf"))


def test_what_is_not_clear_is_not_fetched(hub: Hub, ask: Pull) -> None:
    hub.files = {
        "a-Q4_K_M.gguf": b"1", "b-Q4_K_M.gguf": b"2", "one/m.gguf": b"3", "two/m.gguf": b"4",
        "c_Q5_K_M.gguf": b"5", "d-Q6_K-00001-of-00002.gguf": b"6", "e-IQ4_XS.gguf": b"7",
    }  # fmt: skip
    for word, names in (("Q4_K_M", "a-Q4_K_M.gguf"), ("m.gguf", "one/m.gguf")):
        done = ask(f"owner/model:{word}")
        assert done.returncode == 2 and "2 models" in done.stderr and names in done.stderr
    for word in ("Q6_K", "d-Q6_K-00001-of-00002.gguf"):
        done = ask(f"owner/model:{word}")
        assert done.returncode == 2 and "1 of the 2 parts" in done.stderr
    done = ask("owner/model:Q5_K_M")
    assert done.returncode == 0 and "c_Q5_K_M.gguf" in done.stdout
    assert ask("owner/model:Q4_XS").returncode == 2
    assert ask("owner/model:*-Q4_K_M.gguf").stdout.count("Q4_K_M") == 2


def test_the_commit_that_was_looked_up_is_fetched(hub: Hub, cache: Path, pull: Pull) -> None:
    assert pull("owner/model").returncode == 0
    assert all(COMMIT in path for path in hub.asked if "/resolve/" in path), hub.asked
    main = cache / "hub" / "models--owner--model" / "refs" / "main"
    assert main.read_text() == COMMIT


def test_addresses_may_be_pasted(ask: Pull) -> None:
    for address, code, words in (
        ("https://huggingface.co/owner/model/", 0, MODEL),
        (f"https://huggingface.co/owner/model/blob/main/{MODEL}?x=1", 0, MODEL),
        (f"https://hf.co/owner/model/resolve/main/{MODEL}", 0, MODEL),
        ("https://huggingface.co/owner/model/tree/main", 0, MODEL),
        ("hf://owner/model", 0, MODEL),
        ("owner/model/", 0, MODEL),
        ("https://huggingface.co/owner/model/blob/v2/x.gguf", 2, "only main"),
    ):
        done = ask(address)
        assert done.returncode == code and words in done.stdout + done.stderr, done


def test_odd_names_of_the_hub_are_passed_over(hub: Hub, pull: Pull) -> None:
    hub.files = {"a\0b.gguf": b"1", "e\x1b[2J.gguf": b"2", MODEL: b"3"}
    done = pull("owner/model", "--dry-run")
    assert done.returncode == 0 and MODEL in done.stdout
