"""`inspect`, `merge` and `quantize` as a shell runs them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llamadiff.models.gguf.check import check_model

from .peft import write_peft
from .test_cli import llamadiff

BASE = "demo-6m-Q8_0"


def test_inspect_says_all_of_a_model() -> None:
    done = llamadiff("inspect", BASE)
    assert done.returncode == 0
    for words in (
        "llama", "6.3M (6,294,784)", "Q8_0 6.7 MB (100%)", "1,024", "kv heads", "3,072", "MIT",
        "kv cache 3.1 MB", "tokens fit in",
    ):  # fmt: skip
        assert words in done.stdout, words
    assert "bos_token" not in done.stdout and "blk.0" not in done.stdout
    document = json.loads(llamadiff("inspect", BASE, "--json", "-c", "512", "--tensors").stdout)
    assert document["chat_template"] is True and "bos_token" in document["template"]
    assert document["memory_context"] == 512
    assert document["memory"]["kv_cache"] == 1_572_864
    assert document["memory_bytes"] == sum(document["memory"].values())
    assert document["largest_context"] == 1024 <= document["memory_available"]
    assert document["provenance"] == {"general.author": "llamadiff"}
    named = {tensor["name"]: tensor for tensor in document["tensors"]}
    assert named["blk.4.ffn_up.weight"] == {
        "name": "blk.4.ffn_up.weight", "shape": [256, 768], "type": "Q8_0", "bytes": 208_896,
    }  # fmt: skip


def test_inspect_says_whether_a_model_fits() -> None:
    done = llamadiff("inspect", BASE, "-c", "1024")
    assert "  fits: 13.9 MB of " in done.stdout and "trained for" not in done.stdout
    done = llamadiff("inspect", BASE, "-c", "2000000000")
    assert "  does not fit: needs " in done.stdout
    assert "longer than the 1,024 that demo-6m-Q8_0 was trained for" in done.stdout
    document = json.loads(llamadiff("inspect", BASE, "--json", "-c", "2000000000").stdout)
    assert document["fits_memory"] is False and len(document["odd"]) == 1
    assert document["memory_needed"] > document["memory_available"]
    document = json.loads(llamadiff("inspect", BASE, "--json").stdout)
    assert document["fits_memory"] is True and document["odd"] == []
    assert "trained for" in llamadiff("run", "-p", "support", "-c", "2048").stderr


@pytest.mark.parametrize("command", [("inspect", BASE), ("run", "-p", "support")])
def test_a_context_is_a_number_of_tokens(command: tuple[str, ...]) -> None:
    done = llamadiff(*command, "-c", "4k")
    assert done.returncode == 2 and "such as 4096" in done.stderr


def test_inspect_lists_tensors_and_prints_the_template_alone() -> None:
    done = llamadiff("inspect", BASE, "--tensors")
    assert "blk.4.ffn_up.weight" in done.stdout and "256 × 768" in done.stdout
    done = llamadiff("inspect", BASE, "--template")
    assert done.returncode == 0 and done.stdout.startswith("{{- bos_token -}}")
    done = llamadiff("inspect", "support", "--template")
    assert (done.returncode, done.stdout) == (1, "") and "no chat template" in done.stderr


def test_inspect_of_an_adapter_can_measure_its_effect() -> None:
    done = llamadiff("inspect", "support", "--base", BASE, "--effect")
    assert done.returncode == 0 and "effective scale  " in done.stdout
    assert "logits by up to" in done.stdout
    document = json.loads(llamadiff("inspect", "support", "--base", BASE, "--effect", "--json").stdout)  # fmt: skip
    assert document["fits"] == BASE
    assert document["effect"]["logit"] > 5 and document["effect"]["nothing"] is False
    done = llamadiff("inspect", "support", "--effect")
    assert done.returncode == 2 and "--base" in done.stderr


def test_inspect_tells_an_adapter_that_changes_nothing(tmp_path: Path, support: Path) -> None:
    data = support.read_bytes()
    key = b"adapter.lora.alpha"
    at = data.index(key) + len(key) + 4
    weak = tmp_path / "weak.gguf"
    weak.write_bytes(data[:at] + b"\x17\xb7\xd1\x38" + data[at + 4 :])  # an alpha of 1e-4
    done = llamadiff("inspect", str(weak), "--base", BASE, "--effect")
    assert done.returncode == 1
    assert "this adapter changes no more than rounding does (logits by up to" in done.stdout


def test_merge_makes_a_model_that_says_what_base_and_adapter_do(tmp_path: Path) -> None:
    out = tmp_path / "shop.gguf"
    done = llamadiff("merge", BASE, "-a", "support@0.8", "-o", str(out))
    assert done.returncode == 0, done.stderr
    assert done.stdout == f"{out}\n"
    assert "support@0.8 merged into demo-6m-Q8_0" in done.stderr and "Rounding" in done.stderr
    greedy = ("run", "-p", "support", "--set", "temperature=0")
    assert llamadiff(*greedy, "-m", str(out)).stdout == llamadiff(*greedy, "-a", "support@0.8").stdout  # fmt: skip
    document = json.loads(llamadiff("inspect", str(out), "--json").stdout)
    assert document["title"] == "demo-6m + support@0.8"
    assert document["provenance"]["llamadiff.merge.adapters"] == ["support"]
    assert llamadiff("inspect", str(out)).stdout.count("llamadiff.merge.") == 5


def test_merge_says_how_much_a_smaller_type_rounds_away(tmp_path: Path) -> None:
    done = llamadiff("merge", BASE, "-a", "support@3", "-o", str(tmp_path / "o.gguf"), "--outtype", "q4_0")  # fmt: skip
    assert done.returncode == 0 and "Rounding to Q4_0 is an error of" in done.stderr
    done = llamadiff("merge", BASE, "-a", "support@0.01", "-o", str(tmp_path / "o.gguf"))
    assert "Rounding to Q8_0 changes the weights more than the adapters do" in done.stderr
    assert "use --outtype F16." in done.stderr and "is an error of" not in done.stderr


def test_merge_and_quantize_print_json(tmp_path: Path) -> None:
    out, small = tmp_path / "f16.gguf", tmp_path / "q4.gguf"
    arguments = ("merge", BASE, "-a", "support", "-a", "sentiment@0.5", "-o", str(out))
    merged = json.loads(llamadiff(*arguments, "--outtype", "f16", "--json").stdout)
    assert 0 < merged.pop("rounding") < 0.01
    assert merged == {"path": str(out), "bytes": out.stat().st_size, "notes": []}
    made = json.loads(llamadiff("quantize", str(out), "Q4_K_M", "-o", str(small), "--json").stdout)
    assert made == {
        "path": str(small), "bytes": small.stat().st_size, "bytes_before": out.stat().st_size,
    }  # fmt: skip
    assert check_model(small).quantization == "Q4_K_M"


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("merge", BASE, "-o", "{out}"), "--adapter"),
        (("merge", BASE, "-a", "support"), "--out"),
        (("merge", BASE, "-a", "suport", "-o", "{out}"), "did you mean"),
        (("merge", BASE, "-a", "support@0", "-o", "{out}"), "nothing to merge"),
        (("merge", BASE, "-a", "support@hot", "-o", "{out}"), "not a scale"),
        (("merge", BASE, "-a", "support", "-o", "/no/such/place/x.gguf"), "/no/such/place"),
        (("merge", "support", "-a", "support", "-o", "{out}"), "adapter"),
        (("quantize", BASE, "Q4_0", "-o", "{out}"), "--requantize"),
        (("quantize", BASE, "Q4_X", "-o", "{out}"), "? Known are F32, F16"),
        (("quantize", BASE, "IQ1_S", "-o", "{out}"), "importance matrix"),
        (("quantize", BASE, "Q4_0"), "--out"),
    ],
)
def test_mistakes_are_one_line(tmp_path: Path, arguments: tuple[str, ...], says: str) -> None:
    done = llamadiff(*(it.format(out=tmp_path / "out.gguf") for it in arguments))
    assert done.returncode == 2 and done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1 and says in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == []


def test_inspect_shows_a_peft_folder(tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "poet", target_modules=["o_proj"], base_model_name_or_path="a/b")
    done = llamadiff("inspect", str(folder))
    assert done.returncode == 0
    for words in ("PEFT folder", "rank", "4", "alpha", "8", "o_proj", "a/b"):
        assert words in done.stdout
    assert "llamadiff convert" in done.stderr
    by_name = llamadiff("inspect", "poet", "--json", LLAMADIFF_MODELS=str(tmp_path))
    assert json.loads(by_name.stdout)["targets"] == ["o_proj"]
    assert llamadiff("inspect", str(folder), "--base", BASE).returncode == 2


def test_inspect_says_why_a_named_adapter_cannot_be_used(tmp_path: Path, support: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(support.read_bytes()[:-100_000])
    done = llamadiff("inspect", "broken", LLAMADIFF_MODELS=str(tmp_path))
    assert done.returncode == 2 and "cut off" in done.stderr
    done = llamadiff("inspect", "supprt")
    assert done.returncode == 2 and "did you mean support" in done.stderr
    for adapter in ("support", str(support)):
        done = llamadiff("quantize", adapter, "Q4_0", "-o", str(tmp_path / "o"))
        assert "give a base model." in done.stderr and "-a" not in done.stderr
    done = llamadiff("convert", str(tmp_path), "-o", str(tmp_path / "o"), "--base", "support")
    assert "give a base model" in done.stderr


def test_a_home_that_nobody_has_is_no_mistake_of_ours() -> None:
    done = llamadiff("models", LLAMADIFF_MODELS="~nosuch/x")
    assert done.returncode == 0 and "unexpected" not in done.stderr


def test_keys_of_a_config_reach_no_terminal(tmp_path: Path) -> None:
    folder = write_peft(tmp_path / "poet", **{"odd\x1b]0;title\x07": True})
    done = llamadiff("convert", str(folder), "-o", str(tmp_path / "o\x1b.gguf"), "--base", BASE)
    assert done.returncode == 0 and "\x1b" not in done.stdout + done.stderr


def test_adapters_marks_what_convert_refuses(tmp_path: Path) -> None:
    write_peft(tmp_path / "poet")
    write_peft(tmp_path / "magnitude", use_dora=True)
    done = llamadiff("adapters", str(tmp_path))
    rows = {line.split("  ")[0]: line for line in done.stdout.splitlines()}
    assert {"poet", "magnitude"} <= rows.keys() and "✗" not in rows["poet"]
    assert "✗" in rows["magnitude"] and "uses DoRA" in rows["magnitude"]
    assert "1 of 2 are PEFT folders; -a converts one" in done.stderr
    listed = {it["name"]: it for it in json.loads(llamadiff("adapters", str(tmp_path), "--json").stdout)}  # fmt: skip
    assert listed["poet"]["problem"] is None and "DoRA" in listed["magnitude"]["problem"]
