"""What the commands print: a summary that answers in a screen, all tables on demand, and the advice in sentences.

Lines of text, made of a run's numbers; nothing is drawn, and nothing is printed from here.
"""

from bench.report.terminal.summary import lines
from bench.report.terminal.tables import WIDTH, render

__all__ = ["WIDTH", "lines", "render"]
