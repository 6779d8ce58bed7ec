"""Everything about measuring: problems, the gate, the clock, results, figures."""

from bench.machine import quiet

quiet.shorten_spinning()
