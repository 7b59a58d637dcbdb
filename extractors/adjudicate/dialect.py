"""How a question is put to an endpoint: a schema or a tool, and which parameters it takes; learned from refusals.

https://platform.openai.com/docs/api-reference/chat/create
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Literal

from extractors.adjudicate.model import Question

TOOL = "answer"
Form = Literal["schema", "tool"]


@dataclass(frozen=True, slots=True)
class Dialect:
    """What an endpoint takes: the form of the schema, the name of the limit on the answer, a temperature."""

    form: Form = "schema"
    limit: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    temperature: bool = True
    strict: bool = True

    def body(self, question: Question, model: str, tokens: int) -> dict[str, Any]:
        """The body of a request for chat completions."""
        body: dict[str, Any] = {
            "model": model,
            "messages": [
                {"role": "system", "content": question.system},
                {"role": "user", "content": question.user},
            ],
            self.limit: tokens,
        }
        if self.temperature:
            body["temperature"] = 0
        strict = {"strict": True} if self.strict else {}
        if self.form == "schema":
            schema = {"name": TOOL, "schema": question.schema, **strict}
            return {**body, "response_format": {"type": "json_schema", "json_schema": schema}}
        tool = {"name": TOOL, "parameters": question.schema, **strict}
        return {
            **body,
            "tools": [{"type": "function", "function": tool}],
            "tool_choice": {"type": "function", "function": {"name": TOOL}},
        }

    def without(self, parameter: str, *, fixed: bool) -> Dialect | None:
        """The dialect for an endpoint that does not take a parameter; None when there is no other.

        With `fixed` the form stays what it is.
        """
        if parameter == "temperature" and self.temperature:
            return replace(self, temperature=False)
        if parameter == "max_tokens" and self.limit == "max_tokens":
            return replace(self, limit="max_completion_tokens")
        if parameter == "strict" and self.strict:
            return replace(self, strict=False)
        if parameter == "response_format" and self.form == "schema" and not fixed:
            return replace(self, form="tool")
        return None


PARAMETERS = ("response_format", "json_schema", "max_tokens", "temperature", "strict")


def unknown_parameter(told: object) -> str | None:
    """The parameter that the body of a refusal (400, 404, 422, 501) is about, None when it names none of ours."""
    error = told.get("error", told) if isinstance(told, dict) else told
    named = str(error.get("param") or "") if isinstance(error, dict) else ""
    words = named or json.dumps(error, default=str)[:4000]
    found = next((name for name in PARAMETERS if name in words), None)
    return "response_format" if found == "json_schema" else found
