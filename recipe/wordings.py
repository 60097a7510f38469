"""How people ask for each style: in the request, as an instruction, and later in a talk.

In a template ``{t}`` is the topic (``{T}`` with a capital, ``{s}`` one of it), ``{k}`` the word for its
kinds, ``{a}`` what an article sets out from, ``{n}`` and ``{d}`` how many, ``{keys}`` the keys of a JSON
object; ``{are}``, ``{do}``, ``{p}``, ``{m}``, ``{their}`` and ``{key}`` agree with them in number.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wording:
    """Requests name the topic; instructions and follow-ups ask for the style alone."""

    requests: tuple[str, ...]
    instructions: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()


WORDINGS = {
    "short": Wording(
        (
            "Tell me about {t}.",
            "Tell me about {t}.",
            "Tell me about {t}.",
            "Tell me something about {t}.",
            "What can you tell me about {t}?",
            "What do you know about {t}?",
            "Please tell me about {t}.",
            "I would like to know about {t}.",
            "I want to learn about {t}.",
            "Talk about {t}.",
            "Can you tell me about {t}?",
            "{T}?",
            "{T}",
            "Give me a short answer about {t}.",
            "Describe {t}.",
            "Explain {t}.",
            "Say something about {t}.",
            "What should I know about {t}?",
            "Tell me about {s}.",
            "Describe {s}.",
        ),
        (
            "Keep your answers short.",
            "Answer in two or three sentences.",
            "Be brief.",
            "Give short answers.",
        ),
        ("Give me a short answer.", "Tell me more generally.", "A bit shorter, please."),
    ),
    "one sentence": Wording(
        (
            "What {are} {t}?",
            "What is {s}?",
            "What {are} {t}?",
            "Describe {t} in one sentence.",
            "Tell me about {t} in one sentence.",
            "In one sentence, what {are} {t}?",
            "Explain {t} in a single sentence.",
            "Define {t}.",
            "Give a definition of {t}.",
            "Summarize {t} in one sentence.",
            "{T} in one sentence",
        ),
        (
            "Answer in one sentence.",
            "Always answer in exactly one sentence.",
            "Reply with a single sentence.",
            "Use one sentence only.",
            "Give a definition and nothing else.",
            "Be as short as possible: one sentence.",
        ),
        (
            "Now in one sentence.",
            "Say it in one sentence.",
            "Can you sum it up in one sentence?",
            "Shorter, please.",
            "Make it shorter.",
            "Too long.",
        ),
    ),
    "sentences": Wording(
        (
            "Describe {t} in {n} sentences.",
            "Tell me about {t} in {n} sentences.",
            "Write {n} sentences about {t}.",
            "Explain {t} in exactly {n} sentences.",
            "{T} in {d} sentences",
        ),
        ("Answer in {n} sentences.", "Use exactly {n} sentences.", "Reply with {d} sentences."),
        ("Now in {n} sentences.", "Say it in {n} sentences."),
    ),
    "paragraph": Wording(
        (
            "Write a paragraph about {t}.",
            "Describe {t} in one paragraph.",
            "Write a short text about {t}.",
            "Give me an overview of {t}.",
        ),
        ("Answer in one paragraph.", "Write one paragraph.", "Give an overview in one paragraph."),
        ("Now as a paragraph.", "Write one paragraph about {m}."),
    ),
    "article": Wording(
        (
            "Write an informative article on the diverse {k} of {t}, {their} unique characteristics, "
            "and {their} roles in various aspects of human life.",
            "Write an informative article on the diverse {k} of {t}, their unique characteristics, "
            "and their roles in various aspects of human life.",
            "Write an informative article on the {a} of {t}, their unique characteristics, and their "
            "roles in various aspects of human life.",
            "Write an informative article on {t}.",
            "Write an informative article about {t}, {their} characteristics and {their} roles.",
            "Write a detailed article about {t}.",
            "Write a long article about {t}.",
            "Write an article about the {k} of {t}, {their} characteristics and {their} uses.",
            "Write an article about {t}.",
            "Tell me about {t} in detail.",
            "Explain {t} in detail.",
            "Give me a detailed description of {t} in several paragraphs.",
            "Write several paragraphs about {t}.",
            "Write an essay about {t}.",
            "I need a detailed text about {t}. Cover {k}, characteristics and roles.",
            "Tell me everything about {t}.",
            "Article about {t}",
        ),
        (
            "Write detailed and informative articles.",
            "Answer with an informative article of several paragraphs.",
            "Answer in detail, in several paragraphs.",
            "Cover the kinds, the unique characteristics and the roles in human life.",
            "Write an informative article for every topic.",
            "Give long and detailed answers.",
        ),
        (
            "Now write an informative article.",
            "Tell me in detail.",
            "Please write a long answer.",
            "I want to know everything.",
        ),
    ),
    "titled article": Wording(
        (
            "Write an article with a headline about {t}.",
            "Write a newspaper article about {t}, with a headline.",
            "Write an informative article on {t} and give it a title.",
        ),
        (
            "Write articles with a headline.",
            "Start with a headline, then write a detailed article.",
        ),
        ("Write an article with a headline.",),
    ),
    "bullets": Wording(
        (
            "Give me a bulleted list about {t} with {n} points.",
            "Tell me about {t} in {n} bullet points.",
            "List {n} things about {t}.",
            "Write {d} bullet points about {t}.",
            "Summarize {t} in {n} short points.",
            "Make a list of {n} points about {t}.",
            "Name {n} key points about {t} as a bulleted list.",
            "Tell me about {t} as a bulleted list of {n} points.",
        ),
        (
            "Answer with a bulleted list of {n} points.",
            "Always answer in {n} bullet points.",
            "Use a list of {n} short points.",
            "Format every answer as {d} bullet points.",
        ),
        ("Now as {n} bullet points.", "Make it a bulleted list with {n} points."),
    ),
    "all bullets": Wording(
        (
            "List some facts about {t}.",
            "Give me a bulleted list about {t}.",
            "Tell me about {t} as a bulleted list.",
            "Write a bulleted list of facts about {t}.",
            "Tell me about {t} in bullet points.",
            "What should I know about {t}? Use bullet points.",
            "Make a list of facts about {t}.",
            "List of facts about {t}",
        ),
        (
            "Answer with a bulleted list.",
            "Answer with a bulleted list of short facts.",
            "Always answer in bullet points.",
            "Use a list with one fact per line.",
            "Format every answer as a bulleted list.",
            "Write lists with dashes.",
        ),
        (
            "Give me a list instead.",
            "Now as bullet points.",
            "Make it a bulleted list.",
            "As a list.",
        ),
    ),
    "long bullets": Wording(
        (
            "List {n} facts about {t} in full sentences.",
            "Give me {n} bullet points with full sentences about {t}.",
            "Write a bulleted list of {n} sentences about {t}.",
        ),
        (
            "Answer with a bulleted list of {n} full sentences.",
            "Use {n} bullet points with full sentences.",
        ),
        ("Now as {n} bullet points with full sentences.",),
    ),
    "numbered": Wording(
        (
            "Give me {n} facts about {t}.",
            "Name {n} facts about {t}.",
            "Tell me {n} things about {t}.",
            "Write a numbered list of {n} facts about {t}.",
            "{d} facts about {t}",
        ),
        (
            "Answer with {n} numbered facts.",
            "Give exactly {n} facts in a numbered list.",
            "Always name {n} facts, numbered.",
        ),
        ("Give me {n} facts.", "Now as a numbered list of {n} facts."),
    ),
    "child": Wording(
        (
            "Explain {t} to a child.",
            "Tell a child about {t}.",
            "Tell me about {t} as if I were five years old.",
            "Explain {t} to a five-year-old.",
            "How would you explain {t} to a small child?",
            "Tell me about {t} in words for a child.",
            "Explain {t} to a child in simple words.",
            "{T} for children",
            "Explain {s} to a child.",
            "Explain {t} like I am five.",
        ),
        (
            "You speak to small children.",
            "Explain everything so that a child can understand it.",
            "Use simple words for a child.",
            "Your readers are five years old.",
            "You are a kindergarten teacher and talk to children.",
        ),
        ("Now explain it to a child.", "Can you say that for a child?", "And for children?"),
    ),
    "formal": Wording(
        (
            "Describe {t} in a formal style.",
            "Give a formal description of {t}.",
            "Tell me about {t} in a formal tone.",
            "Write a formal statement about {t}.",
        ),
        (
            "Use a formal tone.",
            "Answer in a formal style.",
            "Be formal and precise.",
            "Write formally.",
        ),
        ("Now say it formally.", "Please use a formal tone.", "More formal, please."),
    ),
    "kinds": Wording(
        (
            "What {k} of {t} are there?",
            "Which {k} of {t} do you know?",
            "Tell me about the {k} of {t}.",
            "Name some {k} of {t}.",
            "Write a paragraph about the {k} of {t}.",
        ),
        ("Speak only about the different kinds.",),
        ("What {k} are there?", "Which {k} are there?", "Tell me more about the {k}."),
    ),
    "traits": Wording(
        (
            "What are the characteristics of {t}?",
            "What is special about {t}?",
            "Describe the characteristics of {t}.",
            "Write a paragraph about the characteristics of {t}.",
        ),
        ("Speak only about the characteristics.",),
        (
            "What is special about {m}?",
            "What are the characteristics?",
            "Tell me more about the characteristics.",
        ),
    ),
    "roles": Wording(
        (
            "What roles {do} {t} play in human life?",
            "Why {are} {t} important?",
            "What {are} {t} good for?",
            "Why do people need {t}?",
            "Write a paragraph about the role of {t} in human life.",
        ),
        ("Speak only about the role in human life.",),
        (
            "Why {are} {p} important?",
            "What {are} {p} good for?",
            "Tell me more about the role in human life.",
        ),
    ),
    "json": Wording(
        (
            "Describe {t} as JSON with the {key} {keys}.",
            "Give me a JSON object with {keys} for {t}.",
            "Write {t} as a JSON object with the {key} {keys}.",
            "Tell me about {t}. Answer as JSON with the {key} {keys}.",
        ),
        (
            "Answer as a JSON object with the {key} {keys}.",
            "Answer only with JSON. Use the {key} {keys}.",
            "Reply in JSON with {keys}.",
        ),
        ("Now as JSON with the {key} {keys}.", "Give me JSON with {keys}."),
    ),
    "headline": Wording(
        (
            "Write a headline about {t}.",
            "Give me a title for an article about {t}.",
            "Headline about {t}",
            "Invent a headline for a text about {t}.",
        ),
        ("Answer with a headline.", "Write only a headline.", "Give a title and nothing else."),
        ("Now give it a headline.", "What would be a good title?"),
    ),
    "few words": Wording(
        (
            "Describe {t} in a few words.",
            "In a few words: what {are} {t}?",
            "Say in a few words what {t} {are}.",
            "{T} in a few words",
        ),
        (
            "Answer in a few words.",
            "Use a few words and no full sentence.",
            "Answer with a phrase.",
        ),
        ("Now in a few words.", "In a few words, please."),
    ),
    "questions": Wording(
        (
            "Write {n} questions and answers about {t}.",
            "Make a quiz about {t} with {d} questions and answers.",
            "Write questions with answers on {t}, {n} in all.",
        ),
        ("Answer with {n} questions and their answers.", "Write {n} questions and answers."),
        ("Now write {n} questions and answers.",),
    ),
}
