"""The process that measures: it loads the claims, and answers its session over a pipe with records.

Files of the reader's own are run here and nowhere else, so a file that crashes takes only this process with it.
"""

import contextlib
import ctypes
import os
import signal
import sys
from multiprocessing.connection import Connection
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from bench.claims import published
from bench.claims.claim import Cause, Claim, Ratio
from bench.claims.published import Loaded
from bench.claims.records import CauseCard, ClaimCard, Failed, Plan, RatioCard, Sized, WayCard
from bench.claims.trial import Trial
from bench.machine import memory
from bench.measure.own_kernel import where
from bench.presets import available_threads
from bench.words import WrongUse
from kernels._cache import cache_folder, keep_on_disk

NO_WAY = -1
LARGE_BYTES = 2**23
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


class Link(NamedTuple):
    """What connects a child with its session: the pipe, the session's process id, and memory that both see.

    `stage` is the number of the way that is being called, and how many calls were announced so far.
    """

    pipe: Connection
    session: int
    stage: Any


class Job(NamedTuple):
    """A claim at a size, for one process."""

    claim: str
    wanted: int
    process: int
    left_out: frozenset[str]
    sized: Sized | None


def serve(link: Link, plan: Plan) -> None:
    """The process's life: the cards of all claims, then the records of each job, until the session is gone."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != link.session:
            os._exit(1)
        with contextlib.suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text("1000")
    memory.keep_freed_memory()
    try:
        loaded = {each.id: each for each in map(_load, plan.claims)}
        link.pipe.send([card(each) for each in loaded.values()])
    except WrongUse as error:
        link.pipe.send(str(error))
        return
    keep_on_disk(cache_folder())
    with contextlib.suppress(EOFError, OSError):
        while True:
            job: Job = link.pipe.recv()
            try:
                for record in _trial(loaded[job.claim], plan, job, link.stage).records():
                    link.pipe.send(record)
            except Exception as error:  # the setup of a claim may raise anything
                reason = f"its setup raised {type(error).__name__}: {' '.join(str(error).split())}"
                link.pipe.send(Failed(job.claim, job.wanted, "", reason))
            memory.release_freed_memory()
            link.pipe.send(None)


def _load(name: str) -> Loaded:
    """A claim by its published id, or from the file of that name, which is run.

    Raises:
        WrongUse: For an error in the file, or no CLAIM in it.
    """
    if not name.endswith(".py"):
        return published.load(name)
    file = Path(name)
    module = ModuleType(f"own_{file.stem}")
    module.__file__ = str(file)
    sys.modules[module.__name__] = module  # Numba and dataclasses look it up there
    sys.path.append(str(file.resolve().parent))
    try:
        exec(compile(file.read_bytes(), str(file), "exec"), vars(module))
    except SyntaxError as error:
        raise WrongUse(f"{file}: line {error.lineno}: {error.msg}") from None
    except (Exception, SystemExit) as error:
        raise WrongUse(f"{file}: {where(error, str(file))}{type(error).__name__}: {error}") from None
    claim = getattr(module, "CLAIM", None)
    if not isinstance(claim, Claim):
        what = "it defines no CLAIM" if claim is None else f"its CLAIM is a {type(claim).__name__}"
        raise WrongUse(f"{file}: {what}; write CLAIM = Claim(setup=..., ways=[...]) with bench.claims.Claim")
    return Loaded(file.stem, claim, (module.__doc__ or "").strip(), file.name)


def _trial(loaded: Loaded, plan: Plan, job: Job, stage: Any) -> Trial:
    numbers = {name: number for number, name in enumerate(loaded.claim.named)}

    def announce(name: str | None) -> None:
        stage[0] = NO_WAY if name is None else numbers[name]
        stage[1] += 1

    return Trial(
        id=loaded.id,
        claim=loaded.claim,
        wanted=job.wanted,
        sweep=bool(plan.sizes),
        full=plan.full,
        threads=_threads(loaded),
        process=job.process,
        processes=plan.processes,
        seed=plan.seed,
        left_out=job.left_out,
        sized=job.sized,
        announce=announce,
    )


def _threads(loaded: Loaded) -> int:
    return available_threads() if loaded.claim.threads == "all" else 1


def card(loaded: Loaded) -> ClaimCard:
    """What is recorded of a claim: all that can be said of it without running it."""
    claim = loaded.claim
    work = claim.work(claim.n) if claim.work is not None else None
    return ClaimCard(
        id=loaded.id,
        about=loaded.about,
        shape=claim.shape,
        n=claim.n,
        dtype=claim.dtype,
        threads=_threads(loaded),
        ways=[WayCard(w.name, w.title, w.printed, w.passes, w.judged, w.missing) for w in claim.named.values()],
        ratios=[_ratio(ratio) for ratio in claim.ratios],
        causes=[_cause(cause) for cause in claim.causes],
        source=claim.source,
        nbytes=work.nbytes if work is not None else None,
        operations=work.operations if work is not None else None,
        file=loaded.file,
    )


def _ratio(ratio: Ratio) -> RatioCard:
    stated = ratio.stated if isinstance(ratio.stated, tuple) else (ratio.stated,)
    return RatioCard(ratio.slow, ratio.fast, tuple(value for value in stated if value is not None))


def _cause(cause: Cause) -> CauseCard:
    return CauseCard(cause.before, cause.after, cause.words, cause.first)
