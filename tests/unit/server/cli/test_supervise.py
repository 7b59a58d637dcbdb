"""The worker beside the server: started again when it dies, gone when the server is."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from server.cli import supervise
from server.cli.supervise import Supervised
from tests.support.clock import until


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch):
    """Tests do not wait half a second."""
    monkeypatch.setattr(supervise, "FIRST_PAUSE", 0.01)


def _pids(file):
    return [int(line) for line in file.read_text().split()] if file.exists() else []


def _is_alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _child(file):
    code = f"import os, time; open({str(file)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(300)"
    return [sys.executable, "-S", "-c", code]


def test_a_child_that_dies_is_started_again(tmp_path):
    """`kill -9` of the worker brings a new one."""
    file = tmp_path / "pids"
    beside = Supervised(_child(file), grace=60)
    beside.start()
    try:
        until(lambda: len(_pids(file)) == 1)
        os.kill(_pids(file)[0], signal.SIGKILL)
        until(lambda: len(_pids(file)) == 2)
    finally:
        beside.stop()
    assert not any(_is_alive(pid) for pid in _pids(file))


def test_stop_ends_a_child_that_does_not_listen(tmp_path):
    """A worker that ignores SIGTERM is killed after the grace."""
    file = tmp_path / "pids"
    code = (
        "import os, signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(file)!r}, 'a').write(f'{{os.getpid()}} '); time.sleep(300)"
    )
    beside = Supervised([sys.executable, "-S", "-c", code], grace=0.1)
    beside.start()
    until(lambda: _pids(file))
    beside.stop()
    assert not _is_alive(_pids(file)[0])


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="parent-death signals are Linux's")
def test_the_child_dies_with_a_server_that_is_killed(tmp_path):
    """`kill -9` of the server leaves no worker that nobody watches."""
    file = tmp_path / "pids"
    code = (
        "import time; from server.cli.supervise import Supervised;"
        f"Supervised({_child(file)!r}, grace=60).start(); time.sleep(300)"
    )
    server = subprocess.Popen([sys.executable, "-c", code])
    try:
        until(lambda: _pids(file))
    finally:
        server.kill()
        server.wait()
    until(lambda: not _is_alive(_pids(file)[0]))
