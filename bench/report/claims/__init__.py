"""The report of a run of claims: a table, a figure, a paragraph a claim; for a sweep, curves against n.

It reads `claims.json` and nothing else, so it can be drawn anywhere.
"""

from bench.report.claims.pages import TERMINAL_WIDTH, terminal, write
from bench.report.claims.sentences import headline
from bench.report.claims.tables import table

__all__ = ["TERMINAL_WIDTH", "headline", "table", "terminal", "write"]
