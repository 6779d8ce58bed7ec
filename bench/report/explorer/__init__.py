"""The explorer: the cost model and the measured cells at any size, as one Vega-Lite chart that needs no network."""

from bench.report.explorer.embed import script
from bench.report.explorer.still import still

__all__ = ["script", "still"]
