"""Logs and metrics: they say what happened to which kind of request, and nothing about whom."""

import json
import logging

import httpx
import pytest
import structlog
from prometheus_client import REGISTRY

from server.observability import Observe, configure_logging, describe
from server.settings import Settings


@pytest.fixture(autouse=True)
def plain_structlog():
    """Leave structlog as it was found."""
    yield
    structlog.reset_defaults()


async def _app(scope, receive, send):
    if scope["path"] == "/crash":
        raise RuntimeError("Jane Roe")
    scope["fhir_route"] = "/fhir/{type}/{id}"
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"{}"})


async def _get(path, settings, app=_app):
    transport = httpx.ASGITransport(Observe(app, settings), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://h") as client:
        return await client.get(path)


def _lines(capfd):
    return [json.loads(line) for line in capfd.readouterr().err.splitlines()]


async def test_a_request_is_one_line_without_ids(capfd):
    """Template, method, status, time and the request id of the answer; no path, no query."""
    settings = Settings(log_format="json", log_requests="all")
    configure_logging(settings)
    response = await _get("/fhir/Patient/jane-roe-77?name=Roe", settings)
    (line,) = _lines(capfd)
    assert line.pop("ms") >= 0
    assert line.pop("timestamp")
    assert line == {
        "event": "request",
        "level": "info",
        "id": response.headers["x-request-id"],
        "method": "GET",
        "route": "/fhir/{type}/{id}",
        "status": 200,
    }


async def test_request_ids_differ(capfd):
    """Two requests are two ids."""
    settings = Settings()
    observe = Observe(_app, settings)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(observe), base_url="http://h") as client:
        assert (await client.get("/a")).headers["x-request-id"] != (await client.get("/a")).headers["x-request-id"]


async def test_problems_only_is_quiet_about_success(capfd):
    """By default a fast success leaves no line, a slow one does."""
    settings = Settings(log_format="json")
    configure_logging(settings)
    await _get("/fhir/Patient/1", settings)
    assert not _lines(capfd)
    await _get("/fhir/Patient/1", Settings(log_format="json", slow_seconds=1e-9))
    assert _lines(capfd)[0]["level"] == "warning"


async def test_a_request_that_crashed_is_counted_without_a_route(capfd):
    """What matched nothing and died is still one sample and one line."""
    settings = Settings(log_format="json")
    configure_logging(settings)
    await _get("/crash", settings)
    (line,) = _lines(capfd)
    assert (line["route"], line["status"], line["level"]) == ("(none)", 0, "warning")


async def test_latency_is_sampled_by_template():
    """One histogram, labelled by method, template and class of status."""
    labels = {"method": "GET", "route": "/fhir/{type}/{id}", "status": "2xx"}

    def count():
        return REGISTRY.get_sample_value("fhirwright_request_seconds_count", labels) or 0

    before = count()
    await _get("/fhir/Patient/12345", Settings())
    assert count() == before + 1


def test_an_exception_is_described_by_type_and_place():
    """Its text may quote a document and never appears; nor does that of its cause."""
    try:
        try:
            raise ValueError("Jane Roe")
        except ValueError as inner:
            raise RuntimeError("born 1970-01-01") from inner
    except RuntimeError as error:
        told = describe(error)
    assert told["error"] == "RuntimeError"
    assert told["cause"]["error"] == "ValueError"
    assert "test_observability.py:" in told["at"][0]
    assert "Roe" not in str(told) and "1970" not in str(told)


def test_records_of_other_libraries_lose_their_exceptions(capfd):
    """A library that logs an exception shows up with its first line, the type and the place."""
    configure_logging(Settings(log_format="json"))
    try:
        raise ValueError("Jane Roe")
    except ValueError:
        logging.getLogger("some.library").exception("it failed\nJane Roe again")
    (line,) = _lines(capfd)
    assert line["event"] == "it failed"
    assert line["error"] == "ValueError"
    assert "Roe" not in str(line)


def test_console_lines_are_for_people(capfd):
    """The default format is readable and goes to stderr."""
    configure_logging(Settings())
    structlog.get_logger().info("hello", n=1)
    said = capfd.readouterr()
    assert "hello" in said.err and not said.out


def test_the_level_holds(capfd):
    """Lines below the level are not written."""
    configure_logging(Settings(log_level="error"))
    structlog.get_logger().warning("quiet")
    assert not capfd.readouterr().err
