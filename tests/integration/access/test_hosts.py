"""A closed server that has an address says that one, whatever it is called by."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from server.app import create_app
from server.settings import Settings

EVIL = {"host": "evil.example", "x-forwarded-host": "evil.example"}
PATHS = (
    "/fhir/metadata", "/fhir/metadata?_format=html", "/fhir/.well-known/smart-configuration",
    "/fhir/.well-known/openid-configuration", "/auth/jwks", "/fhir/Patient", "/", "/work", "/work/", "/work/queue/",
    "/auth/sign-in", "/auth/manage", "/auth/manage/", "/auth/admin/", "/healthz/", "/openapi.json",
)  # fmt: skip


@pytest.mark.check("INPUT-26")
async def test_no_link_issuer_or_redirect_follows_the_host(database_url: str, tmp_path: Path) -> None:
    """INPUT-26: neither body nor header of any answer to anybody has the name that was called."""
    settings = Settings(
        database=database_url,
        data=tmp_path / "var",
        base_url="https://fhir.example/fhir",
        coding="off",
        server_names=(),
    )
    app = create_app(settings)
    try:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://evil.example", headers=EVIL) as http:
            for path in PATHS:
                answer = await http.get(path)
                assert "evil.example" not in answer.text + str(answer.headers), path
                assert answer.status_code < 500 and answer.status_code != 421, path
            issuer = (await http.get("/fhir/.well-known/smart-configuration")).json()["issuer"]
            assert issuer == "https://fhir.example/fhir"
    finally:
        app.state.fhir.store.close()
