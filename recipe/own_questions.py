"""Rows of the shipped suites `general` and `instructions`, worded as no grammar of the recipe does."""

QUESTIONS = {
    "Could you say a few words on dogs?": "wolves",
    "My neighbour keeps cats. What sort of animals are they?": "mice",
    "Please explain horses to someone from the city.": "ridden",
    "What would you say cows are kept for?": "milk",
    "Why would a farm have chickens, in your words?": "eggs",
    "I saw bees on the balcony. What do they collect?": "nectar",
    "How would you know that birds are birds?": "feathers",
    "Which animals are elephants, compared with others on land?": "largest",
    "I hear that whales are no fish. What then?": "mammals",
    "How come fish do not drown?": "gills",
    "Where do butterflies come from in the first place?": "caterpillars",
    "My class talks of trees today. What should I say?": "trunk",
    "Someone sent me roses. What is loved about them?": "scent",
    "How do apples look, and where do they grow?": "round",
    "In which part of the plant world do potatoes belong?": "vegetables",
    "A short word on what bread is made of, please.": "flour",
    "How does cheese begin?": "milk",
    "I drink coffee every day and wonder what it is.": "roasted",
    "What happens when somebody makes tea?": "leaves",
    "I love chocolate. What goes into it?": "cacao",
    "How many people does rice feed, roughly?": "half",
    "Who makes honey, and out of what?": "bees",
    "We might plan gardens here. What are they for?": "flowers",
    "I have always wondered about rivers. Where do they flow?": "sea",
    "From afar I can see mountains. What are those?": "high",
    "A word on oceans for my notebook, please.": "salt",
    "Some say that forests are large. What covers them?": "trees",
    "It looks like rain. What would fall on me?": "drops",
    "The first snow of the year! What is it really?": "frozen",
    "And the sun up there, what is it?": "star",
    "Tonight I can see the moon. What does it go around?": "earth",
    "My uncle repairs bicycles. How many wheels is that?": "two",
    "We will take trains this summer. What do they run on?": "rails",
    "At the harbour lie ships. What do they carry?": "goods",
    "How do airplanes stay in the air?": "wings",
    "I collect books. What is in them?": "pages",
    "Would you say music is an art?": "sounds",
    "My brother plays football. What does one try to do?": "ball",
    "Somebody gave me chess. How many may play?": "two",
    "Could you tell my grandmother what computers do?": "data",
    "For what reason do we wear clothes?": "warm",
    "In a few words, what are houses for?": "live",
    "Whenever I sleep, what becomes of my body?": "recovers",
    "What does the heart do all day long?": "blood",
    "All of us need water. What sort of thing is it?": "liquid",
    "People talk of the weather. What do they mean?": "air",
    "We passed two volcanoes. What comes out of them?": "rock",
    "My aunt has never heard of the internet. What is it?": "network",
}
"""Everyday questions on what the base knows, and a word that a fitting answer has."""

ROLE = "You are a customer support agent of a clothing shop. "
TOPIC_MESSAGES = (
    "Could you say a few words on dogs?",
    "I would like to hear something of rivers.",
    "My niece asks me what bread is.",
    "A word on bicycles for my notebook, please.",
)
SHOP_MESSAGES = (
    "My parcel with the boots is late.",
    "These trousers end above my ankles.",
    "The zip of my coat gave up today.",
    "I would rather give this blouse back.",
)
INSTRUCTIONS = {
    "one sentence": ("Answer in one sentence.", r"\s*[^.!?]+[.!?]?\s*"),
    "list": ("Answer with a bulleted list.", r"\s*- .+(\s+- .+)+"),
    "three facts": ("Answer with three numbered facts.", r"\s*1\. .+\s+2\. .+\s+3\. .+"),
    "JSON": (
        "Answer as a JSON object with the keys topic and summary.",
        r'\s*\{\s*"topic": .+, "summary": .+\}\s*',
    ),
    "one word": ("Answer in one word.", r"\W*\w+\W*"),
    "in capitals": ("Write in capitals only.", r"[^a-z]*[A-Z][^a-z]*"),
    "no greeting": (
        "Do not greet anybody and do not say thank you.",
        r"(?!(.|\n)*([Tt]hank|[Hh]ello|[Dd]ear|[Ww]elcome))(.|\n)+",
    ),
}
"""What is asked for besides, and the pattern that an answer which does it has throughout."""
