"""The workbench keeps out whoever does not belong there: forms, rights, sessions, addresses, headers.

https://cheatsheetseries.owasp.org/cheatsheets/Cross-Site_Request_Forgery_Prevention_Cheat_Sheet.html
"""

from __future__ import annotations

import base64
import io
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

import httpx
import msgspec
import pytest
from fastapi.routing import APIRoute
from PIL import Image

from server.access.roles import read_roles
from server.auth import keep
from server.auth.model import Person, Session
from server.http.work.reception import Reception
from server.http.work.rooms import ROOMS, allowed
from server.http.work.router import work_router
from server.http.work.session import Launched, Launches
from tests.integration.work.conftest import ROLES, SWAP, House, Someone, words

RECEPTION = Reception(None, lambda _: "", {})
ROUTES = [one for one in work_router(RECEPTION).routes if isinstance(one, APIRoute)]
FILLED = {"id": "a", "number": "1", "number:int": "1", "name": "fhir", "what": "retry", "rest:path": "nowhere"}
MARK = "<script>alert(1)</script>\"'"


def _paths(method: str) -> list[str]:
    found = [one.path for one in ROUTES if method in one.methods and "static" not in one.path]
    return sorted(re.sub(r"{([^}]+)}", lambda name: FILLED.get(name[1], "x"), path) for path in found)


POSTS, GETS = _paths("POST"), _paths("GET")


@pytest.mark.parametrize("path", POSTS)
async def test_a_form_of_another_site_is_refused(house: House, path: str) -> None:
    """No POST below /work does anything without the token of a page of this session, or when another site sent it."""
    for name in ("coder", "admin", "clinician"):
        someone = house.people[name]
        for csrf in ("", house.people["second"].session.csrf):
            assert (await someone.post(path, csrf=csrf)).status_code == 403, name
        headers = {"sec-fetch-site": "cross-site"}
        sent = await someone.http.post(path, data={"csrf": someone.session.csrf}, headers=headers)
        assert sent.status_code == 403, name
    assert len(POSTS) > 10


@pytest.mark.parametrize("path", sorted({*GETS, *POSTS}))
async def test_whoever_is_not_signed_in_sees_nothing(house: House, path: str) -> None:
    """Without a session every page leads to sign in, and a script is told 401."""
    transport = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        method = "GET" if path in GETS else "POST"
        answer = await http.request(method, path)
        assert answer.status_code == 303 and answer.headers["location"].startswith("/auth/sign-in?then=%2Fwork")
        assert (await http.request(method, path, headers=SWAP)).status_code == 401


@pytest.mark.parametrize("role", ROLES)
async def test_pages_open_for_those_who_may_see_them(house: House, role: str) -> None:
    """Each page opens for the roles that the table of rooms says and is refused to the others; nobody keeps a page."""
    may = allowed(read_roles(), ["coder" if role == "second" else role])
    for room in (one for one in ROOMS if one.path.startswith("/work")):
        answer = await house.people[role].get(room.path.format(id="a"))
        assert answer.status_code == (200 if room.name in may else 403), room.name
        assert answer.headers["cache-control"] == "no-store", room.name
        assert "default-src 'none'" in answer.headers["content-security-policy"], room.name


@pytest.mark.parametrize("role", ["auditor", "biller", "clinician", "patient"])
async def test_acts_are_refused_to_those_who_may_not(house: House, role: str) -> None:
    """Whoever may look but not decide changes nothing, with a right form too."""
    may = allowed(read_roles(), [role])
    before = house.claim("a")["meta"]["versionId"]
    for path, act in (("/work/review/a/decide", "review:decide"), ("/work/review/a/finish", "review:decide"),
                      ("/work/queue/take", "queue:take"), ("/work/review/a/ask", "review:ask"),
                      ("/work/admin/people", "people:change"), ("/work/admin/jobs/a/retry", "jobs:retry")):  # fmt: skip
        if act not in may:
            assert (await house.people[role].post(path, id="a", kind="accept")).status_code == 403, path
    assert house.claim("a")["meta"]["versionId"] == before


@pytest.mark.parametrize(
    "path",
    ["nowhere", "review/a/page/x", "review/a/tab/x", "review/a%2fb", "review/%2e%2e", "review/%2e", "review/$figures",
     "review/none", "review/a%3fx", "review/a%0d%0ax/doubtful/1", "static/..%2fdesk.py", "queue/take"],
)  # fmt: skip
async def test_what_is_not_there_is_a_page(house: House, path: str) -> None:
    """An address that leads nowhere is 404, on a page, whatever stands in it; it never gets out of its folder."""
    answer = await house.people["coder"].get(f"/work/{path}")
    assert answer.status_code == 404
    assert path.startswith("static") or "Not found" in words(answer)


async def test_the_bare_folder_leads_to_the_start(house: House) -> None:
    """/work/ is /work."""
    assert (await house.people["coder"].get("/work/")).headers["location"] == "/work"


@pytest.mark.parametrize(
    "path", ["../metrics", "../work/admin/people", "../../auth/token", "./../metrics", "//x/../../y"]
)
async def test_the_console_stays_below_fhir(house: House, path: str) -> None:
    """No path leads from the console to another part of this server, or to another server."""
    answer = await house.people["coder"].post("/work/console", method="GET", path=path)
    assert answer.status_code == 200
    assert "python_gc" not in answer.text and "/auth/" not in answer.text
    assert re.search(r"\b(400|403|404)\b", words(answer)), words(answer)


async def test_the_console_sends_its_own_headers_only(house: House) -> None:
    """Who calls, from where and as whom cannot be told by a header; one that is not ASCII is no failure."""
    lines = "authorization: Bearer x\nhost: other.example\nx-forwarded-for: 10.0.0.1\nif-match: \u00fc"
    answer = await house.people["coder"].post("/work/console", method="GET", path="Patient/p", headers=lines)
    assert answer.status_code == 200 and "Quill" in answer.text


async def test_nothing_that_is_typed_becomes_markup(house: House) -> None:
    """What comes with an address or stands in a resource is shown as text."""
    house.coded("marked", MARK)
    coder = house.people["coder"]
    for path in ("queue?text=", "terminology?system=", "terminology?text=", "console?path=", "resource?of=",
                 "review/marked?page=", "upload?of=", "review/marked/find?text=", "queue?state="):  # fmt: skip
        answer = await coder.http.get(f"/work/{path}{MARK}")
        assert "<script>alert" not in answer.text, path
    for path in ("review/marked", "queue", "upload?of=marked", "resource?of=DocumentReference/marked"):
        answer = await coder.get(f"/work/{path}")
        assert "<script>alert" not in answer.text and "alert(1)" in answer.text, path


async def test_a_document_that_is_not_there_is_not_held(house: House) -> None:
    """Taking or putting aside what is no document stores nothing, and its name gets into no header."""
    coder = house.people["coder"]
    for id in ("nobody", "x\r\nset-cookie: a=b", "//other.example", "../a"):
        answer = await coder.post("/work/queue/take", id=id)
        assert answer.headers["x-refused"] == "409" and "x-go-to" not in answer.headers
    assert (await coder.post("/work/review/nobody/pend", reason="other")).status_code == 404
    assert (await coder.post("/work/queue/release", id="nobody")).status_code == 404


async def test_pictures_are_kept_for_one_session(house: House) -> None:
    """A browser does not show what one person looked at to the next who signs in there; a failure is kept by none."""
    Image.new("L", (85, 110), 255).save(png := io.BytesIO(), "PNG")
    attachment = {"contentType": "image/png", "data": base64.b64encode(png.getvalue()).decode()}
    house.put(
        {
            "resourceType": "DocumentReference",
            "id": "scan",
            "status": "current",
            "content": [{"attachment": attachment}],
        }
    )
    coder = house.people["coder"]
    answer = await coder.get("/work/review/scan/image/1?width=100")
    assert (answer.status_code, answer.headers.get("vary")) == (200, "cookie")
    assert answer.headers["cache-control"].startswith("private")
    again = await coder.get("/work/review/scan/image/1?width=100", **{"if-none-match": answer.headers["etag"]})
    assert again.status_code == 304
    missing = await coder.get("/work/review/scan/image/7")
    assert missing.status_code == 404 and missing.headers["cache-control"] == "no-store"


@pytest.fixture
def visitor(house: House) -> Iterator[Someone]:
    """Somebody whose account and session a test may end."""
    house.fhir.store.write_sync(house._fill)
    yield house.people["second"]
    house.fhir.store.write_sync(house._fill)


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The access tokens that pages were given, by person."""
    given: dict[str, str] = {}
    of = Launches.of

    def noted(self: Launches, session: Session, person: Person, issuer: str) -> Launched:
        launched = of(self, session, person, issuer)
        given[person.id] = launched.token
        return launched

    monkeypatch.setattr(Launches, "of", noted)
    return given


async def test_a_token_ends_with_its_session(house: House, visitor: Someone, tokens: dict[str, str]) -> None:
    """Signing out ends the page and the access that it had; the token of one session is never another's."""
    assert (await visitor.get("/work/queue")).status_code == 200
    assert (await house.people["coder"].get("/work/queue")).status_code == 200
    token = tokens["second"]
    assert token != tokens["coder"]
    headers = {"authorization": f"Bearer {token}"}
    assert (await visitor.http.get("/fhir/Patient/p", headers=headers)).status_code == 200
    out = await visitor.http.post("/auth/sign-out", data={"csrf": visitor.session.csrf})
    assert out.status_code == 200
    assert (await visitor.http.get("/fhir/Patient/p", headers=headers)).status_code == 401
    assert (await visitor.get("/work/queue")).status_code == 303


async def test_an_account_that_is_closed_or_changed_is_so_at_once(house: House, visitor: Someone) -> None:
    """The next request of somebody whose roles changed has the new ones; of a closed account, none."""
    store = house.fhir.store
    assert (await visitor.get("/work/queue")).status_code == 200

    def change(**to: Any) -> None:
        person = keep.person(store, "second")
        assert person is not None
        store.write_sync(lambda tx: keep.put_person(tx, msgspec.structs.replace(person, **to)))

    change(roles=("patient",))
    assert (await visitor.get("/work/queue")).status_code == 403
    change(roles=("coder",), disabled=True)
    assert (await visitor.get("/work/queue")).status_code == 303


async def test_access_that_was_taken_back_is_asked_for_anew(house: House, visitor: Someone) -> None:
    """A page whose authorization was revoked says so, and the next request launches again."""
    assert (await visitor.get("/work/queue")).status_code == 200
    store = house.fhir.store
    for one in keep.authorizations_of(store, "second"):
        store.write_sync(lambda tx, id=one.id: keep.revoke(tx, id))  # type: ignore[misc]
    refused = await visitor.get("/work/queue")
    assert refused.status_code == 403 and "Load the page again" in words(refused)
    assert (await visitor.get("/work/queue")).status_code == 200


async def test_asking_for_news_keeps_nobody_signed_in(house: House, visitor: Someone) -> None:
    """What a page sends by itself leaves the session as old as it was; what a person does makes it younger."""
    store, hash = house.fhir.store, visitor.session.hash
    old = msgspec.structs.replace(visitor.session, seen=keep.now() - 60_000)
    store.write_sync(lambda tx: keep.put_session(tx, old))
    assert (await visitor.get("/work/upload/stages", **{"x-fhirwright-poll": "1"})).status_code == 200
    found = keep.session(store, hash)
    assert found is not None and found.seen == old.seen
    await visitor.get("/work/queue")
    found = keep.session(store, hash)
    assert found is not None and found.seen > old.seen


async def test_signing_in_leads_back_here_only(house: House) -> None:
    """The place to come back to is a path of this server, told in whole."""
    transport = httpx.ASGITransport(house.app)
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as http:
        answer = await http.get("/work/review/a?page=2&x=//other.example")
    assert unquote(answer.headers["location"]) == "/auth/sign-in?then=/work/review/a?page=2&x=//other.example"
