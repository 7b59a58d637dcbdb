"""What a job that answers claims again tells: one Parameters for each claim that changed, and one for all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from claims.work_diff import Difference
from fhir_profiles import json

if TYPE_CHECKING:
    from server.jobs.claiming.reprocess import Again

Json = dict[str, Any]


def changed(one: Again) -> bytes:
    """A line of the file: the claim, its answers, the rules that were gained and lost, the expected price."""
    difference = one.difference
    found: list[Json] = [
        {"name": "claim", "valueReference": {"reference": f"Claim/{one.claim}"}},
        {"name": "after", "valueReference": {"reference": f"ClaimResponse/{one.after['id']}"}},
    ]
    if one.before is not None:
        found.append({"name": "before", "valueReference": {"reference": f"ClaimResponse/{one.before}"}})
    return json.encode(_parameters([*found, *_rules(difference), *_prices(difference)]))


def told(total: Difference, dry: bool, moment: str, file: tuple[str, int]) -> Json:
    """The result of the job; `file` is the URL of the lines, and how many there are."""
    counts = {
        "claims": total.claims, "answered": total.answered, "changed": total.changed, "first": total.first,
        "unread": total.unread, "cleanBefore": total.clean_before, "cleanAfter": total.clean_after,
    }  # fmt: skip
    found: list[Json] = [
        {"name": "moment", "valueInstant": moment},
        {"name": "dryRun", "valueBoolean": dry},
        *({"name": name, "valueInteger": count} for name, count in counts.items()),
        *_prices(total),
        *_rules(total),
    ]
    url, lines = file
    if lines:
        found.append(
            {"name": "output", "part": [{"name": "url", "valueUrl": url}, {"name": "count", "valueInteger": lines}]}
        )
    return _parameters(found)


def _rules(difference: Difference) -> list[Json]:
    return [
        {
            "name": "rule",
            "part": [
                {"name": "id", "valueCode": rule},
                {"name": "gained", "valueInteger": difference.gained.get(rule, 0)},
                {"name": "lost", "valueInteger": difference.lost.get(rule, 0)},
            ],
        }
        for rule in sorted({*difference.gained, *difference.lost})
    ]


def _prices(difference: Difference) -> list[Json]:
    both = (("expectedBefore", difference.before), ("expectedAfter", difference.after))
    return [{"name": name, "valueMoney": {"value": cents / 100, "currency": "USD"}} for name, cents in both]


def _parameters(found: list[Json]) -> Json:
    return {"resourceType": "Parameters", "parameter": found}
