"""The variants of a run: its orders of X and numbers of threads, of which one figure or table shows one."""

from bench.results.run import CellResult, Run

Variant = tuple[str, int]  # order, threads


def variants(run: Run) -> list[Variant]:
    """The (order, threads) of a run, in the order measured."""
    return list(dict.fromkeys((r.cell.order, r.cell.threads) for r in run.cells))


def of_variant(run: Run, variant: Variant) -> list[CellResult]:
    """The cells of a variant."""
    return [r for r in run.cells if (r.cell.order, r.cell.threads) == variant]


def variant_words(variant: Variant) -> str:
    """A variant in words."""
    order, threads = variant
    return f"order {order}, {threads} thread{'s' if threads > 1 else ''}"


def variant_file(variant: Variant) -> str:
    """A variant in file names."""
    return f"{variant[0]}-{variant[1]}t"
