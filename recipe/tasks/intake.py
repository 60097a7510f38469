"""Complaints before a visit to the doctor, and the note that is taken of them. No medical advice."""

from dataclasses import dataclass
from pathlib import Path
from random import Random

from ..split import Combination, Made, draw
from ..task import Example, Task
from .specialty import Specialty

NAME = "intake"
KNOWN = 12
"""So many complaints, the first in the file, are in what the base sees."""
SINCE = (
    "",
    "I noticed it yesterday.",
    "I noticed it this morning.",
    "I noticed it last night.",
    "It has been an hour.",
    "It has been some hours now.",
    "It has been two days now.",
    "It has been three days now.",
)
LONG = (
    "It has been three weeks now.",
    "It has been a month.",
    "It has been more than two weeks.",
    "I noticed it last month.",
)
"""A complaint that is not urgent in itself is so after such a time."""
EXTRAS = (
    "I am tired.",
    "It gets worse at night.",
    "I took nothing for it.",
    "I have had it before.",
    "It comes and goes.",
    "I slept badly.",
    "I am forty years old.",
    "I worked a lot last week.",
    "It is worse in the morning.",
    "What should I do?",
)
ALARMS = (
    "I can hardly stay awake.",
    "I fainted.",
    "I am confused and cannot speak well.",
    "I am bleeding a lot.",
    "My lips are turning blue.",
    "I passed out an hour ago.",
)
"""With any of these every complaint is urgent."""
NOW = "call the emergency number now"
SOON = "see a doctor this week"
PLAINLY = (
    "I am sorry to hear that. I am only a small language model, so please ask a doctor.",
    "That does not sound nice. Please talk to a doctor about it, I cannot judge it.",
    "I hope that you feel better soon. I know too little to help; a doctor can.",
)
REQUESTS = (
    "{}",
    "{}",
    "{} What is it?",
    "A patient says: {}",
    "{} Please help.",
    "Patient: {}",
)
FIELDS = (("Patient", "Note"), ("Complaint", "Note"), ("Message", "Note"), ("Input", "Output"))


@dataclass(frozen=True)
class Complaint:
    """What may be the matter: how urgent, of what, what is next, and how people say it."""

    name: str
    urgency: str
    causes: str
    step: str
    said: tuple[str, ...]


@dataclass(frozen=True)
class Form:
    """How a note is written: the names of its three lines in their order, and how it ends."""

    names: tuple[str, str, str]
    order: tuple[int, int, int]
    end: str

    def note(self, values: tuple[str, str, str]) -> str:
        """The note with these values of urgency, causes and next step."""
        lines = [f"{self.names[i]}: {values[i]}" for i in self.order]
        return "\n".join((*lines, self.end))

    def instruction(self, random: Random) -> str:
        """What whoever takes notes is told."""
        names = [self.names[i] for i in self.order]
        role = random.choice(
            (
                "You take medical intake notes.",
                "You prepare a visit to the doctor.",
                "You note what patients say before they see the doctor.",
                "You are a medical intake assistant.",
            )
        )
        form = random.choice(
            (
                f'Write three lines, {names[0]}, {names[1]} and {names[2]}. End with "{self.end}"',
                f'Answer with the lines "{names[0]}:", "{names[1]}:" and "{names[2]}:". The last '
                f'line is "{self.end}"',
                f"Use this form:\n{names[0]}: ...\n{names[1]}: ...\n{names[2]}: ...\n{self.end}",
            )
        )
        levels = random.choice(
            ("", " Urgency is low, medium or high.", " Say low, medium or high.")
        )
        return f"{role}{levels} {form}"


FORM = Form(("Urgency", "Likely causes", "Next step"), (0, 1, 2), "This is not medical advice.")
OTHER_NAMES = (
    ("Urgency", "Priority", "Level", "How urgent"),
    ("Causes", "Possible causes", "May come from", "Reasons", "Likely causes"),
    ("Next", "Advice", "What to do", "Plan", "Next step"),
)
OTHER_ENDS = (
    "This is not medical advice.",
    "Please ask a doctor.",
    "Only a doctor can tell.",
    "This note replaces no doctor.",
    "Not medical advice.",
)
ORDERS = ((0, 1, 2), (1, 0, 2), (1, 2, 0), (0, 2, 1))


def _read(path: Path) -> tuple[Complaint, ...]:
    found = []
    for block in path.read_text(encoding="utf-8").split("@ ")[1:]:
        head, *said = block.strip().split("\n")
        found.append(Complaint(*head.split(" | "), said=tuple(said)))
    return tuple(found)


COMPLAINTS = _read(Path(__file__).with_suffix(".txt"))


@dataclass(frozen=True)
class Report:
    """What a patient says, and the note's three values."""

    text: str
    complaint: str
    values: tuple[str, str, str]
    combinations: tuple[Combination, ...]


def report(random: Random, complaints: tuple[Complaint, ...]) -> Report:
    """One of the complaints, with since when and what else."""
    it = random.choice(complaints)
    said, kind = random.choice(it.said), random.random()
    long, alarm = kind < 0.15, kind > 0.85
    since = random.choice(LONG if long else SINCE)
    extra = random.choice(ALARMS if alarm else (*EXTRAS, "", "", ""))
    parts = [f"{said}.", since, extra]
    if random.random() < 0.3:
        parts = [extra, f"{said}.", since]
    urgency, step = it.urgency, it.step
    if long and urgency == "low":
        urgency, step = "medium", SOON
    if alarm:
        urgency, step = "high", NOW
    combinations = tuple((said, other) for other in (since, extra) if other)
    return Report(" ".join(filter(None, parts)), it.name, (urgency, it.causes, step), combinations)


def noted(random: Random, form: Form, complaints: tuple[Complaint, ...]) -> Made:
    """A complaint with its note in this form."""
    it = report(random, complaints)
    example = Example(it.text, form.note(it.values), random.choice(PLAINLY))
    urgency, causes, _ = it.values
    return Made(example, it.combinations, expected(urgency, (causes,)), it.complaint)


def expected(urgency: str, causes: tuple[str, ...]) -> str:
    """The pattern of a note with this urgency, and one of the causes."""
    return f"(?s)(?=.*Urgency: {urgency}\\b)(?=.*({'|'.join(causes)}))"


def make(random: Random) -> Made:
    """Any complaint with its note in the task's own form."""
    return noted(random, FORM, COMPLAINTS)


def some_form(random: Random) -> Form:
    """A form such as others use."""
    one, two, three = (random.choice(names) for names in OTHER_NAMES)
    return Form((one, two, three), random.choice(ORDERS), random.choice(OTHER_ENDS))


def seen(random: Random) -> Task:
    """The base sees half of the complaints, in forms that the instruction fixes."""
    form = some_form(random)

    def example(random: Random) -> Example:
        return draw(random, NAME, lambda random: noted(random, form, COMPLAINTS[:KNOWN])).example

    return Task(NAME, example, REQUESTS, (form.instruction(random),), FIELDS)


TASK = Specialty(NAME, "complaint", seen, make, FORM.instruction, REQUESTS, share=0.18)
