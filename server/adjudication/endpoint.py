"""The one endpoint that is asked, by the `openai` client: bounded in time and bytes, no redirects, no proxies.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import asyncio
import logging
import ssl
import time
from collections.abc import AsyncIterator, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

import httpx2
import msgspec
import openai

from extractors.adjudicate.dialect import unknown_parameter
from extractors.adjudicate.model import Reply, Unanswered, Usage

LONGEST = 1024 * 1024
"""Bytes of an answer, headers apart."""

_LEAVES = frozenset({b"host", b"content-type", b"content-length", b"accept", b"authorization", b"connection"})
_PASSING = frozenset({408, 409, 425, 429})
_OF_FORM = frozenset({400, 404, 415, 422, 501})
_NO_KEY = "none"


class _Function(msgspec.Struct, frozen=True):
    arguments: str = ""


class _Call(msgspec.Struct, frozen=True):
    function: _Function = _Function()


class _Message(msgspec.Struct, frozen=True):
    content: str | None = None
    tool_calls: list[_Call] | None = None


class _Choice(msgspec.Struct, frozen=True):
    message: _Message


class _Usage(msgspec.Struct, frozen=True):
    prompt_tokens: int = 0
    completion_tokens: int = 0


class _Completion(msgspec.Struct, frozen=True):
    choices: list[_Choice]
    usage: _Usage | None = None


class _TooLong(Exception):
    """The answer has more bytes than any should have."""


class Endpoint:
    """The operator's endpoint. Its address comes from the settings and from nowhere else."""

    def __init__(self, url: str, key: str | None) -> None:
        for chatty in ("openai", "httpx2", "httpcore2"):  # below a warning they log what they send
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._url, self._key = url, key
        self._trust = ssl.create_default_context()

    def complete(self, body: Mapping[str, Any], seconds: float) -> Reply:
        """The answer to a body of chat completions within `seconds`, whatever trickles in; raises Unanswered."""
        return _reply(asyncio.run(self._complete(body, seconds)))

    async def _complete(self, body: Mapping[str, Any], seconds: float) -> bytes:
        try:
            async with asyncio.timeout(seconds), self._http(seconds) as http:
                client = openai.AsyncOpenAI(
                    base_url=self._url, api_key=self._key or _NO_KEY, max_retries=0, timeout=seconds, http_client=http
                )
                answer = await client.chat.completions.with_raw_response.create(**body)
                return bytes(answer.http_response.content)
        except (TimeoutError, openai.APITimeoutError):
            raise Unanswered("timeout", retry=True, billed=True) from None
        except openai.APIStatusError as error:
            raise _refusal(error.status_code, error.response.headers, error.body) from None
        except _TooLong:
            raise Unanswered("too-long", billed=True) from None
        except openai.APIConnectionError as error:
            billed = not isinstance(error.__cause__, httpx2.ConnectError)
            raise Unanswered("endpoint", retry=True, billed=billed) from None

    def _http(self, seconds: float) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(
            transport=_Bounded(self._trust, with_key=self._key is not None),
            timeout=seconds,
            follow_redirects=False,
            trust_env=False,
        )


class _Bounded(httpx2.AsyncBaseTransport):
    """Lets out the headers that must be, and in no more bytes than an answer has."""

    def __init__(self, trust: ssl.SSLContext, *, with_key: bool) -> None:
        self._inner = httpx2.AsyncHTTPTransport(verify=trust, trust_env=False)
        self._leaves = _LEAVES if with_key else _LEAVES - {b"authorization"}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send a request as it may leave; _TooLong for an answer that is compressed or does not end."""
        headers = httpx2.Headers([(k, v) for k, v in request.headers.raw if k.lower() in self._leaves])
        headers["user-agent"] = "fhirwright"
        headers["accept-encoding"] = "identity"
        sent = httpx2.Request(
            request.method, request.url, headers=headers, stream=request.stream, extensions=request.extensions
        )
        response = await self._inner.handle_async_request(sent)
        if response.headers.get("content-encoding", "identity") != "identity":
            await response.aclose()
            raise _TooLong
        assert isinstance(response.stream, httpx2.AsyncByteStream)
        return httpx2.Response(
            response.status_code,
            headers=response.headers,
            stream=_Counted(response.stream),
            extensions=response.extensions,
        )

    async def aclose(self) -> None:
        """Close all connections."""
        await self._inner.aclose()


class _Counted(httpx2.AsyncByteStream):
    def __init__(self, inner: httpx2.AsyncByteStream) -> None:
        self._inner = inner

    async def __aiter__(self) -> AsyncIterator[bytes]:
        seen = 0
        async for part in self._inner:
            seen += len(part)
            if seen > LONGEST:
                raise _TooLong
            yield part

    async def aclose(self) -> None:
        await self._inner.aclose()


def _refusal(status: int, headers: Mapping[str, str], body: object) -> Unanswered:
    """What an error status means for us."""
    if status in _PASSING or (status >= 500 and status != 501):
        return Unanswered("endpoint", retry=True, after=_after(headers.get("retry-after")))
    return Unanswered("endpoint", parameter=unknown_parameter(body) if status in _OF_FORM else None)


def _after(told: str | None) -> float | None:
    """Seconds of a Retry-After header, None without a sound one (https://www.rfc-editor.org/rfc/rfc9110)."""
    if not told or len(told) > 40:
        return None
    try:
        seconds = float(told) if told.strip().isdecimal() else parsedate_to_datetime(told).timestamp() - time.time()
    except (ValueError, OverflowError):
        return None
    return max(0.0, seconds)


def _reply(content: bytes) -> Reply:
    """The text of a completion, its tool call's arguments where there is one; "" for anything else."""
    try:
        found = msgspec.json.decode(content, type=_Completion)
    except (msgspec.MsgspecError, RecursionError):
        return Reply("", None)
    usage = None if found.usage is None else Usage(found.usage.prompt_tokens, found.usage.completion_tokens)
    message = found.choices[0].message if found.choices else _Message()
    text = message.tool_calls[0].function.arguments if message.tool_calls else message.content or ""
    return Reply(_bare(text), usage)


def _bare(text: str) -> str:
    """The text without the fence of code that some models put around JSON."""
    stripped = text.strip()
    if stripped.startswith("```") and stripped.endswith("```"):
        return stripped.strip("`").removeprefix("json").strip()
    return stripped
