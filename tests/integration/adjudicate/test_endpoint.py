"""The adjudicator against an endpoint over real sockets: retries, bounds, budget, breaker, replay."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable

import pytest

from extractors.adjudicate.budget import DOLLAR, Cost, Price
from extractors.adjudicate.model import Question
from server.jobs.cache import ContentCache
from tests.integration.adjudicate.conftest import House
from tests.integration.adjudicate.endpoint import (
    Body,
    Handler,
    completion,
    drips,
    drips_headers,
    fails,
    resets,
    says,
    serving,
)
from tests.support.clock import not_waiting

Build = Callable[..., House]
SOUND = '{"decisions": []}'


def test_an_answer_is_heard_and_counted(house: Build) -> None:
    """What the endpoint says comes back as text; tokens and money are counted as it reports them."""
    with serving(says(SOUND)) as endpoint:
        home = house(endpoint.url, price=Price.of(2, 8))
        heard = home.ask()
    assert (heard.text, heard.silence, heard.model) == (SOUND, None, "m")
    book = home.ledger.read()
    assert (book.calls, book.tokens) == (1, 1000)
    assert book.nanodollars == DOLLAR * (900 * 2 + 100 * 8) // 1_000_000
    assert book.questions == {"answered": 1}


def test_only_what_must_leaves(house: Build) -> None:
    """No cookie, no platform, no version of the client, no organisation; a key only where there is one."""
    with serving(says(SOUND)) as endpoint:
        house(endpoint.url).ask("a")
        house(endpoint.url, key="sekret").ask("b")
    (path, bare, raw), (_, keyed, _) = endpoint.received
    assert path == "/v1/chat/completions"
    allowed = {"host", "content-type", "content-length", "accept", "connection", "user-agent", "accept-encoding"}
    assert set(bare) <= allowed
    assert set(keyed) <= allowed | {"authorization"}
    assert keyed["authorization"] == "Bearer sekret"
    body = json.loads(raw)
    assert set(body) == {"model", "messages", "max_tokens", "temperature", "response_format"}
    assert body["response_format"]["json_schema"]["strict"] is True


def test_the_environment_changes_nothing(house: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, addresses, organisations and proxies in the environment are not looked at."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "OPENAI_BASE_URL"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    for name in ("OPENAI_API_KEY", "OPENAI_ORG_ID", "OPENAI_PROJECT_ID"):
        monkeypatch.setenv(name, "of-somebody-else")
    with serving(says(SOUND)) as endpoint:
        assert house(endpoint.url).ask().text == SOUND
    assert "of-somebody-else" not in str(endpoint.received)


def test_a_replay_is_the_same_without_network(house: Build) -> None:
    """The second time the kept answer is given, byte for byte, also when the endpoint is gone."""
    with serving(says(SOUND)) as endpoint:
        first = house(endpoint.url).ask("the same")
        house(endpoint.url).ask("the same")
        assert len(endpoint.received) == 1
    assert house(None).ask("the same") == first
    unknown = house(None).ask("another")
    assert (unknown.text, unknown.silence) == (None, "no-replay")


def test_kept_answers_are_sealed_when_encryption_is_on(house: Build) -> None:
    """With a key nothing of an answer can be read in the files, and without the key nothing is replayed."""
    with serving(says(SOUND)) as endpoint:
        home = house(endpoint.url)
        home.adjudicator._kept = ContentCache(home.cache._directory, 10**8, b"k" * 32)
        home.ask("q")
    [file] = [path for path in home.cache._directory.rglob("*") if path.is_file()]
    assert b"decisions" not in file.read_bytes()
    other = house(None)
    other.adjudicator._kept = ContentCache(home.cache._directory, 10**8, b"x" * 32)
    assert other.ask("q").silence == "no-replay"


@pytest.mark.parametrize("status", [408, 409, 429, 500, 502, 503, 529])
def test_a_passing_failure_is_tried_again(house: Build, status: int) -> None:
    """With a drawn pause below a doubling bound; what was not answered is not charged."""
    with serving(fails(status), fails(status), says(SOUND)) as endpoint:
        home = house(endpoint.url)
        assert home.ask().text == SOUND
    assert home.slept == [0.5, 1.0]
    assert home.ledger.read().tokens == 1000


def test_the_endpoint_may_say_when(house: Build) -> None:
    """A 429 with Retry-After is obeyed, with jitter on top; a date and nonsense are understood or ignored."""
    with serving(fails(429, retry_after="2"), fails(429, retry_after="soon"), says(SOUND)) as endpoint:
        home = house(endpoint.url)
        assert home.ask().text == SOUND
    assert home.slept == [2.5, 1.0]


def test_nobody_waits_longer_than_a_document_may_take(house: Build) -> None:
    """A Retry-After of an hour ends the question at once."""
    with serving(fails(429, retry_after="3600")) as endpoint:
        home = house(endpoint.url)
        assert home.ask().silence == "endpoint"
    assert home.slept == [] and len(endpoint.received) == 1


@pytest.mark.parametrize("status", [400, 401, 403, 404, 413, 422])
def test_a_lasting_refusal_is_not_tried_again(house: Build, status: int) -> None:
    """One request, no answer."""
    with serving(fails(status)) as endpoint:
        assert house(endpoint.url).ask().silence == "endpoint"
    assert len(endpoint.received) == 1


def test_a_reset_connection_is_tried_again_and_charged(house: Build) -> None:
    """The endpoint may have worked on it: what was set aside stays spent."""
    with serving(resets, says(SOUND)) as endpoint:
        home = house(endpoint.url, answer_tokens=500)
        assert home.ask().text == SOUND
    assert home.ledger.read().tokens > 1500


def test_nobody_there_is_no_answer(house: Build) -> None:
    """A port without a listener: attempts, then silence, and nothing charged."""
    with serving(says(SOUND)) as endpoint:
        url = endpoint.url
    home = house(url)
    assert home.ask().silence == "endpoint"
    assert home.ledger.read().tokens == 0 and len(home.slept) == 2


@pytest.mark.parametrize("drip", [drips, drips_headers])
def test_a_drip_ends_with_its_time(house: Build, drip: Callable[[Handler, Body], None]) -> None:
    """Bytes that keep coming do not lengthen an attempt."""
    with serving(drip) as endpoint, not_waiting():
        assert house(endpoint.url, attempt_seconds=0.3, attempts=1).ask().silence == "timeout"


def test_a_huge_answer_is_not_read(house: Build) -> None:
    """More than a mebibyte is cut off, with a length and without, and is not asked for again."""

    def huge(handler: Handler, _: Body) -> None:
        handler.send(200, completion("x" * 3_000_000))

    def endless(handler: Handler, _: Body) -> None:
        handler.send_response(200)
        handler.send_header("transfer-encoding", "chunked")
        handler.end_headers()
        for _n in range(1000):
            handler.wfile.write(b"10000\r\n" + b"x" * 65536 + b"\r\n")

    with serving(huge, endless) as endpoint:
        home = house(endpoint.url)
        assert [home.ask().silence, home.ask().silence] == ["too-long", "too-long"]
    assert len(endpoint.received) == 2


def test_a_compressed_answer_is_not_opened(house: Build) -> None:
    """What could swell is refused: nobody asked for it."""
    import gzip

    packed = gzip.compress(completion(SOUND))
    with serving(lambda handler, _: handler.send(200, packed, content_encoding="gzip")) as endpoint:
        assert house(endpoint.url).ask().silence == "too-long"


def test_a_redirect_is_not_followed(house: Build) -> None:
    """To another host or round in circles: one request, and the other host hears nothing."""
    with serving(says(SOUND)) as other, serving(fails(307, location="/v1/chat/completions")) as endpoint:
        home = house(endpoint.url, key="sekret")
        assert home.ask().silence == "endpoint"
        endpoint.script = [fails(302, location=f"{other.url}/chat/completions")]
        assert home.ask().silence == "endpoint"
        assert other.received == [] and len(endpoint.received) == 2


@pytest.mark.parametrize(
    "body",
    [b"", b"no json", b"[]", b'{"choices": []}', b'{"choices": 5}', b'{"choices": [{"message": {"content": 7}}]}',
     b'{"choices": [{"message": {"content": null}}]}', b"[" * 200_000, completion('{"decisions": [{"code"'),
     completion("You check suggested medical codes against one clinical note.")],
    ids=lambda body: f"{len(body)}-{body[:9].decode()}",
)  # fmt: skip
def test_a_malformed_answer_is_not_kept(house: Build, body: bytes) -> None:
    """It is handed on to be refused, and asked anew the next time."""
    with serving(lambda handler, _: handler.send(200, body), says(SOUND)) as endpoint:
        home = house(endpoint.url)
        assert home.ask("q").silence is None
        assert home.ledger.read().questions == {"malformed": 1}
        assert home.ask("q").text == SOUND
    assert len(endpoint.received) == 2


def test_an_endpoint_without_schemas_is_asked_by_a_tool(house: Build) -> None:
    """It refuses the schema, the limit's name and the temperature; the fitting dialect is remembered."""

    def picky(handler: Handler, body: Body) -> None:
        for name in ("response_format", "max_tokens", "temperature"):
            if name in body:
                return fails(400, {"error": {"message": f"Unsupported: {name}", "param": name}})(handler, body)
        return handler.send(200, completion(SOUND, tool=True))

    with serving(picky) as endpoint:
        home = house(endpoint.url)
        assert [home.ask().text, home.ask().text] == [SOUND, SOUND]
    assert len(endpoint.received) == 5
    assert endpoint.bodies[-1]["tool_choice"] == {"type": "function", "function": {"name": "answer"}}


def test_a_form_that_was_chosen_stays(house: Build) -> None:
    """With the form set to schema a refusal of it is an error, with tool no schema is ever sent."""
    refused = fails(400, {"error": {"param": "response_format"}})
    with serving(refused) as endpoint:
        assert house(endpoint.url, form="schema").ask().silence == "endpoint"
        house(endpoint.url, form="tool").ask()
    assert ["tools" in body for body in endpoint.bodies] == [False, True]


def test_a_document_has_a_budget(house: Build) -> None:
    """What all attempts could cost is within it, or nothing is sent."""
    with serving(resets) as endpoint:
        home = house(endpoint.url, answer_tokens=400, document=Cost(1200, DOLLAR), attempts=5)
        assert home.ask().silence == "budget"
        assert len(endpoint.received) == 2
        assert house(endpoint.url, answer_tokens=400, document=Cost(100, DOLLAR)).ask("x").silence == "budget"
    assert len(endpoint.received) == 2


def test_a_day_has_a_budget(house: Build) -> None:
    """When it is spent nobody is asked until the next day, also after a restart."""
    with serving(says(SOUND)) as endpoint:
        terms = {"answer_tokens": 400, "day": Cost(2600, DOLLAR)}
        home = house(endpoint.url, **terms)
        assert [home.ask().silence for _ in range(4)] == [None, None, None, "budget"]
        assert house(endpoint.url, **terms).ask("x").silence == "budget"
        home.clock.now += 86_400
        assert home.ask("tomorrow").silence is None
    assert home.ledger.read().all_tokens == 4000


def test_a_day_may_cost_only_so_much(house: Build) -> None:
    """Money runs out apart from tokens."""
    with serving(says(SOUND)) as endpoint:
        home = house(endpoint.url, answer_tokens=400, price=Price.of(100, 100), day=Cost(10**9, DOLLAR // 7))
        assert [home.ask().silence for _ in range(3)] == [None, "budget", "budget"]
    assert home.ledger.read().breaker.failures == 0


def test_the_breaker_opens_and_half_opens(house: Build) -> None:
    """After failures in a row nobody is asked; after the rest one tries, and an answer closes it, for all processes."""
    with serving(fails(500)) as endpoint:
        home = house(endpoint.url, attempts=1, failures=3, rest_seconds=60.0)
        assert [home.ask().silence for _ in range(5)] == ["endpoint"] * 3 + ["breaker"] * 2
        assert len(endpoint.received) == 3
        assert home.ledger.figures()["fhirwright_adjudication_breaker"][2] == {"closed": 0, "open": 1, "half-open": 0}
        home.clock.now += 61
        assert home.ask().silence == "endpoint" and home.ask().silence == "breaker"
        home.clock.now += 61
        endpoint.script = [says(SOUND)]
        assert home.ask().silence is None and home.ask().silence is None
    assert home.ledger.figures()["fhirwright_adjudication_breaker"][2]["closed"] == 1


def test_answers_that_are_none_open_the_breaker_too(house: Build) -> None:
    """An endpoint that only talks is not asked for ever."""
    with serving(says("I would be glad to help.")) as endpoint:
        home = house(endpoint.url, failures=2)
        assert [home.ask().silence for _ in range(3)] == [None, None, "breaker"]


def test_few_questions_are_under_way_at_once(house: Build) -> None:
    """Four at a time with room for two: the endpoint never sees more than two together."""
    lock, now, most = threading.Lock(), 0, 0

    def slow(handler: Handler, _: Body) -> None:
        nonlocal now, most
        with lock:
            now += 1
            most = max(most, now)
        time.sleep(0.1)
        with lock:
            now -= 1
        handler.send(200, completion(SOUND))

    with serving(slow) as endpoint:
        home = house(endpoint.url, at_once=2)
        threads = [threading.Thread(target=home.ask, args=(str(n),)) for n in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert most == 2 and home.ledger.read().questions == {"answered": 6}


def test_who_finds_no_room_in_time_is_not_asked(house: Build) -> None:
    """The wait for room counts as the document's time."""
    with serving(drips) as endpoint:
        home = house(endpoint.url, at_once=1, seconds=0.4, attempts=1)
        first = threading.Thread(target=home.ask, args=("a",))
        first.start()
        while not endpoint.received:
            time.sleep(0.01)
        home.adjudicator._room.acquire(timeout=0)
        home.adjudicator.terms = type(home.adjudicator.terms)("m", seconds=0.05)
        assert home.ask("b").silence == "busy"
        first.join()


def test_a_fault_of_ours_is_no_answer(house: Build, capfd: pytest.CaptureFixture[str]) -> None:
    """Whatever is raised, the document goes on, and the log says the kind of error and nothing of its text."""
    home = house("http://127.0.0.1:9/v1")

    class Broken:
        def complete(self, *_: object) -> None:
            raise ValueError("Jane Roe")

    home.adjudicator._client = Broken
    assert home.adjudicator.ask(Question("p", "s", "u", {})).silence == "endpoint"
    assert "Jane Roe" not in capfd.readouterr().err


def test_metrics_hold_numbers_and_fixed_words(house: Build) -> None:
    """No text of a question, an answer or a model is among the figures."""
    with serving(says("Jane Roe")) as endpoint:
        home = house(endpoint.url)
        home.ask("John Doe")
        home.adjudicator.tell({"keep": 2, "quote-not-found": 1})
    told = str(home.ledger.figures())
    assert "Roe" not in told and "Doe" not in told
    assert home.ledger.figures()["fhirwright_adjudication_codes"][2] == {"keep": 2, "quote-not-found": 1}
