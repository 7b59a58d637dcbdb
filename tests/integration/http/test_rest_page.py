"""The examples of docs/rest.md, as a reader would run them."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

PAGE = Path(__file__).parents[3] / "docs" / "rest.md"


@pytest.mark.skipif(shutil.which("curl") is None, reason="the examples need curl")
def test_the_examples_of_the_page_run(launch) -> None:
    """Every command of the page is answered with success, one after the other."""
    base = launch().base
    script = "\n".join(re.findall(r"```sh\n(.*?)```", PAGE.read_text(), re.DOTALL))
    assert script.count("curl -X") >= 9
    script = script.replace("localhost:8000", base.removeprefix("http://"))
    done = subprocess.run(["bash", "-eO", "expand_aliases", "-c", script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
