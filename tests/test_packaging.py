"""The package as it is built and installed, and who may import whom."""

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("compare", "models", "prompts", "tui")
HEAVY = {"textual", "torch", "transformers", "peft", "llama_cpp", "numpy", "scipy", "jinja2"}


def test_every_package_folder_is_in_the_table() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    found = {
        "llamadiff." + ".".join(path.parent.relative_to(ROOT).parts)
        for folder in FOLDERS
        for path in (ROOT / folder).rglob("__init__.py")
    }
    assert found == set(settings["packages"])
    assert settings["package-dir"] == {f"llamadiff.{folder}": folder for folder in FOLDERS}


def modules_after(code: str) -> set[str]:
    """The top-level names in sys.modules of a fresh interpreter after `code`."""
    script = f"import sys\n{code}\nprint(*{{name.split('.')[0] for name in sys.modules}})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return set(done.stdout.splitlines()[-1].split())


@pytest.mark.parametrize(
    ("code", "allowed"),
    [
        ("import llamadiff.prompts.library, llamadiff.prompts.rendering.helper", set()),
        ("import llamadiff.models.catalog, llamadiff.models.engine.client", set()),
        ("import llamadiff.compare.runner, llamadiff.compare.spec, llamadiff.compare.document", set()),
        ("import llamadiff.compare.checks.structure, llamadiff.compare.checks.likeness", set()),
        ("import llamadiff.compare.statistics.wording, llamadiff.compare.statistics.ranking, "
         "llamadiff.compare.statistics.agreement, llamadiff.compare.statistics.noise, "
         "llamadiff.compare.rating.results", {"numpy"}),
        ("import llamadiff.compare.rating.session, llamadiff.compare.rating.export", set()),
        ("import llamadiff.tui.cli.main", set()),
        ("import llamadiff.tui.cli.commands, llamadiff.tui.cli.rate", set()),
        ("import llamadiff.tui.app", {"textual"}),
    ],
)  # fmt: skip
def test_importing_stays_light(code: str, allowed: set[str]) -> None:
    assert modules_after(code) & HEAVY <= allowed


@pytest.mark.parametrize(
    "command",
    [
        ["models", "--json"],
        ["adapters"],
        ["prompts", "list"],
        ["prompts", "render", "support"],
        ["inspect", "support"],
        ["doctor"],
        ["run", "-p", "tell-me-about", "--json"],
        ["diff", "-p", "tell-me-about", "--variant", "label=x", "--variant", "label=y"],
        ["eval", "general", "--rows", "2"],
        ["tune", "--base", "demo", "--data", f"{ROOT}/compare/suites/general.jsonl", "--check"],
    ],
)
def test_commands_import_neither_textual_nor_torch(command: list[str]) -> None:
    loaded = modules_after(
        f"from llamadiff.tui.cli.main import run\nassert run({command!r}) == 0\nprint()"
    )
    assert not loaded & {"textual", "torch", "transformers", "peft", "llama_cpp", "jinja2"}


def test_a_wheel_installed_elsewhere_works_from_the_root_folder(tmp_path: Path) -> None:
    source = tmp_path / "source"
    shutil.copytree(
        ROOT,
        source,
        ignore=shutil.ignore_patterns(".*", "build", "*.egg-info", "__pycache__", "out"),
    )
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(tmp_path), str(source)],
        check=True, capture_output=True,
    )  # fmt: skip
    (wheel,) = tmp_path.glob("*.whl")
    target = tmp_path / "site"
    subprocess.run(
        [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(target), str(wheel)],
        check=True, capture_output=True,
    )  # fmt: skip
    top = {path.name for path in target.iterdir() if path.suffix != ".dist-info"}
    assert top == {"llamadiff", "bin"}
    script = "import sys, llamadiff.tui.cli.main as m; m.main(sys.argv[1:])"
    for arguments in (
        ["models", "--json"],
        ["run", "-p", "tell-me-about"],
        ["eval", "general", "--rows", "2"],
        ["tune", "--base", "demo", "--data", "sentiment", "-p", "sentiment", "--check"],
    ):
        done = subprocess.run(
            [sys.executable, "-P", "-c", script, *arguments],
            capture_output=True,
            text=True,
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(target)},
        )
        assert done.returncode == 0, done.stderr
        assert done.stdout.strip()
        if arguments[0] == "models":
            assert str(target) in done.stdout
