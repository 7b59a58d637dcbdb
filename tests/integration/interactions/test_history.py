"""history at three levels (https://hl7.org/fhir/R4/http.html#history)."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import msgspec
import pytest

from fhir_profiles.errors import FhirError
from server.access.caller import Caller
from server.access.grants import read_scopes
from server.http.errors import status_of
from server.interactions.exchange import Request, Response
from server.interactions.fhir import Fhir
from server.interactions.history import history
from tests.support.clock import tick

Call = Callable[..., Response]
BASE = "http://test/fhir/"


def _patient(name: str, gender: str = "male") -> dict[str, Any]:
    return {"resourceType": "Patient", "id": name, "gender": gender}


def _basic(name: str) -> dict[str, Any]:
    return {"resourceType": "Basic", "id": name, "code": {"text": name}}


def _entries(call: Call, url: str) -> list[dict[str, Any]]:
    """The entries of all pages."""
    found: list[dict[str, Any]] = []
    while url:
        bundle = json.loads(call("GET", url).body)
        found += bundle.get("entry", [])
        links = {link["relation"]: link["url"] for link in bundle["link"]}
        url = links.get("next", "").removeprefix(BASE)
    return found


def _told(call: Call, url: str) -> list[str]:
    """`METHOD Type/id status version` of each entry of all pages."""
    told = []
    for entry in _entries(call, url):
        version = entry["response"]["etag"][3:-1]
        told.append(f"{entry['request']['method']} {entry['fullUrl'].removeprefix(BASE)} {version}")
        assert ("resource" in entry) is (entry["request"]["method"] != "DELETE")
    return told


@pytest.fixture
def past(call: Call) -> list[str]:
    """Some writes of two types, a moment apart; the time between each and the next, as FHIR instants."""
    between = []
    for method, url, body in (
        ("PUT", "Patient/a", _patient("a")),
        ("PUT", "Basic/b", _basic("b")),
        ("PUT", "Patient/a", _patient("a", "female")),
        ("PUT", "Patient/c", _patient("c")),
        ("DELETE", "Patient/a", None),
        ("PUT", "Patient/a", _patient("a", "other")),
    ):
        call(method, url, body)
        time.sleep(0.004)
        now = time.time()
        between.append(time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(now)) + f".{int(now % 1 * 1000):03d}Z")
        time.sleep(0.004)
    return between


ALL = [
    "PUT Patient/a 4",
    "DELETE Patient/a 3",
    "PUT Patient/c 1",
    "PUT Patient/a 2",
    "PUT Basic/b 1",
    "PUT Patient/a 1",
]


def test_history_of_a_type_and_of_the_system(call: Call, past: list[str]) -> None:
    """Every version of every resource, newest first, of one type or of all."""
    assert _told(call, "_history") == ALL
    assert _told(call, "Patient/_history") == [line for line in ALL if "Basic" not in line]
    assert _told(call, "Patient/a/_history") == [line for line in ALL if "Patient/a" in line]
    assert _told(call, "Device/_history") == []


def test_history_pages_join(call: Call, past: list[str]) -> None:
    """Pages of any size give each version once, either way round, and tell the same total."""
    for count in (1, 2, 4, 5, 6):
        assert _told(call, f"_history?_count={count}") == ALL
        assert _told(call, f"_history?_count={count}&_sort=_lastUpdated") == ALL[::-1]
    page = json.loads(call("GET", "Patient/_history?_count=2").body)
    assert page["total"] == 5
    following = page["link"][1]["url"].removeprefix(BASE)
    call("PUT", "Patient/d", _patient("d"))
    assert json.loads(call("GET", following).body)["total"] == 5
    assert _told(call, following) == [line for line in ALL if "Patient" in line][2:]


def test_history_pages_hold_while_others_write(call: Call) -> None:
    """What is written between two pages moves nothing: a version that stops being the newest keeps its place."""
    for n in range(6):
        call("PUT", f"Patient/p{n}", _patient(f"p{n}"))
    told, url, turn = [], "Patient/_history?_count=2", 0
    while url:
        bundle = json.loads(call("GET", url).body)
        told += [entry["resource"]["id"] + entry["resource"]["meta"]["versionId"] for entry in bundle["entry"]]
        url = {link["relation"]: link["url"] for link in bundle["link"]}.get("next", "").removeprefix(BASE)
        for n in range(6):
            call("PUT", f"Patient/p{n}", _patient(f"p{n}", ("female", "other", "unknown")[turn]))
        turn += 1
    assert told == ["p51", "p41", "p31", "p21", "p11", "p01"]


def test_history_since(call: Call, past: list[str]) -> None:
    """`_since` gives the versions from an instant on."""
    assert _told(call, f"_history?_since={past[2]}") == ALL[:3]
    assert _told(call, f"_history?_since={past[2]}&_count=1") == ALL[:3]
    assert _told(call, f"Patient/a/_history?_since={past[3]}") == ALL[:2]
    assert json.loads(call("GET", f"_history?_since={past[2]}&_count=0").body)["total"] == 3
    assert _told(call, f"_history?_since={past[5]}") == []


def test_history_at(call: Call, past: list[str]) -> None:
    """`_at` gives what was current at a moment or during a period; what was deleted by then is not."""
    assert _told(call, f"_history?_at={past[0]}") == ["PUT Patient/a 1"]
    assert _told(call, f"_history?_at={past[2]}") == ["PUT Patient/a 2", "PUT Basic/b 1"]
    assert _told(call, f"Patient/_history?_at={past[4]}") == ["PUT Patient/c 1"]
    assert _told(call, f"_history?_at={past[5]}") == ["PUT Patient/a 4", "PUT Patient/c 1", "PUT Basic/b 1"]
    assert _told(call, f"Patient/a/_history?_at=ge{past[4]}") == ["PUT Patient/a 4"]
    assert _told(call, f"Patient/a/_history?_at=ge{past[3]}&_at=lt{past[4]}") == [
        "DELETE Patient/a 3",
        "PUT Patient/a 2",
    ]
    assert _told(call, "_history?_at=2001-02-03") == []


def test_history_entries_say_how_each_version_came(call: Call, past: list[str]) -> None:
    """Method, URL, status, ETag and time of every version; a resource that came back was created again."""
    made = call("POST", "Patient", {"resourceType": "Patient"})
    first = json.loads(call("GET", "Patient/_history?_count=1").body)["entry"][0]
    assert first["request"] == {"method": "POST", "url": "Patient"}
    assert first["resource"] == json.loads(made.body)
    statuses = [entry["response"]["status"] for entry in _entries(call, "Patient/a/_history")]
    assert statuses == ["201", "204", "200", "201"]
    for entry in _entries(call, "_history"):
        if "resource" in entry:
            assert entry["response"]["lastModified"] == entry["resource"]["meta"]["lastUpdated"]
            assert entry["response"]["etag"] == f'W/"{entry["resource"]["meta"]["versionId"]}"'


@pytest.mark.parametrize(
    "query",
    ["_list=42", "name=x", "_since=yesterday", "_at=zz2020", "_at=", "_cursor=AAAA", "_count=x", "_sort=name"],
)
def test_history_refuses_what_it_does_not_know(call: Call, query: str) -> None:
    """A parameter that is unknown or wrong is an error and never ignored; one without a value is as if absent."""
    for url in ("_history", "Patient/_history"):
        if query == "_at=":
            assert call("GET", f"{url}?{query}").status == 200
            continue
        with pytest.raises(FhirError) as refused:
            call("GET", f"{url}?{query}")
        assert status_of(refused.value) == 400


def test_history_links_repeat_what_was_asked(call: Call, past: list[str]) -> None:
    """The self link shows every parameter that was used."""
    (link,) = json.loads(call("GET", f"Patient/_history?_since={past[0]}&_count=50").body)["link"]
    assert link == {"relation": "self", "url": f"{BASE}Patient/_history?_since={past[0]}&_count=50"}


def test_history_of_what_never_was(call: Call) -> None:
    """The history of an id that never was is 404."""
    with pytest.raises(FhirError) as refused:
        call("GET", "Patient/none/_history")
    assert status_of(refused.value) == 404


def test_history_shows_only_what_is_in_reach(fhir: Fhir, call: Call) -> None:
    """Reach is part of the query: what is beyond it is neither listed, nor counted, nor leaves a short page."""
    for n in range(8):
        subject = {"reference": f"Patient/p{n % 2}"}
        call(
            "PUT",
            f"Condition/c{n}",
            {"resourceType": "Condition", "id": f"c{n}", "subject": subject, "code": {"text": "x"}},
        )
        tick()  # what was written in one millisecond has no order
    moved = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p0"}, "code": {"text": "x"}}
    call("PUT", "Condition/c1", moved)  # it was filed under the wrong patient
    mine = Caller(who="p", grants=read_scopes(["patient/Condition.rs"]), patient="p0")
    request = Request(
        caller=mine, method="GET", path=("Condition", "_history"), query=(("_count", "3"),), base_url=BASE[:-1]
    )
    bundle = json.loads(history(fhir.settings, request, fhir.store).body)
    assert "total" not in bundle
    assert [entry["resource"]["id"] for entry in bundle["entry"]] == ["c1", "c6", "c4"]
    cursor = dict(parse_qsl(urlsplit(bundle["link"][1]["url"]).query))["_cursor"]
    following = msgspec.structs.replace(request, query=(("_count", "3"), ("_cursor", cursor)))
    rest = json.loads(history(fhir.settings, following, fhir.store).body)
    assert [entry["resource"]["id"] for entry in rest["entry"]] == ["c2", "c0"]
    assert [link["relation"] for link in rest["link"]] == ["self"]
    (version,) = json.loads(call("GET", "Condition/c1/_history", caller=mine).body)["entry"]
    assert version["resource"]["meta"]["versionId"] == "2"
