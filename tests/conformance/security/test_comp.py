"""A token of patient A does not reach patient B, by any road: over HTTP, on both engines (COMP-02 to COMP-31)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, quote

import pytest

from server.store import Store
from tests.conformance.security.conftest import BASE, NUMBERS, Ground, keys, observation

MINE = ["Observation/A1", "Observation/A2", "Observation/moved"]
SHARED = ("Practitioner/d", "Organization/o")
SEARCHES = (
    "Observation", "Patient", "Observation?patient=Patient/B", "Observation?subject=Patient/B",
    f"Observation?patient.identifier={NUMBERS}|mrn-B", "Observation?_include=*&_revinclude=*",
    "Observation?patient.name=FamB", "DiagnosticReport?result.value-quantity=gt7", "Observation?_sort=-value-quantity",
    "Patient?_has:Observation:patient:code=code-B",
)  # fmt: skip


def foreign(names: list[str]) -> list[str]:
    """What is B's among the resources."""
    mine = {"AuditEvent/none", *SHARED, *MINE}
    return [
        name for name in names if name not in mine and not name.rpartition("/")[2].endswith("A") and "/A" not in name
    ]


@pytest.mark.check("COMP-02")
async def test_comp_02_a_search_by_type_holds_the_own(ground: Ground) -> None:
    """COMP-02: only A's, and the total counts only A's."""
    assert await ground.found("Observation") == MINE
    assert await ground.total("Observation?_total=accurate&_count=1") == 3
    assert await ground.found("Patient") == ["Patient/A"]
    assert await ground.total("Patient?_total=accurate") == 1


@pytest.mark.check("COMP-03")
async def test_comp_03_naming_the_other_patient_finds_nothing(ground: Ground) -> None:
    """COMP-03: by id, by reference and by an identifier of B."""
    for query in ("patient=B", "patient=Patient/B", "subject=Patient/B", f"patient.identifier={NUMBERS}|mrn-B"):
        assert await ground.found(f"Observation?{query}") == [], query
        assert await ground.total(f"Observation?{query}&_total=accurate") == 0, query


@pytest.mark.check("COMP-04")
async def test_comp_04_includes_stay_within(ground: Ground) -> None:
    """COMP-04: what A's Observation points to is included as far as it is A's or shared."""
    for code, more in (
        ("subject", ["Patient/A"]),
        ("focus", []),
        ("performer", ["Practitioner/d"]),
        ("has-member", []),
    ):
        assert await ground.found(f"Observation?_id=A1&_include=Observation:{code}") == sorted(
            ["Observation/A1", *more]
        )


@pytest.mark.check("COMP-05")
async def test_comp_05_focus_is_not_membership(ground: Ground) -> None:
    """COMP-05: an Observation of B that is about A too stays B's."""
    assert (await ground.see("Observation/focus")).status_code == 404
    assert await ground.found("Observation?focus=Patient/A") == []
    assert "Observation/focus" not in await ground.found("Patient?_revinclude=Observation:focus")


@pytest.mark.check("COMP-07")
async def test_comp_07_iterated_includes_stop_at_the_wall(ground: Ground) -> None:
    """COMP-07: from A over an Encounter to B's Condition and on: nothing of B."""
    query = (
        "Observation?_id=A1&_include=Observation:encounter&_include:iterate=Encounter:diagnosis"
        "&_include:iterate=Condition:subject&_include:iterate=Observation:has-member"
    )
    assert await ground.found(query) == ["Encounter/EA", "Observation/A1"]


@pytest.mark.check("COMP-08")
async def test_comp_08_wildcards_include_the_own_once(ground: Ground) -> None:
    """COMP-08: `*` both ways: only A's and what is shared, each once."""
    for query in ("_include=*&_revinclude=*", "_include:iterate=*&_revinclude:iterate=*"):
        names = await ground.found(f"Observation?{query}")
        assert foreign(names) == []
        assert len(names) == len(set(names)) > len(MINE)


@pytest.mark.check("COMP-09")
async def test_comp_09_each_page_is_authorized_again(ground: Ground) -> None:
    """COMP-09: all pages of A hold A's; A's next link in the hands of B shows nothing of A."""
    url: str | None = "Observation?_count=1&_include=*"
    names: list[str] = []
    links = []
    while url:
        bundle = (await ground.see(url)).json()
        names += keys(bundle)
        url = next((one["url"].removeprefix(f"{BASE}/") for one in bundle["link"] if one["relation"] == "next"), None)
        links += [url] if url else []
    assert foreign(names) == [] and set(MINE) <= set(names)
    for link in links:
        answer = await ground.see(link, patient="B")
        assert answer.status_code in (200, 403)
        assert not set(keys(answer.json())) & {"Patient/A", *MINE}


@pytest.mark.check("COMP-10")
async def test_comp_10_chains_tell_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """COMP-10: a chain over B's data finds what one over a value that nobody has finds."""
    for asked, nobody in (
        ("Observation?patient.name=FamB", "Observation?patient.name=FamZ"),
        ("DiagnosticReport?result.value-quantity=gt7", "DiagnosticReport?result.value-quantity=gt70000"),
        (
            "Observation?encounter.diagnosis:Condition.code:text=ill",
            "Observation?encounter.diagnosis:Condition.code:text=z",
        ),
    ):
        answers = [(await ground.see(f"{one}&_total=accurate")).json() for one in (asked, nobody)]
        assert [one["total"] for one in answers] == [0, 0], asked
        assert await _asked(ground, asked, monkeypatch) == await _asked(ground, nobody, monkeypatch), asked


@pytest.mark.check("COMP-11")
async def test_comp_11_has_over_a_type_without_the_right_is_refused(ground: Ground) -> None:
    """COMP-11: `_has` over Observation with a token for Patient alone: 403."""
    url = "Patient?_has:Observation:patient:code=code-A"
    assert (await ground.see(url, scope="patient/Patient.rs")).status_code == 403
    assert await ground.found(url) == ["Patient/A"]
    assert await ground.found("Patient?_has:Observation:focus:code=code-B") == []


@pytest.mark.check("COMP-12")
async def test_comp_12_totals_and_order_know_the_own_only(ground: Ground) -> None:
    """COMP-12: every way to count counts A's; a sort key of B's moves nothing."""
    for query in ("_total=accurate", "_total=estimate", "_summary=count", "_count=0", "_count=1&_total=accurate"):
        assert await ground.total(f"Observation?{query}") == 3, query
    for key in ("-value-quantity", "patient.family", "encounter:Encounter.status"):
        assert await ground.found(f"Observation?_sort={key}") == MINE


@pytest.mark.check("COMP-14")
async def test_comp_14_history_forgets_what_was_anothers(ground: Ground) -> None:
    """COMP-14: of what moved from B to A, the version of B is in no history and not read; B sees nothing any more."""
    for url in ("_history", "Observation/_history", "Observation/moved/_history"):
        entries = (await ground.see(f"{url}?_count=100")).json()["entry"]
        subjects = {one["resource"]["subject"]["reference"] for one in entries if "subject" in one.get("resource", {})}
        assert subjects == {"Patient/A"}, url
    assert (await ground.see("Observation/B1/_history")).status_code == 404
    assert (await ground.see("Observation/moved/_history/1")).status_code == 404
    assert (await ground.see("Observation/moved/_history/2")).status_code == 200
    for url in ("Observation/moved", "Observation/moved/_history/1", "Observation/moved/_history"):
        assert (await ground.see(url, patient="B")).status_code == 404, url


@pytest.mark.check("COMP-15")
async def test_comp_15_everything_of_another_is_not_there(ground: Ground) -> None:
    """COMP-15: `$everything` of B and of B's encounter: 404; of A: nothing of B."""
    assert (await ground.see("Patient/B/$everything")).status_code == 404
    assert (await ground.see("Encounter/EB/$everything")).status_code == 404
    assert foreign(await ground.found("Patient/A/$everything?_count=100")) == []


@pytest.mark.check("COMP-17")
async def test_comp_17_what_mentions_another_is_hidden(ground: Ground) -> None:
    """COMP-17: Provenance, AuditEvent, List, Composition, Bundle, Task, Group of B: 404 or 403, in no search."""
    for name in ("Provenance/PB", "List/LB", "Composition/KB", "Bundle/XB", "Task/TB", "Group/GB"):
        kind = name.partition("/")[0]
        assert (await ground.see(name)).status_code in (403, 404), name
        answer = await ground.see(kind)
        assert answer.status_code == 403 or name not in keys(answer.json()), name
        if answer.status_code == 200:
            assert len(keys(answer.json())) == (0 if kind == "Task" else 1), name
    told = await ground.see("AuditEvent")
    assert told.status_code == 403 or "Patient/B" not in told.text


@pytest.mark.check("COMP-19")
async def test_comp_19_lists_of_ids_and_types_hold_the_own(ground: Ground) -> None:
    """COMP-19: a search of the system by `_type` and `_id` finds A's."""
    assert await ground.found("?_type=Patient,Observation&_id=A,B,A1,B1") == ["Observation/A1", "Patient/A"]
    assert await ground.total("?_type=Patient,Observation&_id=A,B,A1,B1&_total=accurate") == 2


@pytest.mark.check("COMP-20")
async def test_comp_20_searches_by_post_answer_the_same(ground: Ground) -> None:
    """COMP-20: each search as a form."""
    for url in SEARCHES:
        kind, _, query = url.partition("?")
        got = await ground.see(url)
        form = "&".join(f"{quote(name)}={quote(value)}" for name, value in parse_qsl(query))
        told = {"content_type": "application/x-www-form-urlencoded"}
        posted = await ground.send("POST", f"{kind}/_search", form, scope="patient/*.rs", **told)
        assert got.status_code == posted.status_code, url
        one, other = got.json(), posted.json()
        assert keys(one) == keys(other), url
        assert one.get("total") == other.get("total"), url


@pytest.mark.check("COMP-21")
async def test_comp_21_graphql_is_limited_alike(ground: Ground) -> None:
    """COMP-21: B by id is null with an error; lists, reverse lists and nested references hold A's."""
    answer = (await _graphql(ground, '{Patient(id:"B"){id name{family}}}')).json()
    assert answer["data"] == {"Patient": None} and answer["errors"]
    missing = (await _graphql(ground, '{Patient(id:"nobody"){id name{family}}}')).json()
    assert answer["errors"] == missing["errors"]
    text = (
        '{Patient(id:"A"){ObservationList(_reference:patient){id focus{resource(optional:true){... on Patient{id}}}}}}'
    )
    told = (await _graphql(ground, text)).json()["data"]["Patient"]["ObservationList"]
    assert sorted(one["id"] for one in told) == ["A1", "A2", "moved"]
    assert "FamB" not in str(told) and "'id': 'B'" not in str(told)
    told = (await _graphql(ground, "{ObservationConnection(_count:10){count edges{resource{id}}}}")).json()["data"]
    assert told["ObservationConnection"]["count"] == 3


@pytest.mark.check("COMP-23")
async def test_comp_23_a_conditional_create_finds_the_own_only(ground: Ground) -> None:
    """COMP-23: If-None-Exist with B's identifier makes a new resource and does not tell where B's is."""
    made = await ground.send("POST", "Observation", observation("A"), if_none_exist=f"identifier={NUMBERS}|obs-B")
    assert made.status_code == 201
    assert "Observation/B1" not in made.headers["location"]
    there = await ground.send("POST", "Observation", observation("A"), if_none_exist=f"identifier={NUMBERS}|obs-A")
    assert there.status_code == 200


@pytest.mark.check("COMP-25")
async def test_comp_25_a_guessed_id_tells_nothing(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    """COMP-25: what is B's and what is not there: the same answer, after the same questions to the database."""
    for url in ("Observation/{}", "Observation/{}/_history", "Observation/{}/_history/1", "Patient/{}/$everything"):
        theirs, nobodys = ("B", "none") if "Patient" in url else ("B1", "none")
        one, other = await ground.see(url.format(theirs)), await ground.see(url.format(nobodys))
        assert one.status_code == other.status_code == 404, url
        assert one.json() == other.json(), url
        volatile = {"date", "x-request-id", "x-correlation-id"}
        assert {k: v for k, v in one.headers.items() if k not in volatile} == {
            k: v for k, v in other.headers.items() if k not in volatile
        }, url
        work = [await _asked(ground, url.format(name), monkeypatch) for name in (theirs, nobodys)]
        assert work[0] == work[1], url


@pytest.mark.check("COMP-27")
async def test_comp_27_a_link_opens_nothing(ground: Ground) -> None:
    """COMP-27: A and B are linked to each other: no access."""
    assert (await ground.see("Patient/B")).status_code == 404
    assert await ground.found("Patient?_include=Patient:link&_revinclude=Patient:link") == ["Patient/A"]
    assert await ground.found("Patient?link=Patient/A") == []


@pytest.mark.check("COMP-28")
async def test_comp_28_nobody_subscribes_to_another(ground: Ground) -> None:
    """COMP-28: a Subscription whose criteria lie outside of A is refused, or hears nothing: here the first."""
    for criteria in ("Questionnaire?status=active", "Practitioner"):
        asked = {
            "resourceType": "Subscription", "status": "requested", "reason": "x", "criteria": criteria,
            "channel": {"type": "websocket"},
        }  # fmt: skip
        answer = await ground.send("POST", "Subscription", asked, scope="patient/Observation.cruds")
        assert answer.status_code == 403, criteria


@pytest.mark.check("COMP-29")
async def test_comp_29_terminology_and_coding_show_nothing_of_another(ground: Ground) -> None:
    """COMP-29: codes are validated for everybody; B's documents, tasks and their coding are not there."""
    url = f"CodeSystem/$validate-code?url={quote('http://hl7.org/fhir/observation-status')}&code=final"
    answer = await ground.see(url)
    assert answer.status_code == 200 and "FamB" not in answer.text
    theirs = await ground.see("DocumentReference/DB/$code")
    nobodys = await ground.see("DocumentReference/none/$code")
    assert theirs.status_code == nobodys.status_code and theirs.status_code in (403, 404)
    assert theirs.json() == nobodys.json()
    for name in ("Task/TB", "Condition/CB", "DocumentReference/DB"):
        assert (await ground.see(name)).status_code in (403, 404), name
    assert foreign(await ground.found("Condition")) == []


@pytest.mark.check("COMP-31")
async def test_comp_31_an_etag_of_another_is_no_oracle(ground: Ground) -> None:
    """COMP-31: If-None-Match and If-Modified-Since on B's resource: 404, never 304."""
    for more in (
        {"if_none_match": 'W/"1"'},
        {"if_none_match": "*"},
        {"if_modified_since": "Fri, 01 Jan 2100 00:00:00 GMT"},
    ):
        assert (await ground.see("Observation/B1", **more)).status_code == 404
        assert (await ground.see("Observation/A1", **more)).status_code == 304 or more == {"if_none_match": "*"}


async def _graphql(ground: Ground, text: str) -> Any:
    return await ground.see(f"$graphql?query={quote(text)}")


async def _asked(ground: Ground, url: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the database is asked for an answer: the statements, without their values and those that chain the audit."""
    said: list[str] = []
    query = Store.query

    def noted(store: Store, sql: str, params: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        said.extend([] if "audit" in sql else [sql])
        return query(store, sql, params)

    with monkeypatch.context() as patch:
        patch.setattr(Store, "query", noted)
        await ground.see(url)
    return said
