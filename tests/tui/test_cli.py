"""The commands as a shell runs them: what they print where, and their exit codes."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

LLAMADIFF = str(Path(sys.executable).parent / "llamadiff")
PROMPT = ("-p", "tell-me-about")


def llamadiff(
    *arguments: str, cwd: Path | None = None, **env: str
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [LLAMADIFF, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        stdin=subprocess.DEVNULL,
        cwd=cwd,
        env={**os.environ, **env},
    )


def test_version_and_help() -> None:
    done = llamadiff("--version")
    assert done.returncode == 0 and done.stdout.startswith("llamadiff ")
    done = llamadiff("--help")
    assert done.returncode == 0
    for command in ("run", "diff", "models", "adapters", "inspect", "doctor"):
        assert command in done.stdout
        assert llamadiff(command, "--help").returncode == 0


def test_run_prints_the_text_alone_on_stdout() -> None:
    done = llamadiff("run", *PROMPT, "--var", "topic=cats")
    assert done.returncode == 0
    assert done.stdout.strip() and "tokens" not in done.stdout
    assert "tokens" in done.stderr


def test_every_combination_of_values_is_run() -> None:
    done = llamadiff("run", *PROMPT, "--each", "topic=dogs", "--each", "topic=tea", "--json")
    variants = json.loads(done.stdout)["variants"]
    assert [it["prompt"]["variables"] for it in variants] == [{"topic": "dogs"}, {"topic": "tea"}]
    assert ["tea" in it["prompt"]["text"] for it in variants] == [False, True]
    assert llamadiff("diff", *PROMPT, "--each", "topic=dogs").returncode == 2
    assert llamadiff("diff", *PROMPT, "--each", "topic=dogs", "--each", "topic=tea").returncode == 1


def test_a_text_of_ones_own_is_asked() -> None:
    done = llamadiff("run", "--user", "Tell me about {{ topic }}.", "--var", "topic=cats", "--set", "max_tokens=8", "--json")  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert "Tell me about cats." in json.loads(done.stdout)["variants"][0]["prompt"]["text"]
    done = llamadiff("run", "-p", "Tell me about cats.")
    assert done.returncode == 2 and "--user" in done.stderr


def test_run_json_is_one_document_and_repeatable() -> None:
    arguments = ("run", *PROMPT, "--variant", "label=plain", "--variant", "label=tuned,adapter=support@0.8", "--set", "seed=5", "--repeat", "2", "--json")  # fmt: skip
    first, second = (json.loads(llamadiff(*arguments).stdout) for _ in range(2))
    assert [variant["label"] for variant in first["variants"]] == ["plain", "tuned"]
    assert [output["seed"] for output in first["variants"][0]["outputs"]] == [5, 6]
    assert first["variants"][1]["adapters"][0]["scale"] == 0.8
    for a, b in zip(first["variants"], second["variants"], strict=True):
        assert [o["tokens"] for o in a["outputs"]] == [o["tokens"] for o in b["outputs"]]


def test_stream_prints_lines_as_the_text_comes_and_the_document_last() -> None:
    done = llamadiff("run", *PROMPT, "--json", "--stream")
    *lines, last = (json.loads(line) for line in done.stdout.splitlines())
    assert len(lines) > 1
    assert "".join(line["text"] for line in lines) == last["variants"][0]["outputs"][0]["text"]


def test_diff_is_0_for_identical_variants_and_1_for_base_against_adapter() -> None:
    same = llamadiff("diff", *PROMPT, "--variant", "label=x", "--variant", "label=y")
    assert (same.returncode, "same" in same.stdout) == (0, True)
    differs = llamadiff(
        "diff", *PROMPT, "--variant", "adapter=none", "--variant", "adapter=support"
    )
    assert differs.returncode == 1
    assert "{+" in differs.stdout and "[-" in differs.stdout and "\x1b" not in differs.stdout


def test_diff_of_two_files(tmp_path: Path) -> None:
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    a.write_text("Dogs are loyal friends.")
    b.write_text("Dogs are very loyal friends.")
    done = llamadiff("diff", "--files", str(a), str(b))
    assert done.returncode == 1 and "{+very +}" in done.stdout and "+1 −0 words" in done.stdout
    assert llamadiff("diff", "--files", str(a), str(a)).returncode == 0
    document = json.loads(llamadiff("diff", "--files", str(a), str(b), "--json").stdout)
    assert (document["words_added"], document["equal"]) == (1, False)
    for mode in ("char", "line"):
        assert llamadiff("diff", "--mode", mode, "--files", str(a), str(b)).returncode == 1


def test_diff_ignores_what_it_is_told_to(tmp_path: Path) -> None:
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    a.write_text("Dogs are\n loyal  friends.")
    b.write_text("dogs ARE loyal friends.\n")
    files = "diff", "--files", str(a), str(b)
    assert llamadiff(*files).returncode == llamadiff(*files, "--ignore-case").returncode == 1
    same = llamadiff(*files, "--ignore-case", "--ignore-space")
    assert (same.returncode, "same" in same.stdout) == (0, True)
    run = "diff", *PROMPT, "--variant", "adapter=none", "--variant", "adapter=support", "--json"
    (strict,) = json.loads(llamadiff(*run).stdout)["diffs"]
    (loose,) = json.loads(llamadiff(*run, "--ignore-case", "--ignore-space").stdout)["diffs"]
    assert set(loose) == set(strict) and loose["first_divergence"] == strict["first_divergence"]


def test_diff_says_what_was_moved(tmp_path: Path) -> None:
    a, b = tmp_path / "a.txt", tmp_path / "b.txt"
    fox, rest = "The quick brown fox jumps high. ", "Dogs sleep by the old mill and dream on. "
    a.write_text(fox + rest + "Nothing else.")
    b.write_text(rest + fox + "Nothing else.")
    done = llamadiff("diff", "--files", str(a), str(b))
    assert f"[~{fox}~]{rest}{{~{fox}~}}" in done.stdout
    assert "+0 −0 words · ~6 moved" in done.stdout
    document = json.loads(llamadiff("diff", "--files", str(a), str(b), "--json").stdout)
    assert document["words_moved"] == 6


def test_models_adapters_inspect_and_doctor() -> None:
    (model,) = json.loads(llamadiff("models", "--json").stdout)
    assert set(model) == {
        "name", "path", "source", "architecture", "parameters", "quantization", "bytes", "context", "problem",
    }  # fmt: skip
    assert model["source"] == "bundled" and model["problem"] is None
    adapters = json.loads(llamadiff("adapters", "--json").stdout)
    assert {"support", "sentiment"} <= {adapter["name"] for adapter in adapters}
    assert set(adapters[0]) == {
        "name", "path", "source", "architecture", "rank", "alpha", "targets", "base", "bytes", "problem",
    }  # fmt: skip
    inspected = json.loads(llamadiff("inspect", model["path"], "--json").stdout)
    assert inspected["parameters"] == model["parameters"]
    assert "fits" in llamadiff("inspect", "support", "--base", model["name"]).stdout
    doctor = llamadiff("doctor", "--json")
    assert doctor.returncode == 0 and json.loads(doctor.stdout)["problems"] == []


def test_a_path_that_is_no_text_is_listed(tmp_path: Path, base: Path) -> None:
    path = tmp_path / os.fsdecode(b"\x1b[2J\xff.gguf")
    shutil.copy(base, path)
    strict = {"PYTHONIOENCODING": "utf-8:strict"}
    (model,) = json.loads(llamadiff("models", str(tmp_path), "--json", **strict).stdout)
    assert os.fsencode(model["path"]) == os.fsencode(path)
    listed = llamadiff("models", str(tmp_path), **strict)
    assert listed.returncode == 0 and "\x1b" not in listed.stdout


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Files that are each wrong in one way."""
    from llamadiff.models.catalog import BUNDLED, default_model

    folder = tmp_path_factory.mktemp("bad")
    base = default_model().facts.path
    (folder / "text.gguf").write_text("this is not a model")
    (folder / "empty.gguf").write_bytes(b"")
    (folder / "cut.gguf").write_bytes(base.read_bytes()[:300_000])
    support = (BUNDLED / "support.gguf").read_bytes()
    (folder / "other.gguf").write_bytes(support.replace(b"llama", b"qwen2", 1))
    (folder / "broken.toml").write_text('name = "x"\nuser = "a\n')
    (folder / "typed.toml").write_text('name = "x"\nuser = 3\n')
    (folder / "unknown.toml").write_text('name = "x"\nusr = "hello"\n')
    (folder / "empty.toml").write_text('name = "x"\nuser = "  "\n')
    (folder / "undefined.toml").write_text('name = "x"\nuser = "{{ nobody }}"\n')
    (folder / "long.toml").write_text('name = "x"\nuser = "' + "word " * 3000 + '"\n')
    (folder / "sampling.toml").write_text('name = "x"\nuser = "x"\n[sampling]\ntemprature = 1\n')
    (folder / "grammar.toml").write_text(
        'name = "x"\nuser = "x"\n[output]\ngrammar = "root ::= ("\n'
    )
    (folder / "seed.toml").write_text('name = "x"\nuser = "x"\n[sampling]\nseed = "hot"\n')
    (folder / "latin.toml").write_bytes(b'name = "x"\nuser = "caf\xe9"\n')
    return {
        "folder": str(folder),
        "base": str(base),
        "support": str(BUNDLED / "support.gguf"),
    }


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "-m", "{folder}/missing.gguf", *PROMPT), "missing.gguf"),
        (("run", "-m", "{folder}/text.gguf", *PROMPT), "not a GGUF"),
        (("run", "-m", "{folder}/empty.gguf", *PROMPT), "empty.gguf"),
        (("run", "-m", "{folder}/cut.gguf", *PROMPT), "cut.gguf"),
        (("run", "-m", "{folder}", *PROMPT), "folder"),
        (("run", "-m", "{support}", *PROMPT), "adapter"),
        (("run", "-a", "{base}", *PROMPT), "not an adapter"),
        (("run", "-a", "{folder}/other.gguf", *PROMPT), "qwen2"),
        (("run", "-m", "dmo-6m", *PROMPT), "did you mean"),
        (("run", "-a", "suport", *PROMPT), "did you mean"),
        (("run", "-p", "tell-me-abot"), "did you mean"),
        (("run", "-p", "{folder}/missing.toml"), "missing.toml"),
        (("run", "-p", "{folder}/broken.toml"), "line 2"),
        (("run", "-p", "{folder}/typed.toml"), "user"),
        (("run", "-p", "{folder}/unknown.toml"), "user"),
        (("run", "-p", "{folder}/empty.toml"), "empty"),
        (("run", "-p", "{folder}/undefined.toml"), "nobody"),
        (("run", "-p", "{folder}/long.toml"), "context"),
        (("run", "-p", "{folder}/sampling.toml"), "temperature"),
        (("run", "-p", "{folder}/latin.toml"), "latin.toml"),
        (("run", "-p", "{folder}/grammar.toml"), "does not parse"),
        (("run", "-p", "{folder}/seed.toml"), "seed must be a whole number"),
        (("run", *PROMPT, "--set", "seed=4294967294", "--repeat", "2"), "seed"),
        (("run", *PROMPT, "--set", "logit_bias=3"), "logit_bias"),
        (("run", *PROMPT, "--var", "topic=\udcff"), "UTF-8"),
        (("run", *PROMPT, "-a", "support@0.5", "-a", "support@0.5"), "twice"),
        (("run", *PROMPT, "-c", "1"), "ctx-size"),
        (("run", *PROMPT, "--var", "topc=cats"), "topic"),
        (("run", *PROMPT, "--var", "topic"), "KEY=VALUE"),
        (("run", *PROMPT, "--set", "temperature=hot"), "temperature"),
        (("run", *PROMPT, "--variant", "label"), "key=value"),
        (("run", *PROMPT, "-c", "2000000000"), "smaller context"),
        (("run",), "prompt"),
        (("run", *PROMPT, "--stream"), "--json"),
        (("diff", *PROMPT), "two or more"),
        (("diff", *PROMPT, "--variant", "adapter=/gone.gguf", "--variant", "label=y"), "gone.gguf"),
        (("diff", "--files", "{folder}/gone", "{folder}/gone"), "gone"),
        (("diff", "--files", "{base}", "{base}"), "UTF-8"),
        (("inspect", "{folder}/text.gguf"), "not a GGUF"),
        (("inspect", "{base}", "--base", "{base}"), "base"),
        (("models", "/no/such/place"), "/no/such/place"),
        (("inspect", "{folder}"), "folder"),
        (("run", *PROMPT, "--variant", "foo=1"), "adapter"),
        (("frobnicate",), "not a command"),
        (("rn",), "did you mean run"),
        (("run", "--frob"), "--frob"),
        ((), "terminal"),
    ],
)  # fmt: skip
def test_bad_input_is_one_clear_line_and_exit_code_2(
    bad: dict[str, str], arguments: tuple[str, ...], says: str
) -> None:
    done = llamadiff(*(argument.format(**bad) for argument in arguments))
    assert done.returncode == 2
    assert done.stdout == ""
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert says.lower() in done.stderr.lower()


def test_control_sequences_of_a_model_never_reach_the_output(tmp_path: Path) -> None:
    a, b = tmp_path / "a", tmp_path / "b"
    a.write_text("plain")
    b.write_text("\x1b]52;c;aGk=\x07\x1b[2Jred")
    done = llamadiff("diff", "--files", str(a), str(b))
    assert "\x1b" not in done.stdout and "\x07" not in done.stdout


def test_a_closed_pipe_is_no_error() -> None:
    done = subprocess.run(
        ["bash", "-c", f"{LLAMADIFF} run -p tell-me-about --json --stream | head -n 1; echo ${{PIPESTATUS[0]}}"],
        capture_output=True, text=True,
    )  # fmt: skip
    line, status = done.stdout.splitlines()
    assert "text" in json.loads(line)
    assert status == "141" and done.stderr == ""


def test_names_are_completed_in_the_shell() -> None:
    def complete(words: str) -> list[str]:
        return llamadiff(
            _LLAMADIFF_COMPLETE="bash_complete",
            COMP_WORDS=words,
            COMP_CWORD=str(len(words.split()) - 1),
        ).stdout.split()

    assert "plain,tell-me-about" in complete("llamadiff run -p tell")
    assert "plain,support" in complete("llamadiff run -a supp")
    assert complete("llamadiff run -m ./x") == ["file,./x"]
    assert any("temperature=" in item for item in complete("llamadiff run --set temp"))


def test_folders_of_ones_own_are_searched_by_every_command(base: Path, tmp_path: Path) -> None:
    shutil.copy(base, tmp_path / "mine.gguf")
    folders = {"LLAMADIFF_MODELS": f"{tmp_path}{os.pathsep}{tmp_path / 'missing'}"}
    listed = {it["name"]: it for it in json.loads(llamadiff("models", "--json", **folders).stdout)}
    assert listed["mine"]["path"] == str(tmp_path / "mine.gguf") and not listed["mine"]["problem"]
    assert "missing" in listed["missing"]["problem"]
    assert llamadiff("run", "-m", "mine", *PROMPT, **folders).returncode == 0
    assert llamadiff("inspect", "mine", **folders).returncode == 0
    assert llamadiff("inspect", "mine").returncode == 2


def test_our_own_mistakes_are_logged_with_a_traceback(home: Path) -> None:
    script = (
        "import llamadiff.tui.cli.catalog, llamadiff.models.catalog as c, llamadiff.tui.cli.main as m\n"
        "def boom(*a, **k): raise RuntimeError('boom')\n"
        "c.Catalog = boom\n"
        "m.main(['models'])"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 3
    assert "Traceback" not in done.stderr and "llamadiff.log" in done.stderr
    assert "RuntimeError: boom" in (home / "log" / "llamadiff.log").read_text()


def test_a_variants_own_seed_wins_over_the_common_one() -> None:
    done = llamadiff("run", *PROMPT, "--set", "seed=5", "--variant", "seed=9", "--variant", "label=x", "--json")  # fmt: skip
    seeds = [variant["outputs"][0]["seed"] for variant in json.loads(done.stdout)["variants"]]
    assert seeds == [9, 5]


def test_a_home_that_cannot_be_written_keeps_no_cache(tmp_path: Path) -> None:
    file, out = tmp_path / "file", tmp_path / "out.gguf"
    file.write_text("")
    for arguments in (
        ("models",), ("run", *PROMPT),
        ("quantize", "demo-6m-Q8_0", "Q4_0", "--requantize", "-o", str(out)),
    ):  # fmt: skip
        done = llamadiff(*arguments, LLAMADIFF_HOME=str(file), TMPDIR=str(tmp_path))
        assert done.returncode == 0 and done.stdout, done.stderr
        assert done.stderr.count("cannot be written; caches and logs are not kept") == 1
        assert {path.name for path in tmp_path.iterdir()} <= {"file", "out.gguf"}


def test_replies_go_on_with_every_answer() -> None:
    given = ("run", *PROMPT, "--variant", "label=x", "--variant", "adapter=support")
    document = json.loads(llamadiff(*given, "--reply", "Why?", "--reply", "And?", "--json").stdout)
    plain = json.loads(llamadiff(*given, "--json").stdout)
    assert "turns" not in plain
    for it, other in zip(plain["variants"], document["variants"], strict=True):
        assert it["outputs"][0]["text"] == other["outputs"][0]["text"]
    before = document
    for turn, reply in zip(document["turns"], ("Why?", "And?"), strict=True):
        for it, other in zip(before["variants"], turn["variants"], strict=True):
            (said,), (now,) = it["outputs"], other["outputs"]
            assert (now["continues"], now["reply"]) == (before["run_id"], reply)
            assert f"{said['text']}<|end|><|user|>{reply}" in other["prompt"]["text"]
        assert turn["diffs"][0]["a"] == "A"
        before = turn
    shown = json.loads(llamadiff("history", "show", before["run_id"], "--json").stdout)
    assert {key: shown[key] for key in before} == before
    done = llamadiff(*given, "--reply", "Why?")
    texts = [it["outputs"][0]["text"] for it in document["turns"][0]["variants"]]
    _, _, answers = done.stdout.partition("── you · Why? ──\n")
    assert all(text in answers for text in texts)
    *lines, last = (json.loads(it) for it in llamadiff(*given, "--reply", "Why?", "--json", "--stream").stdout.splitlines())  # fmt: skip
    said = [it["text"] for it in lines if it["variant"] == "B" and it.get("turn") == 2]
    assert "".join(said) == last["turns"][0]["variants"][1]["outputs"][0]["text"]
    done = llamadiff(*given, "--reply", " ")
    assert (done.returncode, done.stdout) == (2, "") and "say something" in done.stderr


def test_diff_compares_repeats_and_turns_and_streams() -> None:
    given = ("diff", *PROMPT, "--variant", "adapter=none", "--variant", "adapter=support")
    more = ("--repeat", "2", "--reply", "Why?")
    *lines, document = (
        json.loads(it) for it in llamadiff(*given, *more, "--json", "--stream").stdout.splitlines()
    )
    (turn,) = document["turns"]
    assert [(it["a"], it["b"], it["repeat"]) for it in turn["diffs"]] == [
        ("A", "B", 0),
        ("A", "B", 1),
    ]
    said = [it["text"] for it in lines if (it["variant"], it["repeat"]) == ("B", 1)]
    first, second = (it["variants"][1]["outputs"][1]["text"] for it in (document, turn))
    assert "".join(said) == first + second
    done = llamadiff(*given, *more)
    assert done.returncode == 1
    heads = [line.split(" · ")[0] for line in done.stdout.splitlines() if line.startswith("── ")]
    assert heads == ["── A", "── B", "── A.2", "── B.2", "── you", "── A", "── B", "── A.2", "── B.2"]  # fmt: skip
    same = llamadiff("diff", *PROMPT, "--variant", "label=x", "--variant", "label=y", *more)
    assert same.returncode == 0
    done = llamadiff("diff", "--files", "a", "b", "--repeat", "2")
    assert done.returncode == 2 and "leave out" in done.stderr
    done = llamadiff(*given, "--stream")
    assert done.returncode == 2 and "--json" in done.stderr


def test_a_sweep_streams() -> None:
    given = ("sweep", *PROMPT, "-a", "support", "--over", "scale=0,1", "--json", "--stream")
    *lines, document = (json.loads(it) for it in llamadiff(*given).stdout.splitlines())
    for variant in document["variants"]:
        said = [it["text"] for it in lines if it["variant"] == variant["name"]]
        assert "".join(said) == variant["outputs"][0]["text"]
