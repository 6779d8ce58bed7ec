"""What a kernel says of itself: the ladder's order, the fields that the rest derives from, and that they are true."""

import dataclasses
import subprocess
import sys
from pathlib import Path

import numba
import pytest

import kernels
from kernels import DESCENTS, KERNELS, LADDER, Kernel
from kernels.controlled import CONTROLLED, PAIRS
from kernels.peers import PEERS
from tests.conftest import ROOT

ALL = {**KERNELS, **DESCENTS, **PEERS, **CONTROLLED}
RUNGS = pytest.mark.parametrize("kernel", KERNELS.values(), ids=list(KERNELS))
GROWN = pytest.mark.parametrize("kernel", list(KERNELS.values())[1:], ids=list(KERNELS)[1:])


def predictors() -> set[str]:
    from bench.analysis import predictions

    return {name for name, value in vars(predictions).items() if callable(value)}


def test_the_ladder_has_its_twelve_rungs_in_order() -> None:
    assert list(KERNELS) == list(LADDER)
    assert LADDER == (
        "python_loop",
        "python_lists",
        "numpy_dot_in_loop",
        "numba_loop",
        "numba_fastmath",
        "numba_parallel",
        "numpy_textbook",
        "numpy_vectorized",
        "numpy_buffers",
        "numba_passes",
        "numba_fused",
        "numba_fused_parallel",
    )


def test_every_kernel_is_named_after_its_key() -> None:
    for name, kernel in ALL.items():
        assert kernel.name == name
        assert kernels.find(name) is kernel
    assert kernels.find("no_such_kernel") is None


def test_the_ladder_loads_neither_the_peers_nor_the_controlled_kernels() -> None:
    code = "import sys, kernels; print(sorted({'kernels.peers', 'kernels.controlled'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


@pytest.mark.parametrize("name", [*KERNELS, *DESCENTS, *PEERS])
def test_the_source_of_a_kernel_is_its_file(name: str) -> None:
    folder = ROOT / "kernels" / ("peers" if name in PEERS else "")
    assert ALL[name].source == (folder / f"{name}.py").read_text(encoding="utf-8")


def test_a_kernel_without_a_file_has_no_source() -> None:
    assert all(kernel.source is None for kernel in CONTROLLED.values())
    own = dataclasses.replace(KERNELS["python_loop"], title="mine")
    assert own.source is None


@RUNGS
def test_a_rung_says_what_it_is_and_what_it_expects(kernel: Kernel) -> None:
    assert kernel.title and kernel.change.endswith(".") and kernel.expects.endswith(".")
    assert kernel.work != "library" and not kernel.trains_only
    assert (kernel.work == "compiled") == (kernel.compiles == "once")


@GROWN
def test_a_rung_grew_from_another_and_names_the_cause(kernel: Kernel) -> None:
    assert kernel.grew_from in KERNELS and kernel.grew_from != kernel.name
    assert kernel.cause and len(kernel.cause) <= 30  # it stands on an axis


def test_the_first_rung_grew_from_none_and_every_other_leads_back_to_it() -> None:
    first = KERNELS[LADDER[0]]
    assert first.grew_from is None
    for kernel in KERNELS.values():
        chain = [kernel.name]
        while (before := KERNELS[chain[-1]].grew_from) is not None:
            assert before not in chain
            chain.append(before)
        assert chain[-1] == first.name


@GROWN
def test_a_rung_names_its_predictor_or_says_why_there_is_none(kernel: Kernel) -> None:
    assert (kernel.predicted_by != "") != (kernel.unpredicted != "")
    assert not kernel.predicted_by or kernel.predicted_by in predictors()


@pytest.mark.parametrize("pair", PAIRS, ids=lambda pair: pair.cause)
def test_a_pair_names_its_predictor_or_says_why_there_is_none(pair: kernels.Pair) -> None:
    assert (pair.predicted_by != "") != (pair.unpredicted != "")
    assert not pair.predicted_by or pair.predicted_by in predictors()


def test_rivals_are_in_the_ladder() -> None:
    rivals = [(rival, kernel.name) for kernel in KERNELS.values() for rival in kernel.rivals]
    assert all(rival in KERNELS for rival, _ in rivals)
    assert set(rivals) == {
        ("python_loop", "numpy_vectorized"),
        ("numba_loop", "numpy_vectorized"),
        ("numba_fastmath", "numpy_vectorized"),
        ("numpy_vectorized", "numba_fused"),
        ("numba_fastmath", "numba_fused"),
        ("numba_fastmath", "numba_parallel"),
        ("numpy_vectorized", "numba_parallel"),
        ("numba_fused", "numba_fused_parallel"),
        ("numpy_vectorized", "numba_fused_parallel"),
    }


@pytest.mark.parametrize("kernel", [kernel for kernel in ALL.values() if kernel.work == "arrays"], ids=lambda k: k.name)
def test_passes_are_those_that_are_counted(kernel: Kernel) -> None:
    from bench.measure import counts

    counted = counts.of_kernel(kernel)
    assert counted is not None
    assert counted["moved_per_element"] == 8.0 * kernel.passes


@pytest.mark.parametrize(
    "kernel", [kernel for kernel in ALL.values() if kernel.compiles == "once"], ids=lambda k: k.name
)
def test_a_kernel_that_compiles_once_is_numbas_and_keeps_its_arithmetic(kernel: Kernel) -> None:
    assert isinstance(kernel.function, numba.core.dispatcher.Dispatcher)
    relaxed = bool(kernel.function.targetoptions.get("fastmath"))
    # The fused blocks with all threads call relaxed functions from a function that is not.
    assert relaxed == (kernel.arithmetic == "relaxed") or kernel.predicted_by == "threads"


@pytest.mark.parametrize(
    "kernel", [kernel for kernel in ALL.values() if kernel.layout != "either"], ids=lambda k: k.name
)
def test_a_kernel_that_wants_an_order_copies_x_itself(kernel: Kernel) -> None:
    assert kernel.prepare is not None or kernel.native is not KERNELS["python_loop"].native


def test_what_takes_part_in_training_only_compiles_its_iterations() -> None:
    assert DESCENTS
    for kernel in DESCENTS.values():
        assert kernel.trains_only and kernel.descend is not None and kernel.grew_from in KERNELS
    assert not any(kernel.trains_only for kernel in {**KERNELS, **PEERS, **CONTROLLED}.values())


def test_docstrings_leave_the_prediction_to_the_field() -> None:
    for path in (ROOT / "kernels").rglob("*.py"):
        assert "\nSo: " not in path.read_text(encoding="utf-8"), path


def test_every_file_of_a_rung_is_in_the_ladder() -> None:
    files = {path.stem for path in Path(kernels.__file__).parent.glob("n*_*.py")}
    assert files == {name for name in (*KERNELS, *DESCENTS) if name.startswith("n")}
