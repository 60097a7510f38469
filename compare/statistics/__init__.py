"""Statistics of evaluations: intervals, paired comparisons, verdicts, rankings and agreement."""
