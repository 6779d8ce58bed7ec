"""The script `unloop`, and `python -m bench`."""

import os
import signal


def main() -> None:
    """Run the command line; Ctrl-C while its modules are loaded ends it at once, with nothing to tidy up."""
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:  # not where a shell has it ignored
        signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    from bench.cli import app

    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    app.main()


if __name__ == "__main__":
    main()
