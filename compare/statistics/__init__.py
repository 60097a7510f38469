"""Statistics of evaluations: intervals, paired comparisons, verdicts, rankings and agreement.

Pure functions, explained in docs/statistics.md. Four variants of 500 rows take about 0.1 s and of
5,000 rows a second: not for the event loop.
"""
