"""A limit that is set is kept by the stages that worker, `$code` and command line run."""

from pathlib import Path

import pytest

from extractors.pages import Refused
from server.jobs.bounds import bounds_of
from server.jobs.children import Failure
from server.jobs.stages import Stages
from server.settings import Settings


def test_a_limit_that_is_set_refuses(built: Path) -> None:
    """The stages of worker, `$code` and command line keep to the settings."""
    stages = Stages(bounds_of(Settings(data=built, document_characters=1000)))
    with pytest.raises(Failure) as failure:
        stages.run("read", [b"word " * 300])
    assert (failure.value.code, "1,000 characters" in failure.value.text) == ("too-long", True)
    with pytest.raises(Refused):
        stages.pipeline.read(b"word " * 300, cache=stages.cache)
