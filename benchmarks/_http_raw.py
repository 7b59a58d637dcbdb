"""The least an ASGI server can do: read the body, answer fixed bytes. What `http.py` compares with."""

from __future__ import annotations

from typing import Any

BODY = b"x" * 732


async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
    """Answer every request with 732 bytes."""
    if scope["type"] == "lifespan":
        while True:
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
            if message["type"] == "lifespan.shutdown":
                return
    while (await receive()).get("more_body"):
        pass
    headers = [(b"content-type", b"application/fhir+json"), (b"content-length", b"%d" % len(BODY))]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
