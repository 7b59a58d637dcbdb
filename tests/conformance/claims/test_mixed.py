"""Claims with several defects at once, and with the history of their patients."""

from campaigns.claim_forms import batch
from campaigns.claiming.mixing import batches, differences
from campaigns.claiming.tables import made_tables
from claims.edit import Edits
from claims.rules.rule import own_rules


def test_both_forms_find_the_same_in_claims_with_several_defects() -> None:
    """A thousand claims: no finding is made by one form alone, and four rules of five are broken by some claim."""
    edits = Edits(own_rules(), made_tables())
    (records,) = batches(1_000)
    both, only = differences(edits, records)
    assert only == set()
    assert len({rule for _, rule, _ in both}) > len(edits.active) * 0.8


def test_the_campaign_of_forms_compares_findings_and_whole_answers() -> None:
    """Of a small batch nothing differs, and findings are counted by rule."""
    found, apart, *_ = batch(seed=2, size=150, number=0)
    assert apart == 0
    assert found.total() > 150
