"""Coders' decisions become training documents."""

from __future__ import annotations

import json
from typing import Any

from fhir_profiles.systems import CODING_DECISION, DERIVATION_REFERENCE, ICD10CM, REVIEW_TAG
from server.learning.decisions import latest, read_verdict, reviewed

TEXT = "Essential hypertension. Fever."


def condition(id: str, code: str, start: int, length: int, document: str = "DocumentReference/d") -> bytes:
    """A Condition as the coder stores it."""
    place = {
        "url": DERIVATION_REFERENCE,
        "extension": [
            {"url": "reference", "valueReference": {"reference": document}},
            {"url": "offset", "valueInteger": start},
            {"url": "length", "valueInteger": length},
        ],
    }
    coding = {"system": ICD10CM, "code": code, "extension": [place]}
    return json.dumps({"resourceType": "Condition", "id": id, "code": {"coding": [coding]}}).encode()


def decision(target: str, kind: str, at: str = "2026-01-01T00:00:00Z", instead: str | None = None) -> bytes:
    """A Provenance that records a decision."""
    codings = [{"system": CODING_DECISION, "code": kind}]
    codings += [{"system": ICD10CM, "code": instead}] if instead else []
    body = {"resourceType": "Provenance", "target": [{"reference": target}], "recorded": at}
    return json.dumps({**body, "activity": {"coding": codings}}).encode()


CODED = (condition("a", "I10", 0, 22), condition("b", "R50.9", 24, 5))


def test_a_document_decided_on_whole_is_learned_from() -> None:
    """Accepted codes and replacements are its codes with the evidence they had; rejected ones are not."""
    provenances = (decision("Condition/a", "replace", instead="I15.9"), decision("Condition/b", "reject"))
    (row,) = reviewed(CODED, provenances, lambda _: TEXT).rows
    assert (row.codes, row.evidence[0].code, row.evidence[0].spans) == (frozenset({"I15.9"}), "I15.9", ((0, 22),))


def test_an_undecided_code_leaves_its_document_out() -> None:
    """Silence about a code is no decision: such a document is counted and not learned from."""
    found = reviewed(CODED, (decision("Condition/a", "accept"),), lambda _: TEXT)
    assert (found.rows, found.unfinished) == ([], 1)


def test_a_document_that_is_gone_is_counted() -> None:
    """Without its text a document teaches nothing."""
    provenances = (decision("Condition/a", "accept"), decision("Condition/b", "accept"))
    found = reviewed(CODED, provenances, lambda _: None)
    assert (found.rows, found.unreadable) == ([], 1)


def test_the_latest_decision_counts() -> None:
    """A coder may decide again, in any order of arrival."""
    bodies = (
        decision("Condition/a/_history/2", "reject", "2026-02-02T00:00:00Z"),
        decision("Condition/a", "accept", "2026-01-01T00:00:00Z"),
    )
    assert latest(map(json.loads, bodies))["Condition/a"].kind == "reject"


def test_an_undone_decision_does_not_count() -> None:
    """The one before it does, and the undone one again when the undo was undone."""

    def named(id: str, body: bytes, undone: str | None = None) -> dict[str, Any]:
        entity = [{"role": "removal", "what": {"reference": f"Provenance/{undone}"}}] if undone else []
        return {**json.loads(body), "id": id, "entity": entity}

    decisions = [
        named("1", decision("Condition/a", "accept", "2026-01-01T00:00:00Z")),
        named("2", decision("Condition/a", "reject", "2026-01-02T00:00:00Z")),
        named("3", decision("Condition/a", "undo", "2026-01-03T00:00:00Z"), "2"),
        named("4", decision("Condition/a", "undo", "2026-01-04T00:00:00Z"), "3"),
    ]
    assert [latest(decisions[:n])["Condition/a"].kind for n in (1, 2, 3, 4)] == ["accept", "reject", "accept", "reject"]


def test_a_code_that_a_coder_added_is_learned_from() -> None:
    """With the words that the coder marked."""
    provenances = (decision("Condition/a", "add", instead="I10"), decision("Condition/b", "reject"))
    (row,) = reviewed(CODED, provenances, lambda _: TEXT).rows
    assert (row.codes, row.evidence[0].spans) == (frozenset({"I10"}), ((0, 22),))


def test_what_was_coded_unaided_is_not_learned_from() -> None:
    """No suggestion was decided on there, and what a coder did not mark says nothing."""
    tag = {"system": REVIEW_TAG, "code": "unaided"}
    coded = [json.dumps({**json.loads(one), "meta": {"tag": [tag]}}).encode() for one in CODED]
    provenances = (decision("Condition/a", "add", instead="I10"), decision("Condition/b", "add", instead="R50.9"))
    assert len(reviewed(CODED, provenances, lambda _: TEXT).rows) == 1
    found = reviewed(coded, provenances, lambda _: TEXT)
    assert (found.rows, found.unfinished) == ([], 0)


def test_what_is_no_decision_is_passed_over() -> None:
    """A replacement without a code, an acceptance with one, and any other activity say nothing."""
    assert read_verdict(json.loads(decision("Condition/a", "replace"))) is None
    assert read_verdict(json.loads(decision("Condition/a", "accept", instead="I10"))) is None
    assert read_verdict({"resourceType": "Provenance", "activity": {"text": "Coded from the document"}}) is None
