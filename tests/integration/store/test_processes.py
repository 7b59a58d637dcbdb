"""Promises under several processes: campaigns/races.py in small."""

from __future__ import annotations

from campaigns.racing.processes import Race
from campaigns.racing.rounds import ACTS


def test_processes_race_to_one_outcome(database_url: str) -> None:
    """Racing conditional writes make one resource, nothing is lost, crossing Bundles all end, and reads see writes."""
    with Race(database_url, processes=3) as race:
        race.run(list(ACTS), rounds=6)
    assert race.wrong == []
    assert sum(race.turned_away.values()) == 0
