"""HL7's published terminology, language tags and media types."""

from __future__ import annotations

import pytest

from fhir_profiles.definitions import load
from fhir_profiles.systems import COUNTRY, CURRENCY
from terminology.code_system import CodeSystem
from terminology.core import core
from terminology.language import is_language
from terminology.media_type import is_media_type
from terminology.value_sets import ValueSets
from tests.support.clock import within

ACT = "http://terminology.hl7.org/CodeSystem/v3-ActCode"
FORM = "http://terminology.hl7.org/CodeSystem/v3-orderableDrugForm"


def system(url: str) -> CodeSystem:
    """A code system of the core."""
    found = core().code_system(url)
    assert found is not None
    return found


def test_the_core_is_all_of_hl7s_terminology() -> None:
    """FHIR R4, v2 and v3 are there with their value sets."""
    systems, sets = list(core().systems), list(core().sets)
    assert len(systems) > 1050
    assert len(sets) == 1317
    assert sum("v2-" in url for url in systems) > 400
    assert sum("v3-" in url for url in systems) > 100


def test_every_part_of_the_core_can_be_read() -> None:
    """Each code system has as many displays as codes and a hierarchy that stays in its bounds; each set composes."""
    for url in core().systems:
        one = system(url)
        assert len(one.codes) == len(one.displays)
        assert not one.last or len(one.last) == len(one.codes)
        assert all(p <= one.end(p) < len(one.codes) for p in range(len(one.codes)))
    for url in core().sets:
        found = core().value_set(url)
        assert found is not None
        assert found["compose"]["include"]


def test_hierarchies_are_kept() -> None:
    """A concept is below those that hold it, over several levels and with several parents."""
    act = system(ACT)
    amex, account = act.position("AE"), act.position("_ActAccountCode")
    assert amex is not None
    assert account is not None
    assert act.is_below(amex, account)
    assert not act.is_below(account, amex)
    assert {act.codes[p] for p in act.above(amex)} == {"AE", "CC", "_ActAccountCode"}
    assert act.abstract(account)
    form = system(FORM)
    drops, solution = form.position("DROP"), form.position("SOL")
    assert drops is not None
    assert solution is not None
    assert form.is_below(drops, solution)  # by a `child` property, not by nesting


def test_value_sets_agree_with_the_table_of_required_bindings() -> None:
    """The value sets that validation has enumerated hold exactly what is found here."""
    sets = ValueSets()
    for url, expected in load().value_sets.items():
        members = sets.members(url)
        if members is None or url not in set(core().sets):
            continue
        assert members.codes() == tuple(sorted((s, c) for s, codes in expected.items() for c in codes)), url


@pytest.mark.parametrize(("url", "inside", "outside"), [
    (CURRENCY, "USD EUR CHF XAU HRK DEM", "usd US$ EURO 840"),
    (COUNTRY, "US USA 840 DE DEU", "XX UK us"),
])  # fmt: skip
def test_codes_of_iso(url: str, inside: str, outside: str) -> None:
    """Currencies, withdrawn ones too, and countries in three forms."""
    found = ValueSets().system(url)
    assert found is not None
    assert all(found.has(code) for code in inside.split())
    assert not any(found.has(code) for code in outside.split())


@pytest.mark.parametrize("tag", """
    en en-US EN-us de-CH-1996 zh-Hant-TW zh-cmn-Hans-CN x-private i-klingon art-lojban es-419 sl-rozaj-biske-1994 qaa
    en-QM de-DE-u-co-phonebk en-a-bbb-x-a-ccc sgn-BE-FR nl-NL pt-BR fil haw-US en-x-us
""".split())  # fmt: skip  # noqa: SIM905
def test_a_language(tag: str) -> None:
    """Registered subtags in the order of the grammar, whatever their case, are a language tag."""
    assert is_language(tag)


@pytest.mark.parametrize("tag", [
    "", "xx", "e", "en-USA", "en--US", "-en", "en-", "english", "en_US", "en-u-aa-u-bb", "de-1996-1996", "en US", "ën",
    "en-Qqqq-ZZ-", "a-DE", "x-", "en-x-" + "a" * 9, "en-" + "-".join(["abcde"] * 50), "de-419-DE",
])  # fmt: skip
def test_no_language(tag: str) -> None:
    """Unknown subtags, wrong order, doubles and other scripts are not."""
    assert not is_language(tag)


@pytest.mark.parametrize("code", [
    "text/plain", "text/plain; charset=UTF-8", "text/plain;", "application/fhir+json;fhirVersion=4.0",
    "text/plain;charset=utf-8", "image/svg+xml", 'multipart/related; type="text/xml"', "application/dicom", "xml",
    "json", "application/vnd.ms-excel", 'text/html; title="a; \\"b\\""', "text/cql",
])  # fmt: skip
def test_a_media_type(code: str) -> None:
    """Type and subtype, parameters, and the short names that FHIR itself uses."""
    assert is_media_type(code)


@pytest.mark.parametrize("code", [
    "", "pdf", "text", "text/", "/plain", "text/plain/x", "text/pl ain", "text/plain; charset",
    "té/xt", ".jpg", "image\\png", 'a/b; c="', "a/" + "b" * 600, "a/b" + ";a=b" * 300,
])  # fmt: skip
def test_no_media_type(code: str) -> None:
    """File endings, halves and broken parameters are not."""
    with within(10):
        assert not is_media_type(code)
