"""`llamadiff convert` as a shell runs it."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.catalog import default_model
from llamadiff.models.gguf.check import check_adapter

from .peft import write_peft

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")


def llamadiff(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([LLAMADIFF, *arguments], capture_output=True, text=True, timeout=60)


def test_convert_prints_the_path_and_the_adapter_runs(tmp_path: Path) -> None:
    out = tmp_path / "poet.gguf"
    base = default_model()
    done = llamadiff("convert", write_peft(tmp_path / "poet"), "-o", out, "--base", base.entry.name)
    assert (done.returncode, done.stdout) == (0, f"{out}\n")
    assert "weights of" in done.stderr
    adapter = check_adapter(out)
    assert adapter.rank == 4 and not check_fit(adapter, base.facts)
    assert len(adapter.provenance["llamadiff.base.sha256"]) == 64
    run = llamadiff("run", "-p", "tell-me-about", "-a", out, "--set", "max_tokens=4")
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    ("config", "words"),
    [({"use_dora": True}, "uses DoRA"), ({"peft_type": "IA3"}, "is IA3, not LoRA")],
)
def test_a_refusal_is_one_line_and_2(tmp_path: Path, config: dict, words: str) -> None:
    out, folder = tmp_path / "out.gguf", write_peft(tmp_path / "poet", **config)
    done = llamadiff("convert", folder, "-o", out, "--base", default_model().entry.name)
    assert (done.returncode, done.stdout, out.exists()) == (2, "", False)
    assert words in done.stderr and done.stderr.count("\n") == 1


def test_an_option_left_out_is_a_mistake(tmp_path: Path) -> None:
    assert llamadiff("convert", tmp_path, "-o", tmp_path / "out.gguf").returncode == 2
    assert llamadiff("convert", tmp_path, "--base", default_model().entry.name).returncode == 2


@pytest.mark.skipif(os.name != "posix", reason="needs signals")
@pytest.mark.parametrize(
    ("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_signals_leave_nothing(tmp_path: Path, number: int, code: int) -> None:
    folder = write_peft(tmp_path / "poet", rank=20_000)
    asked = [LLAMADIFF, "convert", folder, "-o", tmp_path / "out.gguf"]
    process = subprocess.Popen([*asked, "--base", default_model().entry.name, "--outtype", "f32"])
    while process.poll() is None and not list(tmp_path.glob(".out.gguf.*")):
        pass
    assert process.poll() is None
    process.send_signal(number)
    assert process.wait(30) == code
    assert [path.name for path in tmp_path.iterdir()] == ["poet"]


def test_an_adapter_of_zeros_is_told_and_types_are_in_any_case(tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "poet")
    weights = folder / "adapter_model.safetensors"
    data = weights.read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    out, base = tmp_path / "o.gguf", default_model().entry.name
    done = llamadiff("convert", folder, "-o", out, "--base", base, "--outtype", "F32")
    assert done.returncode == 0 and "changes nothing" not in done.stderr
    weights.write_bytes(data[:start] + bytes(len(data) - start))
    done = llamadiff("convert", folder, "-o", out, "--base", base, "--outtype", "q8_0")
    assert done.returncode == 0 and "poet changes nothing: in each" in done.stderr


def test_a_peft_folder_is_an_adapter_of_every_command(tmp_path: Path, home: Path) -> None:
    folder = write_peft(tmp_path / "poet", odd_setting=True)
    prompt, short = ("-p", "tell-me-about"), ("--set", "max_tokens=4")
    run = llamadiff("run", *prompt, *short, "-a", f"{folder}@0.5", "--json")
    assert run.returncode == 0, run.stderr
    (file,) = (home / "cache" / "adapters").iterdir()
    assert f"{folder} is a PEFT folder, used as converted for demo-6m-Q8_0: {file}" in run.stderr
    assert "sets odd_setting" in run.stderr
    (adapter,) = json.loads(run.stdout)["variants"][0]["adapters"]
    assert (adapter["name"], adapter["path"], adapter["scale"]) == ("poet", str(file), 0.5)
    before = file.stat().st_mtime_ns
    pair = ("--variant", "label=base", "--variant", f"adapter={folder}")
    for command in (
        ("diff", *prompt, *short, *pair),
        ("lens", *prompt, *pair, "--text", "Dogs"),
        ("sweep", *prompt, *short, "-a", folder, "--over", "scale=0,1"),
        ("bench", "demo-6m-Q8_0", "-a", folder, "--rounds", "1", "--variants", "2"),
    ):
        done = llamadiff(*command)
        assert done.returncode == int(command[0] == "diff"), done.stderr
        assert done.stderr.count("is a PEFT folder, used as") == 1
    assert file.stat().st_mtime_ns == before
    refused = llamadiff("run", *prompt, "-a", write_peft(tmp_path / "dora", use_dora=True))
    assert refused.returncode == 2 and "uses DoRA" in refused.stderr
