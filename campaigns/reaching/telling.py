"""What runs came to, as the page of results tells it."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from campaigns.reaching.campaign import Result, Stage
from campaigns.reaching.seats import SEATS

_WIRE = (
    "## Two tenants over the wire",
    "",
    "The same world under the same ids and identifiers in two tenants, each behind its host name, on a closed server",
    "with tokens of its own: interactions, writes and Bundles, tokens of one at the other, deferred requests, their",
    "status URLs and files, `$export`, `$import` (also of files of other exports), Subscriptions with what they tell,",
    "`$events` and websockets, `$code`, the operations of claims, definitions of the same URL, AuditEvents, and",
    "introspection. What is shown must be within the reach of the token, what is another's must be told as what never",
    "was, an export must hold all that it may, and what was written must be the caller's before and after.",
)


def findings(result: Result) -> list[str]:
    """What is wrong in a run."""
    return [*result.leaks, *result.found["over-refusal"]]


def line(engine: str, scene: Stage, result: Result) -> str:
    """What a run came to."""
    asked, refused = sum(result.asked.values()), len(result.found["over-refusal"])
    return (
        f"{engine}: {asked} requests of {len(scene.views)} callers over {scene.resources} resources"
        f" ({scene.versions} versions): {len(result.leaks)} leaks, {refused} over-refusals, {result.seconds:.0f} CPU-s"
    )


def wire_line(engine: str, result: Result) -> str:
    """What a run over the wire came to."""
    asked, refused = sum(result.asked.values()), len(result.found["over-refusal"])
    return (
        f"{engine}: {asked} requests over the wire of {len(SEATS)} tokens at each of two tenants:"
        f" {len(result.leaks)} leaks, {refused} over-refusals, {result.seconds:.0f} CPU-s"
    )


def page(
    arguments: argparse.Namespace,
    results: dict[str, tuple[Stage, Result]],
    wires: dict[str, Result],
    faults: dict[str, Result],
    breaches: dict[str, Result],
) -> str:
    """The page of results."""
    given = f"--requests {arguments.requests} --wire {arguments.wire} --seed {arguments.seed}"
    command = f"make campaign NAME=reach ARGS='{given}'"
    lines = [
        "# Reach",
        "",
        f"{datetime.now(UTC):%Y-%m-%d}, `{command}`",
        "",
        "Random requests of callers with many kinds of tokens over a world of two patients whose resources refer to",
        "each other in every direction and moved between them. What a caller may see of each version is worked out",
        "from the specifications by code that shares nothing with the enforcement. Each answer to a question must",
        "equal, as a whole, that of a server on which what is hidden never was: matches, includes, order, pages,",
        "totals, status and words. Each write must be answered as the oracle says and store only what is the",
        "caller's before and after. Anything shown or told beyond that, anything written, and any answer where a",
        "refusal by name is due counts as a leak; what is refused though allowed as an over-refusal.",
        "",
        *(f"- {line(engine, scene, result)}" for engine, (scene, result) in results.items()),
        "",
        "A PUT under an id that is taken by something hidden is answered with 404, one under a free id makes it: a",
        "server that lets clients choose ids cannot hide that one is taken. The oracle expects it.",
        "",
        "| requests | " + " | ".join(results) + " |",
        "|---|" + "---|" * len(results),
    ]
    kinds = sorted({kind for _, result in results.values() for kind in result.asked})
    lines += [f"| {kind} | " + " | ".join(str(r.asked[kind]) for _, r in results.values()) + " |" for kind in kinds]
    if wires:
        lines += ["", *_WIRE, "", *(f"- {wire_line(engine, result)}" for engine, result in wires.items()), ""]
        lines += ["| over the wire | " + " | ".join(wires) + " |", "|---|" + "---|" * len(wires)]
        kinds = sorted({kind for result in wires.values() for kind in result.asked})
        lines += [f"| {kind} | " + " | ".join(str(one.asked[kind]) for one in wires.values()) + " |" for kind in kinds]
    faults = {**faults, **breaches}
    if faults:
        lines += [
            "",
            "## Faults put into the enforcement",
            "",
            f"Each is looked for within {arguments.faults} requests.",
            "",
        ]
        lines += ["| fault | found by request |", "|---|---|"]
        lines += [f"| {name} | {'not found' if r.first is None else r.first + 1} |" for name, r in faults.items()]
    return "\n".join(lines) + "\n"
