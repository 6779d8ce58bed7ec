"""The answer of `unloop advise`, in sentences, and what to paste."""

from collections.abc import Iterator

import kernels
from bench import words
from bench.analysis.advise import Advice, Offer, Turn, left_out, once_compiled, paid_back, turns
from bench.stats import Interval

AXES = {"m": "another m", "n_x": "another n_x", "calls": "other numbers of calls"}
MOST_TIES = 3


def lines(advice: Advice, folder: str) -> Iterator[str]:
    """The advice for a person, from the run in a folder; the first line is the answer."""
    best, calls = advice.best, advice.calls
    yield f"Use {best.label} for m = {advice.m:,}, n_x = {advice.n_x:,} ({advice.setting.label}).{_ties(advice)}"
    yield f"A call takes {_time(best.seconds)}{'' if best.measured else ' est.'}{_interval(best.seconds)}."
    takes = "takes" if calls == 1 else "take"
    yield f"{words.plural(calls, 'call')} {takes} {_about(best)}{words.seconds(best.total(calls), 2)}{_start(best)}."
    following = next((offer for offer in advice.offers if offer is not best and offer not in advice.ties), None)
    if following is not None:
        time = following.total(calls)
        yield f"Next: {following.label}, {words.faster(best.total(calls) / time)} ({words.seconds(time, 2)})."
    yield from _left_out(advice)
    yield from _for_many(advice)
    yield from _paid_back(advice)
    for axis, changes in turns(advice).items():
        yield f"With {AXES[axis]}: {', '.join(map(_turn, changes)) or 'the same'}."
    if advice.outside:
        yield "This run measured no problem of this size: the answer is an extrapolation, and its interval too narrow."
    header = advice.run.header
    yield f"From {folder}, a run on {header.machine.cpu}, {header.before.date[:10]}."


def snippet(advice: Advice) -> str:
    """What to paste into a program; "" for a kernel that is no rung or peer."""
    name, calls = advice.best.kernel, advice.calls
    table = "kernels" if name in kernels.KERNELS else "kernels.peers" if kernels.find(name) is not None else ""
    if not table:
        return ""
    mapping = "KERNELS" if table == "kernels" else "PEERS"
    kept = bool(advice.best.compiling) and table == "kernels"
    wanted = {"kernels": ["gradient_descent"] * (calls > 1) + ["keep_on_disk"] * kept}
    wanted.setdefault(table, []).insert(0, mapping)
    code = [f"from {module} import {', '.join(names)}" for module, names in wanted.items() if names]
    if kept:
        code += ["", "keep_on_disk()  # the next process loads the compiled code"]
    order = "asfortranarray" if advice.setting.order == "F" else "ascontiguousarray"
    code += ["", f"# X (n_x, m), examples in columns: np.{order}(X); Y (m,) of 0 and 1; w (n_x,); b a float"]
    if calls > 1:
        code.append(f'descent = gradient_descent({mapping}["{name}"], X, Y, alpha=0.1, iterations={calls})')
    else:
        code.append(f'J, dw, db = {mapping}["{name}"](w, b, X, Y)')
    return "\n".join(code)


def _ties(advice: Advice) -> str:
    """The kernels that may be as fast."""
    if not advice.ties:
        return ""
    names = [offer.label for offer in advice.ties]
    more = f" and {len(names) - MOST_TIES} more" if len(names) > MOST_TIES else ""
    return f" A tie with {', '.join(names[:MOST_TIES])}{more}."


def _about(offer: Offer) -> str:
    return "" if offer.measured else "about "


def _time(seconds: Interval) -> str:
    return words.seconds(seconds.estimate, 2)


def _interval(seconds: Interval) -> str:
    if not words.bounded(seconds):
        return " (too few cells for an interval)"
    return f" (90% interval {words.seconds(seconds.low, 2)} to {words.seconds(seconds.high, 2)})"


def _start(offer: Offer) -> str:
    """What of the time is no arithmetic."""
    if not offer.compiling:
        return ""
    if offer.start == offer.compiling:
        return f", {words.seconds(offer.compiling, 2)} of it to compile"
    start, compiling = words.seconds(offer.start, 2), words.seconds(offer.compiling, 2)
    return f", {start} of it to load the compiled code; the very first time, compiling takes {compiling}"


def _left_out(advice: Advice) -> Iterator[str]:
    """Why a kernel that would have been faster was left out."""
    for offer in left_out(advice):
        ratio = advice.best.total(advice.calls) / offer.total(advice.calls)
        yield (
            f"Left out: {offer.label}. It is {words.faster(ratio)}, but its cost is wrong once an activation saturates "
            "(|z| above about 36)."
        )


def _for_many(advice: Advice) -> Iterator[str]:
    """The fastest kernel where its start no longer counts, unless it is the answer."""
    fastest = once_compiled(advice)
    if fastest is not None:
        yield f"For many calls: {fastest.label}, {_time(fastest.seconds)} per call once compiled."


def _paid_back(advice: Advice) -> Iterator[str]:
    """After how many calls the start of a compiled kernel has paid for itself."""
    paid = paid_back(advice)
    if paid is None:
        return
    if paid.compiled is None or paid.calls is None:
        yield f"Compiling never pays off here: no compiled kernel is faster than {paid.plain.label}."
        return
    pays = "so it does" if advice.calls >= paid.calls else "so it does not"
    loading = paid.compiled.start < paid.compiled.compiling
    yield (
        f"{'Loading' if loading else 'Compiling'} {paid.compiled.label} pays off against {paid.plain.label} after "
        f"{words.digits(paid.calls, 2)} {'call' if paid.calls == 1 else 'calls'}, {pays} for {advice.calls:,}."
    )


def _turn(turn: Turn) -> str:
    """Where another kernel is the answer: "above about 4,700 numba_fused"."""
    at = words.digits(round(turn.at), 2)
    if at == f"{turn.end:,}":
        return f"at {at} {turn.label}"
    return f"{'above' if turn.above else 'below'} about {at} {turn.label}"
