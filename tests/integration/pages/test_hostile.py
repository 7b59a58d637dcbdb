"""Hostile files end as an answer, within bounds, and leave nothing running."""

import os
import signal

import psutil
import pytest

from campaigns.hostility.files import files
from extractors.pages import Limits, Refused, children, read

SMALL = 0.02
ALWAYS = (
    "empty",
    "pdf: user password",
    "pdf: page tree loop",
    "pdf: 50,000 pages",
    "png: 60,000 px",
    "tiff: 60,000 px",
    "json: deep",
    "xml: billion laughs",
    "a program",
    "random bytes",
)  # refused however small the file is made
MADE = {name: (data, expected) for name, data, expected in files(SMALL) if "noise" not in name}


@pytest.mark.parametrize("name", MADE)
def test_hostile(name: str) -> None:
    """Each file is read or refused as expected, with a reason that says what to do."""
    data, expected = MADE[name]
    try:
        read(data, limits=Limits(page_seconds=6.0))
        answer = "read"
    except Refused as refusal:
        answer = "refused"
        assert refusal.code in ("required", "not-supported", "structure", "security", "too-long", "too-costly")
        assert any(word in refusal.text for word in ("Send", "Scan", "Print", "Export", "Save"))
    if expected == "read" or name in ALWAYS:
        assert answer == expected


def test_a_crash_of_the_child_is_the_documents_failure() -> None:
    """A child that is killed at work ends as a refusal, and the next document is read."""
    child = children.take()
    os.kill(child.pid, signal.SIGKILL)
    children.give_back(child)
    assert read(b"<html><body>well</body></html>").text == "well"


def test_nothing_is_left_running() -> None:
    """After close no child is left."""
    read(b"<html><body>well</body></html>")
    children.close()
    assert not [c for c in psutil.Process().children() if "extractors.pages.child" in " ".join(c.cmdline())]
