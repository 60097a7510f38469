"""The tasks' grammars write what is right, by the checks of their own suites."""

from __future__ import annotations

import re
from pathlib import Path
from random import Random

import pytest

from llamadiff.compare.checks.result import Answer
from llamadiff.compare.evaluation.reading import load_suite
from recipe.suites import ROOT, library_in, own_rows, suites_in
from recipe.tasks import TASKS, french, intake, sentiment, support
from recipe.tasks.specialty import Specialty

by_name = pytest.mark.parametrize("task", TASKS, ids=lambda task: task.name)


@by_name
def test_there_are_thousands_of_examples_and_answers_are_short(task: Specialty) -> None:
    random = Random(1)
    made = [task.make(random) for _ in range(4000)]
    assert len({it.example.asked for it in made}) > 2500
    for it in made:
        assert it.example.asked == it.example.asked.strip()
        assert 0 < len(it.example.answer) < 240
        assert "{" not in it.example.asked + it.example.answer
        assert "  " not in it.example.asked + it.example.answer


@by_name
def test_what_a_grammar_answers_passes_the_checks_of_its_suite(
    task: Specialty, tmp_path: Path
) -> None:
    (tmp_path / f"{task.name}.jsonl").write_text("{}\n")
    path = tmp_path / f"{task.name}.toml"
    path.write_text((suites_in(ROOT) / path.name).read_text(encoding="utf-8"))
    suite = load_suite(path)
    random = Random(2)
    for _ in range(20):
        made = task.make(random)
        for named in suite.checks:
            right = named.check(Answer(made.example.answer, made.expected))
            assert right.score == 1.0, (named.name, made.example, right.reason)
    other = task.make(random)
    while other.expected == made.expected:
        other = task.make(random)
    scores = [it.check(Answer(other.example.answer, made.expected)).score for it in suite.checks]
    assert min(scores) < 1.0


def test_every_label_comes_about_as_often_and_no_sentence_has_two() -> None:
    random = Random(3)
    labels = [sentiment.make(random).expected for _ in range(3000)]
    assert min(labels.count(label) for label in sentiment.LABELS) > 850
    for what in ("adjectives", "sentences", "ends"):
        words = [it for mark in "+-=" for it in sentiment.WORDS[f"{mark} {what}"]]
        assert len(set(words)) == len(words)
    assert len(sentiment.WORDS["things"]) > 60


def test_the_engineered_prompt_of_the_shop_has_all_its_rules() -> None:
    prompt = (library_in(ROOT) / "support-engineered.toml").read_text(encoding="utf-8")
    for rule in support.RULES.values():
        assert rule in prompt
    assert all(support.FACTS[subject] in rule for subject, rule in support.RULES.items())


def test_a_shop_notes_the_order_or_asks_for_it() -> None:
    assert support.HOUSE.reply("return", "red hat", "12345") == (
        "Thank you for your message about the red hat. Returns are free within 30 days. I have noted "
        "order 12345. Linden & Loom"
    )
    assert "Please send us your order number." in support.HOUSE.reply("return", "hat", "")
    assert "order" not in support.HOUSE.reply("washing", "hat", "")


def test_no_shop_that_the_base_sees_has_rules_of_ours() -> None:
    random = Random(4)
    ours = set(support.RULES.values())
    for _ in range(500):
        house = support.some_house(random)
        assert house.shop != support.SHOP
        assert not ours & set(house.rules.values())
        assert all(rule in house.instruction(random) for rule in house.rules.values())


def test_alarms_are_urgent_and_what_lasts_is_not_left_alone() -> None:
    random = Random(5)
    for _ in range(2000):
        it = intake.report(random, intake.COMPLAINTS)
        urgency, _, step = it.values
        if any(alarm in it.text for alarm in intake.ALARMS):
            assert (urgency, step) == ("high", intake.NOW)
        elif any(long in it.text for long in intake.LONG):
            assert urgency != "low"
    for complaint in intake.COMPLAINTS:
        assert complaint.urgency in ("low", "medium", "high")
        assert (complaint.urgency == "high") is (complaint.step == intake.NOW)


@pytest.mark.parametrize(
    ("english", "words", "article", "expected"),
    [
        ("tree", ("arbre", "m"), "the", "l'arbre"),
        ("school", ("école", "f"), "my", "mon école"),
        ("hotel", ("hôtel", "m"), "this", "cet hôtel"),
        ("house", ("maison", "f"), "this", "cette maison"),
        ("house", ("maison", "f"), "my", "ma maison"),
        ("old tree", ("vieil arbre", "m"), "the", "le vieil arbre"),
        ("apple", ("pomme", "f"), "a", "une pomme"),
    ],
)
def test_french_articles_agree_and_elide(
    english: str, words: tuple[str, str], article: str, expected: str
) -> None:
    assert french.determined(english, *words, article)[1] == expected


def test_english_articles_fit_what_follows() -> None:
    assert french.determined("old tree", "vieil arbre", "m", "a")[0] == "an old tree"
    assert french.determined("tree", "arbre", "m", "a")[0] == "a tree"


def test_french_verbs_take_their_forms_and_are_denied() -> None:
    wait = next(verb for verb in french.WORDS["acts"] if verb[0] == "wait")
    dog = french.Phrase("the dog", "le chien")
    we = french.Phrase("we", "nous", form=2)
    me = french.Phrase("I", "je", form=0)
    assert french.conjugated(wait, dog, negated=True) == (
        "the dog does not wait",
        "le chien n'attend pas",
    )
    assert french.conjugated(wait, me, negated=False) == ("I wait", "j'attends")
    assert french.conjugated(wait, we, negated=True)[1] == "nous n'attendons pas"


def test_no_french_sentence_has_what_never_stands_in_french() -> None:
    random = Random(6)
    wrong = re.compile(
        r"(?<!-)\b(le|la|je|ne|ce|beau|vieux|nouveau|ma) [aeiouyâàéèêëîïôûœh]|\b(cet|bel|vieil|nouvel) "
        r"[^aeiouyâàéèêëîïôûœh]|  |\ble les\b|\bà le\b|\bde le\b",
        re.IGNORECASE,
    )
    for _ in range(6000):
        answer = french.any_sentence(random).example.answer
        assert not wrong.search(answer), answer
    for name in ("before", "after", "moods", "states", "tastes"):
        for adjective in french.WORDS[name]:
            assert len(adjective) == (4 if name == "before" else 3)
    for name in ("acts", "deeds"):
        for verb in french.WORDS[name]:
            assert len(verb) == (7 if name == "acts" else 8), verb


@by_name
def test_thirty_rows_are_written_by_hand(task: Specialty) -> None:
    rows = own_rows(task)
    assert len({row[task.variable] for row in rows}) == len(rows) >= 30
    assert all(row["words"] == "new" and row["expected"] and row["kind"] for row in rows)
