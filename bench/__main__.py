"""The script `unloop`, and `python -m bench`: fixes the memory layout before anything large is loaded."""

import sys

from bench.machine import quiet


def main() -> None:
    """Run the command line."""
    if "run" in sys.argv[1:2] and "--help" not in sys.argv:
        quiet.pin_layout()
    # Loads NumPy and Numba, which a process that starts again need not do twice.
    from bench.cli.app import main as run

    run()


if __name__ == "__main__":
    main()
