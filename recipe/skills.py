"""The small skills that the base learns beside the topics.

Instructions and examples only work on a model that has learned to take its answer from what stands
before it. So these have random words, names and numbers, and some have labels of their own.
"""

from collections.abc import Callable
from random import Random

from . import lookup_skills, word_skills
from .task import Task

SKILLS: tuple[Callable[[Random], Task], ...] = (
    word_skills.repeat,
    word_skills.repeat,
    word_skills.repeat_twice,
    word_skills.surround,
    word_skills.add_word,
    word_skills.upper,
    word_skills.letters,
    word_skills.count,
    word_skills.position,
    word_skills.following,
    word_skills.arrange,
    word_skills.replace,
    lookup_skills.mentioned,
    lookup_skills.contains,
    lookup_skills.extract,
    lookup_skills.extract,
    lookup_skills.extract,
    lookup_skills.fill_in,
    lookup_skills.fill_in,
    lookup_skills.look_up,
    lookup_skills.who_has,
    lookup_skills.sort_by_group,
    lookup_skills.sort_by_label,
    lookup_skills.sort_by_label,
    word_skills.opposite,
    word_skills.plural,
    word_skills.sums,
)
"""Each makes a task for one chat; one named twice is drawn twice as often."""
