"""Past memory and past one machine: the gradient step over data on disk, on Dask and beside it.

`store` writes a problem of any size, `data` opens its rows, `ways` take the step, `run` checks and measures them;
`limit` and `model` say what binds. `records` is what the page reads. Dask is loaded where it is used, and not before.
"""
