"""The group of a stay and the risk of a patient, as extensions of an answer (42 CFR 412.60, 42 CFR 422.308)."""

from __future__ import annotations

import atexit
import threading
from collections.abc import Mapping
from contextlib import ExitStack
from functools import lru_cache
from typing import Any

from claims.price import risk as risks
from claims.price import stay as stays
from claims.price.stay import Stay, Stays
from fhir_profiles.systems import ICD10CM, RISK_SCORE, STAY_GROUP

Json = dict[str, Any]
Record = Mapping[str, Any]


class Grouping:
    """The grouper and the risk model of a process, opened when first asked for; every call may come from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stays: Stays | None = None

    def extensions(self, record: Record) -> list[Json]:
        """What is known of a claim that was put right: the stay of an inpatient claim, the risk of every claim."""
        found = [_risk(record)]
        if record["claim"]["inpatient"]:
            found.append(_stay(self._group(record)))
        return found

    def _group(self, record: Record) -> Stay:
        with self._lock:
            if self._stays is None:
                closing = ExitStack()
                self._stays = closing.enter_context(Stays())
                atexit.register(closing.close)
            return self._stays.group(record)


def _stay(stay: Stay) -> Json:
    parts: list[Json] = []
    if stay.version is not None:
        parts.append({"url": "version", "valueString": f"{stay.version / 10:.1f}"})
    if stay.drg is not None:
        parts.append({"url": "drg", "valueString": f"{stay.drg:03d}"})
        parts.append({"url": "category", "valueString": f"{stay.mdc:02d}"})
        parts.append({"url": "severity", "valueCode": stay.severity})
    else:
        parts.append({"url": "not-grouped", "valueString": stays.REASONS[stay.why]})
    parts += [{"url": "edit", "valueString": edit} for edit in stay.edits]
    return {"url": STAY_GROUP, "extension": parts}


def _risk(record: Record) -> Json:
    claim = record["claim"]
    codes = frozenset(row["code"] for row in record["diagnoses"] if row["code"] and row["system"] == ICD10CM)
    found = _score(codes, claim["age"], claim["gender"])
    if found.score is None:
        return {"url": RISK_SCORE, "extension": [{"url": "not-scored", "valueString": risks.REASONS[found.why]}]}
    parts: list[Json] = [
        {"url": "model", "valueString": found.model},
        {"url": "score", "valueDecimal": found.score},
        {"url": "demographic", "valueDecimal": found.demographic},
    ]
    parts += [{"url": "category", "valueString": one} for one in found.categories]
    return {"url": RISK_SCORE, "extension": parts}


@lru_cache(maxsize=4_096)
def _score(codes: frozenset[str], age: int | None, gender: str | None) -> risks.Risk:
    return risks.risk(codes, age, gender)
