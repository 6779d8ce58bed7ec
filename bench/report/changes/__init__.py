"""What changed between two runs, for a reader: in sentences, in the terminal and as a figure.

The comparison itself is made in analysis; nothing here decides what counts as a change.
"""

from bench.report.changes.figure import draw, save
from bench.report.changes.sentences import basis, regressed, verdict
from bench.report.changes.table import changed_table, render

__all__ = ["basis", "changed_table", "draw", "regressed", "render", "save", "verdict"]
