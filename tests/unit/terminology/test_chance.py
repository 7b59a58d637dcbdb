"""Calls made by chance."""

from __future__ import annotations

import random

from campaigns.terminology_chance import broken
from campaigns.tx_hostility.chance import call
from terminology.operations import Library


def test_no_call_made_by_chance_ends_in_a_fault() -> None:
    """Whatever the parameters are, the answer is valid FHIR or an error that says what is wrong."""
    dice, library = random.Random(7), Library(generation=lambda: 0)
    for _ in range(1_500):
        asked = call(dice)
        assert broken(*asked, library)[1] == "", asked
