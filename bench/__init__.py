"""Everything about measuring: problems, the gate, the clock, results, figures. CONTRIBUTING.md names the rooms."""

import os

# Threads of OpenBLAS and OpenMP wait for the next call by spinning, and would keep the next kernel's threads from
# running. They read these when they load, so this stands before NumPy is imported; what the user has set stays.
SPIN = {
    "GOMP_SPINCOUNT": "15000",  # iterations
    "OPENBLAS_THREAD_TIMEOUT": "18",  # 2^18 cycles
}
# Numba would prefer TBB where a peer has loaded it, and the rungs would run on other threads than without that peer.
LAYER = {"NUMBA_THREADING_LAYER_PRIORITY": "omp tbb workqueue"}
for _name, _value in (SPIN | LAYER).items():
    os.environ.setdefault(_name, _value)
