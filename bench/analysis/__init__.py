"""What a run shows, as numbers: cost model, estimates, pairs and predictions, crossovers, limits, compare, advise.

Nothing is measured, drawn or put into sentences here: every module takes a `Run` and returns records.
"""

from bench.analysis.advise import Advice, CantAnswer, Offer
from bench.analysis.compare import Change, Comparison, NothingDecided, NothingInCommon
from bench.analysis.costmodel import Costs, fit_all
from bench.analysis.crossovers import Compared, Crossover
from bench.analysis.ratios import Best, Ratio, headline_cells, story_cells

# Functions named after their modules (advise, compare, ratios) are imported from there.
__all__ = [
    "Advice",
    "Best",
    "CantAnswer",
    "Change",
    "Compared",
    "Comparison",
    "Costs",
    "Crossover",
    "NothingDecided",
    "NothingInCommon",
    "Offer",
    "Ratio",
    "fit_all",
    "headline_cells",
    "story_cells",
]
