"""The tasks that adapters are trained for, each a grammar of its own."""

from . import french, intake, sentiment, support

TASKS = (sentiment.TASK, support.TASK, intake.TASK, french.TASK)
