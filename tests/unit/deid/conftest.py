from pathlib import Path

import pytest

from extractors.deid.vocabulary import Vocabulary
from extractors.pipeline import Pipeline


@pytest.fixture(scope="session")
def pipeline(built: Path) -> Pipeline:
    return Pipeline.open(built)


@pytest.fixture(scope="session")
def vocabulary(pipeline: Pipeline) -> Vocabulary:
    return Vocabulary.of(pipeline.lexicon)
