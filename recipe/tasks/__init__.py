"""The tasks that adapters are trained for, each a grammar of its own."""

from . import french, intake, sentiment, support
from .specialty import Specialty

TASKS: tuple[Specialty, ...] = (sentiment.TASK, support.TASK, intake.TASK, french.TASK)
