"""docs/settings.md and docs/cli.md say what the code says."""

from pathlib import Path

import pytest

from server.cli.reference import PAGES
from server.settings import Settings

DOCS = Path(__file__).parents[3] / "docs"


def test_every_setting_is_described_and_bounded():
    """Each field has a sentence that ends, a default, and numbers have bounds."""
    for name, field in Settings.model_fields.items():
        assert field.description, name
        assert field.description.endswith("."), name
        assert not field.is_required(), name
        if field.annotation in (int, float):
            assert len(field.metadata) >= 2, f"{name} needs a lower and an upper bound"


@pytest.mark.parametrize("page", PAGES)
def test_the_page_is_what_the_code_says(page):
    """A page that is behind the code is written again by `python -m server.cli.reference`."""
    assert (DOCS / page).read_text() == PAGES[page](), "run python -m server.cli.reference"
