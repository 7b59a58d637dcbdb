"""A run over the wire: requests of every kind to both tenants, until enough were made or something was found."""

from __future__ import annotations

import time
from collections.abc import Callable

from campaigns.reaching.campaign import SEVERE, Result
from campaigns.reaching.ground import Eyes
from campaigns.reaching.houses import Houses
from campaigns.reaching.roads import Roads
from campaigns.reaching.walls import WALLS, breached


def cross(
    several: Houses,
    eyes: Eyes,
    seed: int,
    requests: int,
    *,
    until_found: bool = False,
    tell: Callable[[str], None] = print,
) -> Result:
    """Make that many requests by chance; with `until_found` only until the first leak."""
    result, roads = Result(), Roads(several, eyes, seed)
    began = time.process_time()
    for number in range(requests):
        kind, who, findings = roads.step()
        result.asked[kind] += 1
        result.callers[who] += 1
        for finding in findings:
            result.found[finding.kind].append(
                f"#{number} {kind}, {who}: {roads.told}\n    {finding.kind}: {finding.text}"
            )
            if result.first is None and finding.kind in SEVERE:
                result.first = number
        if until_found and result.first is not None:
            break
        if not until_found and number % 5000 == 4999:
            tell(f"{number + 1} requests over the wire, {len(result.leaks)} leaks")
    roads.leave()
    result.seconds = time.process_time() - began
    return result


def breach(several: Houses, requests: int, seed: int, tell: Callable[[str], None] = print) -> dict[str, Result]:
    """Each fault by itself, until it is found."""
    found, eyes = {}, Eyes(several)
    for name in WALLS:
        began = time.process_time()
        with breached(several, name):
            found[name] = cross(several, eyes, seed, requests, until_found=True)
        at = found[name].first
        tell(f"{name}: {'NOT FOUND' if at is None else f'request {at + 1}'}, {time.process_time() - began:.1f} CPU-s")
    return found
