"""The answer of `unloop advise`, in sentences."""

from collections.abc import Iterator

from bench import words
from bench.analysis.advise import Advice, Offer, Turn, left_out, once_compiled, paid_back, turns

AXES = {"m": "another m", "n_x": "another n_x", "calls": "other numbers of calls"}


def lines(advice: Advice, folder: str) -> Iterator[str]:
    """The advice for a person, from the run in a folder; the first line is the answer."""
    best, calls = advice.best, advice.calls
    yield f"Use {best.label} for m = {advice.m:,}, n_x = {advice.n_x:,} ({advice.setting.label})."
    how = "measured" if best.measured else "est., 95% prediction interval"
    yield f"A call takes {_time(best)} ({how})."
    takes = "takes" if calls == 1 else "take"
    compiled = f", of which {words.seconds(best.compiling)} compiling" if best.compiling else ""
    yield f"{words.plural(calls, 'call')} {takes} {words.seconds(best.total(calls))}{compiled}."
    if len(advice.offers) > 1:
        second = advice.offers[1]
        time = second.total(calls)
        yield f"Next: {second.label}, {words.faster(best.total(calls) / time)} ({words.seconds(time)})."
    yield from _left_out(advice)
    yield from _for_many(advice)
    yield from _paid_back(advice)
    for axis, changes in turns(advice).items():
        yield f"With {AXES[axis]}: {', '.join(map(_turn, changes)) or 'the same'}."
    if advice.outside:
        yield "This run measured no problem of this size: the answer is an extrapolation, and its interval too narrow."
    header = advice.run.header
    yield f"From {folder}, a run on {header.machine.cpu}, {header.before.date[:10]}."


def _time(offer: Offer) -> str:
    return words.bounds(offer.seconds, words.seconds)


def _left_out(advice: Advice) -> Iterator[str]:
    """Why a kernel that would have been faster was left out."""
    for offer in left_out(advice):
        ratio = advice.best.total(advice.calls) / offer.total(advice.calls)
        yield (
            f"Left out: {offer.label}. It is {words.faster(ratio)}, but its cost is wrong once an activation saturates "
            "(|z| above about 36)."
        )


def _for_many(advice: Advice) -> Iterator[str]:
    """The fastest kernel where compiling no longer counts, if it is another one."""
    fastest = once_compiled(advice)
    if fastest is not None:
        yield f"For many calls: {fastest.label}, {_time(fastest)} per call once compiled."


def _paid_back(advice: Advice) -> Iterator[str]:
    """After how many calls compiling has paid for itself."""
    paid = paid_back(advice)
    if paid is None:
        return
    if paid.compiled is None or paid.calls is None:
        yield f"Compiling never pays off here: no compiled kernel is faster than {paid.plain.label}."
        return
    pays = "so it does" if advice.calls >= paid.calls else "so it does not"
    yield (
        f"Compiling {paid.compiled.label} pays off against {paid.plain.label} after "
        f"{words.plural(paid.calls, 'call')}, {pays} for {advice.calls:,}."
    )


def _turn(turn: Turn) -> str:
    """Where another kernel is the answer: "above about 4,700 numba_fused"."""
    at = words.digits(round(turn.at), 2)
    if at == f"{turn.end:,}":
        return f"at {at} {turn.label}"
    return f"{'above' if turn.above else 'below'} about {at} {turn.label}"
