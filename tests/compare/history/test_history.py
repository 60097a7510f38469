"""Runs recorded and read back, found, annotated and removed."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from llamadiff.compare.document import run_document
from llamadiff.compare.errors import CompareError
from llamadiff.compare.history import removal
from llamadiff.compare.history.entries import Wanted
from llamadiff.compare.history.export import as_document, as_markdown
from llamadiff.compare.history.history import History
from llamadiff.compare.history.removal import Old
from llamadiff.compare.run import Around, Beside, Run, State
from llamadiff.compare.variants import Beginning, StackedAdapter
from llamadiff.prompts.document import Prompt

from .runs import PROMPT, aged, answered, finish, grow, keep, made, opened, start


def same(a: Run, b: Run) -> bool:
    """Everything of two runs, their outputs included, which compare by identity."""
    outputs = [[vars(output) for output in run.outputs] for run in (a, b)]
    return replace(a, outputs=[]) == replace(b, outputs=[]) and outputs[0] == outputs[1]


def test_a_run_is_read_back_exactly(tmp_path: Path) -> None:
    run = made("Dogs bark.", "Coats and boots.", values={"topic": "Hunde ü"})
    failed = run.outputs[1]
    failed.state, failed.error, failed.refused, failed.no_effect = (
        State.FAILED,
        "Kaputt.",
        True,
        "support changes nothing",
    )
    run.outputs[0].logprobs[0] = replace_logprob(run, 0.1 + 0.2)
    with opened(tmp_path) as history:
        keep(history, run)
        assert same(history.open(run.id), run)
    with opened(tmp_path) as history:  # another program
        recorded = history.recorded(history.find("last"))
        assert same(recorded.run, run)
        assert run_document(recorded.run, "1.2.3") == run_document(run, "1.2.3")
        assert recorded.program == "1.2.3" and recorded.at.tzinfo is UTC
        assert recorded.ended and recorded.ended >= recorded.at


def test_what_stood_beside_a_run_is_read_back(tmp_path: Path) -> None:
    around = Around("B", ("A", "B", "C"), (Beside("C", "ab12", pinned=True),))
    run = replace(made("a", "b"), around=around)
    with opened(tmp_path) as history:
        keep(history, run)
        assert history.open(run.id).around == around


def test_a_branch_is_read_back_with_what_it_begins_with(tmp_path: Path) -> None:
    run = made("Dogs bark.", "Dogs sleep.")
    begins = Beginning((1, 70_000), "Dogs \N{REPLACEMENT CHARACTER}\n")
    branch = replace(run.variants[1], beginning=begins)
    run.outputs[1].variant, run.outputs[1].stamp.forced = branch, begins.tokens
    run = replace(run, variants=(run.variants[0], branch))
    with opened(tmp_path) as history:
        keep(history, run)
        assert same(history.open(run.id), run)
        assert history.open(run.id).variants[1].beginning == begins
        assert "- begins with: `Dogs" in as_markdown(history.recorded(run.id))


def replace_logprob(run: Run, value: float):  # type: ignore[no-untyped-def]
    from llamadiff.models.engine.protocol import TokenLogprob

    return TokenLogprob(run.outputs[0].tokens[0], -value, 3, value / 2, [])


def test_a_run_is_there_while_it_streams_and_what_comes_later_too(tmp_path: Path) -> None:
    run = start()
    with opened(tmp_path) as history:
        history.begin(run)
        grow(run.outputs[0], "One two")
        history.flush()
        seen = history.open(run.id)
        assert [out.text for out in seen.outputs] == ["One two ", ""]
        assert seen.outputs[0].state is State.STREAMING
        for _ in range(3):
            grow(run.outputs[0], "three four")
            grow(run.outputs[1], "five")
            history.flush()
        assert [vars(o) for o in history.open(run.id).outputs] == [vars(o) for o in run.outputs]
        for output in run.outputs:
            finish(output)
        history.flush()
        assert same(history.open(run.id), run)
        assert history.page()[0].ended
        # hashes and effects are known only after the run
        run.outputs[0].stamp.model_sha256 = "abc"
        history.flush()
        assert same(history.open(run.id), run)
        run.outputs[1].stamp.adapter_sha256 = ("def",)
        run.outputs[0].no_effect = "support changes nothing"
        history.end(run)
        history.flush()
        assert same(history.open(run.id), run)


def test_a_run_is_recorded_once(tmp_path: Path) -> None:
    run = made("said")
    with opened(tmp_path) as history:
        keep(history, run)
        keep(history, history.open(run.id), made("another"))
        assert [entry.outputs[0].preview for entry in history.page()] == ["another ", "said "]


def test_a_run_that_said_nothing_is_not_remembered(tmp_path: Path) -> None:
    refused = start()
    for output in refused.outputs:
        output.state = State.CANCELLED
    with opened(tmp_path) as history:
        keep(history, refused, made("said"))
        assert len(history.page()) == 1


def test_pages_go_on_where_the_one_before_ended(tmp_path: Path) -> None:
    runs = [made(f"text {i}") for i in range(7)]
    with opened(tmp_path) as history:
        assert history.page() == []
        keep(history, *runs)
        first = history.page(limit=3)
        rest = history.page(limit=10, before=first[-1].number)
    assert [entry.id for entry in first + rest] == [run.id for run in reversed(runs)]
    entry = first[0]
    assert (entry.outputs[0].preview, entry.outputs[0].tokens) == ("text 6 ", 2)
    assert (entry.variants[0].stack, entry.variants[0].prompt) == ("base", "Tell me about")


@pytest.fixture
def filled(tmp_path: Path):  # type: ignore[no-untyped-def]
    with opened(tmp_path) as history:
        cats = made("Cats purr at the müller's door.", values={"topic": "cats"})
        dogs = made("Dogs bark.", "We sell 100% warm coats.", prompt=Prompt("Support", user="Help"))
        keep(history, cats, dogs)
        yield history, cats, dogs


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("purr", "cats"),
        ("PURR cats", "cats"),
        ("pur", "cats"),
        ("pur ", ""),
        ("purr bark", ""),
        ("Muller", "cats"),
        ('"purr at"', "cats"),
        ('"at purr"', ""),
        ("100%", "dogs"),
        ("Tell", "cats"),
        ("Help", "dogs"),
        ("AND OR ( * \" ' NEAR", ""),
        ("door.", "cats"),
    ],
)
def test_words_find_outputs_and_prompts(
    filled: tuple[History, Run, Run], text: str, found: str
) -> None:
    history, cats, dogs = filled
    names = {cats.id: "cats", dogs.id: "dogs"}
    runs = {names[entry.id] for entry in history.page(Wanted(text=text))}
    assert runs == set(found.split())
    assert {names[hit.run] for hit in history.search(Wanted(text=text))} == runs


def test_search_says_where_it_found_something(filled: tuple[History, Run, Run]) -> None:
    history, cats, _ = filled
    assert history.search(Wanted(text=" … ")) == []
    (hit,) = history.search(Wanted(text="door"))
    assert (hit.run, hit.variant, hit.in_prompt) == (cats.id, "A", False)
    assert "müller's door" in hit.excerpt
    (hit,) = history.search(Wanted(text="Tell"))
    assert hit.in_prompt and hit.excerpt == "Tell cats"
    first, second = history.search(Wanted(text="Help"))
    assert history.search(Wanted(text="Help"), before=first.number) == [second]


def test_filters(filled: tuple[History, Run, Run]) -> None:
    history, cats, dogs = filled
    history.annotate(cats.id, "keep this")
    history.tag(cats.id, ["good", " good ", "shop"])
    now = datetime.now(UTC)

    def ids(**wanted: object) -> list[str]:
        return [entry.id for entry in history.page(Wanted(**wanted))]  # type: ignore[arg-type]

    both = [dogs.id, cats.id]
    assert ids(model="DEMO") == both and ids(model="de%o") == []
    assert ids(adapter="supp") == [dogs.id] == ids(prompt="supp") == ids(label="x")
    assert ids(adapter="scale") == ids(adapter="models") == ids(adapter="0.8") == []
    other = made("We sell coats.", "We sell boots.")
    stack = (StackedAdapter('für "mich"', Path("/models/x.gguf")),)
    other.outputs[1].variant = replace(other.variants[1], adapters=stack)
    other.variants = (other.variants[0], other.outputs[1].variant)
    with opened(history.file.parent) as another:
        keep(another, other)
    assert ids(adapter='für "m') == [other.id] and ids(adapter="x.gguf") == []
    history.remove([other.id])
    assert ids(tag="good") == [cats.id] and ids(tag="goo") == []
    assert ids(since=now - timedelta(hours=1)) == both == ids(until=now + timedelta(hours=1))
    assert ids(since=now + timedelta(hours=1)) == [] == ids(until=now - timedelta(hours=1))
    entry = history.page(Wanted(tag="shop"))[0]
    assert (entry.note, entry.tags) == ("keep this", ("good", "shop"))
    assert ids(version=entry.variants[0].version) == [cats.id]
    history.tag(cats.id, [])
    assert ids(tag="good") == []
    with pytest.raises(CompareError, match="nope"):
        history.tag("nope", ["x"])


def test_without_fts5_words_are_found_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from llamadiff.compare.history import migrations

    monkeypatch.setattr(migrations, "has_full_text", lambda connection: False)
    with opened(tmp_path) as history:
        keep(history, made("Cats purr.", "100 % coats"), made("Coats, 50% less"))
        assert [hit.variant for hit in history.search(Wanted(text="coats %"))] == ["A", "B"]
        assert (
            len(history.search(Wanted(text="50%")))
            == 1
            == len(history.search(Wanted(text="COATS 50")))
        )
        assert len(history.search(Wanted(text="Tell"))) == 3
        assert history.remove([history.find("last")]) == 1


def test_what_is_removed_is_not_on_the_disk_any_more(tmp_path: Path) -> None:
    secret = Prompt("Secret", user="Zebrafink")
    with opened(tmp_path) as history:
        keep(history, made("stays"))
        streaming = start(prompt=secret)
        grow(streaming.outputs[0], "Pumpernickel " * 500)
        history.begin(streaming)
        history.flush()
        over = made("Quetzalcoatl", prompt=secret)
        keep(history, over)
        disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"Pumpernickel" in disk and b"Quetzalcoatl" in disk and b"quetzalcoatl" in disk
        assert history.remove([over.id, streaming.id, "unknown"]) == 2
        grow(streaming.outputs[0], "Pumpernickel")
        history.flush()
        assert [entry.outputs[0].preview for entry in history.page()] == ["stays "]
        assert history.versions(secret) == []
        disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        for word in (b"Pumpernickel", b"pumpernickel", b"quetzal", b"Quetzal", b"ebrafink"):
            assert word not in disk


def test_what_streams_is_written_while_much_is_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(removal, "STEP_S", 0.0)
    monkeypatch.setattr(removal, "PAGES", 1)
    with opened(tmp_path) as history:
        keep(history, made("stays"))
        runs = [made(f"Quetzalcoatl{number} " * 300, "Zebrafink") for number in range(20)]
        keep(history, *runs)
        going = start()
        history.begin(going)
        written, left = list[str](), [len(runs) + 2]
        call = history._writer.call

        def watched(job: Callable[[sqlite3.Connection], object]) -> object:
            grow(going.outputs[0], f"word{len(written)}")
            found = call(job)
            with closing(sqlite3.connect(history.file)) as reader:
                (text,) = reader.execute("SELECT group_concat(text, '') FROM pieces").fetchone()
                left.append(reader.execute("SELECT count(*) FROM runs").fetchone()[0])
            written.append(text or "")
            return found

        monkeypatch.setattr(history._writer, "call", watched)
        assert history.remove([run.id for run in runs]) == len(runs)
        assert all(after >= before - 1 for before, after in pairwise(left)) and left[-1] == 2
        assert "stays" in history.page()[1].outputs[0].preview
        assert all(f"word{number} " in text for number, text in enumerate(written))
        disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        for word in (b"Quetzal", b"quetzal", b"ebrafink"):
            assert word not in disk
        history.end(going)


def test_a_program_that_reads_is_said_to_hold_up_the_wiping(tmp_path: Path) -> None:
    def on_disk() -> bool:
        return any(b"Yellowtail" in path.read_bytes() for path in tmp_path.iterdir())

    run = made("Yellowtail")
    with opened(tmp_path) as history:
        keep(history, run)
        with closing(sqlite3.connect(history.file, isolation_level=None)) as reader:
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM texts").fetchall()
            assert history.remove([run.id]) == 1
            assert history.unwiped and on_disk()
            reader.execute("COMMIT")
            history.close()
            assert not history.unwiped and not on_disk()


def test_a_run_that_another_program_removes_while_it_streams_stays_removed(tmp_path: Path) -> None:
    run = start()
    with opened(tmp_path) as history, opened(tmp_path) as other:
        grow(run.outputs[0], "one")
        history.begin(run)
        history.flush()
        assert other.remove([run.id]) == 1
        grow(run.outputs[0], "two")
        history.flush()
        finish(run.outputs[0])
        history.end(run)
        keep(history, made("another"))
        assert [entry.outputs[0].preview for entry in other.page()] == ["another "]


def test_a_conversation_grows_old_as_a_whole(tmp_path: Path) -> None:
    single, first, other, kept = made("now"), made("one"), made("two"), made("three")
    second, third = answered(first, "Why?", "Because"), answered(other, "So?", "Yes")
    beside, last = answered(first, "When?", "Then"), answered(kept, "What?", "That")
    with opened(tmp_path) as history:
        keep(history, single, first, other, kept, second, third, beside, last)
        aged(history.file, {it.id: 20 for it in (first, other, kept, third, beside, last)})
        aged(history.file, {second.id: 5})
        history.tag(last.id, ["good"])
        then = datetime.now(UTC) - timedelta(days=10)
        old = history.older_than(then)
        assert (set(old.ids), old.stay) == ({other.id, third.id}, 4)
        assert history.retire(then) == 2
        assert len(history.page()) == 6
        assert history.older_than(then - timedelta(days=15)) == Old([], 0)
        history.tag(last.id, [])
        later = history.older_than(datetime.now(UTC) - timedelta(days=1))
        assert (set(later.ids), later.stay) == ({it.id for it in (first, second, beside, kept, last)}, 0)  # fmt: skip


def test_what_replies_to_a_run_goes_with_it(tmp_path: Path) -> None:
    first, other = made("Pumpernickel"), made("stays")
    second = answered(first, "Why?", "Because")
    third, beside = answered(second, "So?", "Yes"), answered(other, "What?", "That")
    with opened(tmp_path) as history:
        keep(history, first, other, second, third, beside)
        assert history.replies_to([first.id]) == [second.id, third.id]
        assert history.replies_to([first.id, second.id]) == [third.id]
        assert history.replies_to([third.id, "unknown"]) == []
        assert history.remove([first.id]) == 3
        assert {entry.id for entry in history.page()} == {other.id, beside.id}
        disk = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert b"stays" in disk and b"umpernickel" not in disk


def test_a_run_is_found_by_the_beginning_of_its_id(tmp_path: Path) -> None:
    a, b = replace(made("a"), id="ab12"), replace(made("b"), id="ab34")
    with opened(tmp_path) as history:
        with pytest.raises(CompareError, match="no run yet"):
            history.find("last")
        keep(history, a, b)
        assert (history.find("ab1"), history.find("ab34"), history.find("last")) == (
            a.id,
            b.id,
            b.id,
        )
        for name, word in (("ab", "ab12, ab34"), ("x", "'x'"), ("", "not in"), ("%", "'%'")):
            with pytest.raises(CompareError, match=word):
                history.find(name)


def test_half_characters_and_strange_paths_are_kept(tmp_path: Path) -> None:
    strange = Path("/tmp/\udcff\x1b.toml")
    run = made("half \ud800 of one", prompt=replace(PROMPT, user="\ud83d", path=strange))
    with opened(tmp_path) as history:
        keep(history, run)
        found = history.open(run.id)
        assert found.outputs[0].text == "half ? of one "
        assert found.variants[0].prompt == run.variants[0].prompt
        assert found.variants[0].prompt.path == strange
        assert len(history.versions(run.variants[0].prompt)) == 1


def test_markdown_cannot_be_broken_by_what_a_model_says(tmp_path: Path) -> None:
    run = made("```\n# not a heading\n```` end", values={"topic": "a`b"})
    with opened(tmp_path) as history:
        keep(history, run)
        recorded = history.recorded(run.id)
    text = as_markdown(recorded)
    assert "\n`````text\n```\n# not a heading\n```` end \n`````\n" in text
    assert "``a`b``" in text and "SHA-256 3f9a" in text
    document = as_document(recorded)
    assert document["at"].endswith("+00:00") and document["run_id"] == run.id
