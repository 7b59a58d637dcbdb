"""Values that the printed range or the measurement itself makes unlikely are doubtful."""

from decimal import Decimal

import pytest

from extractors.findings.plausible import doubts

RANGE = (Decimal("4.0"), Decimal("5.6"))


@pytest.mark.parametrize(
    ("printed", "limits", "says"),
    [
        ("63", RANGE, "decimal point may be missing"),
        ("6.3", RANGE, None),
        ("12", RANGE, None),
        ("46.3", RANGE, None),  # it has its point
        ("415", (Decimal(7), Decimal(56)), None),  # no decimals in the range
        ("6.3", (Decimal("40"), Decimal("5.6")), "begins above its end"),
        ("6.3", (None, Decimal("5.6")), None),
    ],
)
def test_a_value_is_held_against_its_printed_range(
    printed: str, limits: tuple[Decimal | None, Decimal | None], says: str | None
) -> None:
    """A lost decimal point and a range that cannot be are told; high and low results are not."""
    found = doubts(None, Decimal(printed), None, limits, printed)
    assert (found is None) if says is None else (found is not None and says in found)
