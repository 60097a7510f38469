"""Ask the library's prompts about many topics: do the answers end by themselves, without loops?"""

import re
from dataclasses import dataclass
from pathlib import Path

from llamadiff.compare.run import Output, new_run
from llamadiff.compare.runner import Runner
from llamadiff.compare.spec import Defaults, variants_of
from llamadiff.models.engine.client import Engine
from llamadiff.prompts.rendering.helper import Renderer

from .facts import load_topics

PROMPTS = ("tell-me-about", "one-sentence", "bulleted-list", "informative-article")
"""Those of the library that take a topic; each is asked with the sampling that it has."""
TOPICS = 50
_SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|\n")


@dataclass(frozen=True)
class Endings:
    """Of ``asked`` answers, how many ended by themselves, and how many said a sentence twice."""

    asked: int
    ended: int
    looped: int


async def measure_endings(base: Path, work: Path, topics: int = TOPICS) -> Endings:
    """What became of the answers of the GGUF file ``base`` on so many topics, spread over all."""
    engine = Engine(work / "endings.log")
    outputs: list[Output] = []
    try:
        with Renderer() as renderer:
            runner = Runner(engine, renderer, cache_dir=work)
            variants = variants_of(
                Defaults(model=str(base.resolve())),
                [{"prompt": name} for name in PROMPTS],
            )
            every = load_topics()
            for place in range(topics):
                topic = every[place * len(every) // topics]
                values = {"topic": topic.name, "aspect": f"diverse {topic.kinds_word}"}
                run = new_run(variants, values, seed=place)
                await runner.run(run, strict=True)
                outputs += run.outputs
    finally:
        await engine.close()
    return Endings(
        len(outputs),
        sum(it.finish_reason == "stop" for it in outputs),
        sum(says_twice(it.text) for it in outputs),
    )


def says_twice(text: str) -> bool:
    """Whether a sentence or line of a text comes again in it."""
    parts = [part for it in _SENTENCE_ENDS.split(text) if (part := it.strip().casefold())]
    return len(set(parts)) < len(parts)
