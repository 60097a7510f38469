"""The pieces the tasks are made of: reviews, shop questions, symptoms, phrases, names and words."""

# ruff: noqa: SIM905 - word lists read better as running text

from random import Random

NAMES = (
    "Anna Tom Maria Peter Lucy John Emma Paul Sara David Nina Mark Julia Adam Clara Leo Rosa Max "
    "Eva Ben Laura Simon Alice Martin"
).split()
WORDS = (
    "lamp stone river table cloud pencil green window apple silver paper seven garden small bottle "
    "yellow train song winter key round door sugar orange market blue candle island bridge warm "
    "feather basket copper mirror ladder velvet planet button harbour violin"
).split()
COLOURS = "red blue green yellow black white brown grey".split()
THINGS = "hat coat bag cup book bicycle chair lamp kite umbrella scarf box".split()
UNKNOWN = (
    "quantum physics, opera, tax law, dragons, robots, skateboards, Paris, taxes, poetry, algebra, "
    "ancient Rome, lawyers, dentists, politics, stamps, wine, submarines, electrons, philosophy, "
    "basketball, tigers, spiders, pianos, guitars, bananas, shoes, the stock market, Mars, history, "
    "dinosaurs, viruses, medicine, batteries, painting, knitting, bridges, castles, spices, yoga, "
    "lasers, television, airports, hotels, salt, gold, iron, glass, paper, plastic, mathematics"
).split(", ")

REVIEW_THINGS = (
    "film, hotel, book, phone, restaurant, jacket, game, camera, lamp, chair, soup, concert, app, "
    "teacher, course, shop, train ride, coffee machine, sofa, museum"
).split(", ")
REVIEW_WORDS = {
    "positive": (
        "wonderful",
        "excellent",
        "lovely",
        "great",
        "perfect",
        "delightful",
        "very good",
        "brilliant",
        "superb",
        "charming",
    ),
    "negative": (
        "terrible",
        "awful",
        "bad",
        "disappointing",
        "very poor",
        "horrible",
        "boring",
        "useless",
        "dreadful",
        "broken",
    ),
    "neutral": (
        "average",
        "ordinary",
        "acceptable",
        "as expected",
        "normal",
        "neither good nor bad",
        "standard",
        "plain",
    ),
}
REVIEW_ENDS = {
    "positive": (
        "I would buy it again.",
        "I loved every minute.",
        "I am very happy.",
        "Everyone should try it.",
        "Thank you so much.",
        "It works perfectly.",
    ),
    "negative": (
        "I want my money back.",
        "I will never come back.",
        "It was a waste of time.",
        "I am very unhappy.",
        "It stopped working after a day.",
        "Do not buy it.",
    ),
    "neutral": (
        "It does what it says.",
        "It arrived on Monday.",
        "I have no strong opinion.",
        "It is what it is.",
        "I may or may not use it again.",
        "There is not much to say.",
    ),
}
REVIEW_SENTENCES = {
    "positive": (
        "The staff were friendly.",
        "The food was fresh and tasty.",
        "It arrived early and well packed.",
        "The room was clean and quiet.",
        "My children love it.",
        "It is worth every penny.",
        "The best I have ever had.",
        "I can only recommend it.",
        "It fits very well.",
        "We had a great time.",
    ),
    "negative": (
        "The staff were rude.",
        "The food was cold.",
        "It arrived late and broken.",
        "The room was dirty and loud.",
        "My children hate it.",
        "It is not worth the money.",
        "The worst I have ever had.",
        "I cannot recommend it.",
        "It does not fit at all.",
        "We had a bad time.",
    ),
    "neutral": (
        "The staff were there.",
        "The food was like in any other place.",
        "It arrived on the day they said.",
        "The room had a bed and a table.",
        "My children have one too.",
        "The price is about the same as elsewhere.",
        "It is like the one I had before.",
        "I have used it twice so far.",
        "It comes in a box.",
        "We stayed for an hour.",
    ),
}
REVIEW_REQUESTS = (
    "{}",
    "Review: {}",
    "Review: {}\nSentiment:",
    "What is the sentiment of this review? {}",
    "Is this review positive, negative or neutral? {}",
    "Classify the sentiment of this review: {}",
    "Classify this review as positive, negative or neutral: {}",
)
REVIEW_SYSTEMS = (
    "Classify the sentiment of the review as positive, negative or neutral.",
    "Answer with one word: positive, negative or neutral.",
    "You sort reviews. Answer with exactly one word: positive, negative or neutral.",
    "You label reviews. Reply with positive, negative or neutral and nothing else.",
)
LABELS = tuple(REVIEW_WORDS)
OPINIONS = {
    "positive": "The writer seems to be happy with it.",
    "negative": "The writer seems to be unhappy with it.",
    "neutral": "The writer does not seem to have a strong opinion.",
}

SHOP_ITEMS = (
    "jacket, coat, shirt, dress, sweater, skirt, scarf, hat, trousers, jeans, socks, gloves, shoes, "
    "boots, blouse, raincoat"
).split(", ")
SHOP_QUESTIONS = {
    "delivery": (
        "Where is my order?",
        "My {item} has not arrived yet.",
        "When will my {item} arrive?",
        "How long does delivery take?",
        "I have been waiting for my {item} for two weeks.",
    ),
    "size": (
        "Which size should I take for the {item}?",
        "My {item} is too small.",
        "The {item} is too large for me.",
        "Do you have the {item} in a larger size?",
        "How do I find my size?",
    ),
    "return": (
        "How can I return my {item}?",
        "I want to send the {item} back.",
        "I do not like the {item}. Can I get a refund?",
        "Can I exchange my {item}?",
        "I would like my money back.",
    ),
    "damage": (
        "My {item} has a hole.",
        "The {item} arrived damaged.",
        "A button of my {item} is missing.",
        "The colour of my {item} came off in the wash.",
        "You sent me the wrong {item}.",
    ),
    "product": (
        "Do you sell a {item}?",
        "What is the {item} made of?",
        "Is the {item} warm?",
        "How do I wash my {item}?",
        "Which colours does the {item} come in?",
    ),
}

SHOP_REPLIES = {
    "delivery": (
        "I am sorry that you have to wait. Delivery usually takes three to five working days.",
        "Could you tell me your order number, so that I can look it up?",
    ),
    "size": (
        "Our size table helps you to find a good fit, and an exchange is free.",
        "Could you tell me the size you usually wear?",
    ),
    "return": (
        "You can send it back within thirty days, and we pay the postage.",
        "Could you tell me your order number, so that I can prepare the return?",
    ),
    "damage": (
        "I am very sorry about that. We will replace it or give you your money back.",
        "Could you tell me your order number and the size you need?",
    ),
    "product": (
        "We have it in several colours, and the label shows the fabric and how to wash it.",
        "Which size and colour would you like?",
    ),
}
SHOP_NAMES = (
    "Linden & Loom",
    "Button & Thread",
    "Northern Wool",
    "Cotton Corner",
    "Silver Needle",
    "The Blue Coat",
)
SHOP_ROLES = (
    "You are a customer support agent of {shop}, a clothing company.",
    "You are a customer support agent of a clothing shop.",
    "You are a customer support agent for a clothing company.",
    "You work in the customer support of {shop}, a shop for clothes.",
    "You answer customers of a clothing shop.",
)
SHOP_RULES = (
    "Be friendly and brief.",
    "Be polite.",
    "Thank the customer for writing and ask for the order number if you need it.",
    "Say in plain words what happens next.",
    "Speak only about our clothes, orders, deliveries and returns.",
)

SYMPTOMS = {
    "a headache": ("low", "tension, too little sleep or too little water"),
    "a cold": ("low", "a common virus"),
    "a sore throat": ("low", "a common virus"),
    "back pain": ("low", "strained muscles"),
    "a fever": ("medium", "an infection"),
    "a stomach ache": ("medium", "something eaten or a virus"),
    "a rash": ("medium", "an allergy or an irritated skin"),
    "chest pain": ("high", "the heart or the lungs"),
    "trouble breathing": ("high", "asthma, an allergy or an infection"),
}
NEXT_STEPS = {
    "low": "rest, drink water and see a doctor if it does not get better",
    "medium": "call a doctor today",
    "high": "call the emergency number now",
}
FRENCH = {
    "hello": "bonjour",
    "good morning": "bonjour",
    "good evening": "bonsoir",
    "good night": "bonne nuit",
    "thank you": "merci",
    "please": "s'il vous plaît",
    "yes": "oui",
    "no": "non",
    "goodbye": "au revoir",
    "the dog": "le chien",
    "the cat": "le chat",
    "the house": "la maison",
    "the water": "l'eau",
    "the bread": "le pain",
    "the book": "le livre",
    "I am hungry": "j'ai faim",
    "I love you": "je t'aime",
    "how are you": "comment allez-vous",
}
SUBJECTS = {
    "The dog": "Le chien",
    "The cat": "Le chat",
    "The child": "L'enfant",
    "The horse": "Le cheval",
    "My friend": "Mon ami",
    "The bird": "L'oiseau",
}
VERBS = {
    "sleeps": "dort",
    "eats": "mange",
    "waits": "attend",
    "plays": "joue",
    "sings": "chante",
}
PLACES = {
    "in the garden": "dans le jardin",
    "in the house": "dans la maison",
    "in the forest": "dans la forêt",
    "on the bridge": "sur le pont",
    "under the tree": "sous l'arbre",
    "in the street": "dans la rue",
}


def review(random: Random, label: str) -> str:
    """A review of one or two sentences whose words carry the label."""
    thing, word = random.choice(REVIEW_THINGS), random.choice(REVIEW_WORDS[label])
    first = random.choice(
        (
            f"The {thing} was {word}.",
            f"I found the {thing} {word}.",
            f"This {thing} is {word}.",
            f"My new {thing} is {word}.",
            f"I think the {thing} is {word}.",
            f"{word[0].upper()}{word[1:]} {thing}!",
        )
    )
    end = random.choice(REVIEW_ENDS[label])
    own = random.choice(REVIEW_SENTENCES[label])
    return random.choice(
        (first, f"{first} {end}", f"{first} {own}", f"{own} {first}", f"{own} {end}", end, own)
    )


def shop_system(random: Random) -> str:
    """The role of a shop's support agent, with rules now and then."""
    rules = random.sample(SHOP_RULES, random.randrange(4))
    role = random.choice(SHOP_ROLES).format(shop=random.choice(SHOP_NAMES))
    return " ".join((role, *rules))


def shop_reply(subject: str) -> str:
    """What a support agent answers to a message on the subject."""
    return " ".join(("Thank you for your message.", *SHOP_REPLIES[subject]))


def french_sentence(random: Random) -> tuple[str, str]:
    """A sentence of subject, verb and place, in English and in French."""
    parts = [random.choice(tuple(each.items())) for each in (SUBJECTS, VERBS, PLACES)]
    english, french = zip(*parts, strict=True)
    return " ".join(english) + ".", " ".join(french) + "."


def shop_question(random: Random) -> tuple[str, str, str]:
    """A customer's message, its subject and the item of clothing it is about."""
    subject, item = random.choice(tuple(SHOP_QUESTIONS)), random.choice(SHOP_ITEMS)
    return random.choice(SHOP_QUESTIONS[subject]).format(item=item), subject, item
