"""Converted adapters compute in llama.cpp what they compute in PEFT, for every family known.

Models are tiny and random; the base is converted by llama.cpp's own script, in float32. The cache
is float32 and flash attention off, so what is left is rounding.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from llamadiff.models.adapters.convert import OutType, convert
from llamadiff.models.adapters.names import RENAMED_ONLY, ROTARY_ROWS_MOVED
from llamadiff.models.adapters.preflight import check_fit
from llamadiff.models.gguf.check import check_adapter, check_model
from llamadiff.models.tuning.base import READ_FROM_GGUF, load_base

from ...conftest import ROOT
from .families import (
    ADAPTERS,
    FAMILIES,
    MORE_FAMILIES,
    TOKENS,
    ask_llama_cpp,
    logits,
    make,
    write_gguf,
)

if TYPE_CHECKING:
    from peft import PeftModel

SOURCES = ROOT / ".venv" / "llama.cpp"
Stack = tuple[tuple[str, float], ...]
Compare = Callable[[str], Mapping[Stack, tuple[np.ndarray, np.ndarray]]]

STACKS: Mapping[str, Stack] = {
    "the base alone": (),
    "plain": (("plain", 1.0),),
    "rslora": (("rslora", 1.0),),
    "rank and alpha patterns": (("patterns", 1.0),),
    "half the scale": (("plain", 0.5),),
    "two stacked": (("plain", 1.0), ("patterns", 0.5)),
}
MORE_STACKS = ("plain", "rank and alpha patterns")

pytestmark = pytest.mark.skipif(
    not SOURCES.exists(), reason="make test fetches llama.cpp's sources, for their conversion"
)


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, tuple[Path, PeftModel]]:
    """A base in GGUF, PEFT folders and a model in PEFT for each family."""
    work = tmp_path_factory.mktemp("families")
    made = {
        name: (work / name, make(family, work / name))
        for name, family in (FAMILIES | MORE_FAMILIES).items()
    }
    write_gguf(SOURCES, [folder for folder, _ in made.values()])
    return made


@pytest.fixture(scope="module")
def compare(folders: Mapping[str, tuple[Path, PeftModel]]) -> Compare:
    """PEFT's logits and llama.cpp's of a family, by stack."""

    @functools.cache
    def both(name: str) -> Mapping[Stack, tuple[np.ndarray, np.ndarray]]:
        folder, model = folders[name]
        base = check_model(folder / "base.gguf")
        for adapter in ADAPTERS:
            out = folder / f"{adapter}.gguf"
            convert(folder / "peft" / adapter, out, base, outtype="f32")
            assert not check_fit(check_adapter(out), base)
        stacks = [
            STACKS[it] for it in (STACKS if name in FAMILIES else ("the base alone", *MORE_STACKS))
        ]
        files = [[(folder / f"{it}.gguf", scale) for it, scale in stack] for stack in stacks]
        theirs = ask_llama_cpp(folder / "base.gguf", files, folder)
        return {
            stack: (logits(model, stack), answer)
            for stack, answer in zip(stacks, theirs, strict=True)
        }

    return both


@pytest.mark.parametrize("case", STACKS)
@pytest.mark.parametrize("name", FAMILIES)
def test_logits_are_those_of_peft(
    compare: Compare, folders: Mapping[str, tuple[Path, PeftModel]], name: str, case: str
) -> None:
    stack = STACKS[case]
    expected, got = compare(name)[stack]
    assert np.abs(got - expected).max() <= FAMILIES[name].tolerance
    if stack:
        alone, _ = compare(name)[()]
        assert np.abs(expected - alone).max() > 0.3


@pytest.mark.parametrize("case", MORE_STACKS)
@pytest.mark.parametrize("name", MORE_FAMILIES)
def test_logits_of_other_families_are_those_of_peft(
    compare: Compare, folders: Mapping[str, tuple[Path, PeftModel]], name: str, case: str
) -> None:
    expected, got = compare(name)[STACKS[case]]
    assert np.abs(got - expected).max() <= MORE_FAMILIES[name].tolerance
    assert np.abs(expected - logits(folders[name][1], ())).max() > 0.3


@pytest.mark.parametrize("name", [*FAMILIES, "llama3"])
def test_what_tuning_reads_from_gguf_is_what_llama_cpp_reads(
    compare: Compare, folders: Mapping[str, tuple[Path, PeftModel]], name: str
) -> None:
    import torch

    facts = check_model(folders[name][0] / "base.gguf")
    assert facts.architecture in READ_FROM_GGUF
    model = load_base(facts, None, "f32", 1).model
    with torch.no_grad():
        mine = model(input_ids=torch.tensor([TOKENS])).logits[0].numpy()
    assert np.abs(mine - compare(name)[()][1]).max() <= (FAMILIES | MORE_FAMILIES)[name].tolerance


def test_no_architecture_is_claimed_untested(
    folders: Mapping[str, tuple[Path, PeftModel]],
) -> None:
    tested = {check_model(folder / "base.gguf").architecture for folder, _ in folders.values()}
    assert tested == ROTARY_ROWS_MOVED | RENAMED_ONLY
    read = {check_model(folders[name][0] / "base.gguf").architecture for name in FAMILIES}
    assert read == READ_FROM_GGUF


@pytest.mark.parametrize(("outtype", "tolerance"), [("f16", 5e-3), ("bf16", 3e-2), ("q8_0", 5e-2)])
def test_shorter_types_round_and_no_more(
    folders: Mapping[str, tuple[Path, PeftModel]], outtype: OutType, tolerance: float
) -> None:
    folder, model = folders["llama"]
    base, out = check_model(folder / "base.gguf"), folder / f"{outtype}.gguf"
    convert(folder / "peft" / "plain", out, base, outtype=outtype)
    (got,) = ask_llama_cpp(base.path, [[(out, 1.0)]], folder)
    assert 1e-5 < np.abs(got - logits(model, STACKS["plain"])).max() < tolerance


TARGETS: Mapping[str, Mapping[str, object]] = {
    "embedding": {"target_modules": ["embed_tokens", "v_proj"]},
    "all-linear": {"target_modules": "all-linear"},
    "regular expression": {"target_modules": r".*layers\.[01]\.mlp\.(up|down)_proj"},
    "one layer": {"target_modules": ["q_proj", "k_proj"], "layers_to_transform": [1]},
    "pattern of layers": {
        "target_modules": ["o_proj"],
        "layers_to_transform": 0,
        "layers_pattern": "layers",
    },
    "excluded": {"target_modules": "all-linear", "exclude_modules": ["k_proj"]},
}


@pytest.fixture(scope="module")
def targets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, PeftModel]:
    """A llama with an adapter for each way of saying what is to change."""
    folder = tmp_path_factory.mktemp("targets")
    model = make(FAMILIES["llama"], folder, TARGETS)
    write_gguf(SOURCES, [folder])
    return folder, model


@pytest.mark.parametrize("name", TARGETS)
def test_what_is_changed_is_what_peft_changes(targets: tuple[Path, PeftModel], name: str) -> None:
    folder, model = targets
    base, out = check_model(folder / "base.gguf"), folder / f"{name}.gguf"
    convert(folder / "peft" / name, out, base, outtype="f32")
    assert not check_fit(check_adapter(out), base)
    (got,) = ask_llama_cpp(base.path, [[(out, 1.0)]], folder)
    expected = logits(model, [(name, 1.0)])
    assert np.abs(got - expected).max() <= FAMILIES["llama"].tolerance
    assert np.abs(expected - logits(model, ())).max() > 0.03


def test_an_adapter_that_transformers_has_split_is_the_same(
    targets: tuple[Path, PeftModel], tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    folder, _ = targets
    source = folder / "peft" / "all-linear"
    model = AutoModelForCausalLM.from_pretrained(folder / "hf")
    model.load_adapter(str(source))
    model.save_pretrained(tmp_path / "split", max_shard_size="20KB")
    assert len(list((tmp_path / "split").glob("adapter_model-*.safetensors"))) > 1
    base = check_model(folder / "base.gguf")
    for path, out in ((source, "whole.gguf"), (tmp_path / "split", "split.gguf")):
        convert(path, tmp_path / out, base, outtype="f32")
    files = [[(tmp_path / out, 1.0)] for out in ("whole.gguf", "split.gguf")]
    whole, split = ask_llama_cpp(base.path, files, tmp_path)
    assert (whole == split).all()
