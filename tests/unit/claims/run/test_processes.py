"""Processes that work for a run leave Ctrl-C to the one who began it."""

from __future__ import annotations

import signal
import subprocess
import sys

from claims.run.processes import deaf

ASKED = "import signal; print(signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ()))"


def test_what_begins_deaf_does_not_hear_ctrl_c() -> None:
    """Else each would tell a traceback of its own; afterwards this process hears as before."""
    with deaf():
        begun = subprocess.run([sys.executable, "-c", ASKED], capture_output=True, text=True, check=True)
    assert begun.stdout.strip() == "True"
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
