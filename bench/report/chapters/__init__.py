"""The chapters of the page, a module each, with `section(run) -> Section | None`.

A figure is one function of one chapter. The order of the chapters is that of `bench.report.page.CHAPTERS`.
"""
