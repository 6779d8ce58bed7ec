"""The two ways in: the command line `unloop`, and what feeds pytest-benchmark.

`app` and `commands` are the commands, `options` turns what was typed into a plan, `live` shows progress, `measured` and
`replay` hand the engine's samples to pytest-benchmark. Nothing is imported here, for memory is laid out first.
"""
