"""A real server process: what only shows over a socket."""

import http.client
import json
import re
import signal
import socket
import time
from urllib.parse import urlsplit

import httpx
import pytest

NAME = "Quxwendolyn"
JSON = {"Content-Type": "application/fhir+json"}


def test_no_name_of_a_patient_gets_into_logs_or_metrics(live):
    """A name in path, query, body and headers leaves no trace; the requests do, by template."""
    patient = {"resourceType": "Patient", "id": NAME, "name": [{"family": NAME}], "birthDate": "1931-12-24"}
    with httpx.Client(base_url=f"{live.base}/fhir/") as client:
        client.put(f"Patient/{NAME}", json=patient, headers=JSON).raise_for_status()
        client.get(f"Patient/{NAME}").raise_for_status()
        client.get(f"Patient?family={NAME}").raise_for_status()
        client.post("Patient/_search", data={"family": NAME}).raise_for_status()
        for path in (f"{NAME}/1", f"Patient/{NAME}/{NAME}", f"Patient?{NAME}={NAME}", f"Patient/$%20{NAME}"):
            client.get(path)
        client.post("Patient", content=f'{{"{NAME}":'.encode(), headers=JSON)
        client.post("Patient", json={"resourceType": "Patient", "gender": NAME}, headers=JSON)
        client.get("Patient/1", headers={"Accept": NAME, "X-Request-Id": NAME, "Prefer": NAME})
        client.request(NAME.upper(), "Patient/1")
    metrics = httpx.get(f"{live.base}/metrics").text
    log = live.log.read_text()
    assert NAME.lower() not in log.lower()
    assert "1931" not in log
    assert NAME.lower() not in metrics.lower()
    assert '"/fhir/{type}/{id}"' in log
    assert 'route="/fhir/{type}/{id}"' in metrics


def test_metrics_have_a_bounded_set_of_routes(live):
    """However many ids and wrong paths are asked for, routes stay templates."""
    with httpx.Client(base_url=live.base) as client:
        for n in range(50):
            client.get(f"/fhir/Patient/made-up-{n}")
            client.get(f"/nowhere-{n}")
            client.get(f"/fhir/Nothing{n}")
        routes = set(re.findall(r'fhirwright_request_seconds_count{.*?route="(.*?)"', client.get("/metrics").text))
    assert len(routes) < 25
    assert not any("made-up" in route or "nowhere" in route or "Nothing" in route for route in routes)


def test_metrics_count_the_documents_by_stage(live):
    """The queue can be watched without a look into the database."""
    document = {
        "resourceType": "DocumentReference",
        "status": "current",
        "content": [{"attachment": {"contentType": "text/plain", "data": "SGVhcnQgcmF0ZSA3Mg=="}}],
    }
    httpx.post(f"{live.base}/fhir/DocumentReference", json=document, headers=JSON).raise_for_status()
    assert 'fhirwright_jobs{stage="received"}' in httpx.get(f"{live.base}/metrics").text


def test_a_chunked_body_over_the_limit_ends_early(live):
    """The server answers 413 while the client still sends."""
    address = urlsplit(live.base)
    connection = http.client.HTTPConnection(address.hostname, address.port, timeout=120)
    chunks = (b" " * 1_000_000 for _ in range(100))
    try:
        connection.request("POST", "/fhir/Patient", body=chunks, headers=JSON, encode_chunked=True)
    except OSError:
        pass  # it closed the connection while we sent
    else:
        assert connection.getresponse().status == 413
    finally:
        connection.close()
    assert httpx.get(f"{live.base}/healthz").status_code == 200


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /fhir/Patient/%ff%fe HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /fhir/%2e%2e/%2e%2e/etc HTTP/1.1\r\nHost: test\r\n\r\n",
        b"GET /fhir/metadata HTTP/1.1\r\nHost: a b\r\n\r\n",
        b"POST /fhir/Patient HTTP/1.1\r\nHost: test\r\nContent-Length: 99999999999999\r\n\r\n",
        b"POST /fhir HTTP/1.1\r\nHost: test\r\nContent-Length: 2\r\n\r\n\xff\xfe",
        b"NONSENSE /fhir HTTP/1.1\r\nHost: test\r\n\r\n",
        b"garbage\r\n\r\n",
    ],
)
def test_broken_requests_are_the_clients_fault(live, request_bytes):
    """Whatever bytes come, the answer is 4xx and the server lives."""
    address = urlsplit(live.base)
    with socket.create_connection((address.hostname, address.port), timeout=120) as raw:
        raw.sendall(request_bytes)
        status = int(raw.recv(4096).split()[1])
    assert 400 <= status < 500
    assert httpx.get(f"{live.base}/healthz").status_code == 200


def test_the_server_does_not_say_what_it_is_made_of(live):
    """No Server header."""
    assert "server" not in httpx.get(f"{live.base}/fhir/metadata").headers


def test_serve_warns_that_there_is_no_authorization(live):
    """Whoever starts it is told."""
    assert "no authorization" in live.log.read_text()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_request_that_runs_is_answered_before_the_end(launch, how):
    """Graceful shutdown: the answer comes, then the process ends with 0."""
    server = launch()
    address = urlsplit(server.base)
    body = json.dumps({"resourceType": "Patient"}).encode()
    with socket.create_connection((address.hostname, address.port), timeout=120) as raw:
        head = (
            "POST /fhir/Patient HTTP/1.1\r\nHost: test\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}"
        )
        raw.sendall(head.encode() + b"\r\n\r\n" + body[:5])
        time.sleep(0.3)
        server.process.send_signal(how)
        time.sleep(0.3)
        raw.sendall(body[5:])
        assert raw.recv(4096).startswith(b"HTTP/1.1 201")
    assert server.process.wait(120) == 0


def test_api_processes_share_the_database_and_the_metrics(launch):
    """`--workers 2`: what one wrote the other reads, and /metrics is the sum."""
    server = launch("--workers", "2")
    made = httpx.post(f"{server.base}/fhir/Patient", json={"resourceType": "Patient"}, headers=JSON)
    for _ in range(20):  # each over a connection of its own, so that both processes get some
        assert httpx.get(made.headers["location"]).status_code == 200
    labels = 'method="GET",route="/fhir/{type}/{id}/_history/{vid}",status="2xx"'
    metrics = httpx.get(f"{server.base}/metrics").text
    assert f"fhirwright_request_seconds_count{{{labels}}} 20.0" in metrics
    assert server.stop() == 0
