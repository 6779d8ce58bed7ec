"""Everything about measuring: problems, the gate, the clock, results, figures."""

from bench import quiet

quiet.shorten_spinning()
