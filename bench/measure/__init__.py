"""Taking samples: the clock (engine), the process that it runs in (worker, child), and the run around it (session).

`contestants` says what takes part in a cell, `ledger` what is done already, and `counts` and `compiling` measure what
explains the times. Nothing here draws, and nothing here judges a run.
"""
