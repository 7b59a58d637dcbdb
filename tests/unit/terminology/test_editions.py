"""Which edition answers."""

from datetime import date

from terminology.editions import choose, order, speaking
from terminology.model import Edition


def edition(version: str, start: date | None, end: date | None, content: str = "complete") -> Edition:
    """An edition of an invented system."""
    return Edition("urn:x", version, start, end, content, "", "")


STARTER = edition("starter-1", None, None, "fragment")
PART = edition("part-2026-01", date(2026, 1, 1), date(2026, 3, 31), "fragment")
OLD = edition("2025", date(2025, 1, 1), date(2025, 12, 31))
NEW = edition("2026", date(2026, 1, 1), date(2026, 12, 31))


def test_fragments_step_back_behind_whole_editions() -> None:
    """A starter table answers alone, a dated fragment before it, a whole edition before both, whatever the date."""
    assert speaking([STARTER]) == [STARTER]
    assert speaking([STARTER, PART]) == [PART]
    assert speaking([STARTER, PART, OLD, NEW]) == [OLD, NEW]
    for on in (None, date(2024, 5, 1), date(2026, 2, 1), date(2027, 2, 1)):
        assert choose([STARTER, PART], on, None) is PART
        assert choose([STARTER, PART, OLD], on, None) is OLD
    assert choose([STARTER, PART, OLD], None, "starter-1") is STARTER


def test_the_last_in_order_is_the_one_that_answers() -> None:
    """Sorting and choosing agree."""
    editions = [NEW, PART, STARTER, OLD]
    assert sorted(editions, key=order) == [STARTER, PART, OLD, NEW]
    assert choose(sorted(editions, key=order), None, None) is NEW
