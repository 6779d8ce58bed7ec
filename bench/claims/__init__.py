"""Published results beside what this machine measures: one claim a file in `published/`, and what runs and judges them.

A claim is one computation written in several ways, a setup by size, and what was printed about it; a file of the
reader's own has the same form. Only what a claim file and a reader of results need is imported here.
"""

from bench.claims.claim import Array, Cause, Claim, Ratio, Source, Way, Work, elementwise, gamma, summed

__all__ = ["Array", "Cause", "Claim", "Ratio", "Source", "Way", "Work", "elementwise", "gamma", "summed"]
