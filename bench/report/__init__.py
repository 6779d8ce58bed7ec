"""What a run shows: figures, tables and sentences, on the page and in the terminal.

Drawing only: the numbers come from analysis, and nothing here measures. A chapter is a section of the page.
"""

from bench.report.page import appendix, sections
from bench.report.write import draw, write

__all__ = ["appendix", "draw", "sections", "write"]
