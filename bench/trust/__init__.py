"""How far to trust a comparison: this suite's way and pytest-benchmark's, on the same kernels and for the same time.

`experiment` measures runs of both ways, of the same work and of a little more; `records` is what it keeps, in
trust.json; `verdicts` counts how often each way calls a change. Reading needs nothing that measures.
"""

from bench.trust.records import FILE, Experiment, find
from bench.trust.verdicts import Share, Verdicts, verdicts

__all__ = ["FILE", "Experiment", "Share", "Verdicts", "find", "verdicts"]
