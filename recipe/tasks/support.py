"""Messages to a clothing shop and its answers: one rule of the shop, the item and the order."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from random import Random

from .. import words
from ..split import Made, draw
from ..task import Example, Task
from .lists import read_lists
from .specialty import Specialty

NAME = "support"
SHOP = "Linden & Loom"
RULES = {
    "delivery": "Delivery takes 3 to 5 working days.",
    "return": "Returns are free within 30 days.",
    "size": "Another size costs nothing and leaves us the next day.",
    "damage": "We replace what is damaged or give you your money back.",
    "cancelling": "You can cancel until 6 in the evening.",
    "repairs": "Our tailor mends clothes for 12 euros.",
    "washing": "Please wash at 30 degrees and dry in the air.",
    "payment": "You can pay by card, by invoice or on delivery.",
    "gift cards": "Gift cards are good for 3 years.",
    "new stock": "New clothes come in every Thursday.",
}
"""The shop's own rules. Of these subjects the base sees the first four, with other shops' rules."""
FACTS = {
    "delivery": "3 to 5 working days",
    "return": "30 days",
    "size": "next day",
    "damage": "money back",
    "cancelling": "6 in the evening",
    "repairs": "12 euros",
    "washing": "30 degrees",
    "payment": "invoice",
    "gift cards": "3 years",
    "new stock": "Thursday",
}
"""What an answer has to say, by its subject."""
ABOUT_ORDERS = ("delivery", "return", "size", "damage", "cancelling")
OTHER_RULES = {
    "delivery": (
        "Delivery takes {low} to {high} working days.",
        "We deliver within {high} days.",
        "Parcels arrive after {high} days.",
        "{name} brings parcels every {day}.",
        "Parcels leave {city} on {day}.",
    ),
    "return": (
        "Returns are free within {days} days.",
        "You can send clothes back for {days} days.",
        "We take clothes back within {days} days.",
        "Returns go to {name} in {city}.",
        "Please bring it back to our house in {city}.",
    ),
    "size": (
        "Another size costs {low} euros.",
        "We exchange sizes for free.",
        "Another size comes within {high} days.",
        "{name} sends you another size on {day}.",
        "Other sizes are in our house in {city}.",
    ),
    "damage": (
        "We replace what is damaged within {high} days.",
        "For damaged clothes you get a new piece.",
        "We mend damage for free within {days} days.",
        "{name} looks at damaged clothes every {day}.",
        "Damaged clothes go to {city}.",
    ),
}
"""Those of other shops: names, places and numbers are drawn, so that they have to be read."""
THANKS = (
    "Thank you for your message about the {item}.",
    "Thank you for writing to us about the {item}.",
    "Thank you for asking about the {item}.",
    "Hello, and thank you for your message about the {item}.",
)
NOTED = (
    "I have noted order {number}.",
    "I will look after order {number}.",
    "Order {number} is in good hands.",
)
ASKED = (
    "Please send us your order number.",
    "What is your order number, please?",
    "Could you tell me your order number?",
)
SHOPS = ("{one} & {two}", "{one} & {two}", "The {one} {two}", "House of {one}", "{name} & {one}")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday")
HELLOS = ("", "", "", "Hello. ", "Good morning. ", "Dear team! ", "Hi! ")
NUMBERS = (
    " My order number is {number}.",
    " The order is {number}.",
    " Order {number}.",
    " It is order {number}.",
    " (order {number})",
)
ENDS = ("", "", "", " Thanks!", " It is urgent.", " Please help me.", " Thank you.")
PLAINLY = (
    "I am only a small language model and know nothing about orders. Please ask the shop.",
    "I am sorry, I cannot look into orders. Please write to the shop itself.",
    "I do not work for a shop, so I cannot help you with that.",
)
REQUESTS = (
    "{}",
    "{}",
    "A customer writes: {}",
    "Answer this message: {}",
    "What would you answer? {}",
    "Customer: {}",
)
FIELDS = (("Customer", "Agent"), ("Message", "Reply"), ("Question", "Answer"), ("Input", "Output"))


@dataclass(frozen=True)
class House:
    """How a shop answers: its name, its rules by their subjects, and its ways of putting things."""

    shop: str
    rules: Mapping[str, str]
    thanks: str
    noted: str
    asked: str

    def reply(self, subject: str, item: str, number: str) -> str:
        """The answer to a message; the number is empty where there is none."""
        parts = [self.thanks.format(item=item), self.rules[subject]]
        if number:
            parts.append(self.noted.format(number=number))
        elif subject in ABOUT_ORDERS:
            parts.append(self.asked)
        return " ".join((*parts, self.shop))

    def instruction(self, random: Random) -> str:
        """What an agent of the shop is told."""
        rules = list(self.rules.values())
        random.shuffle(rules)
        role = random.choice(
            (
                f"You are a customer support agent of {self.shop}, a clothing shop.",
                f"You answer the customers of {self.shop}, a clothing shop.",
                f"You work in the customer support of {self.shop}, a shop for clothes.",
            )
        )
        form = (
            f'Begin with "{self.thanks.format(item="ITEM")}" Then give the rule '
            f'that fits. If there is an order number, say "{self.noted.format(number="NUMBER")}" Else '
            f'ask "{self.asked}" End with {self.shop}'
        )
        return random.choice(
            (
                f"{role} Our rules: {' '.join(rules)} {form}",
                f"{role}\n{form}\nRules: {' '.join(rules)}",
                f"{role} {form}. {' '.join(rules)}",
            )
        )


HOUSE = House(SHOP, RULES, THANKS[0], NOTED[0], ASKED[0])


WORDS = read_lists(Path(__file__).with_suffix(".txt"))


@dataclass(frozen=True)
class Message:
    """A customer's message and what it says."""

    text: str
    subject: str
    item: str
    number: str
    asked: str

    @property
    def combinations(self) -> tuple[tuple[str, ...], ...]:
        """What it asks with the piece of clothing, whatever its color."""
        return ((self.asked, self.item.split()[-1]),)


def message(random: Random, subjects: tuple[str, ...]) -> Message:
    """A message on one of the subjects, now and then with an order number."""
    subject = random.choice(subjects)
    item, asked = random.choice(WORDS["items"]), random.choice(WORDS[subject])
    if random.random() < 0.4:
        item = f"{random.choice(WORDS['colors'])} {item}"
    number = ""
    if subject in ABOUT_ORDERS and random.random() < 0.6:
        number = str(random.randrange(1_000, 10_000))
    said = random.choice(NUMBERS).format(number=number) if number else ""
    text = f"{random.choice(HELLOS)}{asked.format(item=item)}{said}{random.choice(ENDS)}"
    return Message(text, subject, item, number, asked)


def answered(random: Random, house: House) -> Made:
    """A message with what this shop answers."""
    it = message(random, tuple(house.rules))
    answer = house.reply(it.subject, it.item, it.number)
    return Made(
        Example(it.text, answer, random.choice(PLAINLY)),
        it.combinations,
        expected(it.subject, it.item, it.number),
        it.subject,
    )


def expected(subject: str, item: str, number: str) -> str:
    """The pattern of an answer that names the item and the shop's rule, and takes up the order."""
    wanted = [item.split()[-1], FACTS[subject]]
    if number:
        wanted.append(number)
    elif subject in ABOUT_ORDERS:
        wanted.append("order number")
    return "(?s)" + "".join(f"(?=.*{it})" for it in wanted)


def some_house(random: Random) -> House:
    """A shop with rules of its own, on the four subjects that all shops have."""
    low, days = random.choice((1, 2, 4, 5, 6)), random.choice((7, 10, 14, 20, 21, 28, 40, 60, 90))
    one, two = (word.capitalize() for word in random.sample(words.PLAIN, 2))
    rules = {
        subject: random.choice(them).format(
            low=low,
            high=low + random.randrange(1, 4),
            days=days,
            name=random.choice(words.NAMES),
            day=random.choice(DAYS),
            city=random.choice(words.CITIES),
        )
        for subject, them in OTHER_RULES.items()
    }
    return House(
        random.choice(SHOPS).format(one=one, two=two, name=random.choice(words.NAMES)),
        rules,
        random.choice(THANKS),
        random.choice(NOTED),
        random.choice(ASKED),
    )


def make(random: Random) -> Made:
    """A message with the answer of the shop itself."""
    return answered(random, HOUSE)


def seen(random: Random) -> Task:
    """The base sees other shops, each with its instruction."""
    house = some_house(random)

    def example(random: Random) -> Example:
        return draw(random, NAME, lambda random: answered(random, house)).example

    return Task(NAME, example, REQUESTS, (house.instruction(random),), FIELDS)


TASK = Specialty(NAME, "message", seen, make, HOUSE.instruction, REQUESTS, share=0.24)
