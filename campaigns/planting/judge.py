"""A language model beside the server that keeps every code it is asked about, and whatever it was sent.

https://platform.openai.com/docs/api-reference/chat
"""

from __future__ import annotations

import json
from typing import Any


def answered(body: bytes) -> bytes:
    """The completion to a question: each candidate is kept, by the first words it rests on."""
    asked = json.loads(body)
    told = "\n".join(str(message["content"]) for message in asked["messages"])
    candidates = [json.loads(line) for line in told.splitlines() if line.startswith('{"code"')]
    content = json.dumps({"decisions": [_kept(candidate) for candidate in candidates]})
    message: dict[str, Any] = {"role": "assistant", "content": content}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 900, "completion_tokens": 100, "total_tokens": 1000}
    completion = {"id": "1", "object": "chat.completion", "created": 1, "model": asked["model"], "usage": usage}
    return json.dumps({**completion, "choices": [choice]}).encode()


def _kept(candidate: dict[str, Any]) -> dict[str, Any]:
    return {"code": candidate["code"], "verdict": "keep", "because": "stated", "quote": candidate["words"][0]}
