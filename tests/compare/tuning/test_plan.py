"""Plans of tuning: what they are made of, where trainings are kept, which variants come after."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from llamadiff.compare.errors import CompareError
from llamadiff.compare.evaluation.reading import load_suite
from llamadiff.compare.evaluation.shipped import SHIPPED
from llamadiff.compare.evaluation.variants import suite_variants
from llamadiff.compare.spec import Defaults
from llamadiff.compare.tuning.after import tuned_plan, tuned_variants
from llamadiff.compare.tuning.plan import PlannedAdapter, TuningPlan, read_plan
from llamadiff.compare.tuning.work import Finished, Reached, Work, unfinished
from llamadiff.models.engine.protocol import ModelSettings, file_version
from llamadiff.models.tuning.tasks import Begun, Done, Job
from llamadiff.prompts.document import Prompt
from llamadiff.prompts.library import Library


@pytest.fixture
def plan(base: Path, tmp_path: Path) -> TuningPlan:
    return TuningPlan(
        base=base, data=tmp_path / "rows.csv", out=tmp_path / "mine.gguf",
        prompt=Library().resolve("sentiment"), evaluated=(SHIPPED / "sentiment.toml",),
        rows=(25, 50), settings={"epochs": "2", "validation": "0.2", "seed": "7"},
    )  # fmt: skip


def test_settings_are_of_the_data_of_the_training_or_both(plan: TuningPlan) -> None:
    assert (plan.of_data.validation, plan.of_data.seed) == (0.2, 7)
    wanted = plan.of_training(preferences=False)
    assert (wanted.epochs, wanted.seed, wanted.method) == (2.0, 7, "sft")
    assert plan.of_training(preferences=True).method == "dpo"
    assert read_plan(plan.text()) == plan
    with pytest.raises(CompareError, match="A plan of tuning cannot be read"):
        read_plan("{}")


def test_each_number_of_rows_has_an_adapter(plan: TuningPlan, tmp_path: Path) -> None:
    names = {it.out.name: it.rows for it in plan.adapters}
    assert names == {"mine.25.gguf": 25, "mine.50.gguf": 50}
    one = TuningPlan(base=plan.base, data=plan.data, out=plan.out, rows=(25,))
    assert one.adapters == (PlannedAdapter(tmp_path / "mine.gguf", 25),)


def test_what_is_unfinished_is_found_unless_it_is_being_trained(
    plan: TuningPlan, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    work = Work(state, plan.out)
    with work.held():
        work.begin(plan, anew=True)
        assert not work.free and unfinished(state) == []
        with (
            pytest.raises(CompareError, match="is being trained by another llamadiff"),
            work.held(),
        ):
            pass
    assert unfinished(state) == []  # nothing is kept yet
    work.reach(Reached(2, 40, 190))
    (found,) = unfinished(state)
    assert (found.plan, found.reached) == (plan, Reached(2, 40, 190))
    with work.held():
        assert unfinished(state) == []
        work.begin(plan, anew=False)
    assert work.unfinished() == found
    with work.held():
        work.begin(plan, anew=True)
        assert work.unfinished() == found  # until the new one has come as far as a checkpoint
    assert work.unfinished() == found
    with work.held():
        with pytest.raises(
            CompareError, match="has --rows 25,50, not all rows; go on with the same"
        ):
            work.begin(replace(plan, rows=()), anew=False)
        work.begin(replace(plan, rows=()), anew=True)
        work.reach(Reached(1, 1, 5))
        Work(state, plan.out).discard()  # who has done with it leaves it to whoever trains there
    new = work.unfinished()
    assert new is not None and (new.plan.rows, new.reached) == ((), Reached(1, 1, 5))
    work.discard()
    assert not work.folder.exists() and unfinished(state) == []


def test_what_was_trained_to_the_end_is_known_unless_a_file_is_another(
    plan: TuningPlan, tmp_path: Path
) -> None:
    work, adapter = Work(tmp_path / "state", plan.out), plan.adapters[0]
    out, settings = str(adapter.out), plan.of_training(preferences=False)
    adapter.out.write_bytes(b"1")
    job = Job(str(plan.base), "rows", "work", out, "cache", settings)
    begun, done = Begun(settings, 4, 4, 1, "CPU", "f32"), Done(out, "card", "steps", 4, 4, 1.0, 1)
    found = Finished(job, "rows", "base", file_version(adapter.out), begun, done)
    work.finish(adapter, found)
    assert work.finished(adapter, job, "rows", "base") == found
    several = msgspec.structs.replace(job, settings=replace(settings, processes=3))
    assert work.finished(adapter, several, "rows", "base") == found
    assert work.finished(adapter, job, "rows", "another") is None
    assert work.finished(adapter, job, "others", "base") is None
    adapter.out.write_bytes(b"22")
    assert work.finished(adapter, job, "rows", "base") is None


def test_a_suite_gets_the_adapters_beside_its_own_variants(plan: TuningPlan) -> None:
    suite = load_suite(SHIPPED / "sentiment.toml")
    made = tuned_plan(suite, plan, Defaults(), ModelSettings())
    shown = [(it.name, it.label, it.prompt.name, it.stack) for it in made.variants[4:]]
    assert shown == [
        ("E", "mine.25", "Sentiment", "mine.25@1"),
        ("F", "mine.50", "Sentiment", "mine.50@1"),
        ("G", "engineered + mine.50", "Sentiment, engineered", "mine.50@1"),
    ]
    assert made.baseline.label == "plain" and len(made.suite.require) == 1
    assert made.trained == ("E", "F", "G")


def test_an_adapter_is_asked_under_the_prompt_that_it_was_trained_under(plan: TuningPlan) -> None:
    suite = load_suite(SHIPPED / "sentiment.toml")
    own = Prompt("Own", user="Which feeling? {{ review }}")
    other = TuningPlan(base=plan.base, data=plan.data, out=Path("/tuned.gguf"), prompt=own)
    made = tuned_plan(suite, other, Defaults(), ModelSettings())
    labels = [it.label for it in made.variants[4:]]
    assert labels == ["tuned (new)", "engineered + tuned", "Own + tuned"]
    assert made.variants[-1].prompt == own
    elsewhere = replace(other, prompt=Prompt("Shop", user="{{ message }}"))
    made = tuned_plan(suite, elsewhere, Defaults(), ModelSettings())
    assert [it.label for it in made.variants[4:]] == ["tuned (new)", "engineered + tuned"]


def test_a_suite_on_another_base_is_refused(plan: TuningPlan) -> None:
    suite = load_suite(SHIPPED / "sentiment.toml")
    own = suite_variants(suite, Defaults(model=str(plan.base)))
    assert tuned_variants(suite, own, plan)
    with pytest.raises(CompareError, match="its baseline is run on demo-6m-Q8_0, and the adapter"):
        tuned_variants(suite, own, replace(plan, base=plan.base.with_name("other.gguf")))
    elsewhere = tuned_plan(load_suite(SHIPPED / "support.toml"), plan, Defaults(), ModelSettings())
    assert all(it.prompt != plan.prompt for it in elsewhere.variants)  # it asks about reviews
