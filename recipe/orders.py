"""People who ordered something, and sentences that say so: material to copy from."""

from random import Random

from . import words

PEOPLE_SENTENCES = (
    "{name} from {city} has order number {number} and waits for a {color} {thing}.",
    "My name is {name}, I live in {city}, and my order {number} was a {color} {thing}.",
    "Hello, this is {name}. I bought a {color} {thing} in {city}. The number is {number}.",
    "In {city}, {name} ordered a {color} {thing} with the number {number}.",
    "Order {number}: one {color} {thing} for {name}, {city}.",
    "{name} sent a {color} {thing} to {city} and wrote {number} on the box.",
)


def person(random: Random) -> dict[str, str]:
    """A person who ordered something, each part by its name."""
    group = random.choice(("garment", "furniture", "tool"))
    return {
        "name": random.choice(words.NAMES),
        "city": random.choice(words.CITIES),
        "number": words.number(random, 3, 6),
        "color": random.choice(words.COLORS),
        "thing": random.choice(words.GROUPS[group]),
    }
