"""The terms of LOINC with their properties and names (https://terminology.hl7.org/LOINC.html#loinc-properties)."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from fhir_profiles.systems import LOINC
from terminology.check_digits import is_loinc
from terminology.importers.given import Member
from terminology.importers.loinc_answers import Answers
from terminology.importers.loinc_parts import AXES, Parts
from terminology.importers.rows import Row, table
from terminology.source import Name, PropertyDef, Relation, SourceConcept

REQUIRED = (
    "LOINC_NUM", "COMPONENT", "PROPERTY", "TIME_ASPCT", "SYSTEM", "SCALE_TYP", "METHOD_TYP", "CLASS", "STATUS",
    "CLASSTYPE", "SHORTNAME", "ORDER_OBS", "LONG_COMMON_NAME", "EXAMPLE_UCUM_UNITS",
)  # fmt: skip
TEXTS = (
    "VersionLastChanged", "CHNG_TYPE", "DefinitionDescription", "STATUS", "CONSUMER_NAME", "CLASSTYPE", "FORMULA",
    "EXMPL_ANSWERS", "SURVEY_QUEST_TEXT", "SURVEY_QUEST_SRC", "UNITSREQUIRED", "RELATEDNAMES2", "SHORTNAME",
    "ORDER_OBS", "HL7_FIELD_SUBFIELD_ID", "EXTERNAL_COPYRIGHT_NOTICE", "EXAMPLE_UNITS", "EXAMPLE_UCUM_UNITS",
    "STATUS_REASON", "STATUS_TEXT", "CHANGE_REASON_PUBLIC", "HL7_ATTACHMENT_STRUCTURE", "EXTERNAL_COPYRIGHT_LINK",
    "PanelType", "VersionFirstReleased", "ValidHL7AttachmentRequest", "DisplayName",
)  # fmt: skip
RANKS = ("COMMON_TEST_RANK", "COMMON_ORDER_RANK")
TERMS = ("AskAtOrderEntry", "AssociatedObservations")
STATUSES = ("ACTIVE", "TRIAL", "DISCOURAGED", "DEPRECATED")
PROPERTIES = (
    *(PropertyDef(axis, "Coding", f"{LOINC}/property/{axis}") for axis in AXES.values()),
    *(PropertyDef(name, "string", f"{LOINC}/property/{name}") for name in TEXTS),
    *(PropertyDef(name, "integer", f"{LOINC}/property/{name}") for name in RANKS),
    *(PropertyDef(name, "Coding", f"{LOINC}/property/{name}") for name in TERMS),
    PropertyDef("copyright", "string", None, "LOINC, or 3rdParty where another's notice applies too"),
    PropertyDef("answer-list", "Coding", f"{LOINC}/property/answer-list", "The answer lists of a term"),
    PropertyDef("answer-list-binding", "string", None, "NORMATIVE, PREFERRED or EXAMPLE, in the order of answer-list"),
    PropertyDef("MAP_TO", "code", None, "What to use instead of a term that is deprecated"),
    PropertyDef("PartTypeName", "string", None, "What axis or thing a part stands for"),
    PropertyDef("LIST", "code", None, "The answer lists of an answer"),
    PropertyDef("answers-for", "code", None, "The terms that use an answer list; the lists of an answer"),
    PropertyDef("ExtDefinedAnswerListLink", "string", None, "Where a list that LOINC does not hold is defined"),
)
_VERSION = re.compile(r"\d\.\d\d[A-Za-z]?")
_LANGUAGE = re.compile(r"([a-z]{2})([A-Z]{2})")


def newest_change(member: Member) -> str | None:
    """The newest release in which a term changed."""
    rows = table(member, ("LOINC_NUM",))
    return max((v for row in rows if _VERSION.fullmatch(v := row.get("VersionLastChanged"))), default=None)


def read_terms(
    member: Member,
    parts: Parts,
    answers: Answers,
    known: frozenset[str],
    consumer: Member | None,
    variants: Sequence[Member],
    panels: Member | None,
    replaced: Member | None,
) -> Iterator[SourceConcept]:
    """Every term, with what the other files say of it."""
    names = _names(consumer, variants, known)
    members = _pairs(panels, "ParentLoinc", "Loinc", known)
    instead = _pairs(replaced, "LOINC", "MAP_TO", known)
    seen: set[str] = set()
    for row in table(member, REQUIRED):
        code = row["LOINC_NUM"]
        if not is_loinc(code):
            row.refuse("LOINC_NUM", "a LOINC number is expected whose check digit is right")
        if code in seen:
            row.refuse("LOINC_NUM", "the term stands twice")
        if row["STATUS"] not in STATUSES:
            row.refuse("STATUS", f"one of {', '.join(STATUSES)} is expected")
        if not row["LONG_COMMON_NAME"]:
            row.refuse("LONG_COMMON_NAME", "a name is expected")
        seen.add(code)
        properties = _properties(row, parts.of_term(code))
        properties |= answers.of_term(code)
        if bindings := answers.bindings(code):
            properties["answer-list-binding"] = bindings
        if code in instead:
            properties["MAP_TO"] = instead[code]
        yield SourceConcept(
            code,
            row["LONG_COMMON_NAME"],
            parts.above.get(code, ()),
            active=row["STATUS"] != "DEPRECATED",
            names=(*_own_names(row), *names.get(code, ())),
            properties=properties,
            relations=tuple(Relation("panel-member", other) for other in members.get(code, ())),
        )


def _properties(row: Row, axes: dict[str, dict[str, str]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for axis in AXES.values():
        if text := row[axis]:
            found[axis] = axes.get(axis, text)
    for name in TEXTS:
        if text := row.get(name):
            found[name] = text
    for name in RANKS:
        if text := row.get(name):
            if not text.isdecimal():
                row.refuse(name, "a number is expected")
            if int(text):
                found[name] = int(text)
    for name in TERMS:
        if text := row.get(name):
            found[name] = [{"code": other.strip()} for other in text.split(";") if other.strip()]
    found["copyright"] = "3rdParty" if row.get("EXTERNAL_COPYRIGHT_NOTICE") else "LOINC"
    return found


def _own_names(row: Row) -> Iterator[Name]:
    """The other names in the table; the related names, words that a term is found by, are one entry of an index."""
    told = {row["LONG_COMMON_NAME"], ""}
    columns = (("SHORTNAME", "short"), ("DisplayName", "medium"), ("CONSUMER_NAME", "consumer"),
               ("RELATEDNAMES2", "index"))  # fmt: skip
    for column, kind in columns:
        if (text := row.get(column)) not in told:
            told.add(text)
            yield Name(text, kind)


def _names(consumer: Member | None, variants: Sequence[Member], known: frozenset[str]) -> dict[str, list[Name]]:
    """The names in other files: consumer names, and those in other languages, which come first where they are short."""
    found: defaultdict[str, list[Name]] = defaultdict(list)
    for row in table(consumer, ("LoincNumber", "ConsumerName")) if consumer else ():
        if (term := _term(row, "LoincNumber", known)) and row["ConsumerName"]:
            found[term].append(Name(row["ConsumerName"], "consumer"))
    for member in variants:
        parts = _LANGUAGE.match(member.short)
        language = f"{parts[1]}-{parts[2]}" if parts else "und"
        for row in table(member, ("LOINC_NUM", "LONG_COMMON_NAME")):
            if term := _term(row, "LOINC_NUM", known):
                texts = (row.get("LinguisticVariantDisplayName"), row["LONG_COMMON_NAME"])
                found[term].extend(Name(text, "long", language) for text in dict.fromkeys(texts) if text)
    return found


def _pairs(member: Member | None, one: str, other: str, known: frozenset[str]) -> dict[str, list[str]]:
    """What stands beside each term in a file, without the term itself."""
    found: defaultdict[str, dict[str, None]] = defaultdict(dict)
    for row in table(member, (one, other)) if member else ():
        first, second = _term(row, one, known), _term(row, other, known)
        if first and second and first != second:
            found[first][second] = None
    return {code: list(others) for code, others in found.items()}


def _term(row: Row, name: str, known: frozenset[str]) -> str | None:
    """The term in a field; None for an empty one, and for one that is none of Loinc.csv any more."""
    code = row[name]
    if code and not is_loinc(code):
        row.refuse(name, "a LOINC number is expected whose check digit is right")
    return code if code in known else None
