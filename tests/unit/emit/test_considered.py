"""What is not among the results is told, and what is keeps its id."""

from __future__ import annotations

from dataclasses import replace

from extractors.emit import Source, as_dict, emit
from extractors.emit.considered import MOST
from extractors.emit.ids import coded_id, is_coded_id
from extractors.model import Gap
from fhir_profiles.conform import Own, Profiles, check_known
from fhir_profiles.systems import CODING_BASIS, CODING_GAP, CONSIDERED, CPT, ICD10CM
from fhir_profiles.validate import check

REGISTRY = Profiles([Own()])


def told(provenance: dict, url: str) -> list[dict]:
    """The extensions of a kind, each as its parts by name."""
    found = [one["extension"] for one in provenance["extension"] if one["url"] == url]
    return [{part["url"]: next(v for k, v in part.items() if k != "url") for part in parts} for parts in found]


def test_rejected_codes_are_told_with_reason_and_place(case) -> None:
    """A denied condition and one of a relative; what became a Condition is not among them."""
    (provenance,) = case.of("Provenance")
    codes = {one["coding"]["code"]: one for one in told(provenance, CONSIDERED)}
    assert codes.keys() == {"J18.9", "C50.919"}
    start, end = case.find("pneumonia")
    one = codes["J18.9"]
    assert (one["status"], one["reason"], one["offset"], one["length"]) == ("rejected", "because", start, end - start)
    assert check(provenance) == [] and check_known(provenance, registry=REGISTRY, thorough=False) == []


def test_at_most_so_many_are_told_and_the_surest_are(empty) -> None:
    """A document that rejects thousands does not make a Provenance of them all."""
    for n in range(MOST + 20):
        empty.add("problem", "pneumonia", ICD10CM, f"X{n}", "rejected" if n < MOST else "suggested")
    (provenance,) = empty.of("Provenance", suggested=1.0)
    codes = {one["coding"]["code"] for one in told(provenance, CONSIDERED)}
    assert len(codes) == MOST and {f"X{n}" for n in range(MOST, MOST + 20)} <= codes


def test_what_the_text_leaves_open_is_told(case) -> None:
    """The question, the guideline that asks, and the words that raise it."""
    gap = Gap("asthma-severity", "How severe is it?", "I.C.10.a", 3, 9)
    coded = replace(case.coded, gaps=(gap,))
    emitted = map(as_dict, emit(Source("doc-1", "2026-03-13T08:41:00Z"), case.document, coded))
    (provenance,) = [one for one in emitted if one["resourceType"] == "Provenance"]
    (one,) = told(provenance, CODING_GAP)
    assert one == {
        "question": "asthma-severity", "asks": "How severe is it?", "cites": "I.C.10.a", "offset": 3, "length": 6,
    }  # fmt: skip


def test_ids_tell_what_is_coded(case) -> None:
    """Without the first diagnosis the others keep their ids; the Claim's elements have the ids of what they claim."""
    before = {one["code"]["coding"][0]["code"]: one["id"] for one in case.of("Condition") + case.of("Procedure")}
    (claim,) = case.of("Claim")
    named = [one["id"] for one in claim["diagnosis"] + claim["item"]]
    assert named == [before["E11.65"], before["99214"], before["J1885"]]
    case.codes[:] = [code for code in case.codes if code.code != "E11.65"]
    after = {one["code"]["coding"][0]["code"]: one["id"] for one in case.of("Condition") + case.of("Procedure")}
    assert after == {code: id for code, id in before.items() if code != "E11.65"}


def test_an_id_tells_whose_it_is() -> None:
    """Of this document and type, whatever is coded; of no other."""
    id = coded_id("d", "Procedure", CPT, "99214", "25")
    assert is_coded_id(id, "d", "Procedure")
    assert id != coded_id("d", "Procedure", CPT, "99214")
    assert not is_coded_id(id, "e", "Procedure") and not is_coded_id(id, "d", "Condition")
    assert not is_coded_id(id[:20], "d", "Procedure") and not is_coded_id("", "d", "Procedure")


def test_a_coding_says_what_it_rests_on(case) -> None:
    """Whether it was accepted or only suggested."""
    found = {}
    for one in case.of("Condition"):
        (coding,) = one["code"]["coding"]
        (basis,) = [e["extension"] for e in coding["extension"] if e["url"] == CODING_BASIS]
        found[coding["code"]] = [part["valueCode"] for part in basis if part["url"] == "status"]
    assert found == {"E11.65": ["accepted"], "G47.30": ["suggested"]}
