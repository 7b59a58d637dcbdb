"""Schemathesis drives the server from its own OpenAPI document and finds no 5xx (campaigns/fuzz.py for longer)."""

from campaigns.fuzz import fuzz
from server.app import create_app
from server.settings import Settings


def test_no_request_makes_the_server_fail(tmp_path, furnish):
    """Whatever schemathesis makes of the schema, the fault is never the server's."""
    made = Settings(
        data=furnish(tmp_path / "var"), open=True, log_requests="problems", coding="off", server_names=("testserver",)
    )
    app = create_app(made)
    try:
        report = fuzz(app, ("Patient",), cover=40, examples=1, scenarios=2, seed=20)
    finally:
        app.state.fhir.store.close()
    assert report.requests > 700
    assert report.stateful > 2
    assert not report.failures
