"""When a challenger is better: the rule as settings, its answer as reasons (docs/learning.md)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from server.settings import Settings


class Judged(NamedTuple):
    """One condition of the rule: what was asked, what was found, and whether it holds."""

    name: str
    holds: bool
    found: str


def judge(report: Mapping[str, Any], settings: Settings) -> list[Judged]:
    """Every condition, held against the report of a run. All must hold."""
    return list(_conditions(report, settings))


def reasons(judged: list[Judged]) -> list[str]:
    """Each condition in words."""
    return [f"{one.name}: {'yes' if one.holds else 'no'} ({one.found})" for one in judged]


def _conditions(report: Mapping[str, Any], settings: Settings) -> Iterator[Judged]:
    held, fixed = report["held_back"], report["regression"]
    enough = held["documents"] >= settings.learn_held
    yield Judged("enough to measure with", enough, f"{held['documents']} of {settings.learn_held} documents")
    gain = held["gain"]
    better = gain["f1"] >= settings.learn_gain and gain["low"] > 0
    yield Judged("better", better, f"F1 {gain['f1']:+.4f}, 95 % from {gain['low']:+.4f} to {gain['high']:+.4f}")
    worse = held["challenger"]["calibration_error"] - held["champion"]["calibration_error"]
    calm = worse <= settings.learn_calibration_slack
    yield Judged("calibration no worse", calm, f"calibration error {worse:+.4f}")
    for by, groups in held["groups"].items():
        for group, one in groups.items():
            if one["documents"] >= settings.learn_group_documents:
                change = one["gain"]["f1"]
                fair = change >= -settings.learn_group_slack
                yield Judged(f"no worse for {by} {group}", fair, f"F1 {change:+.4f} on {one['documents']} documents")
    change = fixed["gain"]["f1"]
    kept = change >= -settings.learn_regression_slack
    yield Judged("no worse on the fixed documents", kept, f"F1 {change:+.4f} on {fixed['documents']}")
    ratio = report["times_slower"]
    yield Judged("not slower", ratio <= settings.learn_slower, f"{ratio:.2f} times the CPU")
