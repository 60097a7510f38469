"""Words without a topic: names, places, things by their group, and words nobody has seen before."""

# ruff: noqa: SIM905 - word lists read better as running text

from random import Random

NAMES = (
    "Anna Tom Maria Peter Lucy John Emma Paul Sara David Nina Mark Julia Adam Clara Leo Rosa Max Eva "
    "Ben Laura Simon Alice Martin Olga Ivan Mia Noah Lena Oscar Ida Hugo Nora Felix Ruth Karl Vera "
    "Otto Jane Eric Amy Carl Helen Frank Grace Henry Iris Jack Kate Luke Molly Nick Olive Philip "
    "Rachel Sam Tina Victor Wendy Zoe Ali Fatima Omar Layla Yusuf Amina Chen Mei Hiro Yuki Ravi Priya "
    "Arjun Sita Diego Lucia Carlos Elena Marco Giulia Pierre Claire Sven Astrid Kofi Abena Tariq Nadia"
).split()
PEOPLE = (
    "brother sister mother father daughter son uncle aunt friend neighbor teacher boss cousin grandfather "
    "grandmother niece nephew colleague"
).split()
CITIES = (
    "Paris, London, Berlin, Rome, Madrid, Vienna, Oslo, Dublin, Lisbon, Athens, Prague, Warsaw, "
    "Helsinki, Cairo, Delhi, Tokyo, Boston, Chicago, Denver, Toronto, Lima, Quito, Nairobi, Lagos, "
    "Sydney, Perth, Seoul, Hanoi, Geneva, Naples, Lyon, Hamburg, Bristol, Leeds, Porto, Bergen, "
    "Krakow, Malmo, Riga, Zurich, Austin, Dallas, Miami, Havana, Bogota, Tunis, Dakar, Accra"
).split(", ")
COLORS = "red blue green yellow black white brown gray pink purple silver".split()
GROUPS = {
    "animal": (
        "dog cat horse cow goat pig wolf fox bear tiger mouse duck goose swan eagle snake turtle donkey "
        "camel zebra monkey deer hare seal otter beaver parrot pigeon lizard badger"
    ).split(),
    "food": (
        "bread cheese rice soup cake pear plum bean carrot onion pepper butter sugar honey pasta salad "
        "pie melon grape lemon peach nut corn cabbage jam mushroom spinach cherry toast cream"
    ).split(),
    "tool": (
        "hammer saw drill nail screw rope ladder brush knife spade rake shovel wrench needle "
        "axe chisel file pump broom bucket hoe tape ruler"
    ).split(),
    "furniture": (
        "chair table bed sofa desk shelf lamp stool bench wardrobe mirror carpet cushion cupboard drawer "
        "armchair curtain bookcase cradle couch"
    ).split(),
    "vehicle": (
        "car bus train tram boat ship plane bicycle truck van taxi ferry canoe scooter wagon sledge "
        "tractor rocket balloon motorcycle"
    ).split(),
    "garment": (
        "hat coat shirt dress skirt scarf glove sock shoe boot belt jacket sweater blouse cap vest tie "
        "apron cloak suit"
    ).split(),
}
PLAIN = (
    "stone river cloud pencil window apple paper garden bottle song winter key door market candle island "
    "bridge feather basket copper ribbon velvet planet button violin castle forest letter story summer "
    "morning evening number circle corner valley village engine signal shadow silence thunder pocket "
    "ticket kitchen wheel tower field beach sand flame smoke bell drum flute coin stamp map clock seed "
    "leaf root branch stream wave wind storm snow light night day week road path wall roof floor room"
).split()
WORDS = tuple(dict.fromkeys(PLAIN + [word for group in GROUPS.values() for word in group]))
ADJECTIVES = (
    "small large old new warm cold quiet loud quick slow soft hard round flat bright dark heavy light "
    "clean dusty narrow wide tall short sweet sour happy sad strange plain"
).split()
OPPOSITES = {
    one: two
    for one, _, two in (
        pair.partition("-")
        for pair in (
            "hot-cold big-small old-new long-short high-low fast-slow light-dark full-empty open-closed "
            "good-bad happy-sad loud-quiet wet-dry early-late rich-poor soft-hard strong-weak clean-dirty "
            "thick-thin near-far up-down left-right day-night first-last true-false easy-difficult "
            "young-aged wide-narrow deep-shallow sweet-sour"
        ).split()
    )
}
UNKNOWN = (
    "quantum physics, opera, tax law, dragons, robots, skateboards, Paris, taxes, poetry, algebra, "
    "ancient Rome, lawyers, dentists, politics, stamps, wine, submarines, electrons, philosophy, "
    "basketball, tigers, spiders, guitars, shoes, the stock market, Mars, history, dinosaurs, viruses, "
    "medicine, batteries, painting, knitting, castles, spices, yoga, lasers, television, airports, "
    "hotels, gold, iron, plastic, mathematics, wolves, carrots, onions, soup, juice, lemons, crocodiles, "
    "dolphins, snakes, monkeys, tigers, camels, turtles, planets, galaxies, comets, earthquakes, "
    "hurricanes, tornadoes, buses, tractors, rockets, helicopters, toys, dolls, comics, films, theater, "
    "tennis, golf, judo, hockey, skiing, surfing, physics, biology, chemistry, geography, Latin, "
    "Germany, Japan, Canada, Africa, London, New York, kings, queens, pirates, knights, wizards, ghosts, "
    "vampires, unicorns, marriage, money, banks, jobs, fashion, jewelry, perfume, candles, furniture, "
    "carpets, mirrors, doors, elevators, escalators, tunnels, harbors, farms, markets, restaurants, "
    "hospitals, nurses, police, firefighters, soldiers, astronauts, artists, singers, actors, poets"
).split(", ")
ROLES = (
    "teacher, writer, expert, guide, scientist, librarian, journalist, farmer, doctor, poet, coach, "
    "professor, robot, pirate, friend, neighbor, tour guide, reporter, chatbot, storyteller"
).split(", ")
SYLLABLES = (
    "ba be bi bo bu da de di do du fa fe fi fo ga go ka ke ki ko la le li lo lu ma me mi mo mu na ne ni no "
    "nu pa pe pi po ra re ri ro ru sa se si so su ta te ti to tu va ve vi vo wa za zo"
).split()


def invented(random: Random) -> str:
    """A word of two or three syllables that means nothing."""
    word = "".join(random.choices(SYLLABLES, k=random.choice((2, 2, 3))))
    return word + random.choice(("", "", "n", "r", "l", "s", "x"))


def any_word(random: Random) -> str:
    """Mostly a common word, sometimes an invented one."""
    return invented(random) if random.random() < 0.2 else random.choice(WORDS)


def some_words(random: Random, least: int, most: int) -> list[str]:
    """Different words, as many as drawn between the two numbers."""
    words: dict[str, None] = {}
    count = random.randint(least, most)
    while len(words) < count:
        words[any_word(random)] = None
    return list(words)


def number(random: Random, least: int = 1, most: int = 6) -> str:
    """Digits without a leading zero."""
    digits = random.randint(least, most)
    return str(random.randrange(10 ** (digits - 1), 10**digits))
