"""Keep one worker process alive beside the server: restart it when it dies, stop it when the server stops."""

from __future__ import annotations

import ctypes
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import structlog

_log = structlog.get_logger("supervise")
FIRST_PAUSE, LONGEST_PAUSE, HEALTHY = 0.5, 30.0, 60.0
_PR_SET_PDEATHSIG = 1


class Supervised:
    """A child process that is started again, after a pause that doubles, for as long as it is wanted."""

    def __init__(self, command: Sequence[str], grace: float, environment: Mapping[str, str] | None = None) -> None:
        self._command = list(command)
        self._environment = environment
        self._grace = grace
        self._stopping = threading.Event()
        self._child: subprocess.Popen[bytes] | None = None
        self._thread = threading.Thread(target=self._keep, name="supervise", daemon=True)

    def start(self) -> None:
        """Start the child and watch over it from a thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the child, kindly first, and wait until it is gone."""
        self._stopping.set()
        child = self._child
        if child is not None and child.poll() is None:
            child.terminate()
            try:
                child.wait(self._grace)
            except subprocess.TimeoutExpired:
                child.kill()
        self._thread.join()

    def _keep(self) -> None:
        pause = FIRST_PAUSE
        while not self._stopping.is_set():
            began = time.monotonic()
            self._child = subprocess.Popen(  # noqa: S603 - our own interpreter and module
                self._command,
                start_new_session=True,  # Ctrl-C reaches the server only, which then ends the child in order
                preexec_fn=die_with_parent(),
                env=self._environment,
            )
            if self._stopping.is_set():  # stop() may have looked just before the child was there
                self._child.terminate()
            status = self._child.wait()
            if self._stopping.is_set():
                return
            pause = FIRST_PAUSE if time.monotonic() - began > HEALTHY else min(pause * 2, LONGEST_PAUSE)
            _log.warning("worker ended, starting it again", status=status, pause_seconds=pause)
            self._stopping.wait(pause)


def die_with_parent() -> Callable[[], None] | None:
    """What asks Linux to end the child when the server is killed outright; None elsewhere."""
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    return lambda: libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
