"""Processes that read documents: bounded, replaced when they end, never left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from server.jobs.children import Bounds, Children, Failure
from tests.support.clock import until

ROOT = Path(__file__).parents[3]
NOTE = b"ASSESSMENT: Essential hypertension (I10).\n"
NOW = "2026-01-01T00:00:00Z"


@pytest.fixture
def bounds(built: Path) -> Bounds:
    """Bounds that a short note keeps."""
    return Bounds(str(built), 60.0, 10_000_000, 3 * 2**30, 2**28)


@pytest.fixture
def children(bounds: Bounds) -> Iterator[Children]:
    """One process."""
    pool = Children(bounds, 1)
    yield pool
    pool.close()


def test_a_note_becomes_a_bundle_in_a_process_that_stays_warm(children: Children) -> None:
    """The second document is read by the same process."""
    assert b"I10" in children.run("bundle", NOTE, None, NOW)
    first = children._idle[0].pid
    assert b"I10" in children.run("bundle", NOTE, None, NOW)
    assert children._idle[0].pid == first


def test_a_document_that_is_refused_says_why_and_costs_no_process(children: Children) -> None:
    """An empty file ends in a Failure, and the process is kept."""
    with pytest.raises(Failure) as failure:
        children.run("bundle", b"", None, NOW)
    assert failure.value.code == "required"
    assert children._idle[0].alive


def test_a_document_that_is_too_costly_to_read_costs_no_process(children: Children) -> None:
    """The process that refused it is sound: the next document need not wait for a new one."""
    deep = b"<html><body>" + b"<div>" * 5000
    with pytest.raises(Failure) as failure:
        children.run("bundle", deep, None, NOW)
    assert failure.value.code == "too-costly"
    assert children._idle[0].alive


def test_a_process_that_dies_is_replaced_once_and_then_the_document_fails(children: Children) -> None:
    """A crash is tried once more; a second one ends the document with advice."""

    def murder() -> None:
        for _ in range(2):
            while not children._busy:
                time.sleep(0.005)
            victim = next(iter(children._busy))
            os.kill(victim.pid, signal.SIGKILL)
            while victim in children._busy:
                time.sleep(0.005)

    killer = threading.Thread(target=murder)
    killer.start()
    with pytest.raises(Failure) as failure:
        children.run("bundle", NOTE, None, NOW)
    killer.join()
    assert "memory" in failure.value.text
    assert b"I10" in children.run("bundle", NOTE, None, NOW)


def test_a_document_that_takes_too_long_is_stopped(bounds: Bounds) -> None:
    """Its process goes with it."""
    pool = Children(replace(bounds, seconds=0.05), 1)
    with pytest.raises(Failure) as failure:
        pool.run("bundle", NOTE, None, NOW)
    assert "took longer" in failure.value.text
    assert pool._idle == []


def test_too_little_memory_fails_the_document_only(bounds: Bounds) -> None:
    """A process that cannot have what it needs ends the document, not its caller."""
    pool = Children(replace(bounds, memory_bytes=60 * 2**20), 1)
    with pytest.raises(Failure) as failure:
        pool.run("bundle", NOTE, None, NOW)
    assert failure.value.code == "too-costly"


CALLER = """
import sys, time
from server.jobs.children import Bounds, Children
pool = Children(Bounds(sys.argv[1], 60.0, 10**7, 3 * 2**30, 2**28), 1)
pool.warm()
print(pool._idle[0].pid, flush=True)
time.sleep(60)
"""


def test_no_process_outlives_its_caller(built: Path) -> None:
    """Even when the caller is killed outright."""
    caller = subprocess.Popen([sys.executable, "-c", CALLER, str(built)], cwd=ROOT, stdout=subprocess.PIPE)
    assert caller.stdout is not None
    child = int(caller.stdout.readline())
    caller.kill()
    caller.wait()
    caller.stdout.close()
    until(lambda: _is_over(child))


def _is_over(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
